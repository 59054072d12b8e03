//! Records what a call exchanges with elements, in full and within limits, while it goes on as ever.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::{Request, Response};
use wasmtime_wasi_http::{Error, WasiBody};

use super::chance::{Chance, Source};
use super::{Answer, Asked, Given, Names, TAPE_BYTES_MAX, TAPED_MAX, Taking, add, header_bytes};
use crate::contract::reservation::Reserved;

/// The bytes that all recordings together may still take.
#[derive(Debug)]
pub(crate) struct Budget(Arc<AtomicUsize>);

/// What one call exchanged.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(super) seed: u128,
    pub(super) chance: Chance,
    taped: Mutex<Taped>,
    budget: Budget,
}

/// What is on a tape.
#[derive(Debug, Default)]
pub(super) struct Taped {
    pub(super) exchanges: Vec<(Asked, Answer)>,
    pub(super) takings: Vec<Taking>,
    pub(super) names: Names,
    pub(super) deadline_ms: Option<u32>,
    /// The bytes that it may still take, all of which are taken from the budget.
    left: usize,
    /// Whether there was more than it may take.
    is_over: bool,
}

/// The place of an exchange on a tape; of a call that is not recorded there is none.
#[derive(Debug, Default)]
pub(in crate::capability) struct Reel(Option<(Arc<Recording>, usize)>);

