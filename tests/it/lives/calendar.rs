//! Days, clocks and bill days, counted naively: a day is a number, and what is asked of it is found
//! by walking.

use std::cell::RefCell;
use std::collections::HashMap;

/// Days since 1970.
pub(crate) type Day = i64;

/// Milliseconds since 1970.
pub(crate) type Instant = i64;

pub(crate) const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The day of a date.
pub(crate) fn day(year: i64, month: i64, day: i64) -> Day {
    let mut count = 0;
    for before in 1970..year {
        count += if is_leap(before) { 366 } else { 365 };
    }
    for before in 1..month {
        count += days_in(year, before);
    }
    count + day - 1
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(crate) fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year, month and day of the month.
pub(crate) fn date(day: Day) -> (i64, i64, i64) {
    let (mut year, mut left) = (1970, day);
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if left < length {
            break;
        }
        (year, left) = (year + 1, left - length);
    }
    let mut month = 1;
    while left >= days_in(year, month) {
        left -= days_in(year, month);
        month += 1;
    }
    (year, month, left + 1)
}

pub(crate) fn written(day: Day) -> String {
    let (year, month, day) = date(day);
    format!("{year:04}-{month:02}-{day:02}")
}

pub(crate) fn read(text: &str) -> Day {
    let mut parts = text[..10].split('-').map(|part| part.parse::<i64>().unwrap());
    let mut part = || parts.next().unwrap();
    day(part(), part(), part())
}

/// 0 for Monday.
fn weekday(day: Day) -> i64 {
    (day + 3).rem_euclid(7)
}

/// An instant as documents have it.
pub(crate) fn time(at: Instant) -> String {
    let ms = at.rem_euclid(DAY_MS);
    let (hours, minutes) = (ms / HOUR_MS, ms / 60_000 % 60);
    format!("{}T{hours:02}:{minutes:02}:00.000Z", written(at.div_euclid(DAY_MS)))
}

/// A time zone, with its rule for summer time written down by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Zone {
    Utc,
    Berlin,
    NewYork,
}

impl Zone {
    pub(crate) const ALL: [Self; 3] = [Self::Utc, Self::Berlin, Self::NewYork];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utc => "UTC",
            Self::Berlin => "Europe/Berlin",
            Self::NewYork => "America/New_York",
        }
    }

    fn offset_hours(self, at: Instant) -> i64 {
        let (year, ..) = date(at.div_euclid(DAY_MS));
        let nth_sunday = |month: i64, nth: i64| {
            let sundays = (1..=7).map(|first| day(year, month, first));
            sundays.into_iter().find(|day| weekday(*day) == 6).unwrap() + 7 * (nth - 1)
        };
        let last_sunday = |month: i64| {
            let last = day(year, month, days_in(year, month));
            (0..7).map(|back| last - back).find(|day| weekday(*day) == 6).unwrap()
        };
        let between = |from: Instant, until: Instant| i64::from(from <= at && at < until);
        match self {
            Self::Utc => 0,
            Self::Berlin => {
                let hour = HOUR_MS;
                1 + between(last_sunday(3) * DAY_MS + hour, last_sunday(10) * DAY_MS + hour)
            }
            Self::NewYork => {
                let from = nth_sunday(3, 2) * DAY_MS + 7 * HOUR_MS;
                -5 + between(from, nth_sunday(11, 1) * DAY_MS + 6 * HOUR_MS)
            }
        }
    }

    pub(crate) fn day_of(self, at: Instant) -> Day {
        (at + self.offset_hours(at) * HOUR_MS).div_euclid(DAY_MS)
    }

    /// The instant at which the clocks first show an hour of a day; the hour is not skipped.
    pub(crate) fn instant(self, day: Day, hour: i64) -> Instant {
        type Known = RefCell<HashMap<(Zone, Day, i64), Instant>>;
        thread_local! { static KNOWN: Known = Known::default(); }
        let key = (self, day, hour);
        if let Some(known) = KNOWN.with_borrow(|known| known.get(&key).copied()) {
            return known;
        }
        let found = self.searched(day, hour);
        KNOWN.with_borrow_mut(|known| known.insert(key, found));
        found
    }

    fn searched(self, day: Day, hour: i64) -> Instant {
        let guess = day * DAY_MS + hour * HOUR_MS;
        let mut hits = (-14..=14).map(|shift| guess + shift * HOUR_MS);
        let shows = |at: &Instant| at + self.offset_hours(*at) * HOUR_MS == guess;
        hits.find(shows).unwrap_or(guess)
    }

    /// The hour that clocks show.
    pub(crate) fn hour_of(self, at: Instant) -> i64 {
        (at + self.offset_hours(at) * HOUR_MS).rem_euclid(DAY_MS) / HOUR_MS
    }
}

