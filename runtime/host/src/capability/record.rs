//! The record of what a call exchanges with elements: each request as the guest made it, with its
//! answer. It is capped while it is made, and masked when the call has ended ([`shown`]).

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use engine::limits::EXCHANGES_BYTES_MAX;
use engine::telemetry::{Exchange, Exchanges, Sent};
use engine::trace::Trace;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::http::uri::Scheme;
use hyper::{Request, Response, Uri};
use wasmtime_wasi_http::{Error, WasiBody};

use self::shown::Kept;
use crate::counters::{Counters, Status};
use crate::mask::Mask;

pub(crate) mod shown;

/// Max exchanges that are kept of one attempt.
pub(crate) const EXCHANGES_MAX: usize = 32;

/// The header with the span that a request is a part of (W3C Trace Context).
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Max bytes of a URL that are kept.
const URL_BYTES_MAX: usize = 2 << 10;

/// Max headers that are kept of one message.
const HEADERS_MAX: usize = 32;

/// Max bytes of the value of a header; a longer one is dropped.
const HEADER_BYTES_MAX: usize = 1 << 10;

/// What is kept of exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Of which attempts.
    pub of: Of,
    /// Max bytes of the body of a request or an answer that are kept.
    pub body_bytes: usize,
}

/// The attempts whose exchanges are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// All of them.
    All,
    /// Those that failed.
    Failed,
    /// None.
    None,
}

/// Records the exchanges of one call, and counts them; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    record: Arc<Mutex<Record>>,
    plugin: Arc<str>,
    counters: Arc<Counters>,
    trace: Option<Trace>,
}

#[derive(Debug)]
struct Record {
    began: Instant,
    keep: Keep,
    exchanges: Vec<Raw>,
    dropped: u32,
    /// How many requests were made.
    requests: u32,
    /// The spans of requests, if the call is traced.
    sent: Vec<Sent>,
    /// The bytes that may still be kept.
    left: usize,
}

/// An exchange as it was, within limits.
#[derive(Debug)]
struct Raw {
    sent: Instant,
    ended: Instant,
    method: String,
    url: String,
    request: Kept,
    answer: Option<(u16, Kept)>,
    failure: Option<String>,
    /// Whether nothing more is expected.
    is_over: bool,
}

/// The place of one exchange in a record.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    recorder: Recorder,
    /// `None` if the exchange is not kept.
    index: Option<usize>,
    /// Its span, if the call is traced.
    span: Option<Trace>,
    method: String,
    /// The host and port that it goes to.
    target: String,
    sent: Instant,
}

/// Which message of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Request,
    Answer,
}

impl Default for Keep {
    fn default() -> Self {
        Self { of: Of::All, body_bytes: 8 << 10 }
    }
}

impl Recorder {
    pub(crate) fn new(
        keep: Keep,
        plugin: Arc<str>,
        counters: Arc<Counters>,
        trace: Option<Trace>,
    ) -> Self {
        let record = Record {
            began: Instant::now(),
            keep,
            exchanges: Vec::new(),
            dropped: 0,
            requests: 0,
            sent: Vec::new(),
            left: EXCHANGES_BYTES_MAX,
        };
        Self { record: Arc::new(Mutex::new(record)), plugin, counters, trace }
    }

    /// Begins the record of an exchange, by its request as the guest made it. A request that is traced
    /// gets a header `traceparent`, unless the guest set its own.
    pub(super) fn begin(&self, request: &mut Request<WasiBody>) -> Slot {
        let mut record = self.lock();
        let span = self.trace.map(|trace| trace.named(&format!("request {}", record.requests)));
        record.requests += 1;
        let header = span.and_then(|span| HeaderValue::try_from(span.to_string()).ok());
        if let (Some(header), false) = (header, request.headers().contains_key(TRACEPARENT)) {
            request.headers_mut().insert(TRACEPARENT, header);
        }
        let index = record.begin(request);
        drop(record);
        let (method, target) = (request.method().to_string(), target(request.uri()));
        Slot { recorder: self.clone(), index, span, method, target, sent: Instant::now() }
    }

