//! The span of a request: one that changes something, or that came with a trace of its own.

use axum::http::StatusCode;
use engine::trace::Trace;

use super::call::Call;
use super::changes::is_safe;
use crate::traces::{Attribute, Kind, Span, Tracer, now};

/// The header with the span of the client (W3C Trace Context).
const TRACEPARENT: &str = "traceparent";

/// The span of a request that is carried out.
pub(super) struct Traced {
    pub(super) trace: Trace,
    parent: Option<[u8; 8]>,
    method: String,
    began: u64,
}

/// Begins the span of a request; `None` if it has none.
pub(super) fn begin(tracer: &Tracer, call: &Call) -> Option<Traced> {
    // Of several, none is known to be that of the client.
    let mut headers = call.headers.get_all(TRACEPARENT).iter();
    let header = headers.next().filter(|_| headers.next().is_none());
    let header = header.and_then(|header| header.to_str().ok());
    if header.is_none() && is_safe(&call.method) {
        return None;
    }
    let (trace, parent) = tracer.request(header)?;
    Some(Traced { trace, parent, method: call.method.to_string(), began: now() })
}

impl Traced {
    /// The span, when the request is answered.
    pub(super) fn end(self, route: &'static str, status: StatusCode) -> Span {
        let Self { trace, parent, method, began } = self;
        let code = Attribute::Number(status.as_u16().into());
        Span {
            trace,
            parent,
            kind: Kind::Server,
            name: format!("{method} {route}"),
            began,
            ended: now(),
            attributes: vec![
                ("http.request.method", Attribute::Text(method)),
                ("http.route", Attribute::Text(route.into())),
                ("http.response.status_code", code),
            ],
            failure: status.is_server_error().then(|| status.to_string()),
        }
    }
}
