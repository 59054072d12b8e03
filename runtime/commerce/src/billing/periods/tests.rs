use serde_json::json;

use super::*;
use crate::billing::tests::day;

fn cycle(shift: u32) -> Cycle {
    Cycle::read(&tmf::document::read(&json!({ "billingDateShift": shift })).unwrap()).unwrap()
}

#[test]
fn months_run_from_bill_day_to_bill_day_and_find_the_proper_day_again() {
    let around = |shift, months, begin: &str, at: &str| {
        let periods = Periods::new(Period::Months(months), day(begin), cycle(shift));
        periods.around(day(at)).to_string()
    };
    assert_eq!(around(0, 1, "2026-03-10", "2026-03-31"), "2026-03-01..2026-04-01");
    assert_eq!(around(30, 1, "2026-03-05", "2026-03-05"), "2026-02-28..2026-03-31");
    assert_eq!(around(30, 1, "2026-03-05", "2026-04-30"), "2026-04-30..2026-05-31");
    assert_eq!(around(28, 1, "2026-03-05", "2026-03-05"), "2026-02-28..2026-03-29");
    assert_eq!(around(28, 1, "2024-03-05", "2024-03-05"), "2024-02-29..2024-03-29");
    assert_eq!(around(30, 12, "2027-03-05", "2028-02-29"), "2028-02-29..2029-02-28");
    assert_eq!(around(14, 3, "2026-03-10", "2026-05-15"), "2026-05-15..2026-08-15");
    assert_eq!(around(0, 12, "2026-03-10", "2027-03-01"), "2027-03-01..2028-03-01");
}

#[test]
fn periods_of_all_lengths_touch_and_cover_each_day() {
    let begin = day("2027-03-05");
    let months = [1, 2, 3, 12].map(Period::Months);
    let days = [1, 7, 14].map(Period::Days);
    for shift in 0..=30 {
        for each in months.into_iter().chain(days) {
            let periods = Periods::new(each, begin, cycle(shift));
            for number in 0..800 {
                let one = begin.plus_days(number);
                let around = periods.around(one);
                assert!(around.holds(one), "{each:?} {shift}: {one} in {around}");
                assert_eq!(periods.around(around.until).from, around.until, "{each:?} {shift}");
            }
        }
    }
}
