//! The periods of prices, and durations of their parts.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::day::{Day, Days};

/// Max length of a period, in its unit.
pub const LENGTH_MAX: u32 = 1200;

/// The period of a recurring price. It is written as a unit, or a number and a unit: `month`,
/// `3 month`, `2 week`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// A number of days: each costs the same.
    Days(u32),
    /// A number of months: the days of a month share its price.
    Months(u32),
}

/// The duration of a part of a price, such as a discount for the first three months.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Term {
    pub periods: u32,
    /// The unit; the period of the price if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<Period>,
}

impl Term {
    /// The duration for a price of a period; a price that does not recur counts months.
    pub fn of(self, price: Option<Period>) -> Period {
        self.each.or(price).unwrap_or(Period::Months(1)).times(self.periods)
    }
}

impl Period {
    /// Reads a unit, such as `month` or `monthly`, or a number of one, such as `3 months`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (count, unit) = match text.split_once(' ') {
            Some((count, unit)) => (count.parse().ok()?, unit.trim()),
            None => (1, text),
        };
        let one = match unit.to_ascii_lowercase().as_str() {
            "day" | "days" | "daily" => Self::Days(1),
            "week" | "weeks" | "weekly" => Self::Days(7),
            "month" | "months" | "monthly" => Self::Months(1),
            "quarter" | "quarters" | "quarterly" => Self::Months(3),
            "year" | "years" | "yearly" | "annual" | "annually" => Self::Months(12),
            _ => return None,
        };
        (1..=LENGTH_MAX).contains(&count).then(|| one.times(count))
    }

    /// A period that is `times` as long.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        match self {
            Self::Days(days) => Self::Days(days.saturating_mul(count)),
            Self::Months(months) => Self::Months(months.saturating_mul(count)),
        }
    }

    /// The day after the last one of the period that begins on a day.
    pub fn after(self, begin: Day) -> Day {
        match self {
            Self::Days(days) => begin.plus_days(i64::from(days)),
            Self::Months(months) => begin.plus_months(months),
        }
    }

    /// The period that contains a day, counted from an anchor on or before it.
    pub fn around(self, day: Day, anchor: Day) -> Days {
        let nth = |number: u32| self.times(number).after(anchor);
        let passed = anchor.days_until(day).max(0);
        // Low by a period or two at most: no month is longer than 31 days.
        let guess = match self {
            Self::Days(days) => passed / i64::from(days),
            Self::Months(months) => passed / (31 * i64::from(months)),
        };
        let mut number = u32::try_from(guess).unwrap_or(0);
        while nth(number + 1) <= day && nth(number + 1) < Day::never() {
            number += 1;
        }
        let from = if number == 0 { anchor } else { nth(number) };
        Days { from, until: nth(number + 1) }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match *self {
            Self::Days(days) if days % 7 == 0 => (days / 7, "week"),
            Self::Days(days) => (days, "day"),
            Self::Months(months) if months % 12 == 0 => (months / 12, "year"),
            Self::Months(months) => (months, "month"),
        };
        if count == 1 { f.write_str(unit) } else { write!(f, "{count} {unit}") }
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a period")))
    }
}

/// Reads the period of a price in a plan: old plans may have one that cannot be billed.
pub fn of_plan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Period>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.as_deref().and_then(Period::parse))
}

#[cfg(test)]
mod tests;
