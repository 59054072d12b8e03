//! The cells of the matrix: what each plays, and what became of it.

use std::sync::Arc;

use serde::Serialize;

use super::board::{Phase, Seen, Spot};
use super::case::{Case, Disturb, Does};
use super::drive::Script;
use super::fault::Fault;
use super::peak::Peak;
use super::problem::Problem;

/// A play of a case with one disturbance.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// Its name, such as `set-speed/run-1/lost-answer`.
    pub(super) name: String,
    /// The disturbance, for people.
    pub(super) about: String,
    pub(super) plays: Plays,
}

/// The play of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plays {
    /// The task, then its undo, with nothing in the way.
    Undisturbed,
    /// The task without its undo.
    Alone,
    /// The same twice, from the beginning.
    Twice,
    /// The work once more under the same key, when it is done.
    Again,
    /// The process ends before the call.
    RestartBefore,
    /// The process ends after the call, whose outcome is lost.
    RestartAfter,
    /// The process ends after a callback was read.
    RestartInResume,
    /// The process ends after the undo, which is called again.
    UndoTwice,
    /// The work is undone whose answer was lost.
    UndoUnknown(Spot),
    /// The work is undone that was never applied.
    UndoAbsent(Spot),
    /// The element has the work of another task.
    Foreign,
    /// The callback comes before the answer that announces it.
    EarlyCallback,
    /// The callback comes when the wait is over.
    LateCallback,
    /// A callback that cannot be read comes first.
    GarbledCallback,
    /// A request is disturbed.
    Fault { spot: Spot, fault: Fault, script: Script },
    /// An item is decomposed twice.
    Decomposed,
    /// The input lacks a mandatory attribute, or has one of a wrong type.
    BadInput(BadInput),
}

/// An input that the schema of the plugin does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BadInput {
    Missing(String),
    WrongType(String),
    Extra,
}

/// The result of a cell.
#[derive(Clone, Debug, Serialize)]
pub(in crate::cli::plugin) struct Result {
    pub(in crate::cli::plugin) cell: String,
    pub(in crate::cli::plugin) about: String,
    pub(in crate::cli::plugin) status: Status,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::cli::plugin) problems: Vec<Problem>,
    /// The calls and requests of it, a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::cli::plugin) story: Vec<String>,
    /// Why it was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli::plugin) reason: Option<String>,
    pub(in crate::cli::plugin) ms: u64,
    /// The highest figures of its calls.
    pub(in crate::cli::plugin) peak: Peak,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli::plugin) enum Status {
    Passed,
    Failed,
    LeftOut,
}

/// The facts of undisturbed plays by which the matrix is made.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shown<'a> {
    /// The requests of a plain play.
    pub(super) plain: &'a [Arc<Seen>],
    /// The requests of a play whose outcome was lost.
    pub(super) recovered: &'a [Arc<Seen>],
    /// Whether the plugin reaches outside.
    pub(super) is_external: bool,
    pub(super) can_undo: bool,
    pub(super) is_decomposer: bool,
    /// Whether the task is expected to succeed.
    pub(super) succeeds: bool,
}

