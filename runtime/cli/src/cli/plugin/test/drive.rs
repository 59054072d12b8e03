//! Plays what the engine does for a task: the decisions are those of the model, the calls are real, and only
//! the clock is not.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use engine::scratch::{Changes, applies};
use engine::telemetry::{Figures, Telemetry};
use engine::worker::{Attempt, Call, Worker as _};
use model::expr::Expressions;
use model::fulfilment::Context;
use model::plan::{Action, OnFailure, PriorWork, Work};
use model::{
    Direction, Due, Effects, Event, Failure, FailureClass, Fulfilment, FulfilmentId, Kind,
    Operation, Outcome, TaskId, TaskState,
};
use serde_json::json;
use tmf::time::Timestamp;

use super::bench::{Bench, EARLIER, FULFILMENT, TASK};
use super::board::{Phase, Seen, Sent};
use super::json::Json;
use super::peak::Peak;
use super::planned::{Asked, Policy, action, plan};
use super::problem::{Kind as About, Problem};
use crate::cli::Usage;

/// The task after it, whose failure rolls it back.
const LATER: TaskId = TaskId(1);
/// Max calls and waits of one play.
const STEPS_MAX: usize = 40;
/// How often the operator retries what has failed.
const OPERATOR_RETRIES: u32 = 3;
/// Max time of one call.
const CALL_MS: u64 = 8_000;
/// The same, where the element does not answer.
const SILENT_CALL_MS: u64 = 2_000;

/// How a play departs from the plain one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Script {
    /// The process ends before the first call.
    pub(super) crash_before: bool,
    /// The process ends after the first call for this, and its outcome is lost.
    pub(super) lose: Option<Phase>,
    /// The first callback comes when the wait is over.
    pub(super) late_callback: bool,
    /// A callback that cannot be read comes first.
    pub(super) garbled_callback: bool,
    /// The first failure rolls the work back.
    pub(super) gives_up: bool,
    /// The play ends with the first failure.
    pub(super) ends_at_failure: bool,
    /// The element may be silent: a call must not take long.
    pub(super) is_silent: bool,
}

impl Script {
    fn policy(self) -> Policy {
        Policy {
            timeout_ms: if self.is_silent { SILENT_CALL_MS } else { CALL_MS },
            attempts: if self.gives_up { 1 } else { 5 },
            on_failure: if self.gives_up { OnFailure::RollBack } else { OnFailure::Hold },
        }
    }
}

/// Makes everything as it is before the task: with the work that the task changes or ends, if it does.
pub(super) async fn begin(bench: &Bench) -> Result<()> {
    bench.reset();
    let task = &bench.case.written.task;
    let Some(earlier) = &task.replaces else { return Ok(()) };
    let characteristics = earlier.characteristics.as_ref().unwrap_or(&task.characteristics);
    let input = earlier.input.as_ref().unwrap_or(&task.input);
    let asked = Asked { action: Action::Add, characteristics, input, work: Work::Do };
    let mut play = Play::of(bench, EARLIER, Script::default(), asked)?;
    play.carry().await?;
    let request = play.fulfilment.request(TASK, Operation::Run, &mut play.expressions);
    let request = request.map_err(|failure| anyhow::anyhow!(failure.message))?;
    let mismatch = play.seen().iter().find_map(|seen| seen.mismatch.as_deref().map(str::to_owned));
    let TaskState::Done(output) = play.state() else {
        let place = bench.case.place(bench.case.lines.replaces);
        let why = mismatch.unwrap_or_else(|| "it does not succeed".into());
        let last = play.calls.iter().rev().find_map(|made| match &made.outcome {
            Outcome::Failed(failure) => Some(format!(": {} {}", failure.code, failure.message)),
            Outcome::Done(_) | Outcome::Waiting(_) => None,
        });
        let what = format!("{place}: the earlier request: {why}{}", last.unwrap_or_default());
        return Err(Usage(what).into());
    };
    bench.stands(PriorWork {
        key: request.idempotency_key,
        input: request.input,
        outputs: output.outputs.clone(),
        characteristics: Some(request.characteristics),
        ..PriorWork::default()
    });
    bench.element.board().settle();
    Ok(())
}

