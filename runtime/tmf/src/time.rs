//! Points in time. They come in as arguments: nothing here reads a clock.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970 in UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads an RFC 3339 date-time such as `2026-03-12T02:00:00Z`.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|time| Self(time.timestamp_millis()))
    }

    /// Reads a date-time in the spellings of clients, too: without seconds, without a zone (which
    /// means UTC), or a day alone, which means its first moment.
    pub fn read(text: &str) -> Option<Self> {
        instant(text).map(|time| Self(time.timestamp_millis()))
    }

    /// This time plus milliseconds, or the last representable time.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)))
    }

    /// Milliseconds from `earlier` to this time; 0 if `earlier` is later.
    pub fn ms_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// The day as `2026-03-12`.
    pub fn date(self) -> String {
        self.utc().map(|time| time.format("%Y-%m-%d").to_string()).unwrap_or_default()
    }

    fn utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0)
    }
}

/// The date-time that [`Timestamp::read`] reads, with all digits of its second.
pub(crate) fn instant(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    let naive = |text: &str| {
        let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
        forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    };
    let zoned = |text: &str| {
        let forms = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"];
        forms.iter().find_map(|form| DateTime::parse_from_str(text, form).ok())
    };
    let usual = text.replacen([' ', 't'], "T", 1).replace('z', "Z");
    let plain = usual.strip_suffix('Z').unwrap_or(&usual);
    let time = zoned(&usual).map(|time| time.with_timezone(&Utc));
    time.or_else(|| naive(plain).or_else(day).map(|time| time.and_utc()))
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.utc() {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(f, "{} ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests;