    /// The spans of the requests so far.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.lock().sent)
    }

    /// The time since the call began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.lock().began.elapsed()
    }

    /// The exchanges so far, masked.
    pub(crate) fn finish(&self, mask: &Mask) -> Exchanges {
        let mut record = self.lock();
        let (began, dropped) = (record.began, record.dropped);
        let exchanges = std::mem::take(&mut record.exchanges);
        drop(record);
        let kept = exchanges.into_iter().map(|raw| raw.shown(began, mask)).collect();
        let mut exchanges = Exchanges { kept, dropped };
        exchanges.cut(EXCHANGES_BYTES_MAX);
        exchanges
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        // Every change leaves the record consistent, so a poisoned lock is still good.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn begin(&mut self, request: &Request<WasiBody>) -> Option<usize> {
        if self.keep.of == Of::None {
            return None;
        }
        if self.exchanges.len() == EXCHANGES_MAX || self.left == 0 {
            self.dropped += 1;
            return None;
        }
        let url = short(request.uri().to_string());
        self.left = self.left.saturating_sub(url.len());
        let kept = self.headers(request.headers());
        let now = Instant::now();
        self.exchanges.push(Raw {
            sent: now,
            ended: now,
            method: request.method().to_string(),
            url,
            request: kept,
            answer: None,
            failure: None,
            is_over: false,
        });
        Some(self.exchanges.len() - 1)
    }

    fn headers(&mut self, headers: &HeaderMap) -> Kept {
        let mut kept = Kept::default();
        // The host is in the URL, and there it is shown without a user.
        for (name, value) in headers.iter().filter(|(name, _)| *name != HOST) {
            let value = String::from_utf8_lossy(value.as_bytes());
            let bytes = name.as_str().len() + value.len();
            // A value that is cut might end in a part of a secret.
            let is_long = value.len() > HEADER_BYTES_MAX || bytes > self.left;
            if kept.headers.len() == HEADERS_MAX || is_long {
                kept.headers_dropped += 1;
                continue;
            }
            self.left -= bytes;
            kept.headers.push((name.as_str().into(), value.into_owned()));
        }
        kept
    }
}

impl Slot {
    /// Records that the request was not sent, or not answered.
    pub(super) fn failed(&self, error: &Error) {
        let is_denied = matches!(
            error,
            Error::HttpRequestDenied
                | Error::DestinationIpProhibited
                | Error::HttpRequestUriInvalid
        );
        self.count(if is_denied { Status::Denied } else { Status::Unanswered });
        self.broke(error);
    }

    fn count(&self, status: Status) {
        let Recorder { plugin, counters, .. } = &self.recorder;
        let took = self.sent.elapsed();
        counters.requested(plugin, &self.target, status, took);
        let Some(Trace { span, .. }) = self.span else { return };
        let status = match status {
            Status::Answered(status) => Some(status),
            Status::Unanswered => None,
            Status::Denied => return,
        };
        let mut record = self.recorder.lock();
        if record.sent.len() < EXCHANGES_MAX {
            let (method, target) = (self.method.clone(), self.target.clone());
            let after_us = micros(self.sent.saturating_duration_since(record.began));
            let took_us = micros(took);
            record.sent.push(Sent { span, method, target, after_us, took_us, status });
        }
    }

    /// Records that the answer is a redirect that is followed, and begins the record of the next request.
    pub(super) fn redirected<T>(
        &self,
        response: &Response<T>,
        next: &mut Request<WasiBody>,
    ) -> Self {
        self.answered(response);
        self.change(|raw| raw.is_over = true);
        // The next request is a span of its own, unless the guest named one.
        let own = self.span.map(|span| span.to_string());
        let sent = next.headers().get(TRACEPARENT).map(HeaderValue::as_bytes);
        if sent.is_some() && sent == own.as_deref().map(str::as_bytes) {
            next.headers_mut().remove(TRACEPARENT);
        }
        self.recorder.begin(next)
    }

    /// Records that the exchange broke off.
    fn broke(&self, error: &Error) {
        self.change(|raw| {
            raw.failure = Some(format!("{error:?}"));
            raw.is_over = true;
        });
    }

    /// Records the head of the answer.
    pub(super) fn answered<T>(&self, response: &Response<T>) {
        self.count(Status::Answered(response.status().as_u16()));
        let Some(index) = self.index else { return };
        let mut record = self.recorder.lock();
        let kept = record.headers(response.headers());
        if let Some(raw) = record.exchanges.get_mut(index) {
            raw.ended = Instant::now();
            raw.answer = Some((response.status().as_u16(), kept));
        }
    }

    /// The body of the request, recorded as it is sent.
    pub(super) fn request(&self, body: WasiBody) -> WasiBody {
        self.tap(Side::Request, body)
    }

    /// The body of the answer, recorded as it is read.
    pub(super) fn answer(&self, body: WasiBody) -> WasiBody {
        self.tap(Side::Answer, body)
    }

