//! A fulfilment: the fold over its journal. `apply` is the only way to change it, `due` the only
//! way to ask what is owed. Recovery is not special: fold the journal, ask `due`.

mod before_undo;
mod cancel;
mod clock;
mod decide;
mod due;
mod ending;
mod index;
mod input;
mod jeopardy;
mod patch;
mod progress;
mod standing;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::id::{FulfilmentId, TaskId};
use crate::journal::{Activation, Alert, CancelRequest, End, Event, Kind, Record};
use crate::outcome::Failure;
use crate::plan::{Plan, PlanError};
use crate::task::TaskState;
use crate::time::Timestamp;
use index::Index;
pub use patch::PatchError;
use progress::Progress;
use watch::Watch;

/// A root order with every order decomposed from it, as its journal tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Fulfilment {
    /// Its id.
    pub id: FulfilmentId,
    /// What it was submitted as.
    pub kind: Kind,
    /// The order or the input, as it came: what steps read.
    pub document: Arc<Value>,
    /// The request that the order was made of, where one instance is activated directly.
    pub activation: Option<Arc<Activation>>,
    /// What was changed of the order's attributes since then: what people read.
    pub changed: Map<String, Value>,
    /// The request that it is cancelled by, where that was granted.
    pub cancelled_by: Option<CancelRequest>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When the last event was recorded.
    pub updated_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How far it is.
    pub phase: Phase,
    /// The plan; empty before it is planned.
    pub plan: Arc<Plan>,
    /// The state of each task of the plan.
    pub tasks: Vec<TaskState>,
    /// When the tasks were done that reach a milestone.
    pub reached: BTreeMap<TaskId, Timestamp>,
    /// What was noted of its being late, in order.
    pub alerts: Vec<Alert>,
    /// Whether any attempt was begun that can reach outside.
    pub started: bool,
    /// How many records its journal has.
    pub records: u32,
    watch: Watch,
    index: Arc<Index>,
    progress: Progress,
}

/// How far a fulfilment is.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Accepted, not decomposed.
    Submitted,
    /// Could not be decomposed; a person can mend that.
    Held(Failure),
    /// Tasks are done as they become due.
    Running,
    /// Tasks are taken back, in reverse order.
    Unwinding(Failure),
    /// Nothing is owed any more. A fulfilment that did not complete says why.
    Ended(End, Option<Failure>),
}

/// Something that is owed now.
#[derive(Clone, Debug, PartialEq)]
pub enum Due {
    /// An attempt at a task is to be made. Nobody knows of it yet.
    Run {
        /// The task.
        task: TaskId,
        /// The number of the attempt.
        attempt: u32,
        /// Whether an earlier attempt may have had an effect.
        again: bool,
    },
    /// An attempt was begun; unless it is under way, find out what came of it.
    Recover {
        /// The task.
        task: TaskId,
        /// The number of the attempt.
        attempt: u32,
    },
    /// A callback is to be read.
    Resume {
        /// The task.
        task: TaskId,
        /// The number of the attempt.
        attempt: u32,
        /// The callback's body.
        payload: Value,
    },
    /// An awaited answer did not come in time.
    Expire {
        /// The task.
        task: TaskId,
        /// The number of the attempt.
        attempt: u32,
    },
    /// Whoever waits for it is to know that it is late.
    Alert(Alert),
    /// A task is to be taken back.
    Undo {
        /// The task.
        task: TaskId,
        /// The number of the undo attempt.
        attempt: u32,
        /// The task's outputs; empty where they were never seen.
        outputs: Map<String, Value>,
    },
    /// Nothing is owed any more: it has ended.
    End(End),
}

/// An event that cannot happen in the state that a fulfilment is in: a bug of ours, or a journal
/// that was tampered with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The task's table does not list it.
    #[error("task {task} cannot take `{event}` while {state}")]
    Task {
        /// The task.
        task: TaskId,
        /// The state's name.
        state: &'static str,
        /// The event's name.
        event: &'static str,
    },
    /// The phase does not allow it.
    #[error("a fulfilment cannot take `{event}` while {phase}")]
    Phase {
        /// The phase's name.
        phase: &'static str,
        /// The event's name.
        event: &'static str,
    },
    /// The plan does not have the task.
    #[error("the plan has no task {0}")]
    NoTask(TaskId),
    /// The plan is not sound.
    #[error("the plan is not sound")]
    Plan(#[source] PlanError),
    /// The journal does not begin with `submitted`.
    #[error("a journal begins with `submitted`")]
    Beginning,
}

