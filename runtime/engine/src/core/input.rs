//! The inputs of the engine, and its answers.

use std::sync::Arc;

use model::fulfilment::{Move, NotGivenUp, PatchError, Subject};
use model::journal::{CancelRequest, Decision, Refusal};
use model::{Event, Fulfilment, FulfilmentId, PluginId, TaskId};
use serde_json::{Map, Value};

use super::{RecoverError, Release, Seen, SetAside};
use crate::audit::Act;
use crate::documents::Put;
use crate::store::Write;
use crate::trace::Trace;
use crate::worker::Report;

/// Something that happens to the engine.
#[derive(Debug)]
pub enum Input<R> {
    /// An order or a run was accepted and, if possible, planned.
    Submit {
        /// The fulfilment before any of the events.
        fulfilment: Box<Fulfilment>,
        /// The events after `submitted`: `planned`, `held` or `rejected`.
        events: Vec<Event>,
        /// The client's idempotency key.
        submission: Option<String>,
        /// The moment before its client read the instances; `None` if it did not read any.
        seen: Option<Seen>,
        /// The span of the request, if it is traced.
        trace: Option<Trace>,
        /// Answered when it is on disk.
        reply: R,
    },
    /// A client is about to read the instances of its next submission.
    Look {
        /// Answered when all earlier decisions are on disk.
        reply: R,
    },
    /// A call ended.
    Finished {
        fulfilment: FulfilmentId,
        task: TaskId,
        /// The number of the attempt.
        attempt: u32,
        report: Report,
    },
    /// An element answered.
    Callback {
        callback: Callback,
        /// Answered when the result is on disk.
        reply: R,
    },
    /// The body of a kept callback was read.
    Recalled(Recalled),
    /// A fulfilment that had left memory was read again.
    Reread {
        fulfilment: FulfilmentId,
        /// The fulfilment with the bytes of its journal.
        read: Result<Box<(Fulfilment, u64)>, RecoverError>,
    },
    /// An operator continues a fulfilment that is set aside.
    Readmit {
        /// The fulfilment, as it was read from its journal.
        fulfilment: Box<Fulfilment>,
        /// The bytes of its journal.
        bytes: u64,
        /// Answered when it is on disk.
        reply: R,
    },
    /// An operator gives up a fulfilment that is set aside.
    GiveUp {
        fulfilment: FulfilmentId,
        /// The changes of its documents.
        documents: Vec<Put>,
        /// Answered when it is on disk.
        reply: R,
    },
    /// The data of an ended fulfilment is not needed any more.
    Remove {
        fulfilment: FulfilmentId,
        /// The writes that remove all or a part of it.
        writes: Vec<Write>,
        /// The changes of documents.
        documents: Vec<Put>,
        /// Answered when it is on disk.
        reply: R,
    },
    /// Changes documents that no fulfilment owns, unless an open fulfilment uses them.
    Write {
        /// The fulfilments that may use them.
        unless: Unless,
        /// A pool value to release.
        release: Option<Release>,
        /// The changes, together or not at all.
        documents: Vec<Put>,
        /// Answered when it is on disk.
        reply: R,
    },
    /// An operator deletes what a plugin keeps in its scratch space.
    Erase {
        plugin: PluginId,
        /// One key; `None` for all.
        key: Option<String>,
        /// Answered with the number of deleted keys when that is on disk.
        reply: R,
    },
    /// An operator retries failed tasks.
    Retry {
        fulfilment: FulfilmentId,
        /// Answered when it is on disk.
        reply: R,
    },
    /// An operator decides about work that does not continue by itself.
    Decide {
        fulfilment: FulfilmentId,
        /// The operator's decision.
        wish: Wish,
        /// Answered when it is on disk.
        reply: R,
    },
    /// A fulfilment without a plan was planned again: it waited for others, or could not be planned
    /// before.
    Replan {
        fulfilment: FulfilmentId,
        /// The result: `planned`, `held` or `rejected`.
        event: Event,
        /// The moment before its instances were read.
        seen: Seen,
        /// Answered when it is on disk.
        reply: R,
    },
    /// Asks for the open fulfilments without a plan.
    Unplanned { reply: R },
    /// Asks for all open fulfilments, of which some may not be on disk yet.
    All { reply: R },
    /// The customer cancels the order.
    Cancel {
        fulfilment: FulfilmentId,
        request: CancelRequest,
        /// Answered when the decision is on disk.
        reply: R,
    },
    /// A client changes attributes of an order.
    Patch {
        fulfilment: FulfilmentId,
        /// The fulfilment as it was read, if it is not open any more.
        ended: Option<Box<Fulfilment>>,
        amendment: Amendment,
        /// Answered when it is on disk.
        reply: R,
    },
    /// Asks for a fulfilment.
    Get {
        fulfilment: FulfilmentId,
        /// Answered when everything it shows is on disk.
        reply: R,
    },
    /// Asks for the fulfilment that locks any of some prior work.
    LockHolder {
        /// The keys of the work.
        keys: Vec<String>,
        /// Answered as for [`Input::Get`].
        reply: R,
    },
    /// Waits for the end of a fulfilment.
    AwaitEnd {
        fulfilment: FulfilmentId,
        /// Answered when the end is on disk.
        reply: R,
    },
}

