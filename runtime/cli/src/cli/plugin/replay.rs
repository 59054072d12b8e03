//! `ferrule plugin replay`: a real attempt becomes a case of a project.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use engine::telemetry::Exchange;
use serde::Deserialize;

use super::test::board::Phase;
use super::test::case::{self, Action, Disturb, Does, Expect, Failed, Task, Written};
use super::test::json::Json;
use super::test::recorded::{Known, Said, exchanges};
use super::test::written;
use crate::cli::import::escaped;
use crate::cli::{Usage, say};
use crate::client::{Client, Login};

/// Attempts that are asked for at once, which is as many as the server gives.
const AT_ONCE: usize = 20;
/// Max attempts that are read.
const ATTEMPTS_MAX: usize = 200;

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The order, fulfilment or run.
    fulfilment: String,
    /// The task, such as `RFS-VLAN.activate`.
    task: String,
    /// The number of the attempt; the last one by default.
    #[arg(long)]
    attempt: Option<u32>,
    /// The address of the element, as the setting has it; by default it is guessed by the paths of the input.
    #[arg(long, value_name = "URL")]
    element: Option<String>,
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: String,
    #[command(flatten)]
    login: Login,
    /// The file of the case.
    #[arg(short, long, value_name = "FILE", default_value = "tests/replay.yaml")]
    output: PathBuf,
}

/// An attempt as the server shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attempt {
    attempt: u32,
    operation: String,
    outcome: String,
    code: Option<String>,
    #[serde(default)]
    exchanges: Vec<Exchange>,
    #[serde(default)]
    exchanges_dropped: u32,
    given: Option<Given>,
}

/// The task as the plugin got it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    item: Option<Item>,
    input: Json,
    idempotency_key: String,
}

#[derive(Debug, Deserialize)]
struct Item {
    spec: String,
    action: Action,
    characteristics: BTreeMap<String, Json>,
}

/// Downloads an attempt and writes it as a case.
pub(super) async fn run(replay: Replay) -> Result<()> {
    if replay.output.exists() {
        let what = format!("`{}` exists; name another file with --output", replay.output.display());
        return Err(Usage(what).into());
    }
    let attempts = attempts(&replay).await?;
    let (case, comment) = case(&replay, &attempts)?;
    let text = written::whole(&comment, &case)?;
    if let Some(folder) = replay.output.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&replay.output, text)
        .with_context(|| format!("cannot write `{}`", replay.output.display()))?;
    let cases = replay.output.parent().unwrap_or(&replay.output).display();
    say(&format!(
        "{} has the attempt; play it with `ferrule plugin test --cases {cases}`",
        replay.output.display()
    ))
}

async fn attempts(replay: &Replay) -> Result<Vec<Attempt>> {
    let client = Client::new(&replay.server, &replay.login)?;
    let (fulfilment, task) = (escaped(&replay.fulfilment), escaped(&replay.task));
    let mut all: Vec<Attempt> = Vec::new();
    while all.len() < ATTEMPTS_MAX {
        let query = format!("limit={AT_ONCE}&offset={}", all.len());
        let path =
            format!("/orchestration/v1/fulfilments/{fulfilment}/tasks/{task}/attempts?{query}");
        let page: Vec<Attempt> = client.get(&path).await?;
        let is_last = page.len() < AT_ONCE;
        all.extend(page);
        if is_last {
            break;
        }
    }
    Ok(all)
}

/// The case of an attempt, and the comment at its top.
fn case(replay: &Replay, attempts: &[Attempt]) -> Result<(Written, Vec<String>)> {
    let chosen = chosen(replay, attempts)?;
    let Some(given) = &chosen.given else {
        let what = "the server does not tell what the plugin was given: its journal is gone";
        return Err(Usage(what.into()).into());
    };
    let key = given.idempotency_key.as_str();
    let failed = chosen.outcome == "failed";
    let base = replay.element.to_owned().or_else(|| base(given, chosen));
    let exchanges = said(attempts, chosen, &Known { base, key: key.into() });
    let has = |does| exchanges.iter().any(|one| one.does == does);
    let is_whole = has(Does::Reverts) && has(Does::Reads) && !failed;
    let disturb = (!is_whole).then_some(Disturb::Nothing);
    let mut settings = secrets(&exchanges);
    let element = given.input.text_at("/element").unwrap_or_else(|| "NAME".into());
    settings.insert(format!("element.{element}"), "{{element}}".into());
    let failure = chosen.code.as_ref().filter(|_| failed);
    let case = Written {
        about: format!("Attempt {} at {} of {}", chosen.attempt, replay.task, replay.fulfilment),
        task: task(given, key),
        settings,
        exchanges,
        expect: Expect {
            failure: failure.map(|code| Failed { class: None, code: code.to_owned() }),
            ..Expect::default()
        },
        disturb,
        ..Written::default()
    };
    Ok((case, comment(chosen, disturb)))
}

