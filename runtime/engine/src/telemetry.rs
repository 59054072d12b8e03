//! What a call of a plugin took and did, besides its answer and its log: times, memory, calls of the
//! host, and the exchanges with elements. The worker measures it; the engine keeps it in the commit of
//! the outcome.
//!
//! Figures are short and kept of every attempt: one fact for all attempts whose outcomes share a
//! commit. Exchanges are long, and a fact of their own, so that they can be removed earlier.

use std::collections::BTreeMap;

use model::{FulfilmentId, Outcome, TaskId};
use serde::{Deserialize, Serialize};

use crate::keys;
use crate::stamp::Stamp;
use crate::store::Write;

/// What one call took and did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telemetry {
    /// Its figures.
    pub figures: Figures,
    /// What it exchanged with elements.
    pub exchanges: Exchanges,
    /// The spans of its requests, if it is traced. They are not kept.
    pub sent: Vec<Sent>,
}

/// A request that was sent, as a span.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The id of the span, which the element got.
    pub span: [u8; 8],
    /// The method.
    pub method: String,
    /// The host and the port.
    pub target: String,
    /// When it was sent, in microseconds after the call began.
    pub after_us: u64,
    /// How long the answer took to begin, in microseconds.
    pub took_us: u64,
    /// The status of the answer; `None` if there was none.
    pub status: Option<u16>,
}

/// The figures of one call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The name of its operation, such as `run`.
    pub operation: String,
    /// How long it took, in microseconds, with the wait for its turn.
    pub took_us: u64,
    /// The processor time of the plugin, in microseconds.
    pub cpu_us: u64,
    /// The most linear memory that it had, in KiB.
    pub memory_kib: u32,
    /// How often it called the host, by interface.
    #[serde(default)]
    pub host_calls: BTreeMap<String, u32>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// The work is done.
    #[serde(rename = "d")]
    Done,
    /// It waits for a callback.
    #[serde(rename = "w")]
    Waiting,
    /// It failed, with this code.
    #[serde(rename = "f")]
    Failed(String),
}

/// The figures of an attempt as they are kept: an array, which is shorter than an object. The time of
/// the first in a fact is a time, that of the others is counted from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row(
    i64,
    TaskId,
    u32,
    Ending,
    String,
    u64,
    u64,
    u32,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")] BTreeMap<String, u32>,
);

/// An attempt with its figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// When its outcome was recorded.
    pub at: Stamp,
    /// Its task.
    pub task: TaskId,
    /// Its number; the attempts at an undo have numbers of their own.
    pub number: u32,
    /// How it ended.
    pub ending: Ending,
    /// What it took.
    pub figures: Figures,
}

/// What a call exchanged with elements, in the order of its requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exchanges {
    /// Those that are kept.
    pub kept: Vec<Exchange>,
    /// How many more there were.
    #[serde(default)]
    pub dropped: u32,
}

/// One request and its answer. Secrets are masked before it gets here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exchange {
    /// When it was sent, in microseconds after the call began.
    pub after_us: u64,
    /// How long it took to the end of the answer, in microseconds.
    pub took_us: u64,
    /// The method.
    pub method: String,
    /// The URL, without a user.
    pub url: String,
    /// The request.
    pub request: Message,
    /// The status of the answer; `None` if there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The answer, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Message>,
    /// Why there was no answer, or no whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// The headers and the body of a request or an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// How many headers were left out.
    #[serde(default)]
    pub headers_dropped: u32,
    /// The body as text, from its beginning; `None` if it is empty or no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The bytes of the body, as far as it was sent or read.
    pub body_bytes: u64,
    /// Whether the body is no text, so that only its size is kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_binary: bool,
    /// Whether the kept body is shorter than the body.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

impl Ending {
    /// How an outcome ends its attempt.
    pub fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done(_) => Self::Done,
            Outcome::Waiting(_) => Self::Waiting,
            Outcome::Failed(failure) => Self::Failed(failure.code.to_string()),
        }
    }

    /// Its name, for people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Waiting => "waiting",
            Self::Failed(_) => "failed",
        }
    }
}

impl Row {
    fn of(attempt: Attempt, after: Stamp) -> Self {
        let Attempt { at, task, number, ending, figures } = attempt;
        let Figures { operation, took_us, cpu_us, memory_kib, host_calls } = figures;
        let at = at.0 - after.0;
        Self(at, task, number, ending, operation, took_us, cpu_us, memory_kib, host_calls)
    }

    fn attempt(self, after: Stamp) -> Attempt {
        let Self(at, task, number, ending, operation, took_us, cpu_us, memory_kib, host_calls) =
            self;
        let figures = Figures { operation, took_us, cpu_us, memory_kib, host_calls };
        Attempt { at: Stamp(at + after.0), task, number, ending, figures }
    }
}

impl Attempt {
    /// Reads the attempts of a fact.
    pub fn read(bytes: &[u8]) -> Result<Vec<Self>, serde_json::Error> {
        let rows: Vec<Row> = serde_json::from_slice(bytes)?;
        let mut after = Stamp(0);
        let read = rows.into_iter().enumerate().map(|(index, row)| {
            let attempt = row.attempt(after);
            if index == 0 {
                after = attempt.at;
            }
            attempt
        });
        Ok(read.collect())
    }

    /// The key of its exchanges.
    pub fn exchanges(&self, fulfilment: &FulfilmentId) -> Vec<u8> {
        keys::exchanges(fulfilment, self.task.0, self.number, self.at)
    }

    /// The key of its log.
    pub fn log(&self, fulfilment: &FulfilmentId) -> Vec<u8> {
        keys::log(fulfilment, self.task.0, self.number, self.at)
    }
}

impl Exchanges {
    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.dropped == 0
    }

    /// Drops the last exchanges until the rest has no more bytes than this.
    pub fn cut(&mut self, bytes_max: usize) {
        let mut bytes: usize = self.kept.iter().map(Exchange::bytes).sum();
        while bytes > bytes_max
            && let Some(last) = self.kept.pop()
        {
            bytes -= last.bytes();
            self.dropped += 1;
        }
    }
}

impl Exchange {
    /// About how many bytes it takes to keep.
    pub fn bytes(&self) -> usize {
        let failure = self.failure.as_ref().map_or(0, String::len);
        let answer = self.answer.as_ref().map_or(0, Message::bytes);
        self.url.len() + self.request.bytes() + answer + failure
    }
}

impl Message {
    fn bytes(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len());
        headers.sum::<usize>() + self.body.as_ref().map_or(0, String::len)
    }
}

/// The fact that keeps the figures of attempts; `None` if there are none.
pub(crate) fn figures(fulfilment: &FulfilmentId, attempts: Vec<Attempt>) -> Option<Write> {
    let Attempt { at, task, number, .. } = attempts.first()?;
    let key = keys::telemetry(fulfilment, *at, task.0, *number);
    let (first, mut after) = (*at, Stamp(0));
    let row = |attempt| Row::of(attempt, std::mem::replace(&mut after, first));
    let rows: Vec<Row> = attempts.into_iter().map(row).collect();
    Some((key, Some(serde_json::to_vec(&rows).expect("figures can be written"))))
}

/// The fact that keeps the exchanges of an attempt.
pub(crate) fn exchanges(
    fulfilment: &FulfilmentId,
    attempt: &Attempt,
    exchanges: &Exchanges,
) -> Write {
    let bytes = serde_json::to_vec(exchanges).expect("exchanges can be written");
    (attempt.exchanges(fulfilment), Some(bytes))
}
