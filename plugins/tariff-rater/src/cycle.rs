//! The days that the first charge of a recurring price covers.

use std::fmt;

use ferrule_plugin::Date;
use ferrule_plugin::rater::{Period, Unit};

/// Max length of a period, in its unit.
const LENGTH_MAX: u32 = 1200;

/// The days that a charge covers, and the days of its price.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cycle {
    /// The first day covered.
    pub(crate) from: Date,
    /// The last day covered.
    pub(crate) to: Date,
    /// The number of days covered.
    pub(crate) days: i32,
    /// The number of days of the price.
    pub(crate) period_days: i32,
}

/// Why there is no first cycle.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// The period is empty or too long.
    Length(u32),
    /// It goes past the year 9999.
    Calendar,
}

impl Cycle {
    /// The first cycle from `start` on.
    ///
    /// Without a bill day it is one whole period. With one, a month or a year runs from bill day
    /// to bill day and only the rest of it is covered. A day or a week is shorter than the time
    /// between two bills, so as many of them are covered as fit before the next bill day, the last
    /// week in part.
    pub(crate) fn first(start: Date, period: Period, bill_day: Option<u32>) -> Result<Self, Error> {
        if !(1..=LENGTH_MAX).contains(&period.length) {
            return Err(Error::Length(period.length));
        }
        let length = period.length as i32;
        match period.unit {
            Unit::Day => Self::of_days(start, length, bill_day),
            Unit::Week => Self::of_days(start, 7 * length, bill_day),
            Unit::Month => Self::of_months(start, length, bill_day),
            Unit::Year => Self::of_months(start, 12 * length, bill_day),
        }
    }

    fn of_months(start: Date, months: i32, bill_day: Option<u32>) -> Result<Self, Error> {
        let begin = bill_day.map_or(Ok(start), |day| last_bill_day(start, day))?;
        let end = begin.plus_months(months).ok_or(Error::Calendar)?;
        Self::between(start, end, begin.days_until(end))
    }

    fn of_days(start: Date, period_days: i32, bill_day: Option<u32>) -> Result<Self, Error> {
        let end = match bill_day {
            Some(day) => last_bill_day(start, day)?.plus_months(1),
            None => start.plus_days(period_days),
        };
        Self::between(start, end.ok_or(Error::Calendar)?, period_days)
    }

    /// From `from` to the day before `end`.
    fn between(from: Date, end: Date, period_days: i32) -> Result<Self, Error> {
        let to = end.plus_days(-1).ok_or(Error::Calendar)?;
        Ok(Self { from, to, days: from.days_until(end), period_days })
    }
}

/// The bill day on or before a day.
fn last_bill_day(day: Date, bill_day: u32) -> Result<Date, Error> {
    let this_month = day.on(bill_day).ok_or(Error::Calendar)?;
    if this_month <= day {
        Ok(this_month)
    } else {
        this_month.plus_months(-1).ok_or(Error::Calendar)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(length) => {
                write!(formatter, "a period of {length} is not from 1 to {LENGTH_MAX}")
            }
            Self::Calendar => write!(formatter, "its period goes past the calendar"),
        }
    }
}

impl std::error::Error for Error {}
