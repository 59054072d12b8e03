//! The body of a response: capped in size, and not for ever silent.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::Sleep;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::gate::Pass;

/// A body that ends in an error where it is too long or pauses too long.
pub(super) struct Capped {
    incoming: Incoming,
    max: u64,
    left: u64,
    between: Duration,
    /// Given back when the body has ended or is dropped.
    passes: Vec<Pass>,
    /// Runs while nothing comes.
    silence: Option<Pin<Box<Sleep>>>,
}

impl Capped {
    pub(super) fn new(incoming: Incoming, max: u64, between: Duration, passes: Vec<Pass>) -> Self {
        Self { incoming, max, left: max, between, passes, silence: None }
    }

    pub(super) fn boxed(self) -> WasiBody {
        self.boxed_unsync()
    }
}

impl Body for Capped {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(context) else {
            let between = this.between;
            let silence = this.silence.get_or_insert_with(|| Box::pin(tokio::time::sleep(between)));
            ready!(silence.as_mut().poll(context));
            return Poll::Ready(Some(Err(Error::ConnectionReadTimeout)));
        };
        this.silence = None;
        let Some(frame) = frame else {
            this.passes.clear();
            return Poll::Ready(None);
        };
        let frame = frame.map_err(Error::Hyper)?;
        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
        let Some(left) = this.left.checked_sub(bytes) else {
            return Poll::Ready(Some(Err(Error::HttpResponseBodySize(Some(this.max)))));
        };
        this.left = left;
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
