//! The output of the engine for one input: facts to write, and actions for when they are on disk.

use std::sync::Arc;

#[cfg(test)]
use model::Fulfilment;
use model::{Event, FulfilmentId, Record, TaskId};
use tmf::time::Timestamp;

use super::Answer;
#[cfg(doc)]
use super::{Core, Input};
use crate::audit::{Act, Audited, Recorded};
use crate::documents::{self, Put};
use crate::keys;
use crate::scratch::Changes;
use crate::stamp::Stamp;
use crate::store::{Batch, Epoch, Write};
use crate::trace::Trace;
use crate::worker::Call;

/// The consequences of one input.
pub struct Step<R> {
    /// The writes, in one batch.
    pub commit: Commit<R>,
    /// Calls of pure plugins, which need not wait for the commit.
    pub now: Vec<Call>,
    /// Events that the commit's record begins with.
    pub(super) recorded: Vec<Event>,
    /// The asker that gets the fulfilment when the commit is on disk.
    pub(super) waiting: Option<R>,
    /// Writes into the scratch space of a plugin, which go with the event that applies its answer.
    pub(super) scratch: Option<(Changes, Stamp)>,
    /// The act that the commit's record belongs to.
    pub(super) act: Option<Arc<Act>>,
}

/// Facts to write together, and actions for when they are on disk.
pub struct Commit<R> {
    /// The facts; empty if the actions only wait for earlier commits.
    pub writes: Vec<Write>,
    /// The documents that follow from them.
    pub documents: Vec<Put>,
    /// The time of the commit.
    pub at: Timestamp,
    /// The entry of the audit, if the commit belongs to an act.
    pub audited: Option<Audited>,
    /// The actions, in order.
    pub then: Vec<After<R>>,
}

/// An action for when a commit is on disk.
#[expect(clippy::large_enum_variant, reason = "most are calls, so a box would save nothing")]
pub enum After<R> {
    /// Make a call.
    Run(Call),
    /// Answer an asker.
    Reply(R, Answer),
    /// Answer an asker that its documents are written, or that one of them is not as it expected, in
    /// which case nothing of the commit was written.
    Written(R),
    /// Read the body of a callback that is kept, and hand it over as [`Input::Recalled`].
    Recall(String),
    /// Read a fulfilment that has left memory, and hand it over as [`Input::Reread`].
    Reread(FulfilmentId),
    /// Send a record to the watchers.
    Publish(Published),
    /// Continue a fulfilment that had more to do than one turn allows, by [`Core::go_on`].
    GoOn(FulfilmentId),
}

/// A record that is on disk.
#[derive(Clone, Debug)]
pub struct Published {
    pub fulfilment: FulfilmentId,
    /// Its number in the journal, from 0.
    pub number: u32,
    /// The record.
    pub record: Arc<Record>,
    /// The span of the request that submitted the fulfilment, and when that was, if it is traced.
    pub traced: Option<(Trace, Timestamp)>,
    /// The fulfilment after it. Only in tests: a second reference makes the next change copy all of
    /// it.
    #[cfg(test)]
    pub state: Arc<Fulfilment>,
}

impl<R> Default for Step<R> {
    fn default() -> Self {
        Self {
            commit: Commit::default(),
            now: Vec::new(),
            recorded: Vec::new(),
            waiting: None,
            scratch: None,
            act: None,
        }
    }
}

impl<R> Default for Commit<R> {
    fn default() -> Self {
        Self {
            writes: Vec::new(),
            documents: Vec::new(),
            at: Timestamp::default(),
            audited: None,
            then: Vec::new(),
        }
    }
}

impl<R> Step<R> {
    /// A step that only answers, after what was written before it.
    pub(super) fn answer(reply: R, answer: Answer) -> Self {
        let mut step = Self::default();
        step.commit.then.push(After::Reply(reply, answer));
        step
    }

    /// Audits its record under this number, if it belongs to an act.
    pub(super) fn audit(&mut self, now: Timestamp, id: &FulfilmentId, number: u32) {
        if let Some(act) = self.act.take() {
            let recorded = Recorded { id: id.to_string(), record: Some(number) };
            let fulfilment = Some(recorded);
            self.commit.audited = Some(Audited { fulfilment, ..Audited::done(act, now) });
        }
    }
}

impl<R> Commit<R> {
    /// Whether there is nothing to write and nothing to do.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.documents.is_empty() && self.then.is_empty()
    }

    /// The batch to write, `None` if there is none, and the actions after it.
    pub fn split(self, epoch: Epoch) -> (Option<Batch>, Vec<After<R>>) {
        let Self { writes, documents, at, audited, then } = self;
        let has_facts = !writes.is_empty() || !documents.is_empty();
        let batch = || documents::audited_batch(epoch, at, (writes, documents), audited);
        (has_facts.then(batch), then)
    }

    /// Keeps what a plugin logged in an attempt.
    pub(super) fn log(&mut self, key: Vec<u8>, lines: &[String]) {
        self.writes.push((key, Some(lines_to_bytes(lines))));
    }

    /// Keeps a note of the engine about an attempt, beside its plugin's log.
    pub(super) fn note(&mut self, id: &FulfilmentId, task: TaskId, attempt: u32, line: &str) {
        let bytes = lines_to_bytes(&[line.into()]);
        self.writes.push((keys::note(id, task.0, attempt), Some(bytes)));
    }
}

fn lines_to_bytes(lines: &[String]) -> Vec<u8> {
    serde_json::to_vec(lines).expect("texts can be written")
}
