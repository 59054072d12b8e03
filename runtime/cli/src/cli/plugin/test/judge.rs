//! Judges a play: what a plugin must hold to, whatever disturbs it.

use std::sync::Arc;

use model::{Failure, FailureClass, FailureCode, Outcome, TaskState};

use super::board::{CALL_REQUESTS_MAX, Phase, Seen};
use super::case::{Case, Probe};
use super::drive::{Made, Play};
use super::fault::{Fault, RETRY_AFTER_MS, Right};
use super::json::{Json, cut};
use super::problem::{Kind, Problem};

/// The facts of an undisturbed play.
#[derive(Clone, Debug, Default)]
pub(super) struct Plain {
    pub(super) outputs: Option<Json>,
    /// The effects on the element before the task.
    pub(super) before: Vec<String>,
    /// The effects on the element when the work is done.
    pub(super) applied: Vec<String>,
    pub(super) seen: Vec<Arc<Seen>>,
}

/// Judges one play.
pub(super) struct Judge<'a> {
    pub(super) case: &'a Case,
    pub(super) plain: &'a Plain,
    /// The texts that must not leave the plugin, each with its name.
    pub(super) planted: &'a [(String, String)],
}

impl Judge<'_> {
    /// The rules of every play.
    pub(super) fn always(&self, play: &Play<'_>) -> Vec<Problem> {
        let mut problems = play.problems.to_vec();
        let seen = play.seen();
        problems.extend(self.requests(&seen));
        for made in &play.calls {
            problems.extend(stopped(made));
            problems.extend(self.secrets(made));
        }
        problems
    }

    /// The requests of the case, and not too many of them.
    fn requests(&self, seen: &[Arc<Seen>]) -> Vec<Problem> {
        let mut problems: Vec<Problem> = Vec::new();
        for what in seen.iter().filter_map(|seen| seen.mismatch.as_ref()) {
            let problem = Problem::new(Kind::Exchange, what.as_str());
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        let last = seen.iter().map(|seen| seen.call).max().unwrap_or(0);
        for call in 0..=last {
            let count = seen.iter().filter(|seen| seen.call == call).count();
            if count > CALL_REQUESTS_MAX {
                let what = format!("one call sent more than {CALL_REQUESTS_MAX} requests");
                problems.push(Problem::new(Kind::Limits, what));
            }
        }
        problems
    }

    /// Planted texts in what left the plugin.
    fn secrets(&self, made: &Made) -> Vec<Problem> {
        let mut texts = vec![("the log", made.log.join("\n"))];
        match &made.outcome {
            Outcome::Done(outputs) => {
                texts.push(("the outputs", serde_json::to_string(outputs).unwrap_or_default()));
            }
            Outcome::Waiting(wait) => texts.push(("the keys of the wait", wait.keys.join("\n"))),
            Outcome::Failed(failure) => {
                texts.push(("the failure", format!("{} {}", failure.code, failure.message)));
            }
        }
        let mut problems = Vec::new();
        for (place, text) in texts {
            let found = self.planted.iter().find(|(_, planted)| text.contains(planted.as_str()));
            if let Some((name, _)) = found {
                let what = format!("{place} of {} shows `{name}`", call_name(made.phase));
                problems.push(Problem::new(Kind::Secret, what));
            }
        }
        problems
    }

    /// The work is done once, with the outputs of the undisturbed run.
    pub(super) fn done(&self, play: &Play<'_>) -> Vec<Problem> {
        if play.seen().iter().any(|seen| seen.mismatch.is_some()) {
            return Vec::new();
        }
        let TaskState::Done(output) = play.state() else {
            return vec![Problem::new(Kind::Ending, ending(play))];
        };
        let mut problems = Vec::new();
        let outputs = Json(serde_json::to_value(&output.outputs).unwrap_or_default());
        if let Some(plain) = self.plain.outputs.as_ref().filter(|plain| **plain != outputs) {
            let (found, plain) = (cut(&outputs.0.to_string()), cut(&plain.0.to_string()));
            let what = format!("the outputs are {found}, undisturbed they are {plain}");
            problems.push(Problem::new(Kind::Outputs, what));
        }
        let standing = play.calls.last().map(|made| made.standing.as_slice()).unwrap_or_default();
        problems.extend(self.standing(standing));
        problems
    }

    /// The element has what an undisturbed run leaves there.
    fn standing(&self, standing: &[String]) -> Option<Problem> {
        if standing == self.plain.applied {
            return None;
        }
        let what = match (standing.len(), self.plain.applied.len()) {
            (found, expected) if found > expected => {
                format!("the work is there {found} times: {}", standing.join("; "))
            }
            (found, expected) if found < expected => {
                "the task is done and the element does not have the work".to_owned()
            }
            _ => format!(
                "the element has {}, undisturbed it has {}",
                standing.join("; "),
                self.plain.applied.join("; ")
            ),
        };
        Some(Problem::new(Kind::Once, what))
    }

    /// A change changes something on the element, at least the key.
    pub(super) fn changed(&self) -> Option<Problem> {
        let is_change = self.case.written.task.replaces.is_some() && !self.plain.before.is_empty();
        let is_same = is_change && self.plain.applied == self.plain.before;
        is_same.then(|| Problem::new(Kind::Once, "the earlier work is on the element unchanged"))
    }

    /// The undo succeeds, and leaves the element as it was.
    pub(super) fn undone(&self, play: &Play<'_>) -> Vec<Problem> {
        if play.seen().iter().any(|seen| seen.mismatch.is_some()) {
            return Vec::new();
        }
        let mut problems = Vec::new();
        if !matches!(play.state(), TaskState::Undone) {
            problems.push(Problem::new(Kind::Undo, format!("the undo fails: {}", ending(play))));
        }
        let standing = play.calls.last().map(|made| made.standing.as_slice()).unwrap_or_default();
        if keyless(standing) != keyless(&self.plain.before) {
            let found = if standing.is_empty() { "nothing".into() } else { standing.join("; ") };
            let what = match self.plain.before.as_slice() {
                [] => format!("after the undo the element still has {found}"),
                before => format!(
                    "after the undo the element has {found}, before it had {}",
                    before.join("; ")
                ),
            };
            problems.push(Problem::new(Kind::Undo, what));
        }
        problems
    }

    /// The call in which a fault happened answers as it should.
    pub(super) fn disturbed(&self, play: &Play<'_>, fault: Fault) -> Vec<Problem> {
        let Some(call) = play.disturbed() else {
            let what = "the request that is disturbed was not sent: it depends on something else than \
                        the task";
            return vec![Problem::new(Kind::Deterministic, what)];
        };
        let Some(made) = play.calls.get(call) else { return Vec::new() };
        let seen: Vec<Arc<Seen>> =
            play.seen().into_iter().filter(|seen| seen.call == call).collect();
        let faulty = seen.iter().position(|seen| seen.fault.is_some());
        let after = match (faulty, fault) {
            (Some(at), _) => &seen[at + 1..],
            // A refused request leaves no trace: all that follow come to nothing.
            (None, _) => &[],
        };
        let mut problems = Vec::new();
        if let Some(at) = faulty {
            problems.extend(sent_again(&seen[at], after, fault));
        }
        let is_back = made.phase == Phase::Undo && !self.case.written.task.ends();
        let is_right = match is_back {
            true => keyless(&made.standing) == keyless(&self.plain.before),
            false => made.standing == self.plain.applied,
        };
        let is_true = !after.is_empty() && is_right;
        problems.extend(answered(made, fault, is_true));
        problems.extend(took_for_absent(made, fault, after));
        problems
    }

    /// The probe finds work that is there, without doing it again.
    pub(super) fn recovered(&self, play: &Play<'_>) -> Vec<Problem> {
        let seen = play.seen();
        let of_probe = |seen: &&Arc<Seen>| seen.phase == Phase::Probe;
        let reads = seen.iter().filter(of_probe).filter(|seen| !seen.does.changes()).count();
        let again = seen.iter().filter(of_probe).find(|seen| seen.does.changes());
        let cannot_tell = self.case.written.expect.probe == Some(Probe::CannotTell);
        match again {
            Some(again) if reads > 0 && !cannot_tell => {
                let what = format!(
                    "the element has the work under the task's key, and the probe did not find it: \
                     {} was sent again; if the element cannot tell, write `probe: cannot-tell`",
                    again.line
                );
                vec![Problem::new(Kind::Probe, what)]
            }
            Some(_) | None => Vec::new(),
        }
    }

    /// The probe does not take the work of another task for ours.
    pub(super) fn foreign(&self, play: &Play<'_>) -> Vec<Problem> {
        let Some(made) = play.calls.first() else { return Vec::new() };
        let is_ours = made.standing.iter().any(|effect| effect.ends_with(super::bench::KEY));
        match &made.outcome {
            Outcome::Done(_) if !is_ours => {
                let what =
                    "the element has the work of another task, and the probe takes it for ours";
                vec![Problem::new(Kind::Probe, what)]
            }
            Outcome::Done(_) | Outcome::Waiting(_) | Outcome::Failed(_) => Vec::new(),
        }
    }
}

