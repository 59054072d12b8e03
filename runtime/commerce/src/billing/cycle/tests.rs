use serde_json::{Value, json};
use tmf::document::read;

use super::*;
use crate::billing::tests::day;

fn cycle(specification: &Value) -> Cycle {
    Cycle::read(&read(specification).unwrap()).unwrap()
}

#[test]
fn bills_are_cut_on_their_day() {
    let on = |specification: Value, at: &str| {
        let cycle = cycle(&specification);
        let (around, over) = (cycle.around(day(at)), cycle.over_by(day(at)));
        let due = cycle.due(over.until);
        format!("{specification} on {at}: in {around}, over {over}, due {due}")
    };
    let table = [
        on(json!({}), "2026-03-10"),
        on(json!({ "frequency": "monthly" }), "2026-03-01"),
        on(
            json!({ "frequency": "monthly", "billingDateShift": 14, "paymentDueDateOffset": 24 }),
            "2026-03-10",
        ),
        on(json!({ "frequency": "monthly", "dateShift": 27 }), "2026-03-01"),
        on(json!({ "frequency": "quarterly" }), "2026-02-10"),
        on(json!({ "frequency": "quarterly", "billingDateShift": 20 }), "2026-01-05"),
        on(json!({ "frequency": "annual" }), "2024-02-29"),
        on(json!({ "frequency": "weekly" }), "2026-03-11"),
        on(json!({ "billingPeriod": "week", "billingDateShift": 3 }), "2026-03-11"),
    ];
    insta::assert_snapshot!(table.join("\n"), @r#"
    {} on 2026-03-10: in 2026-03-01..2026-04-01, over 2026-02-01..2026-03-01, due 2026-03-15
    {"frequency":"monthly"} on 2026-03-01: in 2026-03-01..2026-04-01, over 2026-02-01..2026-03-01, due 2026-03-15
    {"billingDateShift":14,"frequency":"monthly","paymentDueDateOffset":24} on 2026-03-10: in 2026-02-15..2026-03-15, over 2026-01-15..2026-02-15, due 2026-02-25
    {"dateShift":27,"frequency":"monthly"} on 2026-03-01: in 2026-02-28..2026-03-28, over 2026-01-28..2026-02-28, due 2026-03-14
    {"frequency":"quarterly"} on 2026-02-10: in 2026-01-01..2026-04-01, over 2025-10-01..2026-01-01, due 2026-01-15
    {"billingDateShift":20,"frequency":"quarterly"} on 2026-01-05: in 2025-10-21..2026-01-21, over 2025-07-21..2025-10-21, due 2025-11-04
    {"frequency":"annual"} on 2024-02-29: in 2024-01-01..2025-01-01, over 2023-01-01..2024-01-01, due 2024-01-15
    {"frequency":"weekly"} on 2026-03-11: in 2026-03-09..2026-03-16, over 2026-03-02..2026-03-09, due 2026-03-23
    {"billingDateShift":3,"billingPeriod":"week"} on 2026-03-11: in 2026-03-05..2026-03-12, over 2026-02-26..2026-03-05, due 2026-03-19
    "#);
}

#[test]
fn each_day_of_a_month_can_be_the_bill_day() {
    let days = |shift: u32, months: &[&str]| {
        let cycle = cycle(&json!({ "billingDateShift": shift }));
        let cut =
            months.iter().map(|month| cycle.around(day(&format!("{month}-20"))).until.to_string());
        cut.collect::<Vec<_>>().join(" ")
    };
    let months = ["2026-01", "2026-02", "2026-03", "2026-04"];
    assert_eq!(days(30, &months), "2026-01-31 2026-02-28 2026-03-31 2026-04-30");
    assert_eq!(days(29, &months), "2026-01-30 2026-02-28 2026-03-30 2026-04-30");
    assert_eq!(days(28, &months), "2026-01-29 2026-02-28 2026-03-29 2026-04-29");
    assert_eq!(days(28, &["2028-01", "2028-02"]), "2028-01-29 2028-02-29");
}

#[test]
fn every_day_is_in_one_period_and_periods_touch() {
    let frequencies =
        [("weekly", 6), ("monthly", 30), ("quarterly", 30), ("half-yearly", 30), ("yearly", 30)];
    for (frequency, shift_max) in frequencies {
        for shift in 0..=shift_max {
            let cycle = cycle(&json!({ "frequency": frequency, "billingDateShift": shift }));
            for number in 0..1500 {
                let day = day("2023-11-20").plus_days(number);
                let around = cycle.around(day);
                assert!(around.holds(day), "{frequency} {shift}: {day} in {around}");
                assert_eq!(cycle.over_by(day).until, around.from, "{frequency} {shift}");
                assert_eq!(cycle.around(around.until).from, around.until, "{frequency} {shift}");
                assert_eq!(cycle.around(around.until.before()), around, "{frequency} {shift}");
            }
        }
    }
}

#[test]
fn an_account_has_the_cycle_that_it_refers_to_or_repeats() {
    let own = json!({ "frequency": "monthly", "dateShift": 9 });
    let account = json!({ "id": "acc-1", "billStructure": { "cycleSpecification": own } });
    let account: BillingAccount = read(&account).unwrap();
    let bill_day = |specification: Option<&Value>| {
        let specification = specification.map(|one| read(one).unwrap());
        Cycle::of_account(&account, specification.as_ref()).unwrap().bill_day()
    };
    assert_eq!(bill_day(None), 10);
    assert_eq!(bill_day(Some(&json!({ "billingDateShift": 19 }))), 20);
    assert_eq!(Cycle::of_account(&BillingAccount::unknown("acc-1"), None), Ok(Cycle::default()));
}

#[test]
fn malformed_cycles_are_rejected_with_their_path() {
    let error = |specification: Value| {
        read(&specification).and_then(|one| Cycle::read(&one)).unwrap_err().to_string()
    };
    assert_eq!(
        error(json!({ "frequency": "now and then" })),
        "`frequency` is none of `weekly`, `monthly`, `quarterly`, `yearly`"
    );
    assert_eq!(
        error(json!({ "billingDateShift": 31 })),
        "`billingDateShift` is past the 31st day of a month, or the 7th of a week"
    );
    assert_eq!(
        error(json!({ "paymentDueDateOffset": -1 })),
        "`paymentDueDateOffset` is not a whole number"
    );
}