/// How often, and on which day, an account is billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cycle {
    /// Of months, from January on; 0 for a week.
    pub(crate) months: i64,
    pub(crate) shift: i64,
}

impl Cycle {
    pub(crate) fn is_bill_day(self, day: Day) -> bool {
        if self.months == 0 {
            return weekday(day) == self.shift;
        }
        let (year, month, number) = date(day);
        (month - 1) % self.months == 0 && number == (self.shift + 1).min(days_in(year, month))
    }

    /// The last bill day on or before a day.
    pub(crate) fn last(self, day: Day) -> Day {
        (0..800).map(|back| day - back).find(|day| self.is_bill_day(*day)).unwrap()
    }

    /// The first bill day after a day.
    pub(crate) fn next(self, day: Day) -> Day {
        (1..800).map(|on| day + on).find(|day| self.is_bill_day(*day)).unwrap()
    }

    /// Days of the longest time between two bills.
    fn length(self) -> i64 {
        if self.months == 0 { 7 } else { 31 * self.months }
    }
}

/// The period of a recurring price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Period {
    Days(i64),
    Months(i64),
}

impl Period {
    /// Whether there are several bills in it.
    pub(crate) fn is_longer_than(self, cycle: Cycle) -> bool {
        match (self, cycle.months) {
            (Self::Days(days), _) => days > cycle.length(),
            (Self::Months(_), 0) => true,
            (Self::Months(months), cycle) => months > cycle,
        }
    }

    /// The period that a day is in, of a product whose first charged day is given: from bill day to
    /// bill day for months, from the first charged day for days.
    pub(crate) fn around(self, day: Day, first: Day, cycle: Cycle) -> (Day, Day) {
        // The day of the month on which the account is billed; the first of a weekly cycle.
        let wanted = if cycle.months == 0 { 1 } else { cycle.shift + 1 };
        let begin = match self {
            Self::Days(_) => first,
            Self::Months(_) => Cycle { months: 1, shift: wanted - 1 }.last(first),
        };
        let mut from = begin;
        for nth in 1.. {
            let until = match self {
                Self::Days(days) => begin + nth * days,
                Self::Months(months) => month_after(begin, nth * months, wanted),
            };
            if day < until {
                return (from, until);
            }
            from = until;
        }
        unreachable!("periods go on")
    }

    /// The day after the last of this many periods that begin on a day.
    pub(crate) fn times(self, count: i64, begin: Day) -> Day {
        match self {
            Self::Days(days) => begin + count * days,
            Self::Months(months) => month_after(begin, count * months, date(begin).2),
        }
    }
}

/// A day some months later, on a day of the month or the last one of a shorter month.
fn month_after(day_: Day, months: i64, wanted: i64) -> Day {
    let (year, month, _) = date(day_);
    let count = year * 12 + month - 1 + months;
    let (year, month) = (count / 12, count % 12 + 1);
    day(year, month, wanted.min(days_in(year, month)))
}

#[test]
fn the_calendar_is_that_of_the_wall() {
    assert_eq!(written(day(2028, 2, 29) + 1), "2028-03-01");
    assert_eq!(weekday(read("2026-11-28")), 5);
    let at = Zone::Berlin.instant(day(2028, 3, 26), 12);
    assert_eq!(time(at), "2028-03-26T10:00:00.000Z");
    assert_eq!(Zone::NewYork.day_of(Zone::NewYork.instant(day(2028, 11, 5), 0)), day(2028, 11, 5));
    let ends = Cycle { months: 1, shift: 30 };
    assert_eq!(written(ends.next(day(2028, 1, 31))), "2028-02-29");
    assert_eq!(written(ends.last(day(2028, 3, 30))), "2028-02-29");
}
