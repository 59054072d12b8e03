//! Each test is a script of what happens to a plan, and what is owed after each line of it.

use std::cell::RefCell;
use std::sync::Arc;

mod cancelling;
mod giving_up;
mod history;
mod lines;
mod moved;
mod operations;
mod outcomes;
mod past;
mod prior_work;
mod properties;
mod rolling_back;

use serde_json::json;

use self::history::{History, Policy, plan};
use super::*;
use crate::journal::Decision;
use crate::operation::Direction;
use crate::outcome::{FailureClass, Outcome, Wait};
use crate::plan::OnFailure;

/// Plays a script. Tasks come first: `task olt needs port, attempts 3, hold, no return, not before
/// 5000`. Then what happens, a line each:
///
/// - `start olt`, `succeed olt`, `fail olt retry|reject|person`, `wait olt`, `undo olt`,
///   `fail undo olt retry|person`, `wait undo olt`, `call back olt`, `expire olt`; the attempt is the current one
///   unless `#2` is added
/// - `tick 5000` lets time pass, `reopen` is a person's, `cancel` the customer's, `end` does what is due at the end
/// - `give up olt`, `release olt`, `give up item a`, `complete olt` are an operator's
/// - `hold`, `reject` are of an order that is not planned yet
///
/// `task olt of a and b` serves the lines `a` and `b` of the order, `undoes` undoes prior work.
fn play(script: &str) -> String {
    let lines: Vec<&str> = script.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let (tasks, lines): (Vec<&str>, Vec<&str>) =
        lines.into_iter().partition(|line| line.starts_with("task "));
    let mut player = Player::new(&tasks);
    let mut log = String::new();
    for line in lines {
        let answer = player.line(line);
        log.push_str(format!("{line:<22} {answer}").trim_end());
        log.push('\n');
    }
    log
}

struct Player {
    names: Vec<String>,
    plan: Plan,
    history: History,
    now: Timestamp,
    /// Why an operator was refused.
    denied: RefCell<Option<String>>,
}

impl Player {
    fn new(lines: &[&str]) -> Self {
        let mut tasks: Vec<(String, Policy)> = Vec::new();
        for line in lines {
            let mut parts = line.strip_prefix("task ").unwrap().split([',']).map(str::trim);
            let whole = parts.next().unwrap();
            let (name, needs) = whole.split_once(" needs ").unwrap_or_default();
            let name = if name.is_empty() { whole } else { name };
            let (name, lines) = name.split_once(" of ").unwrap_or((name, ""));
            let position = |need: &str| tasks.iter().position(|(name, _)| name == need).unwrap();
            let needs = needs.split(" and ").filter(|need| !need.is_empty());
            let mut policy = Policy {
                needs: needs.map(|need| TaskId::at(position(need))).collect(),
                attempts: 3,
                on_failure: OnFailure::RollBack,
                point_of_no_return: false,
                not_before: None,
                lines: lines
                    .split(" and ")
                    .filter(|line| !line.is_empty())
                    .map(Into::into)
                    .collect(),
                undoes: false,
            };
            for part in parts {
                match part.rsplit_once(' ') {
                    Some(("attempts", count)) => policy.attempts = count.parse().unwrap(),
                    Some(("not before", ms)) => {
                        policy.not_before = Some(Timestamp(ms.parse().unwrap()));
                    }
                    Some(("no", "return")) => policy.point_of_no_return = true,
                    None if part == "undoes" => policy.undoes = true,
                    None if part == "hold" => policy.on_failure = OnFailure::Hold,
                    _ => panic!("cannot read `{part}`"),
                }
            }
            tasks.push((name.to_string(), policy));
        }
        Self {
            names: tasks.iter().map(|(name, _)| name.clone()).collect(),
            plan: plan(&tasks),
            history: History::submitted(),
            now: Timestamp(0),
            denied: RefCell::default(),
        }
    }

