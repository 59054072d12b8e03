//! One exchange over the interface `http` of the contract.

use super::{Error, Request, Response, url};
use crate::bindings::step::ferrule::plugin::http as wire;

/// Sends a request and waits for the whole answer.
pub(crate) fn send(request: &Request) -> Result<Response, Error> {
    let target = url::target(&request.url)?;
    let headers = request.headers.iter().cloned();
    let timeouts = request.timeouts;
    let sent = wire::Request {
        method: request.method.as_str().into(),
        url: request.url.clone(),
        headers: headers.map(|(name, value)| wire::Header { name, value }).collect(),
        body: request.body.clone(),
        timeout_ms: Some(timeouts.connect_ms.saturating_add(timeouts.first_byte_ms)),
        pause_ms: Some(timeouts.between_bytes_ms),
        answer_bytes_max: Some(u32::try_from(request.body_bytes_max).unwrap_or(u32::MAX)),
        attributes: Vec::new(),
    };
    let response = wire::send(&sent).map_err(|error| failed(error, request, target))?;
    let headers = response.headers.into_iter();
    Ok(Response {
        status: response.status,
        headers: headers.map(|wire::Header { name, value }| (name, value)).collect(),
        body: response.body,
    })
}

fn failed(error: wire::Error, request: &Request, target: String) -> Error {
    let cause = error.message;
    match error.reason {
        wire::Reason::Invalid => Error::Request { reason: cause },
        wire::Reason::Denied => Error::Denied { target },
        wire::Reason::Unreachable => Error::Unreachable { cause },
        wire::Reason::Timeout => Error::Timeout { cause },
        wire::Reason::Broken => Error::Broken { cause },
        wire::Reason::TooLarge => Error::TooLarge { bytes_max: request.body_bytes_max },
    }
}
