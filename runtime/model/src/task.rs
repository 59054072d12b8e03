//! The life of a task, as a table of legal transitions. Any other transition is illegal.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::journal::Event;
use crate::outcome::{Failure, Reservation, Wait};
use tmf::time::Timestamp;

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
        /// Whether any attempt may have had an effect.
        begun: bool,
    },
    /// It is done.
    Done(Arc<TaskOutput>),
    /// It failed for good.
    Failed {
        /// The number of the last attempt.
        attempt: u32,
        /// Why.
        failure: Failure,
        /// Whether any attempt may have had an effect: one that could not even be made had none.
        begun: bool,
    },
    /// The attempt to undo it is answered by callback.
    UndoWaiting {
        /// Its output.
        task_output: Arc<TaskOutput>,
        /// The number of the undo attempt.
        attempt: u32,
        /// What is awaited.
        wait: Wait,
        /// Until when.
        until: Timestamp,
    },
    /// The callback of the undo came and must be read.
    UndoCalledBack {
        /// Its output.
        task_output: Arc<TaskOutput>,
        /// The number of the undo attempt.
        attempt: u32,
        /// The callback's body.
        payload: Value,
    },
    /// Its undo failed; another attempt follows.
    Undoing {
        /// Its output.
        task_output: Arc<TaskOutput>,
        /// The number of the undo attempt that failed.
        attempt: u32,
        /// Why.
        failure: Failure,
        /// When the next is due.
        at: Timestamp,
        /// Whether there is anything to undo.
        begun: bool,
    },
    /// Its undo failed for good: an operator must act.
    Stuck {
        /// Its output.
        task_output: Arc<TaskOutput>,
        /// Why.
        failure: Failure,
        /// Whether there is anything to undo.
        begun: bool,
    },
    /// It was undone.
    Undone,
    /// An operator gave its undo up: what it left behind may still be there.
    GivenUp {
        /// Its output.
        task_output: Arc<TaskOutput>,
        /// Why it could not be undone.
        failure: Failure,
        /// Whether its pool values were released all the same.
        released: bool,
    },
}

/// What a task left behind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskOutput {
    /// What later steps can read.
    pub outputs: Map<String, Value>,
    /// What it took out of pools.
    pub reservations: Vec<Reservation>,
}

impl TaskState {
    /// The state after an event; `None` if the event cannot happen in this state.
    ///
    /// A pure plugin's attempt needs no `started` record, so an outcome, and a wait too, may follow
    /// `Pending` and `Retrying` directly.
    pub fn next(&self, event: &Event) -> Option<Self> {
        self.next_forward(event).or_else(|| self.next_backward(event))
    }

