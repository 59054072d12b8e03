//! The life of a task, as a table: what may follow what. What the table does not list is illegal.

use serde_json::{Map, Value};

use crate::journal::Event;
use crate::outcome::{Failure, Hold, Wait};
use crate::time::Timestamp;

/// The state of a task. Each carries exactly what is true in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum TaskState {
    /// Nothing has been begun, as far as anyone can tell.
    #[default]
    Pending,
    /// An attempt that can reach outside was begun; its outcome is not known yet.
    Running {
        /// The number of the attempt.
        attempt: u32,
    },
    /// The attempt is answered by callback.
    Waiting {
        /// The number of the attempt.
        attempt: u32,
        /// What is awaited.
        wait: Wait,
        /// Until when.
        until: Timestamp,
    },
    /// The callback came and must be read.
    CalledBack {
        /// The number of the attempt.
        attempt: u32,
        /// The callback's body.
        payload: Value,
    },
    /// An attempt failed; another follows.
    Retrying {
        /// The number of the attempt that failed.
        attempt: u32,
        /// Why.
        failure: Failure,
        /// When the next is due.
        at: Timestamp,
    },
    /// It is done.
    Done(Yield),
    /// It failed for good; whether it had an effect is not known.
    Failed {
        /// The number of the last attempt.
        attempt: u32,
        /// Why.
        failure: Failure,
    },
    /// Taking it back failed; another attempt at that follows.
    Undoing {
        /// What it had yielded.
        yielded: Yield,
        /// The number of the undo attempt that failed.
        attempt: u32,
        /// Why.
        failure: Failure,
        /// When the next is due.
        at: Timestamp,
    },
    /// Taking it back failed for good: a person must act.
    Stuck {
        /// What it had yielded.
        yielded: Yield,
        /// Why.
        failure: Failure,
    },
    /// It was taken back.
    Undone,
}

/// What a task left behind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Yield {
    /// What later steps can read.
    pub outputs: Map<String, Value>,
    /// What it took out of pools.
    pub holds: Vec<Hold>,
}

impl TaskState {
    /// The state after an event; nothing where the event cannot happen in this state.
    ///
    /// A pure plugin's attempt needs no `started` record, so an outcome, and a wait too, may follow
    /// `Pending` and `Retrying` directly.
    pub fn next(&self, event: &Event) -> Option<Self> {
        use Event as E;
        use TaskState as S;
        match (self, event) {
            (S::Pending, E::Started { attempt: 1, .. }) => Some(S::Running { attempt: 1 }),
            (S::Retrying { attempt: last, .. }, E::Started { attempt, .. })
                if *attempt == last + 1 =>
            {
                Some(S::Running { attempt: *attempt })
            }
            (_, E::Succeeded { attempt, outputs, holds, .. }) if self.is_attempt(*attempt) => {
                Some(S::Done(Yield { outputs: outputs.clone(), holds: holds.clone() }))
            }
            (_, E::Retrying { attempt, failure, at, .. }) if self.is_attempt(*attempt) => {
                Some(S::Retrying { attempt: *attempt, failure: failure.clone(), at: *at })
            }
            (_, E::Failed { attempt, failure, .. }) if self.is_attempt(*attempt) => {
                Some(S::Failed { attempt: *attempt, failure: failure.clone() })
            }
            (
                S::Pending | S::Retrying { .. } | S::Running { .. } | S::CalledBack { .. },
                E::Waiting { attempt, wait, until, .. },
            ) if self.is_attempt(*attempt) => {
                Some(S::Waiting { attempt: *attempt, wait: wait.clone(), until: *until })
            }
            (S::Waiting { attempt: own, .. }, E::CalledBack { attempt, payload, .. })
                if attempt == own =>
            {
                Some(S::CalledBack { attempt: *own, payload: payload.clone() })
            }
            (S::Failed { attempt, failure }, E::Reopened { .. }) => {
                Some(S::Retrying { attempt: *attempt, failure: failure.clone(), at: Timestamp(0) })
            }
            (S::Stuck { yielded, failure }, E::Reopened { .. }) => Some(S::Undoing {
                yielded: yielded.clone(),
                attempt: 0,
                failure: failure.clone(),
                at: Timestamp(0),
            }),
            (_, E::Undone { .. }) if self.may_be_undone() => Some(S::Undone),
            (_, E::UndoRetrying { attempt, failure, at, .. }) if self.is_undo_attempt(*attempt) => {
                Some(S::Undoing {
                    yielded: self.yielded(),
                    attempt: *attempt,
                    failure: failure.clone(),
                    at: *at,
                })
            }
            (_, E::UndoFailed { attempt, failure, .. }) if self.is_undo_attempt(*attempt) => {
                Some(S::Stuck { yielded: self.yielded(), failure: failure.clone() })
            }
            _ => None,
        }
    }

