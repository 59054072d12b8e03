use proptest::prelude::*;

use super::*;

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn days(text: &str) -> Days {
    let (from, until) = text.split_once("..").unwrap();
    Days::new(day(from), day(until)).unwrap()
}

#[test]
fn a_day_is_read_from_a_day_or_a_time_by_its_own_offset() {
    assert_eq!(day("2026-03-10").to_string(), "2026-03-10");
    assert_eq!(day("2026-03-10T23:30:00-02:00").to_string(), "2026-03-10");
    assert_eq!(day("2026-03-10T00:00:00+02:00").to_string(), "2026-03-10");
    for wrong in ["", "2026-3-1", "2026-02-29", "10.03.2026", "2026-03-10T25:00:00Z", "yesterday"] {
        assert_eq!(Day::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn a_month_later_is_the_same_day_or_the_last() {
    assert_eq!(day("2026-01-31").plus_months(1), day("2026-02-28"));
    assert_eq!(day("2024-01-31").plus_months(1), day("2024-02-29"));
    assert_eq!(day("2026-01-31").plus_months(2), day("2026-03-31"));
    assert_eq!(day("2026-12-15").plus_months(13), day("2028-01-15"));
}

#[test]
fn bill_days_are_found_across_months_and_years() {
    assert_eq!(day("2026-03-10").back_to(1), day("2026-03-01"));
    assert_eq!(day("2026-03-10").back_to(10), day("2026-03-10"));
    assert_eq!(day("2026-03-10").back_to(28), day("2026-02-28"));
    assert_eq!(day("2026-01-02").back_to(28), day("2025-12-28"));
    assert_eq!(day("2026-03-30").back_to(31), day("2026-02-28"));
    assert_eq!(day("2026-03-31").back_to(31), day("2026-03-31"));
    assert_eq!(day("2026-02-28").back_to(29), day("2026-02-28"));
    assert_eq!(day("2028-02-28").back_to(29), day("2028-01-29"));
}

#[test]
fn the_end_of_days_is_not_passed() {
    assert_eq!(Day::never().plus_days(1), Day::never());
    assert_eq!(Day::never().plus_months(1), Day::never());
}

#[test]
fn ranges_are_cut_out_of_ranges() {
    let month = days("2026-03-01..2026-04-01");
    let without = |others: &[&str]| {
        let others: Vec<_> = others.iter().map(|one| days(one)).collect();
        let left = month.without(&others);
        left.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(without(&[]), "2026-03-01..2026-04-01");
    assert_eq!(
        without(&["2026-03-10..2026-03-20"]),
        "2026-03-01..2026-03-10 2026-03-20..2026-04-01"
    );
    assert_eq!(
        without(&["2026-02-01..2026-03-02", "2026-03-30..2026-05-01"]),
        "2026-03-02..2026-03-30"
    );
    assert_eq!(without(&["2026-02-01..2026-05-01"]), "");
}

fn some_days() -> impl Strategy<Value = Days> {
    (0..60_i64, 1..40_i64).prop_map(|(from, count)| {
        let from = day("2024-02-01").plus_days(from);
        Days { from, until: from.plus_days(count) }
    })
}

proptest! {
    #[test]
    fn a_day_is_left_when_it_is_in_none_of_the_others(
        from in some_days(),
        others in prop::collection::vec(some_days(), 0..5),
    ) {
        let left = from.without(&others);
        for number in 0..120 {
            let one = day("2024-01-15").plus_days(number);
            let expected = from.holds(one) && !others.iter().any(|other| other.holds(one));
            let times = left.iter().filter(|days| days.holds(one)).count();
            prop_assert_eq!(times, usize::from(expected), "{}", one);
        }
    }

    #[test]
    fn parts_are_the_whole(whole in some_days(), cuts in prop::collection::vec(0..80_i64, 0..6)) {
        let cuts = cuts.iter().map(|cut| day("2024-02-01").plus_days(*cut)).collect();
        let parts = whole.split_at(cuts);
        prop_assert_eq!(parts.iter().map(|part| part.count()).sum::<i64>(), whole.count());
        prop_assert_eq!(parts[0].from, whole.from);
        prop_assert!(parts.windows(2).all(|two| two[0].until == two[1].from));
    }
}
