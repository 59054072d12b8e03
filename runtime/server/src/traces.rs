//! Spans of what the server does (OpenTelemetry): a request that changes something, the fulfilment that
//! it submits, its tasks, the calls of plugins and their HTTP requests. They are sent to a collector, off
//! unless one is set. Nothing waits for it: what it does not take in time is dropped and counted.
//!
//! OTLP is written by hand, as JSON over our own HTTP client: the crates of OpenTelemetry would add a
//! second client, protobuf and some twenty crates to every build, for one kind of message.

mod export;
mod follow;
mod link;
mod otlp;
mod worker;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine::Published;
use engine::trace::{Sampled, Trace};
use model::{FulfilmentId, TaskId};
use tokio::sync::{broadcast, mpsc};

use crate::config::{Collector, Share, Traces};

pub(crate) use worker::Traced;

/// Max spans that wait to be sent.
const SPANS_MAX: usize = 8_192;

/// Max tasks under way whose beginning is known.
const BEGINNINGS_MAX: usize = 100_000;

tokio::task_local! {
    /// The span of the request that is carried out.
    static CURRENT: Trace;
}

/// Takes spans; cheap to clone. Without a collector it takes none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tracer(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    spans: mpsc::Sender<Span>,
    counts: Arc<Counts>,
    share: Share,
    /// When the first call for a task began, and its name.
    beginnings: Mutex<BTreeMap<(FulfilmentId, TaskId), (u64, String)>>,
}

/// What became of spans.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Sent to the collector, and taken.
    pub(crate) sent: AtomicU64,
    /// Dropped: the queue was full, or the collector did not take them.
    pub(crate) dropped: AtomicU64,
}

/// What runs beside a tracer. Without a collector it has nothing to do.
#[derive(Debug)]
pub(crate) struct Exporter(Option<Queue>);

/// The spans to send, and where to.
#[derive(Debug)]
struct Queue {
    spans: mpsc::Receiver<Span>,
    collector: Collector,
    tracer: Tracer,
    counts: Arc<Counts>,
}

/// A span that has ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Span {
    pub(crate) trace: Trace,
    pub(crate) parent: Option<[u8; 8]>,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// Nanoseconds since 1970.
    pub(crate) began: u64,
    pub(crate) ended: u64,
    pub(crate) attributes: Vec<(&'static str, Attribute)>,
    /// Why it failed, if it did.
    pub(crate) failure: Option<String>,
}

/// Which side of an exchange a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Internal,
    Server,
    Client,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Attribute {
    Text(String),
    Number(i64),
}

impl Tracer {
    /// A tracer, and what sends the spans that it takes to a collector.
    pub(crate) fn open(settings: &Traces) -> (Self, Exporter) {
        let share = settings.sample;
        let Some(collector) = settings.collector.clone() else {
            return (Self::default(), Exporter(None));
        };
        let (sender, spans) = mpsc::channel(SPANS_MAX);
        let counts = Arc::new(Counts::default());
        let beginnings = Mutex::default();
        let inner = Inner { spans: sender, counts: Arc::clone(&counts), share, beginnings };
        let tracer = Self(Some(Arc::new(inner)));
        let queue = Queue { spans, collector, tracer: tracer.clone(), counts };
        (tracer, Exporter(Some(queue)))
    }

    /// Whether spans are taken.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The counts of spans, if spans are taken.
    pub(crate) fn counts(&self) -> Option<&Counts> {
        self.0.as_ref().map(|inner| &*inner.counts)
    }

    /// The span of a request, by its header `traceparent`, which decides whether it is sent; `None` if no
    /// spans are taken.
    pub(crate) fn request(&self, header: Option<&str>) -> Option<(Trace, Option<[u8; 8]>)> {
        let share = self.0.as_ref()?.share;
        let parent = header.and_then(Trace::parse);
        let mut random = [0; 24];
        getrandom::fill(&mut random).ok()?;
        let (mut id, mut span) = ([0; 16], [0; 8]);
        id.copy_from_slice(&random[..16]);
        span.copy_from_slice(&random[16..]);
        Some(match parent {
            Some(parent) => (Trace { span, ..parent }, Some(parent.span)),
            None => (Trace { id, span, sampled: share.decide(id) }, None),
        })
    }

    /// Takes a span, if there is room.
    pub(crate) fn take(&self, span: Span) {
        let Some(inner) = &self.0 else { return };
        if span.trace.sampled == Sampled::Yes && inner.spans.try_send(span).is_err() {
            inner.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes that a call for a task begins.
    fn begin(&self, task: (FulfilmentId, TaskId), name: &str, now: u64) {
        let Some(inner) = &self.0 else { return };
        let mut beginnings = lock(&inner.beginnings);
        if beginnings.len() < BEGINNINGS_MAX {
            beginnings.entry(task).or_insert_with(|| (now, name.to_owned()));
        }
    }

    /// Forgets what began for a fulfilment that has ended.
    fn forget(&self, fulfilment: &FulfilmentId) {
        let Some(inner) = &self.0 else { return };
        let mut beginnings = lock(&inner.beginnings);
        let first = (fulfilment.clone(), TaskId(0));
        let own = beginnings.range(first..).map(|(task, _)| task);
        let own: Vec<_> = own.take_while(|(id, _)| id == fulfilment).cloned().collect();
        for task in own {
            beginnings.remove(&task);
        }
    }

    /// When the first call for a task began, and its name.
    fn begun(&self, task: &(FulfilmentId, TaskId)) -> Option<(u64, String)> {
        lock(&self.0.as_ref()?.beginnings).remove(task)
    }
}

impl Exporter {
    /// Follows the records of the engine, and sends spans, until `stop` ends.
    pub(crate) async fn run(
        self,
        published: broadcast::Receiver<Published>,
        stop: impl Future<Output = ()>,
    ) {
        let Some(queue) = self.0 else { return };
        let tracer = queue.tracer.clone();
        let followed = async {
            follow::follow(published, tracer).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = followed => {}
            () = export::run(queue, stop) => {}
        }
    }
}

/// Carries out the work of a request within its span.
pub(crate) async fn within<F: Future>(trace: Option<Trace>, work: F) -> F::Output {
    match trace {
        Some(trace) => CURRENT.scope(trace, work).await,
        None => work.await,
    }
}

/// The span of the request that is carried out.
pub(crate) fn current() -> Option<Trace> {
    CURRENT.try_with(|trace| *trace).ok()
}

/// Nanoseconds since 1970.
pub(crate) fn now() -> u64 {
    nanos(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn text(value: impl Into<String>) -> Attribute {
    Attribute::Text(value.into())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Every change leaves the state consistent, so a poisoned lock is still good.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