impl Fulfilment {
    /// A fulfilment that was just submitted.
    pub fn new(
        id: FulfilmentId,
        kind: Kind,
        document: impl Into<Arc<Value>>,
        at: Timestamp,
    ) -> Self {
        Self {
            id,
            kind,
            document: document.into(),
            activation: None,
            changed: Map::new(),
            cancelled_by: None,
            submitted_at: at,
            updated_at: at,
            ended_at: None,
            phase: Phase::Submitted,
            plan: Arc::default(),
            tasks: Vec::new(),
            reached: BTreeMap::new(),
            alerts: Vec::new(),
            started: false,
            records: 0,
            watch: Watch::default(),
            index: Arc::default(),
            progress: Progress::default(),
        }
    }

    /// Folds a journal.
    pub fn fold(id: FulfilmentId, records: &[Record]) -> Result<Self, ApplyError> {
        let mut events = records
            .iter()
            .flat_map(|record| record.events.iter().map(move |event| (record.at, event)));
        let Some((at, Event::Submitted { kind, document, activation })) = events.next() else {
            return Err(ApplyError::Beginning);
        };
        let mut fulfilment = Self::new(id, kind.clone(), Arc::clone(document), at);
        fulfilment.activation.clone_from(activation);
        for (at, event) in events {
            fulfilment.apply(at, event)?;
        }
        fulfilment.records = u32::try_from(records.len()).unwrap_or(u32::MAX);
        Ok(fulfilment)
    }

    /// Applies an event. On an error nothing has changed.
    pub fn apply(&mut self, at: Timestamp, event: &Event) -> Result<(), ApplyError> {
        match event.task() {
            Some(task) => self.apply_to_task(task, event)?,
            None => self.apply_to_phase(event)?,
        }
        self.reach(at, event);
        self.updated_at = at;
        if self.is_ended() && self.ended_at.is_none() {
            self.ended_at = Some(at);
        }
        Ok(())
    }

    /// Follows the time of the record that events stand in: they may have been applied a little
    /// earlier.
    pub fn recorded(&mut self, at: Timestamp, events: &[Event]) {
        self.updated_at = at;
        events.iter().for_each(|event| self.reach(at, event));
    }

    /// Notes the time at which a milestone's task is done.
    fn reach(&mut self, at: Timestamp, event: &Event) {
        if let Event::Succeeded { task, .. } = event
            && self.plan.milestone(*task).is_some()
        {
            self.reached.insert(*task, at);
        } else if let Event::Undone { task } = event {
            self.reached.remove(task);
        }
    }

    fn apply_to_task(&mut self, task: TaskId, event: &Event) -> Result<(), ApplyError> {
        let Some(state) = self.tasks.get(task.index()) else {
            return Err(ApplyError::NoTask(task));
        };
        let unwinding = match &self.phase {
            Phase::Running => false,
            Phase::Unwinding(_) => true,
            Phase::Submitted | Phase::Held(_) | Phase::Ended(..) => return Err(self.refuse(event)),
        };
        let is_undo = matches!(
            event,
            Event::Undone { .. } | Event::UndoRetrying { .. } | Event::UndoFailed { .. }
        );
        let fresh = matches!(event, Event::Started { .. });
        // Once unwinding, nothing begins: only what was begun before may still end.
        let idle = matches!(
            state,
            TaskState::Pending | TaskState::Retrying { .. } | TaskState::Failed { .. }
        );
        let begins = idle && !is_undo;
        if (is_undo && !unwinding) || (begins && unwinding) || !self.may_follow(task, event) {
            return Err(self.refuse(event));
        }
        let Some(next) = state.next(event) else {
            return Err(ApplyError::Task { task, state: state.name(), event: event.name() });
        };
        self.started |= fresh;
        if let Some(item) = self.plan.task(task).item {
            self.progress.changed(&self.plan, item, state, &next);
        }
        self.tasks[task.index()] = next;
        self.watch.changed(&self.plan, &self.tasks, task, unwinding);
        Ok(())
    }

    /// Whether what stands before the task allows the event: work begins only after its needs, and
    /// is taken back only before them.
    fn may_follow(&self, task: TaskId, event: &Event) -> bool {
        match event {
            Event::Undone { .. } | Event::UndoRetrying { .. } | Event::UndoFailed { .. } => {
                self.watch.blockers[task.index()] == 0
            }
            Event::Started { .. }
            | Event::Waiting { .. }
            | Event::Succeeded { .. }
            | Event::Retrying { .. }
            | Event::Failed { .. } => {
                let needs = &self.plan.task(task).needs;
                needs.iter().all(|need| self.tasks[need.index()].is_done())
            }
            Event::Submitted { .. }
            | Event::Planned { .. }
            | Event::Held { .. }
            | Event::Rejected { .. }
            | Event::CalledBack { .. }
            | Event::Reopened { .. }
            | Event::Unwinding { .. }
            | Event::Cancelling { .. }
            | Event::CancelRefused { .. }
            | Event::Patched { .. }
            | Event::Endangered { .. }
            | Event::Ended { .. } => true,
        }
    }

