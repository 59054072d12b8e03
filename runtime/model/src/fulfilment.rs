//! A fulfilment: the fold over its journal. `apply` is the only way to change it, `due` the only
//! way to ask what is owed. Recovery is not special: fold the journal, ask `due`.

mod apply;
mod before_undo;
mod cancel;
mod clock;
mod dated;
mod decide;
mod delivered;
mod derived;
mod due;
mod ending;
mod failures;
mod give_up;
mod index;
mod input;
mod jeopardy;
mod lines;
mod moved;
mod operation;
mod past;
mod patch;
mod prior_work;
mod progress;
mod read;
mod ready_set;
mod request;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::id::{Digest, FulfilmentId, ItemId, TaskId};
use crate::journal::{Activation, CancelRequest, End, Event, Kind, Record, SlaRisk};
use crate::operation::{Effects, Operation};
use crate::outcome::{Failure, Reservation};
use crate::plan::{Plan, PlanError};
use crate::task::TaskState;
use delivered::Delivered;
use derived::Derived;
use failures::Cause;
pub use failures::Fault;
pub use give_up::{NotGivenUp, Subject};
use index::Index;
use lines::Lines;
pub use moved::{Asked, Move};
pub use operation::Context;
pub use past::Past;
pub use patch::{PatchError, may_change};
use progress::Progress;
use ready_set::{ReadySet, Turned};
pub use request::Request;
use tmf::time::Timestamp;

/// A root order with every order decomposed from it, as its journal tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Fulfilment {
    /// Its id.
    id: FulfilmentId,
    /// What it was submitted as.
    kind: Kind,
    /// The order or the input, as it came: what steps read.
    document: Arc<Value>,
    /// The request that the order was made of, where one instance is activated directly.
    activation: Option<Arc<Activation>>,
    /// What was changed of the order's attributes since then: what people read.
    changed: Map<String, Value>,
    /// The request that it is cancelled by, where that was granted.
    cancelled_by: Option<CancelRequest>,
    /// The orders that must have completed before it is decomposed.
    after: Vec<FulfilmentId>,
    /// The orders that it waits for, however they end: they change what it would use.
    behind: Vec<FulfilmentId>,
    /// When it was submitted.
    submitted_at: Timestamp,
    /// When the last event was recorded.
    updated_at: Timestamp,
    /// When it ended.
    ended_at: Option<Timestamp>,
    /// How far it is.
    phase: Phase,
    /// The plan; empty before it is planned.
    plan: Arc<Plan>,
    /// The state of each task of the plan.
    tasks: Vec<TaskState>,
    /// The versions that attempts began with which are not over and whose plugin was moved since.
    begun_with: BTreeMap<TaskId, Digest>,
    /// When the tasks were done that reach a milestone.
    reached: BTreeMap<TaskId, Timestamp>,
    /// What was noted of its being late, in order.
    sla_risks: Vec<SlaRisk>,
    /// Whether any attempt was begun that can reach outside.
    started: bool,
    /// How many records its journal has.
    records: u32,
    /// The lines that failed on their own, and why.
    failed: BTreeMap<ItemId, Arc<Cause>>,
    /// The tasks whose undo was given up, so that elements may still use what they were done with.
    left: BTreeSet<TaskId>,
    /// Why all is rolled back, where it is.
    cause: Option<Cause>,
    turned: Turned,
    ready: ReadySet,
    index: Arc<Index>,
    progress: Progress,
    lines: Derived<Lines>,
    delivered: Delivered,
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
    /// Tasks are undone, in reverse order.
    RollingBack(Failure),
    /// Nothing is owed any more. If it did not complete, with the reason.
    Ended(End, Option<Failure>),
}

/// Work that is due now.
#[derive(Clone, Debug, PartialEq)]
pub enum Due {
    /// A plugin is to be called for a task, unless a call is under way.
    Call {
        /// The task.
        task: TaskId,
        /// The number of the attempt at the task, or at its undo.
        attempt: u32,
        /// Which of the plugin's functions.
        operation: Operation,
        /// The effects that the call can have.
        effects: Effects,
    },
    /// A task, or its undo, is to be concluded without a call: see [`Fulfilment::without_call`].
    Conclude {
        /// The task.
        task: TaskId,
        /// The number of the attempt at the task, or at its undo.
        attempt: u32,
        /// Why no call is needed.
        reason: NoCall,
    },
    /// An awaited answer did not come in time.
    Expire {
        /// The task.
        task: TaskId,
        /// The number of the attempt.
        attempt: u32,
    },
    /// It is late, which is to be recorded.
    Alert(SlaRisk),
    /// Nothing more is due: it has ended.
    End(End),
}