    fn tap(&self, side: Side, body: WasiBody) -> WasiBody {
        match self.index {
            Some(_) => Tap { slot: self.clone(), side, body }.boxed_unsync(),
            None => body,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Raw)) {
        let Some(index) = self.index else { return };
        if let Some(raw) = self.recorder.lock().exchanges.get_mut(index) {
            raw.ended = Instant::now();
            change(raw);
        }
    }

    /// Records that nothing more of the answer is read.
    fn left(&self, is_whole: bool) {
        let Some(index) = self.index else { return };
        let mut record = self.recorder.lock();
        let Some(raw) = record.exchanges.get_mut(index).filter(|raw| !raw.is_over) else { return };
        raw.is_over = true;
        if !is_whole {
            raw.failure = Some("the plugin did not read the whole answer".into());
        }
    }

    /// Records the headers that came after the body, with those that came before.
    fn trailers(&self, side: Side, trailers: &HeaderMap) {
        let Some(index) = self.index else { return };
        let mut record = self.recorder.lock();
        let kept = record.headers(trailers);
        let Some(message) = record.exchanges.get_mut(index).and_then(|raw| raw.message(side))
        else {
            return;
        };
        message.headers_dropped += kept.headers_dropped;
        let room = HEADERS_MAX.saturating_sub(message.headers.len());
        let more = kept.headers.len().saturating_sub(room);
        message.headers_dropped += u32::try_from(more).unwrap_or(u32::MAX);
        message.headers.extend(kept.headers.into_iter().take(room));
    }

    fn feed(&self, side: Side, bytes: &Bytes) {
        let Some(index) = self.index else { return };
        let mut record = self.recorder.lock();
        let Record { exchanges, left, keep, .. } = &mut *record;
        let Some(raw) = exchanges.get_mut(index) else { return };
        raw.ended = Instant::now();
        let Some(kept) = raw.message(side) else { return };
        kept.body_bytes += bytes.len() as u64;
        let room = keep.body_bytes.saturating_sub(kept.body.len()).min(*left).min(bytes.len());
        kept.body.extend_from_slice(&bytes[..room]);
        *left -= room;
    }
}

impl Raw {
    fn message(&mut self, side: Side) -> Option<&mut Kept> {
        match side {
            Side::Request => Some(&mut self.request),
            Side::Answer => self.answer.as_mut().map(|(_, kept)| kept),
        }
    }

    /// The exchange as it may be kept and shown.
    fn shown(self, began: Instant, mask: &Mask) -> Exchange {
        let unfinished = (!self.is_over).then(|| "the call ended first".to_owned());
        let (status, answer) = match self.answer {
            Some((status, kept)) => (Some(status), Some(kept.shown(mask))),
            None => (None, None),
        };
        Exchange {
            after_us: micros(self.sent.saturating_duration_since(began)),
            took_us: micros(self.ended.saturating_duration_since(self.sent)),
            method: self.method,
            url: shown::url(&self.url, mask),
            request: self.request.shown(mask),
            status,
            answer,
            failure: self.failure.or(unfinished).map(|reason| mask.text(reason)),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The host and the port that a request goes to.
fn target(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    let default = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    format!("{host}:{}", uri.port_u16().unwrap_or(default))
}

/// A URL that is not too long to keep. A cut in its query might leave a part of a secret.
fn short(url: String) -> String {
    if url.len() <= URL_BYTES_MAX {
        return url;
    }
    let place = url.split('?').next().unwrap_or_default();
    match place.len() <= URL_BYTES_MAX {
        true => format!("{place}?..."),
        false => place.split('/').take(3).collect::<Vec<_>>().join("/") + "/...",
    }
}

/// A body that is recorded as it passes.
struct Tap {
    slot: Slot,
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
                    this.slot.feed(this.side, bytes);
                }
                if let Some(trailers) = frame.trailers_ref() {
                    this.slot.trailers(this.side, trailers);
                }
            }
            Poll::Ready(Some(Err(error))) => this.slot.broke(error),
            Poll::Ready(None) if this.side == Side::Answer => {
                this.slot.change(|raw| raw.is_over = true);
            }
            Poll::Ready(None) | Poll::Pending => {}
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

impl Drop for Tap {
    fn drop(&mut self) {
        // A reader that sees the end by `is_end_stream` or by the length does not poll for it, and one
        // that has read enough drops the rest.
        if self.side == Side::Answer {
            self.slot.left(self.body.is_end_stream());
        }
    }
}
