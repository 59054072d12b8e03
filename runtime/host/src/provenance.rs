//! Where the bytes of a version came from, and since when it is used.

use serde::{Deserialize, Serialize};
use tmf::time::Timestamp;

use crate::certificate::Certified;
use crate::signature::Signed;

pub use crate::moment::Moment;

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
    /// By whom they are certified, if that was checked, and what they passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certified: Option<Certified>,
}

impl Provenance {
    /// The provenance of bytes that come now.
    pub(crate) fn new(version: &str, source: Source, now: Timestamp) -> Self {
        let (version, received) = (version.into(), Moment(now));
        Self { version, source, received, since: None, signed: None, certified: None }
    }
}
