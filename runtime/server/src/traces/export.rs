//! Sends spans to the collector, some at a time. A collector that is down, slow or full loses them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};

use super::link::Link;
use super::{Queue, Span, otlp};

/// Max spans of one message.
const BATCH_MAX: usize = 512;

/// How long spans wait for others.
const GATHER: Duration = Duration::from_millis(500);

/// How long the collector has to take a message.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// Max bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Sends the spans of a queue until `stop` ends, and then those that are left, once.
pub(super) async fn run(mut queue: Queue, stop: impl Future<Output = ()>) {
    let mut link = Link::new(queue.collector.to_owned());
    let mut stop = std::pin::pin!(stop);
    let mut is_down = false;
    loop {
        let mut batch = Vec::new();
        let is_last = tokio::select! {
            biased;
            () = &mut stop => {
                while batch.len() < BATCH_MAX && let Ok(span) = queue.spans.try_recv() {
                    batch.push(span);
                }
                true
            }
            count = queue.spans.recv_many(&mut batch, BATCH_MAX) => {
                gather(&mut queue, &mut batch).await;
                count == 0
            }
        };
        if !batch.is_empty() {
            let (count, sent) = (batch.len() as u64, send(&mut link, batch).await);
            let counter = if sent.is_ok() { &queue.counts.sent } else { &queue.counts.dropped };
            counter.fetch_add(count, Ordering::Relaxed);
            // One line when it goes down, not one for each batch.
            if let (Err(reason), false) = (&sent, is_down) {
                tracing::warn!(collector = %queue.collector.url, reason, "the collector of traces takes no spans");
            }
            is_down = sent.is_err();
        }
        if is_last {
            return;
        }
    }
}

/// Waits a moment for more spans.
async fn gather(queue: &mut Queue, batch: &mut Vec<Span>) {
    let more = async {
        while batch.len() < BATCH_MAX {
            let room = BATCH_MAX - batch.len();
            if queue.spans.recv_many(batch, room).await == 0 {
                return;
            }
        }
    };
    tokio::time::timeout(GATHER, more).await.ok();
}

async fn send(link: &mut Link, batch: Vec<Span>) -> Result<(), String> {
    let message = otlp::message(batch);
    let exchange = async {
        let response = link.send(message.into()).await?;
        let status = response.status();
        // To the end, so that the connection can be used again.
        Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await.ok();
        if status.is_success() { Ok(()) } else { Err(format!("it answered {status}")) }
    };
    let sent = tokio::time::timeout(ANSWER_WAIT, exchange).await;
    sent.unwrap_or_else(|_elapsed| Err(format!("no answer within {} s", ANSWER_WAIT.as_secs())))
}
