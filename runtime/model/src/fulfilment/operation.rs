//! The decision how a due task is carried out: by which operation of its plugin, or without a call.

use serde_json::Map;

use super::due::Owed;
use super::{Due, Fulfilment, NoCall};
use crate::codes::FailureCode;
use crate::expr::Expressions;
use crate::id::{Digest, TaskId};
use crate::journal::Event;
use crate::operation::{Direction, Effects, Operation};
use crate::outcome::{Failure, FailureClass, Outcome};
use crate::plan::Work;
use crate::task::TaskState;
use tmf::time::Timestamp;

/// What a decision asks of its surroundings.
pub struct Context<'a> {
    /// The current time.
    pub now: Timestamp,
    /// The effects that a plugin can have; `None` if that version is not installed.
    pub effects: &'a dyn Fn(&Digest) -> Option<Effects>,
    /// Evaluates the templates of inputs.
    pub expressions: &'a mut Expressions,
}

impl Fulfilment {
    /// The direction in which the next outcome of a task carries it. An attempt that is under way
    /// ends before its task is undone.
    pub fn direction(&self, task: TaskId) -> Direction {
        let is_under_way = matches!(
            self.tasks[task.index()],
            TaskState::Running { .. } | TaskState::Waiting { .. } | TaskState::CalledBack { .. }
        );
        match self.is_turned(task) && !is_under_way {
            true => Direction::Backward,
            false => Direction::Forward,
        }
    }

    /// Decides how an attempt is carried out.
    pub(super) fn carried_out(&self, task: TaskId, owed: Owed, context: &mut Context<'_>) -> Due {
        let Owed { attempt, operation } = owed;
        let effects = self.version(task).and_then(context.effects);
        let without_call = |reason| Due::Conclude { task, attempt, reason };
        if self.has_nothing_to_undo(task, effects) {
            return without_call(NoCall::NothingToUndo);
        }
        let operation = self.on_prior_work(task, operation, context.expressions);
        if let Some(stands) = self.stands(task, &operation, context.expressions) {
            return without_call(stands);
        }
        match effects {
            Some(effects) => Due::Call { task, attempt, operation, effects },
            None => without_call(NoCall::Impossible(self.plugin_missing(task))),
        }
    }

    /// Whether a task is to undo something, its own work or prior work, and no plugin is needed for it.
    fn has_nothing_to_undo(&self, task: TaskId, effects: Option<Effects>) -> bool {
        let can_undo = self.plan.step(task).undo && effects != Some(Effects::Pure);
        let undoes_prior = matches!(self.work(task), Work::Undo(_));
        match self.direction(task) {
            // Prior work whose undo was begun cannot be restored: what is left of it stands.
            Direction::Backward => {
                !self.tasks[task.index()].is_begun() || undoes_prior || !can_undo
            }
            Direction::Forward => undoes_prior && !can_undo,
        }
    }

    /// The operation for a task that changes or undoes prior work.
    fn on_prior_work(
        &self,
        task: TaskId,
        operation: Operation,
        expressions: &mut Expressions,
    ) -> Operation {
        match (self.work(task), operation) {
            (Work::Undo(_), Operation::Resume { payload }) => Operation::ResumeUndo { payload },
            (Work::Undo(made), _) => Operation::Undo { outputs: made.outputs.clone() },
            // The prior work is about something else, was left alone, and is still there.
            (Work::Modify(_), undo @ Operation::Undo { .. }) if self.moves(task, expressions) => {
                undo
            }
            (Work::Modify(_), Operation::Undo { .. }) => Operation::Reapply,
            (Work::Do | Work::Modify(_), operation) => operation,
        }
    }

    /// Whether prior work stands after all, which only the evaluated inputs could tell.
    fn stands(
        &self,
        task: TaskId,
        operation: &Operation,
        expressions: &mut Expressions,
    ) -> Option<NoCall> {
        match (self.work(task), operation) {
            (Work::Modify(made), Operation::Run | Operation::Recover) if made.if_changed => {
                let input = self.input(task, expressions).ok()?;
                let stands = || NoCall::Stands {
                    outputs: made.outputs.clone(),
                    reservations: made.reservations.clone(),
                };
                (*input == *made.as_change()).then(stands)
            }
            (Work::Undo(_), _) => {
                let stands = || NoCall::Stands { outputs: Map::new(), reservations: Vec::new() };
                self.stays(task, expressions).then(stands)
            }
            (Work::Do | Work::Modify(_), _) => None,
        }
    }

    /// The events that follow for a task that needs no call.
    pub fn without_call(
        &self,
        task: TaskId,
        attempt: u32,
        reason: NoCall,
        now: Timestamp,
    ) -> Vec<Event> {
        let (outcome, reservations) = match reason {
            NoCall::NothingToUndo => (Outcome::Done(Map::new()), Vec::new()),
            NoCall::Stands { outputs, reservations } => (Outcome::Done(outputs), reservations),
            NoCall::Impossible(failure) => (Outcome::Failed(failure), Vec::new()),
        };
        match self.direction(task) {
            Direction::Forward => self.conclude(task, attempt, outcome, reservations, now),
            Direction::Backward => self.conclude_undo(task, attempt, outcome, now),
        }
    }

    /// The event to record before a call: the start of an attempt that can have an effect.
    pub fn before_call(&self, task: TaskId, attempt: u32, effects: Effects) -> Option<Event> {
        let begins =
            matches!(self.tasks[task.index()], TaskState::Pending | TaskState::Retrying { .. });
        let is_forward = self.direction(task) == Direction::Forward;
        let is_recorded = begins && is_forward && effects == Effects::External;
        is_recorded.then_some(Event::Started { task, attempt })
    }

    pub(super) fn plugin_missing(&self, task: TaskId) -> Failure {
        let plugin = &self.plan.step(task).plugin;
        let message = format!(
            "no plugin `{plugin}` is active in the version that this order was planned with: put \
             its .wasm into the plugins folder and retry"
        );
        Failure::new(FailureClass::Operator, FailureCode::PluginMissing, message)
    }
}

/// Decisions as tests ask for them.
#[cfg(test)]
impl Fulfilment {
    /// The due work if every plugin is installed and can have an effect.
    pub(crate) fn due_at(&self, now: Timestamp) -> Vec<Due> {
        let (effects, mut expressions) =
            (|_: &Digest| Some(Effects::External), Expressions::default());
        self.due(&mut Context { now, effects: &effects, expressions: &mut expressions })
    }
}
