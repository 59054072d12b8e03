//! The contract's own interface for HTTP: a request and an answer as records, for languages in which
//! `wasi:http` is laborious.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use wasmtime::component::{HasData, Linker};
use wasmtime_wasi_http::{DEFAULT_FORBIDDEN_HEADERS, Error as Code, RequestOptions, WasiBody};

use super::Outbound;
use crate::capability::calls::Interface;
use crate::capability::tape::Taken;
use crate::contract::http::{self, Error, Header, Reason, Response};
use crate::contract::types::Attribute;
use crate::limits::FIELDS_BYTES_MAX;

/// Max bytes of the body of an answer. A call has one answer at a time, and is charged for more when it
/// begins.
const ANSWER_BYTES_MAX: u32 = 1 << 20;

/// Max bytes of an address.
const URL_BYTES_MAX: usize = 8 * 1024;

/// Headers that the host sets or that are about the connection, beside those that `wasi:http` forbids.
const OURS: [HeaderName; 2] = [header::CONTENT_LENGTH, header::TRAILER];

/// The one value of `te` that a request may have: the guest reads trailers.
const TRAILERS: &str = "trailers";

impl http::Host for Outbound {
    async fn send(&mut self, request: http::Request) -> Result<Response, Error> {
        self.caller.calls.count(Interface::Http);
        let asked = read(request).map_err(|message| error(Reason::Invalid, message))?;
        let Asked { request, options, answer_bytes_max } = asked;
        let wants_trailers = request.headers().contains_key(header::TE);
        let response = match self.caller.tape.take(request) {
            Taken::Played(answer) => answer.await.map_err(|code| failed(&code))?,
            Taken::Sent(request, reel) => {
                let sent = self.sent(request, (options, answer_bytes_max)).await;
                reel.ended(sent).map_err(|code| self.unsent(failed(&code)))?
            }
        };
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|code| failed(&code))?;
        // Only who asks for trailers has to tell them from headers.
        let trailers = body.trailers().filter(|_| wants_trailers).into_iter().flatten();
        let headers = head.headers.iter().chain(trailers).map(|(name, value)| Header {
            name: name.as_str().into(),
            value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
        });
        let headers = headers.collect();
        Ok(Response {
            status: head.status.as_u16(),
            headers,
            body: body.to_bytes().into(),
            attributes: Vec::new(),
        })
    }
}

impl Outbound {
    /// Sends a request if it is granted.
    async fn sent(
        &self,
        mut request: Request<WasiBody>,
        (options, answer_bytes_max): (RequestOptions, u32),
    ) -> Result<hyper::Response<WasiBody>, Code> {
        let slot = self.caller.recorder.begin(&mut request);
        let rule = self.check(&request).inspect_err(|code| slot.failed(code))?;
        self.exchange(options, answer_bytes_max.into(), rule, slot).send(request).await
    }

    /// Adds to an error when the request may be sent, if a limit of its target kept it from it.
    fn unsent(&self, mut error: Error) -> Error {
        let ms = self.caller.retry_after_ms.load(Ordering::Relaxed);
        if ms > 0 && error.reason == Reason::Unreachable {
            error.attributes.push(Attribute { name: RETRY_AFTER.into(), value: ms.to_string() });
        }
        error
    }
}

/// The attribute of an error with the milliseconds after which the request may be sent.
const RETRY_AFTER: &str = "retry-after-ms";

/// A request as the client takes it.
struct Asked {
    request: Request<WasiBody>,
    options: RequestOptions,
    answer_bytes_max: u32,
}

