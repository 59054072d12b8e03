//! Dates in documents.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::day::{Day, Days};
use crate::time::Timestamp;

/// A date-time as its writer wrote it, with the instant that it means.
#[derive(Clone, Debug)]
pub struct DateTime {
    text: String,
    at: Timestamp,
}

impl DateTime {
    /// Reads a date-time as [`Timestamp::read`] does.
    pub fn parse(text: &str) -> Option<Self> {
        Timestamp::read(text).map(|at| Self { text: text.into(), at })
    }

    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The text that it was written as.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<Timestamp> for DateTime {
    fn from(at: Timestamp) -> Self {
        Self { text: at.to_string(), at }
    }
}

/// Two date-times are equal if they mean the same instant.
impl PartialEq for DateTime {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for DateTime {}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at = Timestamp::read(&text).ok_or_else(|| de::Error::custom("is not a date-time"))?;
        Ok(Self { text, at })
    }
}

crate::document! {
    /// TM Forum's `TimePeriod`, open where it has no start or no end.
    #[derive(Eq)]
    pub struct TimePeriod {
        start_date_time?: DateTime,
        end_date_time?: DateTime,
    }
}

impl TimePeriod {
    pub fn new(from: Timestamp, until: Timestamp) -> Self {
        let (from, until) = (Some(from.into()), Some(until.into()));
        Self { start_date_time: from, end_date_time: until, rest: super::Rest::new() }
    }

    /// Whether an instant is in it; the end is not.
    pub fn contains(&self, at: Timestamp) -> bool {
        let has_begun = self.start_date_time.as_ref().is_none_or(|start| start.at() <= at);
        has_begun && self.end_date_time.as_ref().is_none_or(|end| at < end.at())
    }
}

/// A day, or a date-time that stands for its day in its own offset, as its writer wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Date {
    text: String,
    day: Day,
}

impl Date {
    /// Reads a day such as `2026-03-10`, or the day of a date-time.
    pub fn parse(text: &str) -> Option<Self> {
        Day::parse(text).map(|day| Self { text: text.into(), day })
    }

    pub fn day(&self) -> Day {
        self.day
    }

    /// The text that it was written as.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let day = Day::parse(&text)
            .ok_or_else(|| de::Error::custom("is neither a date-time nor a day"))?;
        Ok(Self { text, day })
    }
}

crate::document! {
    /// TM Forum's `TimePeriod` where it stands for whole days. An empty text counts as absent.
    #[derive(Eq)]
    pub struct DayPeriod {
        #[serde(deserialize_with = "filled")]
        start_date_time?: Date,
        #[serde(deserialize_with = "filled")]
        end_date_time?: Date,
    }
}

impl DayPeriod {
    /// The days, if there is at least one. An end that is a midnight is not in the period; any other
    /// is in its last day.
    pub fn days(&self) -> Option<Days> {
        let (from, end) = (self.start_date_time.as_ref()?, self.end_date_time.as_ref()?);
        let until = if Day::starts_at(&end.text) { end.day } else { end.day.plus_days(1) };
        Days::new(from.day, until)
    }
}

fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    if text.is_empty() {
        return Ok(None);
    }
    Date::parse(&text)
        .map(Some)
        .ok_or_else(|| de::Error::custom("is neither a date-time nor a day"))
}
