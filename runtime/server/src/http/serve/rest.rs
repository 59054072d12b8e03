//! The body of a request. Whatever of it is not read when it is dropped is read and thrown away, within
//! limits: if a stream or a connection is dropped that the client still sends on, it is reset, and the client
//! never sees the answer that refused it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::EXPECT;
use hyper::{Request, Version};
use tokio::runtime::Handle;

/// What may be thrown away.
#[derive(Clone, Copy)]
struct Limit {
    bytes: usize,
    wait: Duration,
}

/// Of a stream of HTTP/2: what its client sends before it sees the answer is in its window.
const STREAM: Limit = Limit { bytes: 256 << 10, wait: Duration::from_secs(2) };

/// Of HTTP/1.1: many clients look for an answer only when they have sent all.
const CONNECTION: Limit = Limit { bytes: 16 << 20, wait: Duration::from_secs(5) };

/// A body whose rest is thrown away.
pub(super) struct Rest {
    body: Option<Incoming>,
    limit: Limit,
    /// Whether the client sends it only if it is wanted.
    is_held_back: bool,
}

impl Rest {
    pub(super) fn of(request: Request<Incoming>) -> Request<Self> {
        let limit = match request.version() {
            Version::HTTP_2 => STREAM,
            _ => CONNECTION,
        };
        let is_held_back = request.headers().contains_key(EXPECT);
        request.map(|body| Self { body: Some(body), limit, is_held_back })
    }
}

impl Body for Rest {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        // From here on the client is told to send.
        self.is_held_back = false;
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|body| !body.is_end_stream() && !self.is_held_back);
        if let (Some(body), Ok(runtime)) = (rest, Handle::try_current()) {
            let Limit { bytes, wait } = self.limit;
            runtime.spawn(tokio::time::timeout(wait, thrown_away(body, bytes)));
        }
    }
}

async fn thrown_away(mut body: Incoming, mut left: usize) {
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(bytes) else { return };
        left = rest;
    }
}