/// A call that was made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) phase: Phase,
    pub(super) outcome: Outcome,
    pub(super) log: Vec<String>,
    /// Its figures, and its exchanges with the element.
    pub(super) telemetry: Telemetry,
    /// The effects on the element after it.
    pub(super) standing: Vec<String>,
}

/// One play of a case.
pub(super) struct Play<'a> {
    bench: &'a Bench,
    fulfilment: Fulfilment,
    expressions: Expressions,
    now: Timestamp,
    script: Script,
    retries_left: u32,
    /// Whether the script lets the wait end.
    is_late: bool,
    pub(super) calls: Vec<Made>,
    /// The problems that were found on the way.
    pub(super) problems: Vec<Problem>,
}

impl<'a> Play<'a> {
    /// The element is as it was, and the task is due.
    pub(super) fn new(bench: &'a Bench, script: Script) -> Result<Self> {
        Self::with_input(bench, script, &bench.case.written.task.input)
    }

    /// The same with another input than that of the case.
    pub(super) fn with_input(bench: &'a Bench, script: Script, input: &Json) -> Result<Self> {
        let task = &bench.case.written.task;
        let (action, characteristics) = (action(task.action), &task.characteristics);
        let asked = Asked { action, characteristics, input, work: bench.work() };
        Self::of(bench, FULFILMENT, script, asked)
    }

    fn of(bench: &'a Bench, fulfilment: &str, script: Script, asked: Asked<'_>) -> Result<Self> {
        let kind = Kind::Run { workflow: "test".into() };
        let id = FulfilmentId::new(fulfilment);
        let fulfilment = Fulfilment::new(id, kind, json!({}), Timestamp(0));
        let mut play = Self {
            bench,
            fulfilment,
            expressions: Expressions::default(),
            now: Timestamp(0),
            script,
            retries_left: OPERATOR_RETRIES,
            is_late: false,
            calls: Vec::new(),
            problems: Vec::new(),
        };
        let plan = plan(bench, asked, script.policy());
        play.record(&[Event::Planned { plan: Arc::new(plan) }])?;
        Ok(play)
    }

    /// Carries the task, or its undo, as far as it goes.
    pub(super) async fn carry(&mut self) -> Result<()> {
        for _ in 0..STEPS_MAX {
            if !self.step().await? {
                return Ok(());
            }
        }
        let what = "the task does not end: it is called, or waits, again and again";
        self.problems.push(Problem::new(About::Ending, what));
        Ok(())
    }

    /// A later step fails for good, so that the work is undone.
    pub(super) async fn roll_back(&mut self) -> Result<()> {
        let failure = Failure::new(FailureClass::Reject, "TEST", "the test kit rolls back");
        self.retries_left = OPERATOR_RETRIES;
        let events =
            self.fulfilment.conclude(LATER, 1, Outcome::Failed(failure), Vec::new(), self.now);
        self.record(&events)?;
        self.carry().await
    }

    /// The outcome of the next undo is lost, so that it is called again.
    pub(super) fn lose_undo(&mut self) {
        self.script.lose = Some(Phase::Undo);
    }

    /// Calls the plugin once more for work that is done, under the same key.
    pub(super) async fn run_again(&mut self) -> Result<()> {
        let operation = match self.bench.work() {
            Work::Undo(earlier) => Operation::Undo { outputs: earlier.outputs },
            Work::Do | Work::Modify(_) => Operation::Run,
        };
        self.call(2, operation).await.map(drop)
    }

    /// The state of the task.
    pub(super) fn state(&self) -> &TaskState {
        &self.fulfilment.tasks()[TASK.index()]
    }

    /// Whether the work is undone, or on its way to that.
    pub(super) fn is_turned(&self) -> bool {
        self.fulfilment.is_turned(TASK)
    }

    /// The requests that the element has seen.
    pub(super) fn seen(&self) -> Vec<Arc<Seen>> {
        self.bench.element.board().seen.iter().map(Arc::clone).collect()
    }

