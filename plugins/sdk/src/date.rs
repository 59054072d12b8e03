//! A day of the calendar, without a clock or a time zone. Of its own, because the usual library
//! (`jiff`) doubles the size of a rater.

use std::fmt;
use std::str::FromStr;

#[cfg(test)]
mod tests;

/// A day, such as `2026-03-10`, of the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: i32,
    month: u32,
    day: u32,
}

/// The last day that can be written.
const YEAR_MAX: i32 = 9999;

impl Date {
    /// This day of this month of this year; `None` if the calendar has no such day.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        let exists = (1..=YEAR_MAX).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day);
        exists.then_some(Self { year, month, day })
    }

    /// The day of the month, from 1.
    pub fn day(self) -> u32 {
        self.day
    }

    /// The same month, another day of it; `None` if the month is shorter.
    pub fn on(self, day: u32) -> Option<Self> {
        Self::new(self.year, self.month, day)
    }

    /// The same day a number of months later, or the last day of a shorter month; `None` past the
    /// year 9999 or before the year 1.
    pub fn plus_months(self, months: i32) -> Option<Self> {
        let month0 = self.year * 12 + self.month as i32 - 1 + months;
        let (year, month) = (month0.div_euclid(12), month0.rem_euclid(12) as u32 + 1);
        Self::new(year, month, self.day.min(days_in(year, month)))
    }

    /// A number of days later; `None` past the year 9999 or before the year 1.
    pub fn plus_days(self, days: i32) -> Option<Self> {
        Self::of_number(self.number().checked_add(days)?)
    }

    /// How many days `later` is after this one.
    pub fn days_until(self, later: Self) -> i32 {
        later.number() - self.number()
    }

    /// Counts days, in years that start in March so that the leap day is the last one.
    fn number(self) -> i32 {
        let year = self.year - i32::from(self.month <= 2);
        let month = (self.month as i32 + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + self.day as i32 - 1;
        year * 365 + year / 4 - year / 100 + year / 400 + day_of_year
    }

    fn of_number(number: i32) -> Option<Self> {
        let year_guess = number / 366;
        // The guess is low by at most one year in 366 and four centuries' leap days.
        let mut date = Self::new(year_guess.clamp(1, YEAR_MAX), 1, 1)?;
        while let Some(next) = Self::new(date.year + 1, 1, 1).filter(|day| day.number() <= number) {
            date = next;
        }
        while let Some(next) = date.on(1)?.plus_months(1).filter(|day| day.number() <= number) {
            date = next;
        }
        let day = u32::try_from(number - date.number() + 1).ok()?;
        date.on(day)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let not_a_date = || NotADate { text: text.chars().take(40).collect() };
        if text.len() != 10 || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
            return Err(not_a_date());
        }
        let mut parts = text.split('-').map(str::parse::<u32>);
        let (Some(Ok(year)), Some(Ok(month)), Some(Ok(day)), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(not_a_date());
        };
        Self::new(year as i32, month, day).ok_or_else(not_a_date)
    }
}

/// A text that is no day of the calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotADate {
    /// The text, cut where it is long.
    pub text: String,
}

impl fmt::Display for NotADate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` is not a day such as `2026-03-10`", self.text)
    }
}

impl std::error::Error for NotADate {}

fn days_in(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