/// A call that the host had to stop, or whose answer is none.
fn stopped(made: &Made) -> Option<Problem> {
    let Outcome::Failed(failure) = &made.outcome else { return None };
    let is_stopped = matches!(
        failure.code,
        FailureCode::PluginTrapped
            | FailureCode::PluginCpu
            | FailureCode::PluginMemory
            | FailureCode::PluginAnswer
            | FailureCode::PluginTimeout
            | FailureCode::HostFault
    );
    is_stopped.then(|| {
        let what = format!("{} ended as {}", call_name(made.phase), shown(failure));
        Problem::new(Kind::Limits, what)
    })
}

/// A changing request that was sent again in the same call.
fn sent_again(faulty: &Seen, after: &[Arc<Seen>], fault: Fault) -> Option<Problem> {
    let is_login = matches!(fault, Fault::Unauthorized);
    let is_same = |seen: &&Arc<Seen>| seen.line == faulty.line && seen.body == faulty.body;
    let again = after.iter().filter(is_same).count();
    let may = !faulty.does.changes() || is_login;
    (again > 0 && !may).then(|| {
        let what = format!("after {} the call sent {} again", fault.about(), faulty.line);
        Problem::new(Kind::RetriesInside, what)
    })
}

/// An answer to a fault by the wrong class, or success that was not seen.
fn answered(made: &Made, fault: Fault, is_true: bool) -> Option<Problem> {
    let right = fault.right();
    let failure = match &made.outcome {
        Outcome::Failed(failure) => failure,
        Outcome::Done(_) | Outcome::Waiting(_) => {
            let may = is_true || matches!(right, Right::Success | Right::SuccessOrFailure);
            return (!may).then(|| {
                let what =
                    format!("{}, and {} claims success", fault.about(), call_name(made.phase));
                Problem::new(Kind::Once, what)
            });
        }
    };
    let (class, after) = (failure.class, failure.retry_after_ms);
    let is_right = match right {
        Right::Success => false,
        Right::Retry | Right::RetryAfter => class == FailureClass::Retry,
        Right::RetryOrOperator | Right::SuccessOrFailure => class != FailureClass::Reject,
        Right::Operator => class == FailureClass::Operator,
        Right::Refusal => class != FailureClass::Retry,
    };
    let (about, failed) = (fault.about(), shown(failure));
    if !is_right {
        let wanted = match right {
            Right::Success => "success",
            Right::Retry | Right::RetryAfter => "class retry",
            Right::RetryOrOperator | Right::SuccessOrFailure => "class retry or operator",
            Right::Operator => "class operator",
            Right::Refusal => "class operator or reject",
        };
        let what = format!("{about}: {wanted} is right, the call failed as {failed}");
        return Some(Problem::new(Kind::Class, what));
    }
    let is_late = right != Right::RetryAfter || after.is_some_and(|ms| ms >= RETRY_AFTER_MS);
    (!is_late).then(|| {
        let after = after.map_or_else(|| "none".into(), |ms| format!("{ms} ms"));
        let what = format!("{about}, and the failure has a delay of {after}");
        Problem::new(Kind::RetryAfter, what)
    })
}