/// Why an attempt needs no call.
#[derive(Clone, Debug, PartialEq)]
pub enum NoCall {
    /// It is an undo, and no attempt had an effect, or its plugin has no effect to undo.
    NothingToUndo,
    /// Prior work stands as it is.
    Stands {
        /// Its outputs.
        outputs: Map<String, Value>,
        /// Its pool values.
        reservations: Vec<Reservation>,
    },
    /// The call cannot be made, which counts as an attempt that failed.
    Impossible(Failure),
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
            after: Vec::new(),
            behind: Vec::new(),
            submitted_at: at,
            updated_at: at,
            ended_at: None,
            phase: Phase::Submitted,
            plan: Arc::default(),
            tasks: Vec::new(),
            begun_with: BTreeMap::new(),
            reached: BTreeMap::new(),
            sla_risks: Vec::new(),
            started: false,
            records: 0,
            failed: BTreeMap::new(),
            left: BTreeSet::new(),
            cause: None,
            turned: Turned::default(),
            ready: ReadySet::default(),
            index: Arc::default(),
            progress: Progress::default(),
            lines: Derived::default(),
            delivered: Delivered::default(),
        }
    }

    /// Folds a journal.
    pub fn fold(id: FulfilmentId, records: &[Record]) -> Result<Self, ApplyError> {
        Self::fold_with(id, records, |_, _| {})
    }

    /// Folds a journal, and shows each event with what it is applied to.
    fn fold_with(
        id: FulfilmentId,
        records: &[Record],
        mut look: impl FnMut(&Self, &Event),
    ) -> Result<Self, ApplyError> {
        let first = records.first().and_then(|record| Some((record.at, record.events.first()?)));
        let Some((at, Event::Submitted { kind, document, activation })) = first else {
            return Err(ApplyError::Beginning);
        };
        let mut fulfilment = Self::new(id, kind.clone(), Arc::clone(document), at);
        fulfilment.activated_by(activation.clone());
        for (number, record) in records.iter().enumerate() {
            for event in record.events.iter().skip(usize::from(number == 0)) {
                look(&fulfilment, event);
                fulfilment.apply(record.at, event)?;
            }
            fulfilment.follow_lines(&record.events);
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

    /// Follows the record that events stand in, when all of them are applied: its time, since they may
    /// have been applied a little earlier, and the lines that they deliver.
    pub fn recorded(&mut self, at: Timestamp, events: &[Event]) {
        self.updated_at = at;
        self.records += 1;
        events.iter().for_each(|event| self.reach(at, event));
        self.follow_lines(events);
    }

    /// Names the request that the order was made of, before any event.
    pub fn activated_by(&mut self, activation: Option<Arc<Activation>>) {
        self.activation = activation;
    }

    /// Moves its submission to when it is recorded, before any other event.
    pub fn submit_at(&mut self, at: Timestamp) {
        self.submitted_at = at;
        self.updated_at = at;
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

    /// Whether it waits for a person: something failed for good and nothing else is under way.
    pub fn is_held(&self) -> bool {
        match &self.phase {
            Phase::Held(_) => true,
            Phase::Running | Phase::RollingBack(_) => {
                let mut held = false;
                for task in &self.ready.active {
                    match &self.tasks[task.index()] {
                        TaskState::Failed { .. } if !self.is_turned(*task) => held = true,
                        TaskState::Stuck { begun: true, .. } => held = true,
                        TaskState::Pending
                        | TaskState::Running { .. }
                        | TaskState::Waiting { .. }
                        | TaskState::CalledBack { .. }
                        | TaskState::Retrying { .. }
                        | TaskState::Done(_)
                        | TaskState::Failed { .. }
                        | TaskState::Undoing { .. }
                        | TaskState::UndoWaiting { .. }
                        | TaskState::UndoCalledBack { .. }
                        | TaskState::Stuck { .. }
                        | TaskState::Undone
                        | TaskState::GivenUp { .. } => return false,
                    }
                }
                held
            }
            Phase::Submitted | Phase::Ended(..) => false,
        }
    }

    /// Whether it has no plan yet, and may be given one: it waits for other orders, or could not be
    /// decomposed.
    pub fn is_unplanned(&self) -> bool {
        matches!(self.phase, Phase::Submitted | Phase::Held(_))
    }

    /// Whether nothing is owed any more.
    pub fn is_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(..))
    }

    /// Whether a task is undone, or on its way to that, rather than done.
    pub fn is_turned(&self, task: TaskId) -> bool {
        self.turned.is(task)
    }

    /// The tasks that wait for an answer, with the keys it may come under.
    pub fn waits(&self) -> impl Iterator<Item = (TaskId, u32, &[String])> {
        self.ready.active.iter().filter_map(|task| {
            let (TaskState::Waiting { attempt, wait, .. }
            | TaskState::UndoWaiting { attempt, wait, .. }) = &self.tasks[task.index()]
            else {
                return None;
            };
            Some((*task, *attempt, &*wait.keys))
        })
    }
}

impl Phase {
    /// The phase's name, for people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Held(_) => "held",
            Self::Running => "running",
            Self::RollingBack(_) => "rollingBack",
            Self::Ended(End::Completed, _) => "completed",
            Self::Ended(End::Partial, _) => "partial",
            Self::Ended(End::Failed, _) => "failed",
            Self::Ended(End::Rejected, _) => "rejected",
            Self::Ended(End::Cancelled, _) => "cancelled",
        }
    }
}

#[cfg(test)]
mod tests;
