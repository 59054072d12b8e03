//! What comes into the engine, and what its askers are told.

use std::sync::Arc;

use model::fulfilment::{NotGivenUp, PatchError, Subject};
use model::journal::{CancelRequest, Decision, Refusal};
use model::{Event, Fulfilment, FulfilmentId, TaskId};
use serde_json::{Map, Value};

use super::{Release, Seen, SetAside};
use crate::documents::Put;
use crate::store::Write;
use crate::worker::Report;

/// Something that happens to the engine.
#[derive(Debug)]
pub enum Input<R> {
    /// An order or a run was accepted and, where possible, planned.
    Submit {
        /// The fulfilment before any of the events.
        fulfilment: Box<Fulfilment>,
        /// What follows `submitted`: `planned`, `held` or `rejected`.
        events: Vec<Event>,
        /// The client's idempotency key.
        submission: Option<String>,
        /// The moment before its client looked at what it is about; `None` if it did not look.
        seen: Option<Seen>,
        /// Told when it is on disk.
        reply: R,
    },
    /// A client is about to look at what it will submit something about.
    Look {
        /// Told when everything decided before is on disk.
        reply: R,
    },
    /// A call ended.
    Finished {
        /// Of this fulfilment.
        fulfilment: FulfilmentId,
        /// Of this task.
        task: TaskId,
        /// The number of the attempt.
        attempt: u32,
        /// What came of it.
        report: Report,
    },
    /// An element answered.
    Callback {
        callback: Callback,
        /// Told what became of it, when that is on disk.
        reply: R,
    },
    /// The body of a kept callback was read.
    Recalled(Recalled),
    /// An operator wants a fulfilment that is set aside carried on.
    Readmit {
        /// The fulfilment, as it was read from its journal.
        fulfilment: Box<Fulfilment>,
        /// The bytes of its journal.
        bytes: u64,
        /// Told when it is on disk.
        reply: R,
    },
    /// An operator gives a fulfilment up that is set aside.
    GiveUp {
        /// This one.
        fulfilment: FulfilmentId,
        /// What becomes of its documents.
        documents: Vec<Put>,
        /// Told when it is on disk.
        reply: R,
    },
    /// What is kept of a fulfilment that has ended is not needed any more.
    Remove {
        /// This one.
        fulfilment: FulfilmentId,
        /// What removes it, or a part of it.
        writes: Vec<Write>,
        /// The documents that go with it.
        documents: Vec<Put>,
        /// Told when it is on disk.
        reply: R,
    },
    /// Documents that no fulfilment owns change, unless an open fulfilment is about them.
    Write {
        /// Who must not be about them.
        unless: Unless,
        /// A value of a pool that is free from then on.
        release: Option<Release>,
        /// What changes, together or not at all.
        documents: Vec<Put>,
        /// Told when it is on disk.
        reply: R,
    },
    /// A person wants what failed tried again.
    Retry {
        /// Of this fulfilment.
        fulfilment: FulfilmentId,
        /// Told when it is on disk.
        reply: R,
    },
    /// An operator decides what does not go on by itself.
    Decide {
        /// Of this fulfilment.
        fulfilment: FulfilmentId,
        /// What is wanted.
        wish: Wish,
        /// Told when it is on disk.
        reply: R,
    },
    /// A fulfilment without a plan was planned again: it waited for others, or could not be planned
    /// before.
    Replan {
        /// This one.
        fulfilment: FulfilmentId,
        /// What comes of it: `planned`, `held` or `rejected`.
        event: Event,
        /// The moment before what it is about was looked at.
        seen: Seen,
        /// Told when it is on disk.
        reply: R,
    },
    /// Someone wants to know which open fulfilments have no plan.
    Unplanned {
        /// Told which.
        reply: R,
    },
    /// The customer cancels the order.
    Cancel {
        /// This fulfilment's order.
        fulfilment: FulfilmentId,
        /// What is asked for.
        request: CancelRequest,
        /// Told the answer when it is on disk.
        reply: R,
    },
    /// Someone changes attributes of an order.
    Patch {
        /// Of this fulfilment.
        fulfilment: FulfilmentId,
        /// The fulfilment as it was read, where it is not open any more.
        ended: Option<Box<Fulfilment>>,
        amendment: Amendment,
        /// Told when it is on disk.
        reply: R,
    },
    /// Someone wants to see a fulfilment.
    Get {
        /// This one.
        fulfilment: FulfilmentId,
        /// Told when everything it shows is on disk.
        reply: R,
    },
    /// Someone wants to see the fulfilment that changes any of some earlier work.
    LockHolder {
        /// The keys of the work.
        keys: Vec<String>,
        /// Told as for [`Input::Get`].
        reply: R,
    },
    /// Someone wants to know when a fulfilment has ended.
    AwaitEnd {
        /// This one.
        fulfilment: FulfilmentId,
        /// Told when the end is on disk.
        reply: R,
    },
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

/// The fulfilments that are about some documents: while one of them is open no other may change
/// these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unless {
    /// These are, where they are open.
    pub open: Vec<FulfilmentId>,
    /// So is an open one that locks any of this earlier work, which is known by its keys.
    pub locked: Vec<String>,
}

