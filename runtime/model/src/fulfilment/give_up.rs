//! What an operator decides where nothing goes on by itself: a task or a line is given up, or was
//! done by hand.
//!
//! To give up the undo of a task, or a task that undoes earlier work, is to go on without it:
//! the element may still have what was done, so its pool values stay reserved unless the operator
//! releases them. To give up any other task is to give up the lines that it serves, which are then
//! rolled back with all that relies on them. Work past a point of no return stays done, and is
//! named among the failures.

use serde_json::{Map, Value};

use super::ending::Reach;
use super::{Fulfilment, Phase};
use crate::codes::FailureCode;
use crate::id::{ItemId, TaskId};
use crate::journal::{Decision, Event};
use crate::outcome::{Failure, FailureClass};
use crate::plan::Work;
use crate::task::TaskState;

/// What is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The task of this name, such as `RFS-VLAN.activate`.
    Task(String),
    /// The item with this line of the order or, below the lines, of this name.
    Item(String),
}

/// Why nothing is given up, or done by hand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGivenUp {
    /// It has ended.
    #[error("it has ended, it is {state}")]
    Ended {
        /// Its state.
        state: &'static str,
    },
    /// It has no plan.
    #[error("it has no plan: cancel it, or retry it when what it lacks is there")]
    NotPlanned,
    /// The plan has no such task.
    #[error("the plan has no task `{0}`")]
    NoTask(String),
    /// The plan has no such item.
    #[error("the plan has no item `{0}`: name a line of the order, or an item of the plan")]
    NoItem(String),
    /// All is rolled back.
    #[error("all of it is being rolled back: give up the task whose undo is stuck")]
    RollingBack,
    /// The task is not in a state in which it can be given up.
    #[error("task `{task}` is {state}, and {instead}")]
    State {
        /// The task.
        task: String,
        /// Its state.
        state: &'static str,
        /// What can be done.
        instead: &'static str,
    },
    /// A point of no return is passed, so the whole order cannot be rolled back.
    #[error(
        "`{task}` serves the whole order, and `{passed}` cannot be undone any more: do `{task}` by \
         hand and say that it is complete, or give up items"
    )]
    PastReturn {
        /// The task that would be given up.
        task: String,
        /// The task past which nothing is undone.
        passed: String,
    },
}

const UNDER_WAY: &str = "its call ends by itself: try again then";

impl Fulfilment {
    /// What follows when an operator gives something up; nothing if it is given up already.
    pub fn give_up(
        &self,
        subject: &Subject,
        release: bool,
        decision: Decision,
    ) -> Result<Vec<Event>, NotGivenUp> {
        self.may_decide()?;
        match subject {
            Subject::Task(name) => {
                let task = self.task_named(name)?;
                if self.is_turned(task) || matches!(self.work(task), Work::Undo(_)) {
                    self.give_up_undo(task, release, decision)
                } else {
                    self.give_up_task(task, decision)
                }
            }
            Subject::Item(name) => self.give_up_item(self.item_named(name)?, decision),
        }
    }

    /// What follows when an operator did a task by hand, or its undo.
    pub fn complete_by_hand(
        &self,
        task: &str,
        outputs: Map<String, Value>,
        decision: Decision,
    ) -> Result<Vec<Event>, NotGivenUp> {
        self.may_decide()?;
        let task = self.task_named(task)?;
        let waits = matches!(self.tasks[task.index()], TaskState::Waiting { .. });
        if waits && self.is_turned(task) {
            return Err(self.wrong_state(task, "its line is rolled back: give it up instead"));
        }
        let mut events = self.ending_wait(task, &decision)?;
        if let TaskState::Undoing { attempt, failure, .. } = &self.tasks[task.index()] {
            let (attempt, failure) = (attempt + 1, failure.clone());
            events.push(Event::UndoFailed { task, attempt, failure });
        }
        if let TaskState::UndoWaiting { attempt, .. } = self.tasks[task.index()] {
            let failure = given_up(&decision);
            events.push(Event::UndoFailed { task, attempt, failure });
        }
        let state = &self.tasks[task.index()];
        let is_failed = matches!(state, TaskState::Failed { .. }) && !self.is_turned(task);
        let is_failed = is_failed || matches!(state, TaskState::Stuck { .. }) || !events.is_empty();
        if !is_failed {
            return Err(self.wrong_state(task, "only what failed or waits can be done by hand"));
        }
        events.push(Event::CompletedByHand { task, outputs, decision });
        Ok(events)
    }

    fn may_decide(&self) -> Result<(), NotGivenUp> {
        match &self.phase {
            Phase::Running | Phase::RollingBack(_) => Ok(()),
            Phase::Submitted | Phase::Held(_) => Err(NotGivenUp::NotPlanned),
            Phase::Ended(..) => Err(NotGivenUp::Ended { state: self.phase.name() }),
        }
    }

    fn give_up_undo(
        &self,
        task: TaskId,
        released: bool,
        decision: Decision,
    ) -> Result<Vec<Event>, NotGivenUp> {
        let state = &self.tasks[task.index()];
        if matches!(state, TaskState::GivenUp { .. }) {
            return Ok(Vec::new());
        }
        let mut events = self.ending_wait(task, &decision)?;
        if !events.is_empty() && self.is_turned(task) {
            // Once it is sure that no answer is read any more, its undo follows.
            return Ok(events);
        }
        let may_be = state.may_be_given_up() && self.ready.blockers[task.index()] == 0;
        // A failed task is undone at once, or when what relies on it was undone.
        let is_next = self.is_turned(task) && matches!(state, TaskState::Failed { .. });
        if events.is_empty() && (!may_be || is_next) {
            return Err(self.wrong_state(task, "there is no undo of it that does not go on"));
        }
        let failure = given_up(&decision);
        events.push(Event::GivenUp { task, failure, released, decision });
        Ok(events)
    }

