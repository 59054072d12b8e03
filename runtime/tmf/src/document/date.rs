//! Dates in documents.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

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

    /// The instant.
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
        let at = Timestamp::read(&text)
            .ok_or_else(|| de::Error::custom(format!("`{text}` is not a date-time")))?;
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
    /// Whether an instant is in it; the end is not.
    pub fn contains(&self, at: Timestamp) -> bool {
        let has_begun = self.start_date_time.as_ref().is_none_or(|start| start.at() <= at);
        has_begun && self.end_date_time.as_ref().is_none_or(|end| at < end.at())
    }
}
