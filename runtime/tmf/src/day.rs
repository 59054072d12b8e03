//! Days of the calendar, and ranges of them.

use std::fmt;

use chrono::{
    DateTime, Datelike, Days as ChronoDays, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta,
};

/// A day, up to the end of the year 9999. The zone depends on the use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(NaiveDate);

impl Day {
    /// The day after the last representable one: the end of open ranges.
    pub fn never() -> Self {
        Self(NaiveDate::from_ymd_opt(9999, 12, 31).expect("the year 9999 has a last day"))
    }

    /// This day of this month of this year; `None` if the calendar has no such day.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self).filter(|day| *day <= Self::never())
    }

    /// The day of a date.
    pub fn of_date(date: NaiveDate) -> Self {
        Self(date).min(Self::never())
    }

    /// Reads a day such as `2026-03-10`, or the day of a date-time in its own offset.
    pub fn parse(text: &str) -> Option<Self> {
        match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(day) if text.len() == 10 => Self::new(day.year(), day.month(), day.day()),
            Ok(_) | Err(_) => {
                DateTime::parse_from_rfc3339(text).ok().map(|at| Self::of_date(at.date_naive()))
            }
        }
    }

    /// Whether a date-time is the midnight of a day in its own offset.
    pub fn starts_at(text: &str) -> bool {
        DateTime::parse_from_rfc3339(text).is_ok_and(|at| at.time() == NaiveTime::MIN)
    }

    /// Its midnight, without a zone.
    pub fn midnight(self) -> NaiveDateTime {
        self.0.and_time(NaiveTime::MIN)
    }

    /// The day of the month, from 1.
    pub fn day_of_month(self) -> u32 {
        self.0.day()
    }

    /// The month, from 1.
    pub fn month(self) -> u32 {
        self.0.month()
    }

    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// The days since Monday, from 0.
    pub fn day_of_week(self) -> u32 {
        self.0.weekday().num_days_from_monday()
    }

    /// The day this many days later, or the last representable day.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        let moved = TimeDelta::try_days(days).and_then(|days| self.0.checked_add_signed(days));
        moved.map_or_else(Self::never, |day| Self(day).min(Self::never()))
    }

    /// The same day of the month this many months later, or the last day of a shorter month;
    /// the last representable day if that is later.
    #[must_use]
    pub fn plus_months(self, months: u32) -> Self {
        let moved = self.0.checked_add_months(Months::new(months));
        moved.map_or_else(Self::never, |day| Self(day).min(Self::never()))
    }

    /// The months from the year 0 to its own.
    pub fn month_index(self) -> i32 {
        self.0.year() * 12 + self.0.month0().cast_signed()
    }

    /// A day of a month, which is counted from the year 0: the last one if the month is shorter.
    pub fn in_month(index: i32, day_of_month: u32) -> Self {
        let month = index.rem_euclid(12).cast_unsigned() + 1;
        let first = NaiveDate::from_ymd_opt(index.div_euclid(12), month, 1);
        let Some(first) = first else { return Self::never() };
        let last = u32::from(first.num_days_in_month());
        let day = first.with_day(day_of_month.clamp(1, last)).unwrap_or(first);
        Self(day).min(Self::never())
    }

    /// The latest day on or before this one that is the given one of its month, or the last one of
    /// a shorter month.
    #[must_use]
    pub fn back_to(self, day_of_month: u32) -> Self {
        let this_month = Self::in_month(self.month_index(), day_of_month);
        if this_month <= self {
            return this_month;
        }
        Self::in_month(self.month_index() - 1, day_of_month)
    }

    /// The number of days from this one to `later`; negative if it is before.
    pub fn days_until(self, later: Self) -> i64 {
        (later.0 - self.0).num_days()
    }

    #[must_use]
    pub fn before(self) -> Self {
        self.0.checked_sub_days(ChronoDays::new(1)).map_or(self, Self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

/// A range of days, without the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Days {
    pub from: Day,
    /// The day after the last one.
    pub until: Day,
}

impl Days {
    /// The days of a range; `None` if it is empty.
    pub fn new(from: Day, until: Day) -> Option<Self> {
        (from < until).then_some(Self { from, until })
    }

    /// The number of days.
    pub fn count(self) -> i64 {
        self.from.days_until(self.until)
    }

    /// Whether a day is in the range.
    pub fn holds(self, day: Day) -> bool {
        self.from <= day && day < self.until
    }

    /// The intersection of two ranges.
    pub fn common(self, other: Self) -> Option<Self> {
        Self::new(self.from.max(other.from), self.until.min(other.until))
    }

    /// The days that are in none of `others`.
    pub fn without(self, others: &[Self]) -> Vec<Self> {
        others.iter().fold(vec![self], |left, other| {
            left.into_iter().flat_map(|days| days.minus(*other)).flatten().collect()
        })
    }

    /// Splits the range at some days.
    pub fn split_at(self, mut at: Vec<Day>) -> Vec<Self> {
        at.retain(|day| self.from < *day && *day < self.until);
        at.sort_unstable();
        at.dedup();
        at.push(self.until);
        let mut from = self.from;
        let mut parts = Vec::with_capacity(at.len());
        for until in at {
            parts.push(Self { from, until });
            from = until;
        }
        parts
    }

    /// The parts before and after another range.
    fn minus(self, other: Self) -> [Option<Self>; 2] {
        [
            Self::new(self.from, self.until.min(other.from)),
            Self::new(self.from.max(other.until), self.until),
        ]
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.from, self.until)
    }
}

#[cfg(test)]
mod tests;