    /// The call in which the fault happened.
    pub(super) fn disturbed(&self) -> Option<usize> {
        self.bench.element.board().fired
    }

    /// Does what is due; `false` if nothing is.
    async fn step(&mut self) -> Result<bool> {
        let last = self.calls.last().map(|made| &made.outcome);
        if self.script.ends_at_failure && matches!(last, Some(Outcome::Failed(_))) {
            return Ok(false);
        }
        // Its answer is not known, so that all that follows would be guessed.
        if self.bench.element.board().has_mismatch() {
            return Ok(false);
        }
        let effects = self.bench.plugin.effects;
        let due = self.fulfilment.due_for(
            TASK,
            &mut Context {
                now: self.now,
                effects: &|_| Some(effects),
                expressions: &mut self.expressions,
            },
        );
        let events = match due {
            Some(Due::Call { attempt, operation, effects, .. }) => {
                return self.attempt(attempt, operation, effects).await.map(|()| true);
            }
            Some(Due::Expire { attempt, .. }) => {
                self.expired();
                self.fulfilment.expire(TASK, attempt, self.now)
            }
            Some(Due::Conclude { attempt, reason, .. }) => {
                self.fulfilment.without_call(TASK, attempt, reason, self.now)
            }
            Some(Due::Alert(_) | Due::End(_)) => return Ok(false),
            None if self.settles_later() => return Ok(true),
            None => match self.without_due()? {
                Some(events) => events,
                None => return Ok(false),
            },
        };
        self.record(&events).map(|()| true)
    }

    /// A wait is over without an end.
    fn expired(&mut self) {
        if std::mem::take(&mut self.is_late) {
            return;
        }
        let read = self.calls.iter().any(|made| made.phase == Phase::Resume);
        let what = match read {
            true => "the callback was read, and the task still waits until its time is up",
            false => "no callback comes, and the task waits until its time is up",
        };
        self.problems.push(Problem::new(About::Callback, what));
    }

    /// Concludes the undo of the later task, which comes before that of the task; `false` if it is not due.
    fn settles_later(&mut self) -> bool {
        let due = self.fulfilment.due_for(
            LATER,
            &mut Context { now: self.now, effects: &|_| None, expressions: &mut self.expressions },
        );
        let Some(Due::Conclude { attempt, reason, .. }) = due else { return false };
        if !self.fulfilment.is_turned(LATER) {
            return false;
        }
        let events = self.fulfilment.without_call(LATER, attempt, reason, self.now);
        !events.is_empty() && self.record(&events).is_ok()
    }

    /// The events if nothing is due: time passes, a callback comes, or the operator retries. `None` if
    /// the task has ended.
    fn without_due(&mut self) -> Result<Option<Vec<Event>>> {
        let attempt = match self.state() {
            TaskState::Waiting { attempt, .. } | TaskState::UndoWaiting { attempt, .. } => *attempt,
            TaskState::Retrying { .. } | TaskState::Undoing { .. } => return Ok(self.pass()),
            TaskState::Failed { .. } | TaskState::Stuck { .. } => {
                let events = self.fulfilment.retry();
                if self.retries_left == 0 || events.is_empty() {
                    return Ok(None);
                }
                self.retries_left -= 1;
                return Ok(Some(events));
            }
            TaskState::Pending
            | TaskState::Running { .. }
            | TaskState::CalledBack { .. }
            | TaskState::Done(_)
            | TaskState::UndoCalledBack { .. }
            | TaskState::Undone
            | TaskState::GivenUp { .. } => return Ok(None),
        };
        if std::mem::take(&mut self.script.late_callback) {
            self.is_late = true;
            return Ok(self.pass());
        }
        if std::mem::take(&mut self.script.garbled_callback) {
            let payload = json!({ "unexpected": ["by", "the", "test", "kit"] });
            return Ok(Some(self.fulfilment.called_back(TASK, attempt, payload)));
        }
        let sent = self.bench.element.board().take_callback();
        let Some(sent) = sent else { return Ok(self.pass()) };
        self.problems.extend(self.other_key(&sent));
        let Json(payload) = sent.body;
        Ok(Some(self.fulfilment.called_back(TASK, attempt, payload)))
    }