/// Which message of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Request,
    Answer,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    fn take(&self, bytes: usize) -> bool {
        let take = |left: usize| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Recording {
    /// A recording of a call; `None` if the budget has no room for it.
    pub(crate) fn new(budget: &Budget) -> Option<Arc<Self>> {
        let mut seed = [0; 16];
        getrandom::fill(&mut seed).ok()?;
        if !budget.take(TAPE_BYTES_MAX) {
            return None;
        }
        let taped = Mutex::new(Taped { left: TAPE_BYTES_MAX, ..Taped::default() });
        let budget = Budget(Arc::clone(&budget.0));
        let (seed, chance) = (u128::from_le_bytes(seed), Chance::default());
        Some(Arc::new(Self { seed, chance, taped, budget }))
    }

    /// Begins the record of a request.
    pub(super) fn begin(this: &Arc<Self>, request: Request<WasiBody>) -> (Request<WasiBody>, Reel) {
        let (head, body) = request.into_parts();
        let mut taped = this.lock();
        let asked = Asked::of(&head);
        let index = taped.exchanges.len();
        if index == TAPED_MAX || !taped.charge(asked.bytes()) {
            taped.is_over = true;
            drop(taped);
            return (Request::from_parts(head, body), Reel::default());
        }
        taped.exchanges.push((asked, Answer::Open));
        drop(taped);
        let reel = || Reel(Some((Arc::clone(this), index)));
        let body = Tap { reel: reel(), side: Side::Request, body }.boxed_unsync();
        (Request::from_parts(head, body), reel())
    }

    pub(super) fn issued(&self, name: &str, placeholder: &str) {
        self.lock().names.add(name, placeholder);
    }

    pub(super) fn deadline_ms(&self, left: u32) -> u32 {
        *self.lock().deadline_ms.get_or_insert(left)
    }

    pub(super) fn reserve(&self, pool: &str, name: &str, value: &Reserved) {
        let mut taped = self.lock();
        if taped.takings.len() == TAPED_MAX {
            taped.is_over = true;
            return;
        }
        let (pool, name, value) = (pool.to_owned(), name.to_owned(), value.clone());
        taped.takings.push(Taking { pool, name, value });
    }

    /// What was recorded; `None` if it was too much. The recording is empty after that.
    pub(super) fn finish(&self) -> Option<Taped> {
        let taped = std::mem::take(&mut *self.lock());
        (!taped.is_over).then_some(taped)
    }

    fn lock(&self) -> MutexGuard<'_, Taped> {
        // Every change leaves the tape consistent, so a poisoned lock is still good.
        self.taped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Recording {
    fn time(&self) -> Duration {
        self.chance.record_time()
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.chance.record(bytes);
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.budget.give_back(TAPE_BYTES_MAX);
    }
}

impl Taped {
    fn charge(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

impl Reel {
    /// Records how a request ended, and goes on with the body of its answer.
    pub(in crate::capability) fn ended(
        self,
        result: Result<Response<WasiBody>, Error>,
    ) -> Result<Response<WasiBody>, Error> {
        let Some((recording, index)) = &self.0 else { return result };
        let mut taped = recording.lock();
        let answer = match &result {
            Err(error) => Answer::Failed(same(error)),
            Ok(response) => {
                let (status, headers) = (response.status(), response.headers().clone());
                taped.is_over |= !taped.charge(header_bytes(&headers));
                let (body, is_whole) = (Vec::new(), response.body().is_end_stream());
                Answer::Given(Given { status, headers, body, trailers: None, is_whole })
            }
        };
        if let Some((_, open)) = taped.exchanges.get_mut(*index) {
            *open = answer;
        }
        drop(taped);
        result.map(|response| {
            response.map(|body| Tap { reel: self, side: Side::Answer, body }.boxed_unsync())
        })
    }

    fn given(&self, change: impl FnOnce(&mut Given, &mut usize) -> bool) {
        let Some((recording, index)) = &self.0 else { return };
        let mut taped = recording.lock();
        let Taped { exchanges, left, is_over, .. } = &mut *taped;
        if let Some((_, Answer::Given(given))) = exchanges.get_mut(*index) {
            *is_over |= !change(given, left);
        }
    }

    fn feed(&self, side: Side, bytes: &Bytes) {
        match side {
            Side::Answer => self.given(|given, left| add(&mut given.body, bytes, left)),
            Side::Request => {
                let Some((recording, index)) = &self.0 else { return };
                let mut taped = recording.lock();
                let Taped { exchanges, left, is_over, .. } = &mut *taped;
                if let Some((asked, _)) = exchanges.get_mut(*index) {
                    *is_over |= !add(&mut asked.body, bytes, left);
                }
            }
        }
    }
}

/// A body that is recorded as it passes.
struct Tap {
    reel: Reel,
    side: Side,
    body: WasiBody,
}

impl Body for Tap {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(bytes) = frame.data_ref() {
                    this.reel.feed(this.side, bytes);
                } else if let (Some(trailers), Side::Answer) = (frame.trailers_ref(), this.side) {
                    this.reel.given(|given, _| {
                        given.trailers = Some(trailers.clone());
                        true
                    });
                }
            }
            Poll::Ready(None) if this.side == Side::Answer => this.reel.whole(),
            Poll::Ready(Some(Err(_)) | None) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Reel {
    /// Records that all of an answer was read.
    fn whole(&self) {
        self.given(|given, _| {
            given.is_whole = true;
            true
        });
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        // A reader that sees the end by `is_end_stream` or by the length does not poll for it.
        if self.side == Side::Answer && self.body.is_end_stream() {
            self.reel.whole();
        }
    }
}

/// The same error once more, as far as a guest can tell errors apart.
#[expect(clippy::wildcard_enum_match_arm, reason = "it is the crate's to extend")]
fn same(error: &Error) -> Error {
    match error {
        Error::HttpRequestDenied => Error::HttpRequestDenied,
        Error::HttpRequestUriInvalid => Error::HttpRequestUriInvalid,
        Error::HttpRequestBodySize(bytes) => Error::HttpRequestBodySize(*bytes),
        Error::HttpResponseBodySize(bytes) => Error::HttpResponseBodySize(*bytes),
        Error::HttpResponseTimeout => Error::HttpResponseTimeout,
        Error::DestinationIpProhibited => Error::DestinationIpProhibited,
        Error::DestinationNotFound => Error::DestinationNotFound,
        Error::DestinationUnavailable => Error::DestinationUnavailable,
        Error::DnsTimeout => Error::DnsTimeout,
        Error::ConnectionRefused => Error::ConnectionRefused,
        Error::ConnectionTerminated => Error::ConnectionTerminated,
        Error::ConnectionTimeout => Error::ConnectionTimeout,
        Error::ConnectionReadTimeout => Error::ConnectionReadTimeout,
        Error::ConnectionWriteTimeout => Error::ConnectionWriteTimeout,
        Error::ConnectionLimitReached => Error::ConnectionLimitReached,
        Error::TlsProtocolError => Error::TlsProtocolError,
        Error::TlsCertificateError => Error::TlsCertificateError,
        _ => Error::HttpProtocolError,
    }
}
