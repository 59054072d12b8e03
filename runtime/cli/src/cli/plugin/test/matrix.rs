//! Plays the cells of all cases, several at a time.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use host::Role;
use model::Effects;
use serde::Deserialize;
use tokio::task::JoinSet;

use super::bench::{Bench, Subject};
use super::case::{Case, Disturb};
use super::cell::{self, BadInput, Cell, Plays, Shown, Status};
use super::json::Json;
use super::judge::Plain;
use super::peak::Peak;
use super::perform;
use super::problem::Kind;
use crate::cli::Usage;

/// How many cells are played at one time: most of their time they wait.
const LANES: usize = 6;

/// The parts of a schema that bad inputs are made by.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Schema {
    required: Vec<String>,
    properties: BTreeMap<String, Property>,
    additional_properties: Option<Json>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Property {
    r#type: Option<Json>,
}

/// A case with its cells, ready to be played.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) case: Arc<Case>,
    pub(super) cells: Vec<Cell>,
    /// The cells that the case leaves out.
    pub(super) left_out: Vec<cell::Result>,
    plain: Arc<Plain>,
}

/// Plays a case undisturbed, and makes its cells by what that shows.
pub(super) async fn prepare(
    case: &Arc<Case>,
    subject: &Arc<Subject>,
    cache: &Path,
) -> Result<Prepared> {
    check_earlier(case, subject)?;
    let bench = Bench::start(Arc::clone(subject), Arc::clone(case), cache).await?;
    let is_decomposer = subject.manifest.world == Role::Decomposer;
    let plain = match is_decomposer {
        true => Plain::default(),
        false => perform::plain(&bench).await?,
    };
    let is_external = bench.plugin.effects == Effects::External;
    let succeeds = plain.outputs.is_some() && case.written.expect.failure.is_none();
    let is_disturbed = case.written.disturb != Some(Disturb::Nothing);
    let recovered = match is_external && succeeds && is_disturbed {
        true => perform::recovered(&bench).await?,
        false => Vec::new(),
    };
    let shown = Shown {
        plain: &plain.seen,
        recovered: &recovered,
        is_external,
        can_undo: subject.can_undo,
        is_decomposer,
        succeeds,
    };
    let mut cells = cell::cells(case, shown);
    if succeeds && is_disturbed {
        cells.extend(bad_inputs(case, &bench).await?);
    }
    let leave_out = &case.written.leave_out;
    let mut left_out = Vec::new();
    cells.retain(|cell| {
        let Plays::Fault { fault, .. } = cell.plays else { return true };
        let Some(reason) = leave_out.get(&fault) else { return true };
        left_out.push(cell::Result {
            cell: cell.name.to_owned(),
            about: cell.about.to_owned(),
            status: Status::LeftOut,
            problems: Vec::new(),
            story: Vec::new(),
            reason: Some(reason.to_owned()),
            ms: 0,
            peak: Peak::default(),
        });
        false
    });
    Ok(Prepared { case: Arc::clone(case), cells, left_out, plain: Arc::new(plain) })
}

/// Fails if the plugin cannot be asked to change or end earlier work as the case has it.
fn check_earlier(case: &Case, subject: &Subject) -> Result<(), Usage> {
    let role = subject.manifest.world;
    let why = match role {
        _ if case.written.task.replaces.is_none() => return Ok(()),
        Role::Step | Role::Activator if case.written.task.ends() && !subject.can_undo => {
            "the plugin has no `undo`, by which earlier work is ended".to_owned()
        }
        Role::Step | Role::Activator => return Ok(()),
        Role::Validator | Role::Allocator | Role::Rater | Role::Decomposer => {
            format!("a plugin of the world `{role}` changes no earlier work")
        }
    };
    Err(Usage(format!("{}: {why}", case.place(case.lines.replaces))))
}

/// The inputs that the schema of the plugin does not allow.
async fn bad_inputs(case: &Case, bench: &Bench) -> Result<Vec<Cell>> {
    let described = bench.host.describe(&bench.plugin.digest).await;
    let described = described.map_err(|failure| anyhow::anyhow!(failure.message))?;
    let Some(schema) = described.and_then(|schemas| schemas.input) else { return Ok(Vec::new()) };
    let schema = serde_json::to_value(schema).and_then(serde_json::from_value::<Schema>);
    let schema = schema.context("the schema of the plugin's input")?;
    let has = |name: &&String| case.written.task.input.0.get(name.as_str()).is_some();
    let cell = |name: String, about: String, bad: BadInput| Cell {
        name: format!("{}/input/{name}", case.name),
        about,
        plays: Plays::BadInput(bad),
    };
    let missing = schema.required.iter().filter(has).map(|name| {
        let about = format!("the input lacks `{name}`");
        cell(format!("missing-{name}"), about, BadInput::Missing(name.to_owned()))
    });
    let typed = schema.properties.iter().filter(|(name, _)| has(name));
    let typed = typed.filter(|(_, property)| property.r#type.is_some());
    let wrong = typed.map(|(name, _)| {
        let about = format!("`{name}` of the input has another type");
        cell(format!("wrong-{name}"), about, BadInput::WrongType(name.to_owned()))
    });
    let mut cells: Vec<Cell> = missing.chain(wrong).collect();
    let is_closed = schema.additional_properties.is_some_and(|allowed| allowed.0 == false);
    if is_closed {
        let about = "the input has what the schema does not".to_owned();
        cells.push(cell("extra".into(), about, BadInput::Extra));
    }
    Ok(cells)
}

/// Plays a cell, and once more if a call took too long: the machine may have been busy.
async fn played_surely(bench: &Bench, plain: &Plain, cell: &Cell) -> Result<cell::Result> {
    let result = perform::play(bench, plain, cell).await?;
    match result.problems.iter().any(|problem| problem.kind == Kind::Limits) {
        true => perform::play(bench, plain, cell).await,
        false => Ok(result),
    }
}

/// Plays all cells; `tell` gets each result as it comes.
pub(super) async fn play(
    prepared: &[Prepared],
    subject: &Arc<Subject>,
    cache: &Path,
    tell: &(dyn Fn(&cell::Result) + Sync),
) -> Result<Vec<cell::Result>> {
    let mut results = Vec::new();
    for prepared in prepared {
        let queue: VecDeque<(usize, Cell)> = prepared.cells.iter().cloned().enumerate().collect();
        let lanes = LANES.min(queue.len());
        let queue = Arc::new(Mutex::new(queue));
        let mut tasks = JoinSet::new();
        let (sender, mut played) = tokio::sync::mpsc::channel(LANES);
        for _ in 0..lanes {
            let bench =
                Bench::start(Arc::clone(subject), Arc::clone(&prepared.case), cache).await?;
            let (queue, sender) = (Arc::clone(&queue), sender.clone());
            let plain = Arc::clone(&prepared.plain);
            tasks.spawn(async move {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some((at, cell)) = next else { return };
                    let result = played_surely(&bench, &plain, &cell).await;
                    if sender.send((at, result)).await.is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut of_case = Vec::new();
        while let Some((at, result)) = played.recv().await {
            let result = result?;
            tell(&result);
            of_case.push((at, result));
        }
        of_case.sort_by_key(|(at, _)| *at);
        results.extend(of_case.into_iter().map(|(_, result)| result));
        prepared.left_out.iter().for_each(tell);
        results.extend(prepared.left_out.iter().cloned());
    }
    Ok(results)
}
