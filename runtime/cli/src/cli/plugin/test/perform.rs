//! Plays a cell and judges it.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use model::{Effects, FailureClass, Outcome, TaskState};
use serde_json::json;

use super::bench::Bench;
use super::board::{Phase, Spot};
use super::case::Disturb;
use super::cell::{self, BadInput, Cell, Plays, Status};
use super::decomposed;
use super::drive::{Play, Script, begin};
use super::fault::Fault;
use super::json::{Json, cut};
use super::judge::{Judge, Plain, call_name, shown};
use super::problem::{Kind, Problem};

/// Plays the case with nothing in the way, by which all other plays are judged.
pub(super) async fn plain(bench: &Bench) -> Result<Plain> {
    begin(bench).await?;
    let before = bench.element.board().standing();
    let mut play = Play::new(bench, expected(bench))?;
    play.carry().await?;
    let mut plain = Plain { before, ..Plain::default() };
    if let TaskState::Done(output) = play.state() {
        plain.outputs = Some(Json(serde_json::to_value(&output.outputs)?));
        // Earlier work that is ended has to be gone, whatever the plugin does.
        if !bench.case.written.task.ends() {
            let last = play.calls.last();
            plain.applied = last.map(|made| made.standing.to_vec()).unwrap_or_default();
        }
        if is_undone(bench) && bench.case.written.disturb != Some(Disturb::Nothing) {
            play.roll_back().await?;
        }
    }
    plain.seen = play.seen();
    Ok(plain)
}

/// The script of a play that nothing disturbs: where a failure is expected, it ends with that.
fn expected(bench: &Bench) -> Script {
    let ends_at_failure = bench.case.written.expect.failure.is_some();
    Script { ends_at_failure, ..Script::default() }
}

/// The requests of a play whose outcome was lost.
pub(super) async fn recovered(bench: &Bench) -> Result<Vec<Arc<super::board::Seen>>> {
    begin(bench).await?;
    let mut play = Play::new(bench, Script { lose: Some(first(bench)), ..Script::default() })?;
    play.carry().await?;
    Ok(play.seen())
}

/// Whether a rollback calls the plugin. Work that was ended is not made again.
fn is_undone(bench: &Bench) -> bool {
    let ends = bench.case.written.task.ends();
    bench.subject.can_undo && bench.plugin.effects == Effects::External && !ends
}

/// The call by which the task begins.
fn first(bench: &Bench) -> Phase {
    if bench.case.written.task.ends() { Phase::Undo } else { Phase::Run }
}

/// Plays a cell.
pub(super) async fn play(bench: &Bench, plain: &Plain, cell: &Cell) -> Result<cell::Result> {
    let started = Instant::now();
    begin(bench).await?;
    let performance = Performance {
        bench,
        judge: Judge { case: &bench.case, plain, planted: &bench.planted() },
        plain,
    };
    let (mut problems, story) = performance.play(&cell.plays).await?;
    problems.sort_by(|one, other| (one.kind, &one.what).cmp(&(other.kind, &other.what)));
    problems.dedup();
    let status = if problems.is_empty() { Status::Passed } else { Status::Failed };
    Ok(cell::Result {
        cell: cell.name.to_owned(),
        about: cell.about.to_owned(),
        status,
        problems,
        story,
        reason: None,
        ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        peak: bench.take_peak(),
    })
}

/// A cell that is played.
struct Performance<'a> {
    bench: &'a Bench,
    judge: Judge<'a>,
    plain: &'a Plain,
}

type Found = (Vec<Problem>, Vec<String>);