    fn apply_to_phase(&mut self, event: &Event) -> Result<(), ApplyError> {
        let next = match (&self.phase, event) {
            (Phase::Submitted | Phase::Held(_), Event::Planned { plan }) => {
                plan.check().map_err(ApplyError::Plan)?;
                self.plan = Arc::clone(plan);
                self.tasks = vec![TaskState::Pending; self.plan.tasks.len()];
                self.watch = Watch::derive(&self.plan, &self.tasks, false);
                self.index = Arc::new(Index::derive(&self.plan));
                self.progress = Progress::derive(&self.plan, &self.tasks);
                Phase::Running
            }
            (Phase::Submitted | Phase::Held(_), Event::Held { failure }) => {
                Phase::Held(failure.clone())
            }
            (Phase::Submitted | Phase::Held(_), Event::Rejected { failure }) => {
                Phase::Ended(End::Rejected, Some(failure.clone()))
            }
            (Phase::Running, Event::Unwinding { cause }) => {
                self.watch = Watch::derive(&self.plan, &self.tasks, true);
                Phase::Unwinding(cause.clone())
            }
            (Phase::Submitted | Phase::Held(_) | Phase::Running, Event::Cancelling { request }) => {
                self.watch = Watch::derive(&self.plan, &self.tasks, true);
                self.cancelled_by = Some(request.clone());
                Phase::Unwinding(cancel::cause(request))
            }
            (phase, Event::CancelRefused { .. }) if !matches!(phase, Phase::Ended(..)) => {
                return Ok(());
            }
            (_, Event::Patched { patch }) => {
                self.follow(patch);
                return Ok(());
            }
            (Phase::Running, Event::Endangered { alert }) => {
                self.alerts.push(alert.clone());
                return Ok(());
            }
            (Phase::Running, Event::Ended { end: End::Completed }) if self.watch.unsettled == 0 => {
                Phase::Ended(End::Completed, None)
            }
            (Phase::Unwinding(cause), Event::Ended { end })
                if self.watch.unsettled == 0 && *end == self.end_of_unwinding(cause) =>
            {
                let failure = self.cancelled_by.is_none().then(|| cause.clone());
                Phase::Ended(*end, failure)
            }
            _ => return Err(self.refuse(event)),
        };
        self.phase = next;
        Ok(())
    }

    fn refuse(&self, event: &Event) -> ApplyError {
        ApplyError::Phase { phase: self.phase.name(), event: event.name() }
    }

    /// Whether it waits for a person: something failed for good and nothing else is under way.
    pub fn is_held(&self) -> bool {
        match &self.phase {
            Phase::Held(_) => true,
            Phase::Running | Phase::Unwinding(_) => {
                let mut held = false;
                for task in &self.watch.active {
                    match &self.tasks[task.index()] {
                        TaskState::Failed { .. } if self.phase == Phase::Running => held = true,
                        TaskState::Stuck { .. } => held = true,
                        TaskState::Pending
                        | TaskState::Running { .. }
                        | TaskState::Waiting { .. }
                        | TaskState::CalledBack { .. }
                        | TaskState::Retrying { .. }
                        | TaskState::Done(_)
                        | TaskState::Failed { .. }
                        | TaskState::Undoing { .. }
                        | TaskState::Undone => return false,
                    }
                }
                held
            }
            Phase::Submitted | Phase::Ended(..) => false,
        }
    }

    /// Whether nothing is owed any more.
    pub fn is_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(..))
    }

    /// The tasks that wait for an answer, with the keys it may come under.
    pub fn waits(&self) -> impl Iterator<Item = (TaskId, u32, &[String])> {
        self.watch.active.iter().filter_map(|task| {
            let TaskState::Waiting { attempt, wait, .. } = &self.tasks[task.index()] else {
                return None;
            };
            Some((*task, *attempt, &*wait.keys))
        })
    }

    /// The failures that stand open, with the tasks' names: what a person must look at.
    pub fn failures(&self) -> Vec<(String, &Failure)> {
        let tasks = self.tasks.iter().enumerate().filter_map(|(index, state)| {
            let failure = state.failure()?;
            Some((self.plan.task_name(TaskId::at(index)), failure))
        });
        let phase = match &self.phase {
            Phase::Held(failure) | Phase::Ended(_, Some(failure)) => Some((String::new(), failure)),
            Phase::Submitted | Phase::Running | Phase::Unwinding(_) | Phase::Ended(_, None) => None,
        };
        phase.into_iter().chain(tasks).collect()
    }
}

impl Phase {
    /// The phase's name, for people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Held(_) => "held",
            Self::Running => "running",
            Self::Unwinding(_) => "unwinding",
            Self::Ended(End::Completed, _) => "completed",
            Self::Ended(End::Failed, _) => "failed",
            Self::Ended(End::Rejected, _) => "rejected",
            Self::Ended(End::Cancelled, _) => "cancelled",
        }
    }
}

#[cfg(test)]
mod tests;