/// An input, and the act that it belongs to.
#[derive(Debug)]
pub struct Asked<R> {
    pub input: Input<R>,
    /// `None` if it is not audited.
    pub act: Option<Arc<Act>>,
}

impl<R> From<Input<R>> for Asked<R> {
    fn from(input: Input<R>) -> Self {
        Self { input, act: None }
    }
}

/// An element's answer to a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Callback {
    /// The name it was sent to: a task's own key, or `<plugin>/<key>`.
    pub name: String,
    /// The body, which only the plugin understands.
    pub payload: Value,
}

/// A callback that was kept until a task waited for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recalled {
    pub name: String,
    /// The body; `None` if it is not there, or cannot be read.
    pub payload: Option<Value>,
}

/// A change of attributes of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Amendment {
    /// The resource of the order, such as `productOrder`.
    pub resource: String,
    /// The merge patch.
    pub patch: Map<String, Value>,
    /// The number of journal records when the client read the order; `None` if it makes no
    /// precondition.
    pub expected: Option<u32>,
}

/// The fulfilments that may use some documents: while one of them is open, no one else may change
/// these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unless {
    /// These, if they are open.
    pub open: Vec<FulfilmentId>,
    /// Any open one that locks some of this prior work, named by its keys.
    pub locked: Vec<String>,
}

/// An operator's decision.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Gives up a task or an item.
    GiveUp {
        subject: Subject,
        /// Whether pool values of an undo that is given up are free again.
        release: bool,
        /// By whom, and why.
        decision: Decision,
    },
    /// Uses another version of a plugin from now on; changes nothing if it does not use the one of before.
    Move {
        /// The versions.
        to: Move,
        /// By whom, and why.
        decision: Decision,
    },
    /// Reports a task as done by hand.
    Complete {
        /// The name of the task.
        task: String,
        /// The outputs for later steps.
        outputs: Map<String, Value>,
        /// By whom, and why.
        decision: Decision,
    },
}

/// An answer of the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The client's idempotency key was used before, for this fulfilment.
    Submitted(FulfilmentId),
    /// The fulfilment as it is; `None` if it is not open.
    Fulfilment(Option<Arc<Fulfilment>>),
    /// Open fulfilments, and the ids of those that have left memory.
    Open(Vec<Arc<Fulfilment>>, Vec<FulfilmentId>),
    /// The result for a callback.
    Callback(Received),
    /// The number of retried tasks; `None` if the fulfilment is not open.
    Retried(Option<usize>),
    /// The number of keys that were deleted.
    Erased(usize),
    /// The operator's decision is refused, and nothing has changed.
    NotDecided(NotGivenUp),
    /// The order is not cancelled, and continues.
    NotCancelled(Refusal),
    /// The patch is refused, and nothing has changed.
    NotPatched(PatchError),
    /// The documents were changed since they were read: read them again.
    Stale,
    /// The quote is ordered already, by this order.
    Ordered(FulfilmentId),
    /// This open fulfilment uses it.
    Locked(FulfilmentId),
    /// The moment at which the input was handled.
    Seen(Seen),
    /// The order is not the one that the client read: it has this many records.
    Changed(u32),
    /// It is done.
    Done,
    /// The engine refuses the input.
    Denied(Denied),
}

/// Why the engine refuses an input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The journal of the fulfilment cannot be read or followed.
    #[error(
        "`{fulfilment}` is set aside, since its journal cannot be carried on{at}: {reason}; see \
         GET /orchestration/v1/quarantine/{fulfilment}",
        at = record.map_or(String::new(), |record| format!(" (record {record})"))
    )]
    SetAside {
        fulfilment: FulfilmentId,
        /// The damaged record, if it is one.
        record: Option<u32>,
        reason: String,
    },
    /// It is not set aside.
    #[error("`{0}` is not set aside")]
    NotSetAside(FulfilmentId),
    /// A large record that writes into a scratch space is under way.
    #[error("the scratch space of `{0}` is being written: try again")]
    BeingWritten(PluginId),
    /// It is open.
    #[error("`{0}` is open: it can be removed when it has ended")]
    Open(FulfilmentId),
    /// Its consequences cannot be recorded: a bug of ours.
    #[error("it cannot be carried out: {0}")]
    Unsound(String),
    /// The maximum of open orders is reached.
    #[error("{open} orders and runs are open, [limits] open-orders allows {max}: try again later")]
    TooManyOpen {
        /// Open orders and runs.
        open: u64,
        /// The limit.
        max: u64,
    },
    /// The memory limit of open orders is reached.
    #[error(
        "open orders and runs hold {mib} MiB of memory, [limits] open-orders-mib allows {max_mib}: try again \
         later"
    )]
    TooMuchOpen {
        /// Their journals, in MiB.
        mib: u64,
        /// The limit.
        max_mib: u64,
    },
}

impl Denied {
    pub(super) fn set_aside(id: &FulfilmentId, aside: &SetAside) -> Self {
        let SetAside { record, reason, .. } = aside;
        Self::SetAside { fulfilment: id.clone(), record: *record, reason: reason.clone() }
    }
}

/// The result for a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// The task that waited for it continues.
    Delivered,
    /// No task waits for it yet; it is kept.
    Kept,
    /// No task waits for it any more.
    Ignored,
    /// The limit of kept callbacks is reached, by number or by bytes.
    TooMany,
    /// Its body is too large.
    TooLarge,
}