/// The cells of a case.
pub(super) fn cells(case: &Case, shown: Shown<'_>) -> Vec<Cell> {
    let cell = |name: &str, about: String, plays: Plays| Cell {
        name: format!("{}/{name}", case.name),
        about,
        plays,
    };
    let general = |name, about: &str, plays| cell(name, about.to_owned(), plays);
    if shown.is_decomposer {
        return vec![general("decomposed", "the item is decomposed twice", Plays::Decomposed)];
    }
    if case.written.disturb == Some(Disturb::Nothing) {
        return vec![general("undisturbed", "nothing is in the way", Plays::Alone)];
    }
    let mut cells = vec![
        general("undisturbed", "nothing is in the way", Plays::Undisturbed),
        general("twice", "the whole case again, from the beginning", Plays::Twice),
    ];
    if !shown.succeeds {
        return cells;
    }
    cells.push(general("again", "done once more under the same key", Plays::Again));
    if !shown.is_external {
        return cells;
    }
    cells.extend([
        general("restart-before", "a restart before the call", Plays::RestartBefore),
        general(
            "restart-after",
            "a restart after the call, whose outcome is lost",
            Plays::RestartAfter,
        ),
    ]);
    if shown.can_undo && !case.written.task.ends() {
        cells.push(general("undo-twice", "a restart after the undo", Plays::UndoTwice));
    }
    let exchanges = &case.written.exchanges;
    let shows_key = |does| {
        let bodies = exchanges.iter().filter(|one| one.does == does);
        let mut bodies = bodies.filter_map(|one| one.answer.body.as_ref());
        bodies.any(|body| body.0.to_string().contains("{{key}}"))
    };
    // A task that changes earlier work finds that of another one anyway.
    if shows_key(Does::Reads) && case.written.task.replaces.is_none() {
        cells.push(general("foreign", "the element has the work of another task", Plays::Foreign));
    }
    if exchanges.iter().any(|one| one.callback.is_some()) {
        cells.extend([
            general("early-callback", "the callback comes before the answer", Plays::EarlyCallback),
            general(
                "late-callback",
                "the callback comes when the wait is over",
                Plays::LateCallback,
            ),
            general(
                "garbled-callback",
                "a callback comes that cannot be read",
                Plays::GarbledCallback,
            ),
            general(
                "restart-in-resume",
                "a restart after the callback was read",
                Plays::RestartInResume,
            ),
        ]);
    }
    cells.extend(disturbed(shown).into_iter().map(|one| cell(&one.name, one.about, one.plays)));
    cells
}

/// A cell of a request, without its case.
struct Disturbed {
    name: String,
    about: String,
    plays: Plays,
}

/// The cells that disturb one request each.
fn disturbed(shown: Shown<'_>) -> Vec<Disturbed> {
    let mut made = Vec::new();
    for (spot, seen) in spots(shown.plain) {
        let faults = Fault::ALL.iter().filter(|fault| match seen.does {
            Does::Applies | Does::Changes | Does::Reverts => true,
            Does::Reads | Does::Nothing => fault.disturbs_reads(),
        });
        made.extend(faults.map(|fault| of_fault("", spot, seen, *fault, Script::default())));
        if spot.phase == Phase::Run
            && matches!(seen.does, Does::Applies | Does::Changes)
            && shown.can_undo
        {
            let place = place(spot);
            made.extend([
                Disturbed {
                    name: format!("{place}/undo-unknown"),
                    about: format!("{}: its answer is lost, and the work is undone", seen.line),
                    plays: Plays::UndoUnknown(spot),
                },
                Disturbed {
                    name: format!("{place}/undo-absent"),
                    about: format!("{}: it is refused, and the work is undone", seen.line),
                    plays: Plays::UndoAbsent(spot),
                },
            ]);
        }
    }
    let absent = [Fault::Refused, Fault::Garbage, Fault::EmptyAnswer, Fault::Unavailable];
    for (spot, seen) in spots(shown.recovered) {
        if spot.phase != Phase::Probe || seen.does != Does::Reads {
            continue;
        }
        let applied = Script { lose: Some(Phase::Run), ..Script::default() };
        let reads = Fault::ALL.iter().filter(|fault| fault.disturbs_reads());
        made.extend(reads.map(|fault| of_fault("", spot, seen, *fault, applied)));
        let script = Script { crash_before: true, ..Script::default() };
        made.extend(absent.iter().map(|fault| of_fault("absent-", spot, seen, *fault, script)));
    }
    made
}

fn of_fault(before: &str, spot: Spot, seen: &Seen, fault: Fault, script: Script) -> Disturbed {
    let script = Script { is_silent: fault.times_out(), ..script };
    Disturbed {
        name: format!("{before}{}/{}", place(spot), fault.name()),
        about: format!("{}: {}", seen.line, fault.about()),
        plays: Plays::Fault { spot, fault, script },
    }
}

/// The requests, each with its place in its phase.
fn spots(seen: &[Arc<Seen>]) -> Vec<(Spot, &Seen)> {
    let mut found: Vec<(Spot, &Seen)> = Vec::new();
    for one in seen {
        let at = found.iter().filter(|(spot, _)| spot.phase == one.phase).count();
        found.push((Spot { phase: one.phase, at }, one.as_ref()));
    }
    found
}

/// The name of a request's place, such as `run-1`.
fn place(spot: Spot) -> String {
    let phase = match spot.phase {
        Phase::Run => "run",
        Phase::Probe => "probe",
        Phase::Resume => "resume",
        Phase::Undo => "undo",
    };
    format!("{phase}-{}", spot.at + 1)
}
