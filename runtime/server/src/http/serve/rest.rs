//! The body of a request by HTTP/2. Whatever of it is not read when it is dropped is read and thrown
//! away, within limits: if a stream is dropped that the client still sends on, it is reset, and the client
//! never sees the answer that refused it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::runtime::Handle;

/// Max bytes that are thrown away, and the time for it.
const BYTES_MAX: usize = 256 << 10;
const WAIT: Duration = Duration::from_secs(2);

/// A body whose rest is thrown away.
pub(super) struct Rest(Option<Incoming>);

impl Rest {
    pub(super) fn of(body: Incoming) -> Self {
        Self(Some(body))
    }
}

impl Body for Rest {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.0 {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        let rest = self.0.take().filter(|body| !body.is_end_stream());
        if let (Some(body), Ok(runtime)) = (rest, Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(WAIT, thrown_away(body)));
        }
    }
}

async fn thrown_away(mut body: Incoming) {
    let mut left = BYTES_MAX;
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(bytes) else { return };
        left = rest;
    }
}