/// The attempt that was asked for, else the last one at the work.
fn chosen<'a>(replay: &Replay, attempts: &'a [Attempt]) -> Result<&'a Attempt, Usage> {
    let is_asked = |one: &&Attempt| replay.attempt.is_none_or(|number| one.attempt == number);
    let mut of_work = attempts.iter().filter(|one| !is_undo(one)).filter(is_asked);
    of_work.next_back().ok_or_else(|| {
        let Replay { fulfilment, task, .. } = replay;
        let number = replay.attempt.map(|number| format!(" {number}")).unwrap_or_default();
        Usage(format!(
            "`{fulfilment}` has no attempt{number} at `{task}` that is kept: `ferrule attempts \
             {fulfilment}` lists them"
        ))
    })
}

/// The address of the element: that of a request without the path that the input gives it.
fn base(given: &Given, chosen: &Attempt) -> Option<String> {
    let texts = given.input.texts();
    let paths = || texts.iter().filter(|text| text.len() > 1 && text.starts_with('/'));
    let mut urls = chosen.exchanges.iter().map(|exchange| exchange.url.as_str());
    urls.find_map(|url| paths().find_map(|path| url.strip_suffix(path.as_str()))).map(str::to_owned)
}

/// The exchanges of an attempt, with those of the undo and of callbacks.
fn said(attempts: &[Attempt], chosen: &Attempt, known: &Known) -> Vec<case::Exchange> {
    let of_case = attempts
        .iter()
        .filter(|one| std::ptr::eq(*one, chosen) || is_undo(one) || one.operation == "resume");
    let said: Vec<Said> = of_case
        .flat_map(|one| {
            one.exchanges.iter().map(|exchange| {
                let reads = matches!(exchange.method.as_str(), "GET" | "HEAD" | "OPTIONS");
                let phase = match one.operation.as_str() {
                    "recover" if reads => Phase::Probe,
                    "resume" => Phase::Resume,
                    "undo" | "resumeUndo" | "reapply" => Phase::Undo,
                    _ => Phase::Run,
                };
                Said { phase, exchange: exchange.to_owned() }
            })
        })
        .collect();
    let mut made = exchanges(&said, known);
    if chosen.outcome == "failed" {
        // A refused request had no effect.
        let refused = made.iter_mut().filter(|one| one.answer.status.0 >= 400);
        refused.for_each(|one| one.does = Does::Nothing);
    }
    made
}

/// The task of a case, with a name in the place of the key.
fn task(given: &Given, key: &str) -> Task {
    let replaced = |json: &Json| json.replaced(&|text| text.replace(key, "{{key}}"));
    let input = replaced(&given.input);
    let Some(item) = &given.item else { return Task { input, ..Task::default() } };
    let characteristics = item.characteristics.iter();
    Task {
        spec: item.spec.to_owned(),
        action: item.action,
        characteristics: characteristics
            .map(|(name, value)| (name.to_owned(), replaced(value)))
            .collect(),
        input,
        ..Task::default()
    }
}

/// The advice before the case is used.
fn comment(chosen: &Attempt, disturb: Option<Disturb>) -> Vec<String> {
    let mut lines = vec![
        "A real attempt, downloaded by `ferrule plugin replay`. Settings and hidden values are not in it:".into(),
        "give `settings` what the plugin needs; a path before that of the element belongs to `element.<name>`.".into(),
    ];
    if chosen.exchanges_dropped > 0 {
        lines.push(format!(
            "{} more exchanges were not kept by the server.",
            chosen.exchanges_dropped
        ));
    }
    let is_cut = |exchange: &Exchange| {
        exchange.request.is_cut || exchange.answer.as_ref().is_some_and(|answer| answer.is_cut)
    };
    if chosen.exchanges.iter().any(is_cut) {
        lines.push(
            "A body was cut by the server: complete it, or raise [host] exchange-body-bytes."
                .into(),
        );
    }
    if disturb.is_some() {
        lines.push(
            "To play the whole matrix, add the exchanges of probe and undo and remove `disturb`."
                .into(),
        );
    }
    lines
}

/// The settings that the exchanges show the places of.
fn secrets(exchanges: &[case::Exchange]) -> BTreeMap<String, String> {
    let written = serde_json::to_string(exchanges).unwrap_or_default();
    let parts = written.split("{{secret.").skip(1).filter_map(|part| part.split_once("}}"));
    let named = parts.map(|(name, _)| name).filter(|name| *name != "hidden");
    named.map(|name| (name.to_owned(), format!("{{{{secret.{name}}}}}"))).collect()
}

fn is_undo(attempt: &Attempt) -> bool {
    matches!(attempt.operation.as_str(), "undo" | "resumeUndo" | "reapply")
}