    fn line(&mut self, line: &str) -> String {
        let events = match line {
            "plan" => vec![Event::Planned { plan: Arc::new(self.plan.clone()) }],
            "hold" => vec![Event::Held { failure: failure("person") }],
            "reject" => vec![Event::Rejected { failure: failure("reject") }],
            _ => {
                self.planned();
                self.events(line)
            }
        };
        if let Some(denied) = self.denied.take() {
            return format!("denied: {denied}");
        }
        let nothing = events.is_empty() && !line.starts_with("tick ");
        match self.history.commit(self.now, events) {
            Err(error) => format!("refused: {error}"),
            Ok(()) if nothing => format!("no change, {}", self.status()),
            Ok(()) => self.status(),
        }
    }

    fn planned(&mut self) {
        if matches!(self.history.fulfilment.phase, Phase::Submitted) {
            let plan = Arc::new(self.plan.clone());
            self.history.commit(self.now, vec![Event::Planned { plan }]).unwrap();
        }
    }

    fn events(&mut self, line: &str) -> Vec<Event> {
        let (line, attempt) = match line.split_once(" #") {
            Some((line, attempt)) => (line, Some(attempt.parse().unwrap())),
            None => (line, None),
        };
        let words: Vec<&str> = line.split(' ').collect();
        let task = |name: &str| {
            TaskId::at(self.names.iter().position(|own| own == name).expect("a task of the script"))
        };
        let current = |name: &str| attempt.unwrap_or_else(|| self.attempt(task(name)));
        let state = &self.history.fulfilment;
        let conclude = |name: &str, outcome: Outcome| {
            state.conclude(task(name), current(name), outcome, Vec::new(), self.now)
        };
        match *words.as_slice() {
            ["start", name] => vec![Event::Started { task: task(name), attempt: current(name) }],
            ["succeed", name] => {
                let outputs = json!({ "of": name }).as_object().cloned().unwrap();
                conclude(name, Outcome::Done(outputs))
            }
            ["fail", name, class] if name != "undo" => {
                conclude(name, Outcome::Failed(failure(class)))
            }
            ["wait", name] => {
                let wait = Wait { keys: vec![format!("key-of-{name}")], timeout_ms: 5_000 };
                conclude(name, Outcome::Waiting(wait))
            }
            ["call", "back", name] => {
                state.called_back(task(name), current(name), json!({ "ok": true }))
            }
            ["expire", name] => state.expire(task(name), current(name), self.now),
            ["undo", name] => {
                let outcome = Outcome::Done(Map::new());
                state.conclude_undo(task(name), current(name), outcome, self.now)
            }
            ["wait", "undo", name] => {
                let wait = Wait { keys: vec!["key".into()], timeout_ms: 5_000 };
                state.conclude_undo(task(name), current(name), Outcome::Waiting(wait), self.now)
            }
            ["fail", "undo", name, class] => {
                let outcome = Outcome::Failed(failure(class));
                state.conclude_undo(task(name), current(name), outcome, self.now)
            }
            ["reopen"] => state.retry(),
            ["give", "up", "item", item] => self.give_up(&Subject::Item(item.into()), false),
            ["give", "up", name] => self.give_up(&Subject::Task(self.full(name)), false),
            ["release", name] => self.give_up(&Subject::Task(self.full(name)), true),
            ["complete", name] => {
                let outputs = json!({ "by": "hand" }).as_object().cloned().unwrap();
                self.decided(state.complete_by_hand(&self.full(name), outputs, decision()))
            }
            ["cancel"] => state.cancel(request()).0,
            ["end"] => match state.due_at(self.now).as_slice() {
                [Due::End(end)] => vec![Event::Ended { end: *end }],
                _ => vec![Event::Ended { end: End::Completed }],
            },
            ["tick", ms] => {
                self.now = self.now.plus_ms(ms.parse().unwrap());
                Vec::new()
            }
            _ => panic!("cannot read `{line}`"),
        }
    }