    fn next_forward(&self, event: &Event) -> Option<Self> {
        use Event as E;
        use TaskState as S;
        match (self, event) {
            (S::Pending, E::Started { attempt: 1, .. }) => Some(S::Running { attempt: 1 }),
            (S::Retrying { attempt: last, .. }, E::Started { attempt, .. })
                if *attempt == last + 1 =>
            {
                Some(S::Running { attempt: *attempt })
            }
            (_, E::Succeeded { attempt, outputs, reservations, .. })
                if self.is_attempt(*attempt) =>
            {
                let (outputs, reservations) = (outputs.clone(), reservations.clone());
                Some(S::Done(Arc::new(TaskOutput { outputs, reservations })))
            }
            (_, E::Retrying { attempt, failure, at, .. }) if self.is_attempt(*attempt) => {
                let (failure, begun) = (failure.clone(), self.is_begun());
                Some(S::Retrying { attempt: *attempt, failure, at: *at, begun })
            }
            (_, E::Failed { attempt, failure, .. }) if self.is_attempt(*attempt) => {
                let (failure, begun) = (failure.clone(), self.is_begun());
                Some(S::Failed { attempt: *attempt, failure, begun })
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
            (S::Failed { attempt, failure, begun }, E::Retried { .. }) => Some(S::Retrying {
                attempt: *attempt,
                failure: failure.clone(),
                at: Timestamp(0),
                begun: *begun,
            }),
            (S::Failed { .. }, E::CompletedByHand { outputs, .. }) => {
                let left = TaskOutput { outputs: outputs.clone(), reservations: Vec::new() };
                Some(S::Done(Arc::new(left)))
            }
            _ => None,
        }
    }

    fn next_backward(&self, event: &Event) -> Option<Self> {
        use Event as E;
        use TaskState as S;
        match (self, event) {
            (S::Stuck { task_output, failure, begun }, E::Retried { .. }) => Some(S::Undoing {
                task_output: Arc::clone(task_output),
                attempt: 0,
                failure: failure.clone(),
                at: Timestamp(0),
                begun: *begun,
            }),
            (S::Stuck { .. }, E::CompletedByHand { .. }) => Some(S::Undone),
            (_, E::Undone { .. }) if self.may_be_undone() => Some(S::Undone),
            (_, E::UndoWaiting { attempt, wait, until, .. }) if self.is_undo_attempt(*attempt) => {
                Some(S::UndoWaiting {
                    task_output: self.kept_output(),
                    attempt: *attempt,
                    wait: wait.clone(),
                    until: *until,
                })
            }
            (
                S::UndoWaiting { task_output, attempt: own, .. },
                E::CalledBack { attempt, payload, .. },
            ) if attempt == own => {
                let (task_output, payload) = (Arc::clone(task_output), payload.clone());
                Some(S::UndoCalledBack { task_output, attempt: *own, payload })
            }
            (_, E::UndoRetrying { attempt, failure, at, .. }) if self.is_undo_attempt(*attempt) => {
                Some(S::Undoing {
                    task_output: self.kept_output(),
                    attempt: *attempt,
                    failure: failure.clone(),
                    at: *at,
                    begun: self.is_begun(),
                })
            }
            (_, E::UndoFailed { attempt, failure, .. }) if self.is_undo_attempt(*attempt) => {
                let (task_output, begun) = (self.kept_output(), self.is_begun());
                Some(S::Stuck { task_output, failure: failure.clone(), begun })
            }
            (_, E::GivenUp { failure, released, .. }) if self.may_be_given_up() => {
                let failure = self.failure().unwrap_or(failure).clone();
                let mut task_output = self.kept_output();
                if *released {
                    Arc::make_mut(&mut task_output).reservations.clear();
                }
                Some(S::GivenUp { task_output, failure, released: *released })
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
            | Self::UndoWaiting { .. }
            | Self::UndoCalledBack { .. }
            | Self::Stuck { .. }
            | Self::Undone
            | Self::GivenUp { .. } => false,
        }
    }

    /// Whether anything of it may have had an effect. What fails before it could be called had
    /// none.
    pub fn is_begun(&self) -> bool {
        match self {
            Self::Pending | Self::Undone => false,
            Self::Retrying { begun, .. }
            | Self::Failed { begun, .. }
            | Self::Undoing { begun, .. }
            | Self::Stuck { begun, .. } => *begun,
            Self::Running { .. }
            | Self::Waiting { .. }
            | Self::CalledBack { .. }
            | Self::Done(_)
            | Self::UndoWaiting { .. }
            | Self::UndoCalledBack { .. }
            | Self::GivenUp { .. } => true,
        }
    }

    /// Whether it may be undone: it had, or may have had, an effect, and nothing is under way. Of
    /// what never began there is nothing to undo, whatever an attempt at that came to.
    pub fn may_be_undone(&self) -> bool {
        match self {
            Self::Retrying { .. }
            | Self::Done(_)
            | Self::Failed { .. }
            | Self::Undoing { .. }
            | Self::UndoWaiting { .. }
            | Self::UndoCalledBack { .. } => true,
            Self::Stuck { begun, .. } => !begun,
            Self::Pending
            | Self::Running { .. }
            | Self::Waiting { .. }
            | Self::CalledBack { .. }
            | Self::Undone
            | Self::GivenUp { .. } => false,
        }
    }

    /// Whether an operator may give up its undo, or its undo of earlier work.
    pub fn may_be_given_up(&self) -> bool {
        match self {
            Self::Failed { .. }
            | Self::Undoing { .. }
            | Self::Stuck { .. }
            | Self::UndoWaiting { .. } => true,
            Self::Pending
            | Self::Running { .. }
            | Self::Waiting { .. }
            | Self::CalledBack { .. }
            | Self::Retrying { .. }
            | Self::Done(_)
            | Self::UndoCalledBack { .. }
            | Self::Undone
            | Self::GivenUp { .. } => false,
        }
    }

    /// Whether this attempt at undoing it can end in this state.
    pub fn is_undo_attempt(&self, attempt: u32) -> bool {
        match self {
            Self::Undoing { attempt: last, .. } => attempt == last + 1,
            Self::UndoWaiting { attempt: own, .. } | Self::UndoCalledBack { attempt: own, .. } => {
                attempt == *own
            }
            Self::Retrying { .. }
            | Self::Done(_)
            | Self::Failed { .. }
            | Self::Stuck { begun: false, .. } => attempt == 1,
            Self::Pending
            | Self::Running { .. }
            | Self::Waiting { .. }
            | Self::CalledBack { .. }
            | Self::Stuck { begun: true, .. }
            | Self::Undone
            | Self::GivenUp { .. } => false,
        }
    }

    /// Whether nothing of it is owed any more and it does not count as done.
    pub fn is_clear(&self) -> bool {
        matches!(self, Self::Pending | Self::Undone | Self::GivenUp { .. })
    }

    /// Whether it is done.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// What it left behind, as far as that is known.
    pub fn task_output(&self) -> Option<&TaskOutput> {
        self.shared_output().map(|shared| &**shared)
    }

    fn shared_output(&self) -> Option<&Arc<TaskOutput>> {
        match self {
            Self::Done(task_output)
            | Self::Undoing { task_output, .. }
            | Self::UndoWaiting { task_output, .. }
            | Self::UndoCalledBack { task_output, .. }
            | Self::Stuck { task_output, .. }
            | Self::GivenUp { task_output, .. } => Some(task_output),
            Self::Pending
            | Self::Running { .. }
            | Self::Waiting { .. }
            | Self::CalledBack { .. }
            | Self::Retrying { .. }
            | Self::Failed { .. }
            | Self::Undone => None,
        }
    }

    /// The pool values that it took, as far as they are known.
    pub fn reservations(&self) -> &[Reservation] {
        self.task_output().map_or(&[], |left| &left.reservations)
    }

    fn kept_output(&self) -> Arc<TaskOutput> {
        self.shared_output().map(Arc::clone).unwrap_or_default()
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
            Self::UndoWaiting { .. } => "undoWaiting",
            Self::UndoCalledBack { .. } => "undoCalledBack",
            Self::Stuck { .. } => "stuck",
            Self::Undone => "undone",
            Self::GivenUp { .. } => "givenUp",
        }
    }

    /// The last failure, where it has one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Retrying { failure, .. }
            | Self::Failed { failure, .. }
            | Self::Undoing { failure, .. }
            | Self::Stuck { failure, .. }
            | Self::GivenUp { failure, .. } => Some(failure),
            Self::Pending
            | Self::Running { .. }
            | Self::Waiting { .. }
            | Self::CalledBack { .. }
            | Self::Done(_)
            | Self::UndoWaiting { .. }
            | Self::UndoCalledBack { .. }
            | Self::Undone => None,
        }
    }
}
