use serde_json::json;

use super::*;

#[test]
fn a_period_is_read_from_a_unit_or_a_number_of_one() {
    let table = [
        ("day", "day"),
        ("Daily", "day"),
        ("week", "week"),
        ("2 weeks", "2 week"),
        ("10 days", "10 day"),
        ("14 day", "2 week"),
        ("month", "month"),
        ("3 month", "3 month"),
        ("quarterly", "3 month"),
        ("2 quarters", "6 month"),
        ("year", "year"),
        ("annually", "year"),
        ("18 months", "18 month"),
        ("24 month", "2 year"),
    ];
    for (text, written) in table {
        let period = Period::parse(text).unwrap();
        assert_eq!(period.to_string(), written, "{text}");
        assert_eq!(Period::parse(written), Some(period));
        let read: Period = serde_json::from_value(json!(period)).unwrap();
        assert_eq!(read, period);
    }
    for text in ["", "fortnight", "0 month", "1201 day", "-1 day", "1.5 month", "month 3", "3"] {
        assert_eq!(Period::parse(text), None, "{text}");
    }
}

#[test]
fn a_term_counts_its_own_periods_or_those_of_the_price() {
    let term = |periods, each: &str| Term { periods, each: Period::parse(each) };
    assert_eq!(term(3, "").of(Period::parse("year")).to_string(), "3 year");
    assert_eq!(term(3, "month").of(Period::parse("year")).to_string(), "3 month");
    assert_eq!(term(2, "week").of(None).to_string(), "2 week");
    assert_eq!(term(2, "").of(None).to_string(), "2 month");
}
