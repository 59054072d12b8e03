mod parts;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::billing::cycle::Cycle;
use crate::billing::tests::{
    at, day, days, decimal, due, euro, money, one_off, product, recurring, shown, start, terms,
    timeline, versions,
};
use model::pricing::amount::Rounding;

const RUN: &str = "2026-04-01T02:00:00Z";

/// The rates of a product up to the end of a period, without the charges of days before it; and
/// with those made earlier.
fn more(product: &Value, history: &str, rates: &[Rate], period: &str) -> Vec<Rate> {
    with(product, history, rates, period, &terms())
}

fn with(product: &Value, history: &str, rates: &[Rate], period: &str, terms: &Terms) -> Vec<Rate> {
    let (timeline, period) = (timeline(product, history), days(period));
    let until = Until::all(period.until);
    let mut made = due(product, &timeline, rates, &until, terms, at(RUN)).unwrap();
    made.retain(|rate| rate.covers.is_some_and(|days| days.from >= period.from));
    made
}

fn charged(product: &Value, history: &str, period: &str) -> String {
    shown(&more(product, history, &[], period))
}

fn monthly(amount: &str) -> Value {
    json!([recurring(amount, "month")])
}

#[test]
fn a_month_is_shared_by_its_days() {
    let from =
        |start: &str, period: &str| charged(&product("active", start, &monthly("31")), "", period);
    let table = [
        ("2026-03-01", "2026-03-01..2026-04-01"),
        ("2026-03-10", "2026-03-01..2026-04-01"),
        ("2026-03-31", "2026-03-01..2026-04-01"),
        ("2026-01-10", "2026-02-01..2026-03-01"),
        ("2026-02-28", "2026-02-01..2026-03-01"),
        ("2024-02-28", "2024-02-01..2024-03-01"),
        ("2026-04-16", "2026-04-01..2026-05-01"),
        ("2026-05-01", "2026-04-01..2026-05-01"),
    ];
    let lines =
        table.map(|(start, period)| format!("{start} in {period}: {}", from(start, period)));
    insta::assert_snapshot!(lines.join("\n"), @r"
    2026-03-01 in 2026-03-01..2026-04-01: recurringCharge Fibre, Access | 2026-03-01..2026-04-01 | 31.00 EUR + 5.89 EUR
    2026-03-10 in 2026-03-01..2026-04-01: recurringCharge Fibre, Access | 2026-03-10..2026-04-01 | 22.00 EUR + 4.18 EUR | 22/31 days
    2026-03-31 in 2026-03-01..2026-04-01: recurringCharge Fibre, Access | 2026-03-31..2026-04-01 | 1.00 EUR + 0.19 EUR | 1/31 days
    2026-01-10 in 2026-02-01..2026-03-01: recurringCharge Fibre, Access | 2026-02-01..2026-03-01 | 31.00 EUR + 5.89 EUR
    2026-02-28 in 2026-02-01..2026-03-01: recurringCharge Fibre, Access | 2026-02-28..2026-03-01 | 1.11 EUR + 0.21 EUR | 1/28 days
    2024-02-28 in 2024-02-01..2024-03-01: recurringCharge Fibre, Access | 2024-02-28..2024-03-01 | 2.14 EUR + 0.41 EUR | 2/29 days
    2026-04-16 in 2026-04-01..2026-05-01: recurringCharge Fibre, Access | 2026-04-16..2026-05-01 | 15.50 EUR + 2.95 EUR | 15/30 days
    2026-05-01 in 2026-04-01..2026-05-01:
    ");
}

#[test]
fn status_starts_and_stops_charges() {
    let fibre = |status, history| {
        let prices = json!([recurring("31", "month"), one_off("49.90")]);
        let rates =
            charged(&product(status, "2026-03-05", &prices), history, "2026-03-01..2026-04-01");
        format!("{history}\n{rates}\n")
    };
    let table = [
        fibre("pendingActive", "2026-03-01 pendingActive"),
        fibre("active", "2026-03-01 pendingActive, 2026-03-05 active"),
        fibre("suspended", "2026-03-05 active, 2026-03-20 suspended"),
        fibre("active", "2026-03-05 active, 2026-03-10 suspended, 2026-03-20 active"),
        fibre("pendingTerminate", "2026-03-05 active, 2026-03-20 pendingTerminate"),
        fibre("terminated", "2026-03-05 active, 2026-03-20 terminated"),
        fibre("terminated", "2026-03-05 active, 2026-03-05 terminated"),
    ];
    insta::assert_snapshot!(table.join("\n"), @r"
    2026-03-01 pendingActive


    2026-03-01 pendingActive, 2026-03-05 active
    recurringCharge Fibre, Access | 2026-03-05..2026-04-01 | 27.00 EUR + 5.13 EUR | 27/31 days
    oneTimeCharge Fibre, Setup | 2026-03-05..2026-03-06 | 49.90 EUR + 9.48 EUR

    2026-03-05 active, 2026-03-20 suspended
    recurringCharge Fibre, Access | 2026-03-05..2026-03-20 | 15.00 EUR + 2.85 EUR | 15/31 days
    oneTimeCharge Fibre, Setup | 2026-03-05..2026-03-06 | 49.90 EUR + 9.48 EUR

    2026-03-05 active, 2026-03-10 suspended, 2026-03-20 active
    recurringCharge Fibre, Access | 2026-03-05..2026-03-10 | 5.00 EUR + 0.95 EUR | 5/31 days
    recurringCharge Fibre, Access | 2026-03-20..2026-04-01 | 12.00 EUR + 2.28 EUR | 12/31 days
    oneTimeCharge Fibre, Setup | 2026-03-05..2026-03-06 | 49.90 EUR + 9.48 EUR

    2026-03-05 active, 2026-03-20 pendingTerminate
    recurringCharge Fibre, Access | 2026-03-05..2026-04-01 | 27.00 EUR + 5.13 EUR | 27/31 days
    oneTimeCharge Fibre, Setup | 2026-03-05..2026-03-06 | 49.90 EUR + 9.48 EUR

    2026-03-05 active, 2026-03-20 terminated
    recurringCharge Fibre, Access | 2026-03-05..2026-03-20 | 15.00 EUR + 2.85 EUR | 15/31 days
    oneTimeCharge Fibre, Setup | 2026-03-05..2026-03-06 | 49.90 EUR + 9.48 EUR

    2026-03-05 active, 2026-03-05 terminated
    ");
}

#[test]
fn charged_days_are_not_charged_again() {
    let fibre = product("active", "2026-03-05", &json!([recurring("31", "month"), one_off("5")]));
    let march = "2026-03-01..2026-04-01";
    let first = more(&fibre, "", &[], march);
    assert_eq!(first.len(), 2);
    assert_eq!(more(&fibre, "", &first, march), []);
    // A longer period adds what is new in it.
    let next = more(&fibre, "", &first, "2026-03-01..2026-04-16");
    insta::assert_snapshot!(shown(&next), @"recurringCharge Fibre, Access | 2026-04-01..2026-04-16 | 15.50 EUR + 2.95 EUR | 15/30 days");
    let ids: Vec<_> = first.iter().chain(&next).map(|rate| rate.id.as_str()).collect();
    assert_eq!(ids, ["prod-1-b1", "prod-1-b2", "prod-1-b3"]);
}

#[test]
fn days_that_were_charged_and_not_had_are_given_back_to_the_cent() {
    let fibre = product("active", "2026-03-01", &monthly("100"));
    let mut rates = more(&fibre, "", &[], "2026-03-01..2026-04-01");
    let histories = [
        ("suspended", "2026-03-01 active, 2026-03-11 suspended"),
        ("active", "2026-03-01 active, 2026-03-11 suspended, 2026-03-21 active"),
        (
            "terminated",
            "2026-03-01 active, 2026-03-11 suspended, 2026-03-21 active, 2026-03-22 terminated",
        ),
        ("terminated", "2026-03-01 active, 2026-03-01 terminated"),
    ];
    let mut text = shown(&rates);
    for (status, history) in histories {
        let fibre = product(status, "2026-03-01", &monthly("100"));
        let made = more(&fibre, history, &rates, "2026-03-01..2026-04-01");
        text += &format!("\n\n{history}\n{}", shown(&made));
        rates.extend(made);
    }
    insta::assert_snapshot!(text, @r"
    recurringCharge Fibre, Access | 2026-03-01..2026-04-01 | 100.00 EUR + 19.00 EUR

    2026-03-01 active, 2026-03-11 suspended
    credit Fibre, Access | 2026-03-11..2026-04-01 | -67.74 EUR + -12.87 EUR | 21/31 days given back

    2026-03-01 active, 2026-03-11 suspended, 2026-03-21 active
    recurringCharge Fibre, Access | 2026-03-21..2026-04-01 | 35.48 EUR + 6.74 EUR | 11/31 days

    2026-03-01 active, 2026-03-11 suspended, 2026-03-21 active, 2026-03-22 terminated
    credit Fibre, Access | 2026-03-22..2026-04-01 | -32.25 EUR + -6.13 EUR | 10/11 days given back

    2026-03-01 active, 2026-03-01 terminated
    credit Fibre, Access | 2026-03-01..2026-03-11 | -32.26 EUR + -6.13 EUR | 10/31 days given back
    credit Fibre, Access | 2026-03-21..2026-03-22 | -3.23 EUR + -0.61 EUR | 1/11 days given back
    ");
    // It was never active after all: nothing is left of it.
    let left = rates.iter().map(|rate| rate.net.amount).sum::<Decimal>();
    let tax = rates.iter().map(|rate| rate.tax().amount).sum::<Decimal>();
    assert_eq!((left, tax), (Decimal::ZERO, Decimal::ZERO));
}

#[test]
fn a_year_is_charged_ahead_and_its_rest_given_back() {
    let yearly = |status| product(status, "2026-03-10", &json!([recurring("365", "year")]));
    let first = more(&yearly("active"), "", &[], "2026-03-01..2026-04-01");
    let again = more(&yearly("active"), "", &first, "2026-04-01..2026-05-01");
    let ended = "2026-03-10 active, 2026-09-01 terminated";
    let back = more(&yearly("terminated"), ended, &first, "2026-09-01..2026-10-01");
    let text = format!("{}\n{}\n{}", shown(&first), shown(&again), shown(&back));
    insta::assert_snapshot!(text, @r"
    recurringCharge Fibre, Access | 2026-03-10..2027-03-01 | 356.00 EUR + 67.64 EUR | 356/365 days

    credit Fibre, Access | 2026-09-01..2027-03-01 | -181.00 EUR + -34.39 EUR | 181/356 days given back
    ");
}

#[test]
fn weeks_and_days_cost_the_same_each() {
    let of = |period| {
        let fibre = product("active", "2026-03-22", &json!([recurring("7", period)]));
        charged(&fibre, "", "2026-03-01..2026-04-01")
    };
    insta::assert_snapshot!(format!("{}\n{}", of("week"), of("day")), @r"
    recurringCharge Fibre, Access | 2026-03-22..2026-04-01 | 10.00 EUR + 1.90 EUR
    recurringCharge Fibre, Access | 2026-03-22..2026-04-01 | 70.00 EUR + 13.30 EUR
    ");
}

#[test]
fn a_quarter_of_monthly_prices_has_a_line_for_each_month() {
    let fibre = product("active", "2026-01-15", &monthly("30"));
    let quarter = json!({ "frequency": "quarterly" });
    let terms =
        Terms { cycle: Cycle::read(&tmf::document::read(&quarter).unwrap()).unwrap(), ..terms() };
    let rates = with(&fibre, "", &[], "2026-01-01..2026-04-01", &terms);
    insta::assert_snapshot!(shown(&rates), @r"
    recurringCharge Fibre, Access | 2026-01-15..2026-02-01 | 16.45 EUR + 3.13 EUR | 17/31 days
    recurringCharge Fibre, Access | 2026-02-01..2026-03-01 | 30.00 EUR + 5.70 EUR
    recurringCharge Fibre, Access | 2026-03-01..2026-04-01 | 30.00 EUR + 5.70 EUR
    ");
}

#[test]
fn a_discount_ends_on_its_day_within_a_month() {
    let mut price = recurring("31", "month");
    price["productPriceAlteration"] = json!([
        { "name": "Welcome", "priceType": "discount", "applicationDuration": 1,
          "price": { "percentage": 50 } },
    ]);
    let fibre = product("active", "2026-03-10", &json!([price]));
    let march = charged(&fibre, "", "2026-03-01..2026-04-01");
    let april = charged(&fibre, "", "2026-04-01..2026-05-01");
    insta::assert_snapshot!(format!("{march}\n{april}"), @r"
    recurringCharge Fibre, Access | 2026-03-10..2026-04-01 | 11.00 EUR + 2.09 EUR | Welcome, 22/31 days
    recurringCharge Fibre, Access | 2026-04-01..2026-04-10 | 4.65 EUR + 0.88 EUR | Welcome, 9/30 days
    recurringCharge Fibre, Access | 2026-04-10..2026-05-01 | 21.70 EUR + 4.12 EUR | 21/30 days
    ");
}

#[test]
fn a_bill_day_in_the_month_moves_the_months() {
    let cycle =
        Cycle::read(&tmf::document::read(&json!({ "billingDateShift": 14 })).unwrap()).unwrap();
    let terms = Terms { cycle, ..terms() };
    let fibre = product("active", "2026-03-10", &monthly("28"));
    let rates = |period| with(&fibre, "", &[], period, &terms);
    let text = [rates("2026-02-15..2026-03-15"), rates("2026-03-15..2026-04-15")];
    insta::assert_snapshot!(text.map(|rates| shown(&rates)).join("\n"), @r"
    recurringCharge Fibre, Access | 2026-03-10..2026-03-15 | 5.00 EUR + 0.95 EUR | 5/28 days
    recurringCharge Fibre, Access | 2026-03-15..2026-04-15 | 28.00 EUR + 5.32 EUR
    ");
}

#[test]
fn a_price_may_say_its_own_tax_and_account() {
    let mut price = recurring("10", "month");
    price["price"]["taxRate"] = json!(7);
    price["billingAccount"] = json!({ "id": "acc-2" });
    let fibre = product("active", "2026-03-01", &json!([price]));
    let rates = more(&fibre, "", &[], "2026-03-01..2026-04-01");
    assert_eq!(rates[0].tax().amount, decimal("0.70"));
    assert_eq!(rates[0].account.as_deref(), Some("acc-2"));
}

#[test]
fn a_first_charge_of_a_rater_counts() {
    let fibre = product(
        "active",
        "2026-03-10",
        &json!([
            { "priceType": "recurring", "recurringChargePeriod": "month", "name": "Access",
              "productOfferingPrice": { "id": "pop-1" },
              "price": { "dutyFreeAmount": { "unit": "EUR", "value": 31 } } },
        ]),
    );
    let made = more(&fibre, "", &[], "2026-03-01..2026-04-01");
    let by_rater = Rate { id: "f-c1-1".into(), ..made[0].clone() };
    assert_eq!(by_rater.price.as_deref(), Some("pop-1"));
    assert_eq!(more(&fibre, "", &[by_rater], "2026-03-01..2026-04-01"), []);
}

/// A history of a product: a change every few days.
fn histories() -> impl Strategy<Value = String> {
    let change = (1..40_i64, prop::sample::select(vec!["active", "suspended"]));
    let changes = prop::collection::vec(change, 1..6);
    (changes, prop::option::of(1..40_i64)).prop_map(|(changes, end)| {
        let mut at = day("2026-01-05");
        let mut texts = vec![format!("{at} active")];
        for (wait, status) in changes {
            at = at.plus_days(wait);
            texts.push(format!("{at} {status}"));
        }
        texts.extend(end.map(|wait| format!("{} terminated", at.plus_days(wait))));
        texts.join(", ")
    })
}

proptest! {
    #[test]
    fn whenever_it_is_charged_in_the_end_what_was_had_is_paid(
        history in histories(),
        runs in prop::collection::vec(1..50_i64, 1..6),
        amount in 1..20_000_i64,
    ) {
        let amount = Decimal::new(amount, 2).to_string();
        let status = if history.ends_with("terminated") { "terminated" } else { "active" };
        let fibre = product(status, "2026-01-05", &json!([recurring(&amount, "month")]));
        let changes: Vec<&str> = history.split(", ").collect();
        let mut rates: Vec<Rate> = Vec::new();
        // Each run knows the changes up to its own day; the last one knows all of them.
        let mut until = day("2026-01-01");
        for wait in runs {
            until = until.plus_days(wait);
            let known: Vec<&str> = changes.iter().copied().filter(|one| &one[..10] < until.to_string().as_str()).collect();
            let made = if known.is_empty() { Vec::new() } else {
                let now = known.last().unwrap().split_once(' ').unwrap().1;
                let fibre = product(now, "2026-01-05", &json!([recurring(&amount, "month")]));
                let timeline = timeline(&fibre, &known.join(", "));
                due(&fibre, &timeline, &rates, &Until::all(until), &terms(), start(until)).unwrap()
            };
            rates.extend(made);
        }
        let all = timeline(&fibre, &history);
        let whole = Days { from: day("2026-01-01"), until };
        let last = Until::all(until);
        rates.extend(due(&fibre, &all, &rates, &last, &terms(), start(until)).unwrap());
        prop_assert_eq!(&due(&fibre, &all, &rates, &last, &terms(), start(until)).unwrap(), &[]);

        let views: Vec<&Rate> = rates.iter().collect();
        let charges = rates.iter().filter(|rate| rate.kind == RateKind::Recurring);
        let paid: Vec<Days> = charges.flat_map(|charge| kept(charge, &views)).collect();
        for number in 0..whole.count() {
            let one = whole.from.plus_days(number);
            let times = paid.iter().filter(|days| days.holds(one)).count();
            prop_assert_eq!(times, usize::from(all.is_charged_on(one)), "{}", one);
        }
        // The remainder is the exact price of those days, except for a rounding of each line.
        let exact: Decimal = all.charged().iter().filter_map(|days| days.common(whole)).map(|days| {
            (0..days.count()).map(|number| {
                let month = Period::Months(1).around(days.from.plus_days(number), day("2026-01-01"));
                decimal(&amount) / Decimal::from(month.count())
            }).sum::<Decimal>()
        }).sum();
        let charged: Decimal = rates.iter().map(|rate| rate.net.amount).sum();
        let lines = Decimal::from(rates.len());
        prop_assert!((charged - exact).abs() <= lines / Decimal::from(200) + Decimal::new(1, 9));
        prop_assert!(rates.iter().all(|rate| rate.net.amount.scale() == 2));
    }
}