impl Performance<'_> {
    async fn play(&self, plays: &Plays) -> Result<Found> {
        let none = Script::default();
        match plays {
            Plays::Undisturbed => {
                let (play, problems) = self.undisturbed().await?;
                self.with_undo(play, problems).await
            }
            Plays::Alone => {
                let (play, problems) = self.undisturbed().await?;
                Ok((problems, story(&play)))
            }
            Plays::Twice => self.twice().await,
            Plays::Again => self.again().await,
            Plays::RestartBefore => self.whole(Script { crash_before: true, ..none }).await,
            Plays::RestartAfter => self.restarted().await,
            Plays::RestartInResume => {
                self.whole(Script { lose: Some(Phase::Resume), ..none }).await
            }
            Plays::UndoTwice => self.whole(Script { lose: Some(Phase::Undo), ..none }).await,
            Plays::EarlyCallback => {
                self.bench.element.board().call_back_early();
                self.whole(none).await
            }
            Plays::LateCallback => self.whole(Script { late_callback: true, ..none }).await,
            Plays::GarbledCallback => self.garbled().await,
            Plays::UndoUnknown(spot) => self.given_up(*spot, Fault::LostAnswer).await,
            Plays::UndoAbsent(spot) => self.given_up(*spot, Fault::Unavailable).await,
            Plays::Foreign => self.foreign().await,
            Plays::Fault { spot, fault, script } => self.faulty(*spot, *fault, *script).await,
            Plays::Decomposed => decomposed::play(self.bench).await,
            Plays::BadInput(bad) => self.bad_input(bad).await,
        }
    }

    async fn undisturbed(&self) -> Result<(Play<'_>, Vec<Problem>)> {
        let mut play = Play::new(self.bench, expected(self.bench))?;
        play.carry().await?;
        let expect = &self.bench.case.written.expect;
        let mut problems = self.judge.always(&play);
        if let Some(expected) = &expect.failure {
            let failure = play.calls.last().and_then(|made| match &made.outcome {
                Outcome::Failed(failure) => Some(failure),
                Outcome::Done(_) | Outcome::Waiting(_) => None,
            });
            let is_it = failure.is_some_and(|failure| {
                expected.class.is_none_or(|class| class == failure.class)
                    && failure.code.as_str() == expected.code
            });
            if !is_it {
                let found = failure.map_or_else(|| "it succeeds".into(), shown);
                let case = &self.bench.case;
                let place = case.place(case.lines.expect);
                let what = format!("it must fail with code {} ({place}): {found}", expected.code);
                problems.push(Problem::new(Kind::Ending, what));
            }
            return Ok((play, problems));
        }
        problems.extend(self.judge.done(&play));
        problems.extend(self.judge.changed());
        if let (Some(expected), TaskState::Done(output)) = (&expect.outputs, play.state()) {
            let outputs = Json(serde_json::to_value(&output.outputs)?);
            let difference = expected.difference(&outputs, &self.bench.pattern_names());
            if let Some(difference) = difference {
                let case = &self.bench.case;
                let place = case.place(case.lines.expect);
                let what = format!("the outputs are not as expected ({place}): {difference}");
                problems.push(Problem::new(Kind::Outputs, what));
            }
        }
        Ok((play, problems))
    }

    /// Undoes the work, and judges that too.
    async fn with_undo(&self, mut play: Play<'_>, mut problems: Vec<Problem>) -> Result<Found> {
        if !is_undone(self.bench) {
            return Ok((problems, story(&play)));
        }
        if !play.is_turned() {
            if !matches!(play.state(), TaskState::Done(_)) {
                return Ok((problems, story(&play)));
            }
            play.roll_back().await?;
        }
        problems.extend(self.judge.undone(&play));
        problems.extend(self.judge.always(&play));
        Ok((problems, story(&play)))
    }

    /// The task with its undo, by a script that must make no difference.
    async fn whole(&self, script: Script) -> Result<Found> {
        let mut play = Play::new(self.bench, script)?;
        play.carry().await?;
        let problems = [self.judge.always(&play), self.judge.done(&play)].concat();
        self.with_undo(play, problems).await
    }

    async fn restarted(&self) -> Result<Found> {
        let mut play =
            Play::new(self.bench, Script { lose: Some(first(self.bench)), ..Script::default() })?;
        play.carry().await?;
        let mut problems = [self.judge.always(&play), self.judge.done(&play)].concat();
        problems.extend(self.judge.recovered(&play));
        self.with_undo(play, problems).await
    }

    async fn twice(&self) -> Result<Found> {
        let mut plays = Vec::new();
        for _ in 0..2 {
            begin(self.bench).await?;
            let mut play = Play::new(self.bench, expected(self.bench))?;
            play.carry().await?;
            let requests: Vec<String> = play
                .seen()
                .iter()
                .map(|seen| format!("{} {}", seen.line, cut(&String::from_utf8_lossy(&seen.body))))
                .collect();
            let outcomes: Vec<Outcome> =
                play.calls.iter().map(|made| made.outcome.clone()).collect();
            plays.push((requests, outcomes, story(&play)));
        }
        let mut problems = Vec::new();
        if let [(requests, outcomes, _), (others, again, _)] = plays.as_slice() {
            if let Some((one, other)) =
                requests.iter().zip(others).find(|(one, other)| one != other)
            {
                let what = format!("the same task sends {one}, then {other}");
                problems.push(Problem::new(Kind::Deterministic, what));
            } else if requests.len() != others.len() {
                let what = format!(
                    "the same task sends {} requests, then {}",
                    requests.len(),
                    others.len()
                );
                problems.push(Problem::new(Kind::Deterministic, what));
            }
            if let Some((one, other)) = outcomes.iter().zip(again).find(|(one, other)| one != other)
            {
                let (one, other) = (told(one), told(other));
                let what = format!("the same task answers {one}, then {other}");
                problems.push(Problem::new(Kind::Deterministic, what));
            }
        }
        Ok((problems, plays.pop().map(|(.., story)| story).unwrap_or_default()))
    }

    async fn again(&self) -> Result<Found> {
        let mut play = Play::new(self.bench, Script::default())?;
        play.carry().await?;
        let mut problems = self.judge.done(&play);
        play.run_again().await?;
        let last = play.calls.last();
        match last.map(|made| &made.outcome) {
            Some(Outcome::Done(outputs)) => {
                let outputs = Json(serde_json::to_value(outputs)?);
                if self.plain.outputs.as_ref() != Some(&outputs) {
                    let what =
                        format!("done again, the outputs are {}", cut(&outputs.0.to_string()));
                    problems.push(Problem::new(Kind::Outputs, what));
                }
            }
            Some(Outcome::Failed(failure)) => {
                let what = format!("done again under the same key, it fails: {}", shown(failure));
                problems.push(Problem::new(Kind::Once, what));
            }
            Some(Outcome::Waiting(_)) | None => {}
        }
        let standing = last.map(|made| made.standing.as_slice()).unwrap_or_default();
        if standing != self.plain.applied {
            let what = format!("done again, the element has {}", standing.join("; "));
            problems.push(Problem::new(Kind::Once, what));
        }
        problems.extend(self.judge.always(&play));
        self.with_undo(play, problems).await
    }

    async fn garbled(&self) -> Result<Found> {
        let script = Script { garbled_callback: true, ..Script::default() };
        let mut play = Play::new(self.bench, script)?;
        play.carry().await?;
        let mut problems = self.judge.always(&play);
        let read = play.calls.iter().find(|made| made.phase == Phase::Resume);
        match read.map(|made| &made.outcome) {
            Some(Outcome::Done(_)) => {
                let what = "a callback that cannot be read is taken for success";
                problems.push(Problem::new(Kind::Callback, what));
            }
            Some(Outcome::Failed(failure)) if failure.class == FailureClass::Reject => {
                let what = format!(
                    "a callback that cannot be read is no fault of the order: {}",
                    shown(failure)
                );
                problems.push(Problem::new(Kind::Class, what));
                return Ok((problems, story(&play)));
            }
            Some(Outcome::Failed(_) | Outcome::Waiting(_)) | None => {}
        }
        problems.extend(self.judge.done(&play));
        self.with_undo(play, problems).await
    }

    /// The first failure rolls the work back, whether it was applied or not.
    async fn given_up(&self, spot: Spot, fault: Fault) -> Result<Found> {
        self.bench.element.board().arm(spot, fault);
        let mut play = Play::new(self.bench, Script { gives_up: true, ..Script::default() })?;
        play.carry().await?;
        let problems = self.judge.always(&play);
        self.with_undo(play, problems).await
    }

    async fn foreign(&self) -> Result<Found> {
        self.bench.element.board().make_foreign();
        let mut play = Play::new(self.bench, Script { crash_before: true, ..Script::default() })?;
        play.carry().await?;
        Ok((self.judge.foreign(&play), story(&play)))
    }

    async fn faulty(&self, spot: Spot, fault: Fault, script: Script) -> Result<Found> {
        self.bench.element.board().arm(spot, fault);
        let mut play = Play::new(self.bench, script)?;
        play.carry().await?;
        let is_in_undo = spot.phase == Phase::Undo && !self.bench.case.written.task.ends();
        let mut problems = Vec::new();
        if !is_in_undo {
            problems.extend(self.judge.disturbed(&play, fault));
        }
        problems.extend(self.judge.always(&play));
        if !play.is_turned() {
            problems.extend(self.judge.done(&play));
            if is_in_undo && matches!(play.state(), TaskState::Done(_)) {
                play.roll_back().await?;
                problems.extend(self.judge.disturbed(&play, fault));
                problems.extend(self.judge.undone(&play));
                problems.extend(self.judge.always(&play));
                return Ok((problems, story(&play)));
            }
        }
        self.with_undo(play, problems).await
    }

    async fn bad_input(&self, bad: &BadInput) -> Result<Found> {
        let mut input = self.bench.case.written.task.input.0.clone();
        let Some(fields) = input.as_object_mut() else { return Ok(Found::default()) };
        match bad {
            BadInput::Missing(name) => drop(fields.remove(name)),
            BadInput::WrongType(name) => {
                let wrong = match fields.get(name).is_some_and(serde_json::Value::is_object) {
                    true => json!("of the test kit"),
                    false => json!({ "wrong": true }),
                };
                fields.insert(name.to_owned(), wrong);
            }
            BadInput::Extra => drop(fields.insert("notInTheSchema".into(), json!(1))),
        }
        let mut play = Play::with_input(self.bench, Script::default(), &Json(input))?;
        play.carry().await?;
        let mut problems = self.judge.always(&play);
        let first = play.calls.first();
        match first.map(|made| &made.outcome) {
            Some(Outcome::Failed(failure)) if failure.class != FailureClass::Retry => {}
            Some(Outcome::Failed(failure)) => {
                let what = format!("a retry does not mend the input: {}", shown(failure));
                problems.push(Problem::new(Kind::Class, what));
            }
            Some(Outcome::Done(_) | Outcome::Waiting(_)) => {
                let what = "it succeeds with an input that its schema does not allow";
                problems.push(Problem::new(Kind::Input, what));
            }
            None => {}
        }
        if let Some(seen) = play.seen().first() {
            let what =
                format!("{} is sent with an input that its schema does not allow", seen.line);
            problems.push(Problem::new(Kind::Input, what));
        }
        Ok((problems, story(&play)))
    }
}

/// The calls of a play and their requests, a line each.
fn story(play: &Play<'_>) -> Vec<String> {
    let seen = play.seen();
    let mut lines = Vec::new();
    for (call, made) in play.calls.iter().enumerate() {
        lines.push(format!("{} {}", call_name(made.phase), told(&made.outcome)));
        for seen in seen.iter().filter(|seen| seen.call == call) {
            let answer =
                if seen.status == 0 { "no answer".into() } else { seen.status.to_string() };
            let fault = seen.fault.map(|fault| format!(" ({})", fault.name())).unwrap_or_default();
            lines.push(format!("  {} -> {answer}{fault}", cut(&seen.line)));
        }
    }
    lines
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(outputs) => {
            format!("done {}", cut(&serde_json::to_string(outputs).unwrap_or_default()))
        }
        Outcome::Waiting(wait) => format!("waits under `{}`", wait.keys.join("`, `")),
        Outcome::Failed(failure) => format!("failed: {}", shown(failure)),
    }
}