/// A probe that takes a refusal, or no answer, for `not applied`.
fn took_for_absent(made: &Made, fault: Fault, after: &[Arc<Seen>]) -> Option<Problem> {
    let told_nothing = fault.status().is_some() || fault == Fault::LostAnswer;
    let again = after.iter().find(|seen| seen.does.changes());
    let again = again.filter(|_| made.phase == Phase::Probe && told_nothing)?;
    let what =
        format!("{}, and the probe takes that for `not applied`: {}", fault.about(), again.line);
    Some(Problem::new(Kind::Probe, what))
}

/// Effects without the keys that they have.
pub(super) fn keyless(standing: &[String]) -> Vec<String> {
    let shown =
        |effect: &String| effect.rsplit_once(" under ").map_or("", |(effect, _)| effect).to_owned();
    standing.iter().map(shown).collect()
}

/// How far a task came.
pub(super) fn ending(play: &Play<'_>) -> String {
    let last = play.calls.iter().rev().find_map(|made| match &made.outcome {
        Outcome::Failed(failure) => Some(shown(failure)),
        Outcome::Done(_) | Outcome::Waiting(_) => None,
    });
    let state = match play.state() {
        TaskState::Done(_) => "it is done",
        TaskState::Undone => "it is undone",
        TaskState::Waiting { .. } | TaskState::UndoWaiting { .. } => "it still waits",
        TaskState::Failed { .. } | TaskState::Stuck { .. } => "it failed for good",
        TaskState::Pending
        | TaskState::Running { .. }
        | TaskState::CalledBack { .. }
        | TaskState::Retrying { .. }
        | TaskState::Undoing { .. }
        | TaskState::UndoCalledBack { .. }
        | TaskState::GivenUp { .. } => "it has not ended",
    };
    match last {
        Some(last) => format!("{state}; the last failure is {last}"),
        None => state.into(),
    }
}

pub(super) fn shown(failure: &Failure) -> String {
    let class = match failure.class {
        FailureClass::Retry => "retry",
        FailureClass::Reject => "reject",
        FailureClass::Operator => "operator",
    };
    format!("{class} {}: {}", failure.code, cut(&failure.message))
}

pub(super) fn call_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Run => "`run`",
        Phase::Probe => "`probe`",
        Phase::Resume => "`resume`",
        Phase::Undo => "`undo`",
    }
}