/// What an operator wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Something is given up.
    GiveUp {
        /// What.
        subject: Subject,
        /// Whether pool values of an undo that is given up are free again.
        release: bool,
        /// Who decided it.
        decision: Decision,
    },
    /// Something was done by hand.
    Complete {
        /// The name of the task.
        task: String,
        /// What later steps can read.
        outputs: Map<String, Value>,
        /// Who did it.
        decision: Decision,
    },
}

/// What an asker is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The client's idempotency key was used before, for this fulfilment.
    Submitted(FulfilmentId),
    /// The fulfilment as it is; `None` if it is not open.
    Fulfilment(Option<Arc<Fulfilment>>),
    /// Open fulfilments.
    Open(Vec<Arc<Fulfilment>>),
    /// What became of a callback.
    Callback(Received),
    /// How many tasks were reopened; `None` if the fulfilment is not open.
    Retried(Option<usize>),
    /// The operator's wish cannot be followed, and nothing has changed.
    NotDecided(NotGivenUp),
    /// The order is not cancelled, and goes on.
    NotCancelled(Refusal),
    /// The patch is refused, and nothing has changed.
    NotPatched(PatchError),
    /// What the input is about was changed since it was read: read it again.
    Stale,
    /// The quote is ordered already, by this order.
    Ordered(FulfilmentId),
    /// This open fulfilment is about it.
    Locked(FulfilmentId),
    /// The moment at which the input was handled.
    Seen(Seen),
    /// The order is not the one that the client read: it has this many records.
    Changed(u32),
    /// It is done.
    Done,
    /// The engine does not do it.
    Denied(Denied),
}

/// Why the engine does not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The journal of the fulfilment cannot be read or followed.
    #[error(
        "`{fulfilment}` is set aside, since its journal cannot be carried on{at}: {reason}; see \
         GET /orchestration/v1/quarantine/{fulfilment}",
        at = record.map_or(String::new(), |record| format!(" (record {record})"))
    )]
    SetAside {
        /// This one.
        fulfilment: FulfilmentId,
        /// The record that is wrong, where it is one.
        record: Option<u32>,
        /// What is wrong.
        reason: String,
    },
    /// It is not set aside.
    #[error("`{0}` is not set aside")]
    NotSetAside(FulfilmentId),
    /// It is open.
    #[error("`{0}` is open: it can be removed when it has ended")]
    Open(FulfilmentId),
    /// What follows from it cannot be recorded: a bug of ours.
    #[error("it cannot be carried out: {0}")]
    Unsound(String),
    /// As many orders are open as may be.
    #[error("{open} orders and runs are open, [limits] open-orders allows {max}: try again later")]
    TooManyOpen {
        /// How many are open.
        open: u64,
        /// How many may be.
        max: u64,
    },
    /// Open orders hold as much as they may.
    #[error(
        "open orders and runs hold {mib} MiB, [limits] open-orders-mib allows {max_mib}: try again \
         later"
    )]
    TooMuchOpen {
        /// How much they hold.
        mib: u64,
        /// How much they may hold.
        max_mib: u64,
    },
}

impl Denied {
    pub(super) fn set_aside(id: &FulfilmentId, aside: &SetAside) -> Self {
        let SetAside { record, reason, .. } = aside;
        Self::SetAside { fulfilment: id.clone(), record: *record, reason: reason.clone() }
    }
}

/// What became of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// The task that waited for it goes on.
    Delivered,
    /// No task waits for it yet; it is kept.
    Kept,
    /// No task waits for it any more.
    Ignored,
    /// Too many are kept already, or too much.
    TooMany,
    /// Its body is too large.
    TooLarge,
}
