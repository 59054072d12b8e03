use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn days(text: &str) -> Days {
    let (from, until) = text.split_once("..").unwrap();
    Days::new(day(from), day(until)).unwrap()
}

fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap()
}

/// Zones whose clocks do what one would not think of: put forward at midnight (Beirut), after a
/// minute of the day (St. John's until 2011), by half an hour (Lord Howe), by a whole day (Apia).
const ZONES: [&str; 12] = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/St_Johns",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
];

#[test]
fn the_day_of_an_instant_is_that_on_the_clocks_of_the_zone() {
    let shown = |name: &str, text: &str| zone(name).day_of(at(text)).to_string();
    for (name, instant, expected) in [
        ("UTC", "2026-03-31T23:59:59Z", "2026-03-31"),
        ("Europe/Berlin", "2026-03-31T21:59:59.999Z", "2026-03-31"),
        ("Europe/Berlin", "2026-03-31T22:00:00Z", "2026-04-01"),
        ("Europe/Berlin", "2026-12-31T22:59:59Z", "2026-12-31"),
        ("Europe/Berlin", "2026-12-31T23:00:00Z", "2027-01-01"),
        ("America/St_Johns", "2026-07-01T02:29:59Z", "2026-06-30"),
        ("America/St_Johns", "2026-07-01T02:30:00Z", "2026-07-01"),
        ("Asia/Kolkata", "2026-03-31T18:29:59Z", "2026-03-31"),
        ("Asia/Kolkata", "2026-03-31T18:30:00Z", "2026-04-01"),
        ("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31"),
    ] {
        assert_eq!(shown(name, instant), expected, "{name} {instant}");
    }
    assert_eq!(zone("Asia/Kolkata").day_of(Timestamp(i64::MAX)), Day::never());
    assert_eq!(Zone::named("Mars/Dome"), None);
    assert_eq!(Zone::named(""), None);
}

#[test]
fn a_day_begins_at_its_first_instant() {
    for (name, text, expected) in [
        ("UTC", "2026-03-29", "2026-03-29T00:00:00.000Z"),
        // 23 and 25 hours.
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00.000Z"),
        ("Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00.000Z"),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00.000Z"),
        ("Europe/Berlin", "2026-10-26", "2026-10-25T23:00:00.000Z"),
        // Midnight is skipped: the day begins at one.
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00.000Z"),
        // Midnight is there twice.
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30:00.000Z"),
        // The day is skipped.
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00.000Z"),
    ] {
        assert_eq!(zone(name).start_of(day(text)).to_string(), expected, "{name} {text}");
    }
}

#[test]
fn clocks_show_the_time_and_the_weekday_of_the_zone() {
    let clock = |name: &str, text: &str| {
        let (zone, at) = (zone(name), at(text));
        (zone.day_of_week(at), zone.minute_of_day(at))
    };
    // 1 April 2026 is a Wednesday.
    assert_eq!(clock("UTC", "2026-03-31T22:15:00Z"), (1, 22 * 60 + 15));
    assert_eq!(clock("Europe/Berlin", "2026-03-31T22:15:00Z"), (2, 15));
    assert_eq!(clock("Asia/Kolkata", "2026-03-31T22:15:00Z"), (2, 3 * 60 + 45));
    assert_eq!(clock("America/St_Johns", "2026-04-01T01:00:00Z"), (1, 22 * 60 + 30));
}

#[test]
fn days_are_written_as_instants_that_show_midnight() {
    let written = |name: &str, text: &str| zone(name).written(day(text));
    assert_eq!(written("UTC", "2026-03-01"), "2026-03-01T00:00:00.000Z");
    assert_eq!(written("Europe/Berlin", "2026-03-01"), "2026-03-01T00:00:00.000+01:00");
    assert_eq!(written("Europe/Berlin", "2026-07-01"), "2026-07-01T00:00:00.000+02:00");
    assert_eq!(written("Asia/Beirut", "2026-03-29"), "2026-03-29T00:00:00.000+02:00");
    assert_eq!(written("Pacific/Apia", "2011-12-30"), "2011-12-30T00:00:00.000-10:00");
    assert_eq!(written("Pacific/Apia", "2011-12-31"), "2011-12-31T00:00:00.000+14:00");
    let period = zone("Europe/Berlin").time_period(days("2026-03-01..2026-04-01"));
    assert_eq!(period.end_date_time.unwrap().as_str(), "2026-04-01T00:00:00.000+02:00");
}

proptest! {
    #[test]
    fn a_written_time_is_read_as_the_same_day(name in 0..ZONES.len(), number in 0..30_000_i64) {
        let zone = zone(ZONES[name]);
        let one = day("1971-01-01").plus_days(number);
        let text = zone.written(one);
        prop_assert_eq!(Day::parse(&text), Some(one), "{} {}", zone, &text);
        prop_assert!(Day::starts_at(&text));
        prop_assert_eq!(Timestamp::parse(&text), Some(zone.start_of(one)), "{} {}", zone, text);
    }

    #[test]
    fn the_first_instant_of_a_day_is_in_it_and_the_one_before_is_not(
        name in 0..ZONES.len(),
        number in 0..30_000_i64,
    ) {
        let zone = zone(ZONES[name]);
        let one = day("1971-01-01").plus_days(number);
        let start = zone.start_of(one);
        let is_skipped = zone.to_string() == "Pacific/Apia" && one == day("2011-12-30");
        prop_assert_eq!(zone.day_of(start) == one, !is_skipped, "{} {}", zone, one);
        prop_assert!(zone.day_of(Timestamp(start.0 - 1)) < one, "{} {}", zone, one);
    }
}
