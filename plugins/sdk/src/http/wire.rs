//! One exchange over `wasi:http`. Its resources are a tree: a child is dropped before its parent,
//! or the host traps.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme, http_error_code,
};
use wasip2::io::streams::StreamError;

use super::url::Url;
use super::{Error, Request, Response, Timeouts};

/// What `wasi:io` takes in one write.
const WRITE_BYTES_MAX: usize = 4096;
/// What is asked for in one read.
const READ_BYTES: u64 = 64 * 1024;
const NANOS_PER_MS: u64 = 1_000_000;

/// Sends a request and waits for the whole answer.
pub(super) fn send(request: &Request) -> Result<Response, Error> {
    let url = Url::parse(&request.url)?;
    let target = target(&url);
    let outgoing = outgoing(request, &url)?;
    let body = outgoing.body().expect("the body of a new request can be taken once");
    let pending = outgoing_handler::handle(outgoing, Some(options(request.timeouts)?))
        .map_err(|code| Error::of(&code, &target))?;
    write(body, &request.body);
    pending.subscribe().block();
    let answer = pending.get().expect("the answer is there once its pollable is ready");
    let answer = answer.expect("the answer is taken once");
    let response = answer.map_err(|code| Error::of(&code, &target))?;
    read(&response, &target, request.body_bytes_max)
}

fn target(url: &Url<'_>) -> String {
    match &url.scheme {
        Scheme::Http => format!("http://{}", url.authority),
        Scheme::Https => format!("https://{}", url.authority),
        Scheme::Other(scheme) => format!("{scheme}://{}", url.authority),
    }
}

fn outgoing(request: &Request, url: &Url<'_>) -> Result<OutgoingRequest, Error> {
    let headers = Fields::new();
    for (name, value) in &request.headers {
        headers.append(name, value.as_bytes()).map_err(|cause| unsendable(name, &cause))?;
    }
    if !request.body.is_empty() {
        let length = request.body.len().to_string();
        headers
            .set("content-length", &[length.into_bytes()])
            .map_err(|cause| unsendable("content-length", &cause))?;
    }
    let outgoing = OutgoingRequest::new(headers);
    let refused = |()| Error::Url { url: request.url.clone(), reason: "the host refuses it" };
    outgoing.set_method(&request.method).map_err(refused)?;
    outgoing.set_scheme(Some(&url.scheme)).map_err(refused)?;
    outgoing.set_authority(Some(url.authority)).map_err(refused)?;
    outgoing.set_path_with_query(Some(&url.path_and_query)).map_err(refused)?;
    Ok(outgoing)
}

fn unsendable(header: &str, cause: &dyn std::fmt::Debug) -> Error {
    Error::Request { reason: format!("header `{header}`: {cause:?}") }
}

fn options(timeouts: Timeouts) -> Result<RequestOptions, Error> {
    let unsupported = |()| Error::Request { reason: "the host knows no timeouts".into() };
    let nanos = |ms: u32| Some(u64::from(ms) * NANOS_PER_MS);
    let options = RequestOptions::new();
    options.set_connect_timeout(nanos(timeouts.connect_ms)).map_err(unsupported)?;
    options.set_first_byte_timeout(nanos(timeouts.first_byte_ms)).map_err(unsupported)?;
    options.set_between_bytes_timeout(nanos(timeouts.between_bytes_ms)).map_err(unsupported)?;
    Ok(options)
}

/// Writes the body as far as the other side takes it. Where it stops early the answer, or the
/// lack of one, has the reason; so an error here is ignored.
fn write(body: OutgoingBody, bytes: &[u8]) {
    if let Ok(stream) = body.write() {
        for piece in bytes.chunks(WRITE_BYTES_MAX) {
            if stream.blocking_write_and_flush(piece).is_err() {
                break;
            }
        }
    }
    OutgoingBody::finish(body, None).ok();
}

fn read(response: &IncomingResponse, target: &str, bytes_max: usize) -> Result<Response, Error> {
    let status = response.status();
    let headers = response.headers().entries().into_iter();
    let headers = headers
        .map(|(name, value)| {
            (name.to_ascii_lowercase(), String::from_utf8_lossy(&value).into_owned())
        })
        .collect();
    let incoming = response.consume().expect("the body of an answer is taken once");
    let body = read_body(&incoming, target, bytes_max)?;
    Ok(Response { status, headers, body })
}

fn read_body(incoming: &IncomingBody, target: &str, bytes_max: usize) -> Result<Vec<u8>, Error> {
    let stream = incoming.stream().expect("the stream of a body is taken once");
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(READ_BYTES) {
            Ok(piece) if body.len() + piece.len() > bytes_max => {
                return Err(Error::TooLarge { bytes_max });
            }
            Ok(piece) => body.extend(piece),
            Err(StreamError::Closed) => return Ok(body),
            Err(StreamError::LastOperationFailed(cause)) => {
                let code = http_error_code(&cause);
                let code = code.unwrap_or(ErrorCode::HttpResponseIncomplete);
                return Err(Error::of(&code, target));
            }
        }
    }
}
