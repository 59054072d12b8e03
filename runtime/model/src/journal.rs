//! The journal of a fulfilment: what happened, in the order in which it happened. It is the truth;
//! everything else is a fold over it.

mod record;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::record::{DecodeError, EncodeError, LEVELS_MAX, Record, VERSION};
use crate::codes::FailureCode;
use crate::id::{Digest, FulfilmentId, ItemId, PluginId, TaskId};
use crate::outcome::{Failure, Reservation, Wait};
use crate::plan::Plan;
use tmf::time::Timestamp;

/// A fact about a fulfilment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Event {
    /// It was accepted; always the first.
    Submitted {
        /// What it was submitted as.
        kind: Kind,
        /// The order or the input, as it came.
        document: Arc<Value>,
        /// The request that the order was made of, where one instance is activated directly.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        activation: Option<Arc<Activation>>,
    },
    /// Other orders must have completed before it is decomposed.
    Awaiting {
        /// These.
        orders: Vec<FulfilmentId>,
        /// Whether it only waits until they have ended, however: they change what it would use.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        queued: bool,
    },
    /// It was decomposed.
    Planned {
        /// The plan.
        plan: Arc<Plan>,
    },
    /// It could not be decomposed, and an operator can mend that.
    Held {
        /// Why.
        failure: Failure,
    },
    /// It asks for what cannot be.
    Rejected {
        /// Why.
        failure: Failure,
    },
    /// An attempt was begun that can reach outside.
    Started {
        /// Of this task.
        task: TaskId,
        /// The number of the attempt.
        attempt: u32,
    },
    /// An attempt will be answered by callback.
    Waiting {
        /// Of this task.
        task: TaskId,
        /// The number of the attempt.
        attempt: u32,
        /// What is awaited.
        wait: Wait,
        /// Until when.
        until: Timestamp,
    },
    /// The callback came.
    CalledBack {
        /// For this task.
        task: TaskId,
        /// The number of the attempt that waited.
        attempt: u32,
        /// The callback's body.
        payload: Value,
    },
    /// An attempt did it.
    Succeeded {
        /// Of this task.
        task: TaskId,
        /// The number of the attempt.
        attempt: u32,
        /// What later steps can read.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        outputs: Map<String, Value>,
        /// What it took out of pools.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reservations: Vec<Reservation>,
    },
    /// An attempt failed and another follows.
    Retrying {
        /// Of this task.
        task: TaskId,
        /// The number of the attempt that failed.
        attempt: u32,
        /// Why.
        failure: Failure,
        /// When the next one is due.
        at: Timestamp,
    },
    /// An attempt failed and none follows by itself.
    Failed {
        /// Of this task.
        task: TaskId,
        /// The number of the attempt.
        attempt: u32,
        /// Why.
        failure: Failure,
    },
    /// An operator retries a failed task.
    Retried {
        /// The task.
        task: TaskId,
    },
    /// All completed work is undone from now on.
    RollingBack {
        /// Why.
        cause: Failure,
        /// The task that failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<TaskId>,
        /// Who decided it, where an operator gave it up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decision: Option<Decision>,
    },
    /// Lines of the order came to nothing: what was done for them alone is undone from now on, the
    /// others go on.
    RollingBackLines {
        /// The items of the plan that are those lines, with all that rely on them.
        lines: Vec<ItemId>,
        /// Why.
        cause: Failure,
        /// The task that failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<TaskId>,
        /// Who decided it, where an operator gave them up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decision: Option<Decision>,
    },
    /// The order was cancelled: what was done is undone from now on.
    Cancelling {
        /// What was asked for.
        request: CancelRequest,
    },
    /// A cancellation was refused: the order goes on.
    CancelRefused {
        /// What was asked for.
        request: CancelRequest,
        /// Why not.
        refusal: Refusal,
    },
    /// Attributes of the order that nothing is decided by were changed (RFC 7396).
    Patched {
        /// The merge patch.
        patch: Map<String, Value>,
    },
    /// It will miss its requested completion date even if all goes well, or has missed it.
    Alerted {
        /// The risk.
        risk: SlaRisk,
    },
    /// An attempt to undo a task will be answered by callback.
    UndoWaiting {
        /// The task.
        task: TaskId,
        /// The number of the attempt.
        attempt: u32,
        /// What is awaited.
        wait: Wait,
        /// Until when.
        until: Timestamp,
    },
    /// The undo of a task failed and is retried.
    UndoRetrying {
        /// The task.
        task: TaskId,
        /// The number of the attempt that failed.
        attempt: u32,
        /// Why.
        failure: Failure,
        /// When the next one is due.
        at: Timestamp,
    },
    /// The undo of a task failed for good, and an operator is asked.
    UndoFailed {
        /// The task.
        task: TaskId,
        /// The number of the attempt.
        attempt: u32,
        /// Why.
        failure: Failure,
    },
    /// A task was undone; its reservations are released.
    Undone {
        /// The task.
        task: TaskId,
    },
    /// An operator gave up the undo of a task, or a task that undoes earlier work: the order
    /// goes on without it, and the element may still have what was done.
    GivenUp {
        /// The task.
        task: TaskId,
        /// Why, where nothing had failed yet.
        failure: Failure,
        /// Whether its pool values are free again; otherwise they stay reserved.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        released: bool,
        /// Who decided it.
        decision: Decision,
    },
    /// An operator did by hand what had failed: the work of a task, or its undo.
    CompletedByHand {
        /// The task.
        task: TaskId,
        /// What later steps can read.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        outputs: Map<String, Value>,
        /// Who did it.
        decision: Decision,
    },
    /// An operator had it use another version of a plugin; an attempt that was begun keeps its own.
    Moved {
        /// The plugin.
        plugin: PluginId,
        /// The version that it used.
        from: Digest,
        /// The version that it uses.
        to: Digest,
        /// Who decided it.
        decision: Decision,
    },
    /// Nothing is owed any more; nothing but `patched` follows.
    Ended {
        /// How it ended.
        end: End,
    },
}

