//! Where the bytes of a version came from, and since when it is used.

use serde::{Deserialize, Serialize};
use tmf::time::Timestamp;

use crate::signature::Signed;

/// How bytes reached the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// They were dropped into the folder.
    File,
    /// They were sent over the API.
    Upload,
    /// The program brought them along.
    Program,
}

/// Where the bytes of a version came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// The version that their manifest names.
    pub version: String,
    /// How they came.
    pub source: Source,
    /// When they were first accepted.
    pub received: Moment,
    /// When new plans began to use them; the last time, if there were several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    /// By whom they are signed, if that was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Signed>,
}

impl Provenance {
    /// The provenance of bytes that come now.
    pub(crate) fn new(version: &str, source: Source, now: Timestamp) -> Self {
        Self { version: version.into(), source, received: Moment(now), since: None, signed: None }
    }
}

/// A time that is written as a person reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment(pub Timestamp);

impl TryFrom<String> for Moment {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Timestamp::read(&text).map(Self).ok_or("expected a time")
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.0.to_string()
    }
}
