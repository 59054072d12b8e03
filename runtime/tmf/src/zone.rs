//! The time zone of an operator's bills: which day an instant is in, and when a day begins.

use std::fmt;

use chrono::{DateTime, Datelike, FixedOffset, Offset, SecondsFormat, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::day::{Day, Days};
use crate::document::{Date, DayPeriod, Rest};
use crate::time::Timestamp;

/// An upper limit of all shifts of clocks, in milliseconds.
const SHIFT_MS_MAX: i64 = 2 * 24 * 3_600_000;

/// A time zone of the IANA database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl Zone {
    /// The zone if none is set.
    pub const UTC: Self = Self(Tz::UTC);

    /// The zone of a name such as `Europe/Berlin`; `None` if the database does not have it.
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// Whether it is UTC.
    pub fn is_utc(&self) -> bool {
        *self == Self::UTC
    }

    /// The day of an instant.
    pub fn day_of(self, at: Timestamp) -> Day {
        self.local(at).map_or_else(Day::never, |at| Day::of_date(at.date_naive()))
    }

    /// The minutes since midnight on the clocks at an instant.
    pub fn minute_of_day(self, at: Timestamp) -> u32 {
        self.local(at).map_or(0, |at| at.hour() * 60 + at.minute())
    }

    /// The days since Monday, from 0, on the day of an instant.
    pub fn day_of_week(self, at: Timestamp) -> u32 {
        self.local(at).map_or(0, |at| at.weekday().num_days_from_monday())
    }

    /// The first instant of a day. A skipped day begins when the next one does.
    pub fn start_of(self, day: Day) -> Timestamp {
        let midnight = day.midnight();
        let start = self.0.from_local_datetime(&midnight).earliest();
        start.map_or_else(|| self.first_from(day), |at| Timestamp(at.timestamp_millis()))
    }

    /// Days as TM Forum's `TimePeriod`, from the first moment to the one after the last.
    pub fn time_period(self, days: Days) -> DayPeriod {
        DayPeriod {
            start_date_time: Date::parse(&self.written(days.from)),
            end_date_time: Date::parse(&self.written(days.until)),
            rest: Rest::new(),
        }
    }

    /// The first instant of a day as a date-time whose local midnight is visible: it is read as that
    /// day in any zone, even if clocks skip the midnight or all of the day.
    pub fn written(self, day: Day) -> String {
        let midnight = day.midnight();
        let ahead_ms = midnight.and_utc().timestamp_millis() - self.start_of(day).0;
        let offset = i32::try_from(ahead_ms / 1_000).ok().and_then(FixedOffset::east_opt);
        let offset = offset.unwrap_or_else(|| Utc.fix());
        let at = offset.from_local_datetime(&midnight).single().unwrap_or_default();
        at.to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// The first instant on a day or after it, if clocks skip its midnight.
    fn first_from(self, day: Day) -> Timestamp {
        let near = day.midnight().and_utc().timestamp_millis();
        let (mut before, mut first) = (near - SHIFT_MS_MAX, near + SHIFT_MS_MAX);
        while first - before > 1 {
            let middle = before + (first - before) / 2;
            if self.day_of(Timestamp(middle)) < day { before = middle } else { first = middle }
        }
        Timestamp(first)
    }

    fn local(self, at: Timestamp) -> Option<DateTime<Tz>> {
        DateTime::from_timestamp_millis(at.0).map(|at| at.with_timezone(&self.0))
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let unknown = || serde::de::Error::custom(format!("`{name}` is no time zone"));
        Self::named(&name).ok_or_else(unknown)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

#[cfg(test)]
mod tests;