/// Reads a request of a guest; fails with what is wrong with it.
fn read(request: http::Request) -> Result<Asked, String> {
    let method = Method::from_bytes(request.method.as_bytes());
    let method = method.map_err(|_| format!("`{}` is no method", request.method.escape_debug()))?;
    if request.url.len() > URL_BYTES_MAX {
        return Err(format!("the address has more than {URL_BYTES_MAX} bytes"));
    }
    let uri: Uri = request.url.parse().map_err(|cause| format!("the address: {cause}"))?;
    let Some(authority) = uri.authority().filter(|_| uri.scheme().is_some()) else {
        return Err("the address is not absolute".into());
    };
    let host = HeaderValue::from_str(authority.as_str());
    let host = host.map_err(|cause| format!("the address: {cause}"))?;
    let mut headers = read_headers(request.headers)?;
    headers.insert(header::HOST, host);
    let millis = |ms: u32| Duration::from_millis(ms.into());
    let options = RequestOptions {
        connect_timeout: None,
        first_byte_timeout: request.timeout_ms.map(millis),
        between_bytes_timeout: request.pause_ms.map(millis),
    };
    let body = Full::new(Bytes::from(request.body)).map_err(|never| match never {});
    let mut sent = Request::new(body.boxed_unsync());
    *sent.method_mut() = method;
    *sent.uri_mut() = uri;
    *sent.headers_mut() = headers;
    let answer_bytes_max = request.answer_bytes_max.unwrap_or(ANSWER_BYTES_MAX);
    let answer_bytes_max = answer_bytes_max.min(ANSWER_BYTES_MAX);
    Ok(Asked { request: sent, options, answer_bytes_max })
}

fn read_headers(headers: Vec<Header>) -> Result<HeaderMap, String> {
    let mut read = HeaderMap::new();
    let mut bytes = 0;
    for Header { name, value } in headers {
        bytes += name.len() + value.len();
        if bytes > FIELDS_BYTES_MAX {
            return Err(format!("the headers have more than {FIELDS_BYTES_MAX} bytes"));
        }
        let unusable = || format!("the header `{}` cannot be sent", name.escape_debug());
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?;
        let is_other_te = key == header::TE && value != TRAILERS;
        if OURS.contains(&key) || DEFAULT_FORBIDDEN_HEADERS.contains(&key) || is_other_te {
            return Err(format!("the header `{key}` is the host's to set"));
        }
        let value = HeaderValue::from_str(&value).map_err(|_| unusable())?;
        read.append(key, value);
    }
    Ok(read)
}

fn failed(code: &Code) -> Error {
    error(reason(code), format!("{code:?}"))
}

fn error(reason: Reason, message: String) -> Error {
    Error { reason, message, attributes: Vec::new() }
}

/// Sorts a code by what is known of the request.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is not known may have been carried out")]
fn reason(code: &Code) -> Reason {
    match code {
        Code::HttpRequestDenied | Code::DestinationIpProhibited => Reason::Denied,
        Code::HttpResponseBodySize(_) => Reason::TooLarge,
        Code::DnsTimeout
        | Code::DnsError { .. }
        | Code::DestinationNotFound
        | Code::DestinationUnavailable
        | Code::DestinationIpUnroutable
        | Code::ConnectionRefused
        | Code::ConnectionLimitReached
        | Code::TlsProtocolError
        | Code::TlsCertificateError
        | Code::TlsAlertReceived { .. } => Reason::Unreachable,
        Code::ConnectionTimeout
        | Code::ConnectionReadTimeout
        | Code::ConnectionWriteTimeout
        | Code::HttpResponseTimeout => Reason::Timeout,
        Code::HttpRequestLengthRequired
        | Code::HttpRequestBodySize(_)
        | Code::HttpRequestMethodInvalid
        | Code::HttpRequestUriInvalid
        | Code::HttpRequestUriTooLong => Reason::Invalid,
        _ => Reason::Broken,
    }
}

pub(crate) struct HasOutbound;

impl HasData for HasOutbound {
    type Data<'a> = &'a mut Outbound;
}

/// Links the interface `http`. `of` finds its data in that of the wasm store.
pub(crate) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    of: fn(&mut T) -> &mut Outbound,
) -> wasmtime::Result<()> {
    http::add_to_linker::<_, HasOutbound>(linker, of)
}