    /// Whether an outcome of this attempt can come in this state.
    pub fn is_attempt(&self, attempt: u32) -> bool {
        match self {
            Self::Pending => attempt == 1,
            Self::Running { attempt: own }
            | Self::Waiting { attempt: own, .. }
            | Self::CalledBack { attempt: own, .. } => attempt == *own,
            Self::Retrying { attempt: last, .. } => attempt == last + 1,
            Self::Done(_)
            | Self::Failed { .. }
            | Self::Undoing { .. }
            | Self::Stuck { .. }
            | Self::Undone => false,
        }
    }

    /// Whether it may be taken back: it had, or may have had, an effect, and nothing is under way.
    pub fn may_be_undone(&self) -> bool {
        match self {
            Self::Retrying { .. } | Self::Done(_) | Self::Failed { .. } | Self::Undoing { .. } => {
                true
            }
            Self::Pending
            | Self::Running { .. }
            | Self::Waiting { .. }
            | Self::CalledBack { .. }
            | Self::Stuck { .. }
            | Self::Undone => false,
        }
    }

    /// Whether this attempt at taking it back can end in this state.
    pub fn is_undo_attempt(&self, attempt: u32) -> bool {
        match self {
            Self::Undoing { attempt: last, .. } => attempt == last + 1,
            Self::Retrying { .. } | Self::Done(_) | Self::Failed { .. } => attempt == 1,
            Self::Pending
            | Self::Running { .. }
            | Self::Waiting { .. }
            | Self::CalledBack { .. }
            | Self::Stuck { .. }
            | Self::Undone => false,
        }
    }

    /// Whether it left nothing behind, and never will unless it is begun.
    pub fn is_clear(&self) -> bool {
        matches!(self, Self::Pending | Self::Undone)
    }

    /// Whether it is done.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// What it left behind, as far as that is known.
    pub fn yielded(&self) -> Yield {
        match self {
            Self::Done(yielded) | Self::Undoing { yielded, .. } | Self::Stuck { yielded, .. } => {
                yielded.clone()
            }
            Self::Pending
            | Self::Running { .. }
            | Self::Waiting { .. }
            | Self::CalledBack { .. }
            | Self::Retrying { .. }
            | Self::Failed { .. }
            | Self::Undone => Yield::default(),
        }
    }

    /// The state's name, for people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running { .. } => "running",
            Self::Waiting { .. } => "waiting",
            Self::CalledBack { .. } => "calledBack",
            Self::Retrying { .. } => "retrying",
            Self::Done(_) => "done",
            Self::Failed { .. } => "failed",
            Self::Undoing { .. } => "undoing",
            Self::Stuck { .. } => "stuck",
            Self::Undone => "undone",
        }
    }

    /// The last failure, where it has one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Retrying { failure, .. }
            | Self::Failed { failure, .. }
            | Self::Undoing { failure, .. }
            | Self::Stuck { failure, .. } => Some(failure),
            Self::Pending
            | Self::Running { .. }
            | Self::Waiting { .. }
            | Self::CalledBack { .. }
            | Self::Done(_)
            | Self::Undone => None,
        }
    }
}