/// An order that will not be complete by the requested time, or was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlaRisk {
    /// Whether the time has passed already.
    pub level: RiskLevel,
    /// When it became so.
    pub at: Timestamp,
    /// When the order was to be complete.
    pub wanted: Timestamp,
}

/// How certain it is that an order is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RiskLevel {
    /// The remaining work takes longer than the time that is left.
    AtRisk,
    /// The time has passed.
    Missed,
}

/// The kind of a submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A product order (TMF622).
    ProductOrder,
    /// A service order (TMF641).
    ServiceOrder,
    /// A resource order (TMF652).
    ResourceOrder,
    /// A run of a workflow with any input.
    Run {
        /// The workflow.
        workflow: String,
    },
}

/// A request to activate, change or remove one service or resource directly, as a monitor shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activation {
    /// The method: `POST`, `PATCH` or `DELETE`.
    pub method: String,
    /// The URL.
    pub to: String,
    /// The body; empty where there was none.
    pub body: String,
    /// The type of the body.
    pub content_type: String,
    /// The attributes of the instance that no decision reads and the inventory shows.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
}

/// A request to cancel an order (TMF622 `CancelProductOrder`, and those of TMF641 and 652).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelRequest {
    /// The id of the request.
    pub id: String,
    /// Why, in the client's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it is wanted; only shown, since an order that can be cancelled is cancelled at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested: Option<Timestamp>,
}

/// What an operator decided, in their words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why an order is not cancelled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Refusal {
    /// A point of no return is passed, or may be.
    #[error("`{task}` cannot be undone any more")]
    PastReturn {
        /// The task's name.
        task: String,
    },
    /// It is being rolled back already, since something failed.
    #[error("the order is being rolled back already, because of `{code}`")]
    RollingBack {
        /// The code of what failed.
        code: FailureCode,
    },
    /// It is being cancelled already.
    #[error("the order is being cancelled already, by request `{request}`")]
    Cancelling {
        /// The id of that request.
        request: String,
    },
    /// It has ended.
    #[error("the order has ended, it is {state}")]
    Final {
        /// The order's state.
        state: String,
    },
}

/// How a fulfilment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum End {
    /// Everything was done.
    Completed,
    /// Some lines were delivered; the others came to nothing and were rolled back.
    Partial,
    /// It was rolled back.
    Failed,
    /// It asked for what cannot be, and nothing had been done outside.
    Rejected,
    /// The client cancelled it.
    Cancelled,
}

