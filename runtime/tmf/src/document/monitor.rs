//! Monitors of requests that activate a service or a resource (TMF640, 702).

use serde::{Deserialize, Serialize};

crate::document! {
    /// The progress of a request.
    pub struct Monitor {
        id: String,
        href?: String,
        source_href?: String,
        state: MonitorState,
        request: MonitoredRequest,
        response?: MonitoredResponse,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

/// The state of a monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MonitorState {
    InProgress,
    InError,
    Completed,
}

crate::document! {
    /// The request as it came in.
    pub struct MonitoredRequest {
        method: String,
        to: String,
        body: String,
        header: Vec<HeaderItem>,
    }
}

crate::document! {
    /// The response that the request would have had if it had been answered at its end.
    pub struct MonitoredResponse {
        status_code: String,
        body: String,
        header: Vec<HeaderItem>,
    }
}

crate::document! {
    /// A header.
    pub struct HeaderItem {
        name: String,
        value: String,
    }
}

impl HeaderItem {
    pub fn content_type(value: &str) -> Self {
        Self { name: "content-type".into(), value: value.into(), rest: super::Rest::new() }
    }
}

crate::document! {
    /// An error as the body of a response (TMF630 `Error`).
    pub struct ErrorBody {
        code: String,
        reason: String,
        message: String,
        status?: String,
        #[serde(rename = "@type")]
        kind?: String,
    }
}
