use super::Date;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

#[test]
fn only_days_of_the_calendar_are_read() {
    for text in ["2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
        assert_eq!(day(text).to_string(), text);
    }
    let bad =
        ["2023-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-3-10", "2026-03-1", ""];
    for text in bad.into_iter().chain(["20260310", "2026-03-10T00", "-026-03-10", "0000-01-01"]) {
        assert!(text.parse::<Date>().is_err(), "{text}");
    }
}

#[test]
fn months_are_added_and_end_on_the_last_day_of_a_shorter_one() {
    assert_eq!(day("2024-01-31").plus_months(1), Some(day("2024-02-29")));
    assert_eq!(day("2026-11-15").plus_months(3), Some(day("2027-02-15")));
    assert_eq!(day("2026-01-15").plus_months(-1), Some(day("2025-12-15")));
    assert_eq!(day("9999-12-15").plus_months(1), None);
    assert_eq!(day("0001-01-15").plus_months(-1), None);
}

#[test]
fn days_are_counted_over_leap_days_and_years() {
    assert_eq!(day("2024-02-28").days_until(day("2024-03-01")), 2);
    assert_eq!(day("2023-02-28").days_until(day("2023-03-01")), 1);
    assert_eq!(day("2000-01-01").days_until(day("2001-01-01")), 366);
    assert_eq!(day("0001-01-01").days_until(day("9999-12-31")), 3_652_058);
    assert_eq!(day("2026-03-01").plus_days(-1), Some(day("2026-02-28")));
    assert_eq!(day("9999-12-31").plus_days(1), None);
    assert_eq!(day("0001-01-01").plus_days(-1), None);
}

#[test]
fn every_day_of_a_few_centuries_follows_the_one_before() {
    let mut today = day("1895-12-25");
    for _ in 0..80_000 {
        let tomorrow = today.plus_days(1).unwrap();
        assert_eq!(today.days_until(tomorrow), 1, "{today} {tomorrow}");
        assert!(today < tomorrow);
        today = tomorrow;
    }
}