    fn give_up_task(&self, task: TaskId, decision: Decision) -> Result<Vec<Event>, NotGivenUp> {
        let mut events = self.ending_wait(task, &decision)?;
        let own = self.tasks[task.index()].failure();
        let cause = own.cloned().unwrap_or_else(|| given_up(&decision));
        let has_failed = matches!(self.tasks[task.index()], TaskState::Failed { .. });
        if events.is_empty() && !has_failed {
            return Err(self.wrong_state(task, "nothing of it failed: give up its item"));
        }
        let reach = self.reach_of(task);
        if self.plan.task(task).item.is_none() {
            self.check_return(task)?;
        }
        self.check_calls(&reach)?;
        events.push(rolling_back(reach, Some(task), cause, decision));
        Ok(events)
    }

    fn give_up_item(&self, item: ItemId, decision: Decision) -> Result<Vec<Event>, NotGivenUp> {
        if matches!(self.phase, Phase::RollingBack(_)) {
            return Err(NotGivenUp::RollingBack);
        }
        if self.has_failed(item) {
            return Ok(Vec::new());
        }
        let reach = self.reach_from(self.lines_serving(item));
        self.check_calls(&reach)?;
        Ok(vec![rolling_back(reach, None, given_up(&decision), decision)])
    }

    /// Ends the wait for an answer or for the next attempt.
    fn ending_wait(&self, task: TaskId, decision: &Decision) -> Result<Vec<Event>, NotGivenUp> {
        let failed =
            |attempt: u32, failure: Failure| vec![Event::Failed { task, attempt, failure }];
        match &self.tasks[task.index()] {
            TaskState::Waiting { attempt, .. } => Ok(failed(*attempt, given_up(decision))),
            TaskState::Retrying { attempt, failure, .. } if !self.is_turned(task) => {
                Ok(failed(attempt + 1, failure.clone()))
            }
            TaskState::Running { .. }
            | TaskState::CalledBack { .. }
            | TaskState::UndoCalledBack { .. } => Err(self.wrong_state(task, UNDER_WAY)),
            TaskState::Pending
            | TaskState::Retrying { .. }
            | TaskState::Done(_)
            | TaskState::Failed { .. }
            | TaskState::Undoing { .. }
            | TaskState::UndoWaiting { .. }
            | TaskState::Stuck { .. }
            | TaskState::Undone
            | TaskState::GivenUp { .. } => Ok(Vec::new()),
        }
    }

    /// Work past a point of no return may not be under way: whether it is done decides whether it
    /// stays.
    fn check_calls(&self, reach: &Reach) -> Result<(), NotGivenUp> {
        let is_open = |task: &TaskId| {
            let state = &self.tasks[task.index()];
            let is_open = matches!(
                state,
                TaskState::Running { .. }
                    | TaskState::Waiting { .. }
                    | TaskState::CalledBack { .. }
            );
            is_open && self.plan.is_point_of_no_return(*task) && !self.is_turned(*task)
        };
        match self.tasks_within(reach).iter().find(|task| is_open(task)) {
            Some(task) => {
                let instead = "it is a point of no return: give it up, or wait for its end";
                Err(self.wrong_state(*task, instead))
            }
            None => Ok(()),
        }
    }

    fn check_return(&self, task: TaskId) -> Result<(), NotGivenUp> {
        match self.passed().find(|passed| *passed != task) {
            Some(passed) => Err(NotGivenUp::PastReturn {
                task: self.plan.task_name(task),
                passed: self.plan.task_name(passed),
            }),
            None => Ok(()),
        }
    }

    fn wrong_state(&self, task: TaskId, instead: &'static str) -> NotGivenUp {
        let state = self.tasks[task.index()].name();
        NotGivenUp::State { task: self.plan.task_name(task), state, instead }
    }

    fn task_named(&self, name: &str) -> Result<TaskId, NotGivenUp> {
        let mut tasks = (0..self.plan.tasks.len()).map(TaskId::at);
        let found = tasks.find(|task| self.plan.task_name(*task) == name);
        found.ok_or_else(|| NotGivenUp::NoTask(name.into()))
    }

    /// A line of the order that came in by its id, any item by its name.
    fn item_named(&self, name: &str) -> Result<ItemId, NotGivenUp> {
        let items = &self.plan.items;
        let line = items.iter().position(|item| self.is_line(item) && item.line == name);
        let found = line.or_else(|| items.iter().position(|item| item.name == name));
        found.map(ItemId::at).ok_or_else(|| NotGivenUp::NoItem(name.into()))
    }
}

fn given_up(decision: &Decision) -> Failure {
    let reason = decision.reason.as_deref().unwrap_or("an operator gave it up");
    Failure::new(FailureClass::Operator, FailureCode::GivenUp, reason)
}

fn rolling_back(reach: Reach, task: Option<TaskId>, cause: Failure, decision: Decision) -> Event {
    let decision = Some(decision);
    match reach {
        Reach::Order => Event::RollingBack { cause, task, decision },
        Reach::Lines(lines) => Event::RollingBackLines { lines, cause, task, decision },
    }
}
