//! The days that the first charge of a recurring price covers.

use std::fmt;

use ferrule_plugin::Date;

/// Max length of a period, in its unit.
const LENGTH_MAX: i32 = 1200;

/// The days that a charge covers, and those that its price is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cycle {
    /// The first day covered.
    pub(crate) from: Date,
    /// The last day covered.
    pub(crate) to: Date,
    /// How many days are covered.
    pub(crate) days: i32,
    /// How many days the price is for.
    pub(crate) period_days: i32,
}

/// Why there is no first cycle.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// The period is not one.
    Period(String),
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
    pub(crate) fn first(start: Date, period: &str, bill_day: u32) -> Result<Self, Error> {
        let unknown = || Error::Period(period.into());
        let (count, unit) = match period.split_once(' ') {
            Some((count, unit)) => (count.parse().map_err(|_| unknown())?, unit),
            None => (1, period),
        };
        if !(1..=LENGTH_MAX).contains(&count) {
            return Err(unknown());
        }
        match unit {
            "day" => Self::of_days(start, count, bill_day),
            "week" => Self::of_days(start, 7 * count, bill_day),
            "month" => Self::of_months(start, count, bill_day),
            "quarter" => Self::of_months(start, 3 * count, bill_day),
            "year" => Self::of_months(start, 12 * count, bill_day),
            _ => Err(unknown()),
        }
    }

    fn of_months(start: Date, months: i32, bill_day: u32) -> Result<Self, Error> {
        let begin = if bill_day == 0 { start } else { last_bill_day(start, bill_day)? };
        let end = begin.plus_months(months).ok_or(Error::Calendar)?;
        Self::between(start, end, begin.days_until(end))
    }

    fn of_days(start: Date, period_days: i32, bill_day: u32) -> Result<Self, Error> {
        let end = if bill_day == 0 {
            start.plus_days(period_days)
        } else {
            last_bill_day(start, bill_day)?.plus_months(1)
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
            Self::Period(period) => {
                write!(
                    formatter,
                    "period `{period}` is none of `day`, `week`, `month`, `quarter`, `year`, nor a \
                     number of them up to {LENGTH_MAX}"
                )
            }
            Self::Calendar => write!(formatter, "its period goes past the calendar"),
        }
    }
}

impl std::error::Error for Error {}