    /// Lets time pass until something is due by it.
    fn pass(&mut self) -> Option<Vec<Event>> {
        self.now = self.fulfilment.wake_for(TASK, self.now)?;
        Some(Vec::new())
    }

    /// Tells if the task does not wait under the name that a callback comes under.
    fn other_key(&self, sent: &Sent) -> Option<Problem> {
        let is_undo = matches!(self.state(), TaskState::UndoWaiting { .. });
        let (_, _, keys) = self.fulfilment.waits().find(|(task, ..)| *task == TASK)?;
        let comes = match &sent.name {
            Some(name) => format!("{}/{name}", self.bench.plugin.id),
            None if is_undo => self.fulfilment.undo_name(TASK),
            None => self.fulfilment.idempotency_key(TASK),
        };
        let waits = |key: &String| self.fulfilment.callback_name(TASK, key) == comes;
        (!keys.iter().any(waits)).then(|| {
            let keys = keys.join("`, `");
            let what = format!("it waits under `{keys}`, and the callback comes for `{comes}`");
            Problem::new(About::Callback, what)
        })
    }

    /// Makes an attempt and concludes it, unless the process ends before that.
    async fn attempt(
        &mut self,
        attempt: u32,
        operation: Operation,
        effects: Effects,
    ) -> Result<()> {
        let started = self.fulfilment.before_call(TASK, attempt, effects);
        self.record(started.as_slice())?;
        if std::mem::take(&mut self.script.crash_before) {
            return Ok(());
        }
        let phase = phase_of(&operation);
        let (outcome, written) = self.call(attempt, operation).await?;
        if self.script.lose == Some(phase) {
            self.script.lose = None;
            return Ok(());
        }
        // They stay those of one attempt, so that the task gets the same values each time.
        let reservations = Vec::new();
        let events = match self.fulfilment.direction(TASK) {
            Direction::Forward => {
                self.fulfilment.conclude(TASK, attempt, outcome, reservations, self.now)
            }
            Direction::Backward => self.fulfilment.conclude_undo(TASK, attempt, outcome, self.now),
        };
        if let Some(changes) = written.filter(|_| applies(&events)) {
            self.bench.keep(changes);
        }
        self.record(&events)
    }

    async fn call(
        &mut self,
        attempt: u32,
        operation: Operation,
    ) -> Result<(Outcome, Option<Changes>)> {
        let request = self.fulfilment.request(TASK, operation, &mut self.expressions);
        let request = request.map_err(|failure| anyhow::anyhow!(failure.message))?;
        let phase = phase_of(&request.operation);
        let callback = format!("{}.test", request.answer_name);
        let fulfilment = FulfilmentId::new(self.fulfilment.id().as_str());
        let attempt = Attempt { fulfilment, task: TASK, number: attempt, at: self.now };
        let call = Call::of(request, attempt, callback);
        let element = &self.bench.element;
        element.begin(self.calls.len(), phase).await;
        let report = self.bench.host.run(call).await;
        element.end().await;
        let standing = element.board().standing();
        let outcome = report.outcome.clone();
        let telemetry = report.telemetry.unwrap_or_default();
        let Figures { cpu_us, memory_kib, .. } = telemetry.figures;
        self.bench.measured(Peak { cpu_us, memory_kib });
        let made = Made { phase, outcome: report.outcome, log: report.log, telemetry, standing };
        self.calls.push(made);
        Ok((outcome, report.scratch))
    }

    /// Applies events, as if they had been written.
    fn record(&mut self, events: &[Event]) -> Result<()> {
        for event in events {
            self.fulfilment.apply(self.now, event).context("the play of the test kit")?;
        }
        self.fulfilment.recorded(self.now, events);
        Ok(())
    }
}

fn phase_of(operation: &Operation) -> Phase {
    match operation {
        Operation::Run => Phase::Run,
        Operation::Recover => Phase::Probe,
        Operation::Resume { .. } => Phase::Resume,
        Operation::Undo { .. } | Operation::ResumeUndo { .. } | Operation::Reapply => Phase::Undo,
    }
}