impl Event {
    /// The event's name, for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Submitted { .. } => "submitted",
            Self::Awaiting { .. } => "awaiting",
            Self::Planned { .. } => "planned",
            Self::Held { .. } => "held",
            Self::Rejected { .. } => "rejected",
            Self::Started { .. } => "started",
            Self::Waiting { .. } => "waiting",
            Self::CalledBack { .. } => "calledBack",
            Self::Succeeded { .. } => "succeeded",
            Self::Retrying { .. } => "retrying",
            Self::Failed { .. } => "failed",
            Self::Retried { .. } => "retried",
            Self::RollingBack { .. } => "rollingBack",
            Self::RollingBackLines { .. } => "rollingBackLines",
            Self::Cancelling { .. } => "cancelling",
            Self::CancelRefused { .. } => "cancelRefused",
            Self::Patched { .. } => "patched",
            Self::Alerted { .. } => "alerted",
            Self::UndoWaiting { .. } => "undoWaiting",
            Self::UndoRetrying { .. } => "undoRetrying",
            Self::UndoFailed { .. } => "undoFailed",
            Self::Undone { .. } => "undone",
            Self::GivenUp { .. } => "givenUp",
            Self::CompletedByHand { .. } => "completedByHand",
            Self::Moved { .. } => "moved",
            Self::Ended { .. } => "ended",
        }
    }

    /// Whether work is rolled back from then on.
    pub fn turns(&self) -> bool {
        matches!(
            self,
            Self::RollingBack { .. } | Self::RollingBackLines { .. } | Self::Cancelling { .. }
        )
    }

    /// The answer that a task, or its undo, waits for from then on.
    pub fn wait(&self) -> Option<&Wait> {
        if let Self::Waiting { wait, .. } | Self::UndoWaiting { wait, .. } = self {
            return Some(wait);
        }
        None
    }

    /// Whether it tells how an attempt to undo a task ended.
    pub fn is_of_undo(&self) -> bool {
        matches!(
            self,
            Self::Undone { .. }
                | Self::UndoWaiting { .. }
                | Self::UndoRetrying { .. }
                | Self::UndoFailed { .. }
        )
    }

    /// Whether it begins an attempt at a task, or tells how the attempt ended.
    pub fn is_of_attempt(&self) -> bool {
        matches!(
            self,
            Self::Started { .. }
                | Self::Waiting { .. }
                | Self::Succeeded { .. }
                | Self::Retrying { .. }
                | Self::Failed { .. }
        )
    }

    /// Whether a task, or its undo, is over with it: done, undone or given up.
    pub fn completes_task(&self) -> bool {
        matches!(
            self,
            Self::Succeeded { .. }
                | Self::CompletedByHand { .. }
                | Self::GivenUp { .. }
                | Self::Undone { .. }
        )
    }

    /// Whether it only changes attributes that no decision reads.
    pub fn is_patch(&self) -> bool {
        matches!(self, Self::Patched { .. })
    }

    /// Whether it may share a commit with the events that follow it: the success of a task that cannot
    /// have had an effect. Any other is written at once.
    pub fn may_wait_for_commit(&self) -> bool {
        matches!(self, Self::Succeeded { .. })
    }

    /// The task that it is about.
    pub fn task(&self) -> Option<TaskId> {
        match self {
            Self::Started { task, .. }
            | Self::Waiting { task, .. }
            | Self::CalledBack { task, .. }
            | Self::Succeeded { task, .. }
            | Self::Retrying { task, .. }
            | Self::Failed { task, .. }
            | Self::Retried { task }
            | Self::UndoWaiting { task, .. }
            | Self::UndoRetrying { task, .. }
            | Self::UndoFailed { task, .. }
            | Self::Undone { task }
            | Self::GivenUp { task, .. }
            | Self::CompletedByHand { task, .. } => Some(*task),
            Self::Submitted { .. }
            | Self::Awaiting { .. }
            | Self::Planned { .. }
            | Self::Held { .. }
            | Self::Rejected { .. }
            | Self::RollingBack { .. }
            | Self::RollingBackLines { .. }
            | Self::Cancelling { .. }
            | Self::CancelRefused { .. }
            | Self::Patched { .. }
            | Self::Alerted { .. }
            | Self::Moved { .. }
            | Self::Ended { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