    /// The attempt that an outcome would be of.
    fn attempt(&self, task: TaskId) -> u32 {
        let Some(state) = self.history.fulfilment.tasks.get(task.index()) else {
            return 1;
        };
        match state {
            TaskState::Running { attempt }
            | TaskState::Waiting { attempt, .. }
            | TaskState::CalledBack { attempt, .. }
            | TaskState::UndoWaiting { attempt, .. }
            | TaskState::UndoCalledBack { attempt, .. } => *attempt,
            TaskState::Retrying { .. } if self.history.fulfilment.is_turned(task) => 1,
            TaskState::Retrying { attempt, .. } | TaskState::Undoing { attempt, .. } => attempt + 1,
            TaskState::Pending
            | TaskState::Done(_)
            | TaskState::Failed { .. }
            | TaskState::Stuck { .. }
            | TaskState::Undone
            | TaskState::GivenUp { .. } => 1,
        }
    }

    fn give_up(&self, subject: &Subject, release: bool) -> Vec<Event> {
        let events = self.history.fulfilment.give_up(subject, release, decision());
        self.decided(events)
    }

    fn decided(&self, events: Result<Vec<Event>, NotGivenUp>) -> Vec<Event> {
        events.unwrap_or_else(|error| {
            *self.denied.borrow_mut() = Some(error.to_string());
            Vec::new()
        })
    }

    /// The name of a task in the plan.
    fn full(&self, name: &str) -> String {
        let task = self.names.iter().position(|own| own == name).expect("a task of the script");
        self.history.fulfilment.plan.task_name(TaskId::at(task))
    }

    fn status(&self) -> String {
        let state = &self.history.fulfilment;
        let due: Vec<String> = state.due_at(self.now).iter().map(|due| self.due(due)).collect();
        if !due.is_empty() {
            return format!("due: {}", due.join(", "));
        }
        if state.is_held() {
            let failures = state.failures();
            let failures = failures.iter().map(|fault| {
                let task = fault.task.map_or("the order", |task| &*self.names[task.index()]);
                format!("{task} {}", fault.failure.code)
            });
            return format!("held: {}", failures.collect::<Vec<_>>().join(", "));
        }
        match state.wake_at(self.now) {
            Some(at) => format!("wakes at {}", at.0),
            None if state.phase.name() == "partial" => {
                let items = state.plan.items.iter().enumerate();
                let delivered = items.filter(|(index, _)| state.is_delivered(ItemId::at(*index)));
                let names: Vec<&str> = delivered.map(|(_, item)| &*item.name).collect();
                format!("partial: {}", names.join(", "))
            }
            None => state.phase.name().into(),
        }
    }

    fn due(&self, due: &Due) -> String {
        let (task, attempt) = match due {
            Due::Call { task, attempt, .. } | Due::Conclude { task, attempt, .. } => {
                (*task, *attempt)
            }
            Due::Expire { task, attempt } => (*task, *attempt),
            Due::Alert(_) => return "alert".into(),
            Due::End(_) => return "end".into(),
        };
        let word = match (due, &self.history.fulfilment.tasks[task.index()]) {
            (Due::Expire { .. }, _) => "expire",
            (_, TaskState::Running { .. }) => "recover",
            (_, TaskState::CalledBack { .. }) => "resume",
            (_, TaskState::UndoCalledBack { .. }) => "resume undo",
            _ => match self.history.fulfilment.direction(task) {
                Direction::Forward => "run",
                Direction::Backward => "undo",
            },
        };
        let name = &self.names[task.index()];
        if attempt == 1 { format!("{word} {name}") } else { format!("{word} {name} #{attempt}") }
    }
}

fn decision() -> Decision {
    Decision { by: Some("ops".into()), reason: Some("by the script".into()) }
}

fn request() -> CancelRequest {
    CancelRequest { id: "c-1".into(), reason: Some("moving".into()), requested: None }
}

fn failure(class: &str) -> Failure {
    let (class, code) = match class {
        "retry" => (FailureClass::Retry, "BUSY"),
        "reject" => (FailureClass::Reject, "CANNOT_BE"),
        "person" => (FailureClass::Operator, "BROKEN"),
        _ => panic!("cannot read `{class}`"),
    };
    Failure::new(class, code, "by the script")
}
