//! `ferrule plugin list`: the plugins of a folder, or of a server that runs.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use engine::scratch::Quota;
use host::candidate::Mode;
use host::certificate::Certified;
use host::provenance::{Provenance, Source};
use host::registry::{self, Entry, State};

use super::{Inspector, Usage};
use crate::cli::say;
use crate::client::{Client, Login};
use server::config::Config;

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The folder of plugins; that of the settings by default. No code of them is run.
    #[arg(conflicts_with = "server")]
    path: Option<PathBuf>,
    /// The settings with the folder, and with what plugins are granted.
    #[arg(long, value_name = "FILE", conflicts_with = "server")]
    config: Option<PathBuf>,
    /// Ask this server instead: what it has taken in, and what it has not.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    #[command(flatten)]
    login: Login,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Lists plugins; fails where one is rejected.
pub(super) async fn run(list: List) -> Result<()> {
    let entries = match &list.server {
        Some(url) => Client::new(url, &list.login)?.get("/orchestration/v1/plugins").await?,
        None => of_folder(list.path, Config::read(list.config.as_deref())?).await?,
    };
    if list.json {
        say(&serde_json::to_string_pretty(&entries)?)?;
    } else if entries.is_empty() {
        say("no plugins")?;
    } else {
        for entry in &entries {
            say(&lines(entry))?;
        }
    }
    match entries.iter().filter(|entry| rejection(entry).is_some()).count() {
        0 => Ok(()),
        rejected => bail!("{rejected} of {} plugins are rejected", entries.len()),
    }
}

async fn of_folder(path: Option<PathBuf>, config: Config) -> Result<Vec<Entry>> {
    let inspector = Inspector::new(&config)?;
    let folder = path.unwrap_or(config.plugins_dir);
    if !folder.is_dir() {
        return Err(Usage(format!("there is no folder `{}`", folder.display())).into());
    }
    let host = &inspector.host;
    host.load_dir(&folder).await?;
    Ok(host.list())
}

/// The reason for which a plugin was rejected.
fn rejection(entry: &Entry) -> Option<&str> {
    match &entry.state {
        State::Ready | State::Kept | State::Gone => None,
        State::Rejected { reason } => Some(reason),
    }
}

/// The first line of a plugin: its id, version, world, digest and state.
pub(super) fn head(entry: &Entry) -> String {
    let file = entry.file.as_ref().map(|file| file.display().to_string());
    let id = entry.id.as_deref().or(file.as_deref()).unwrap_or("-");
    let version = entry.version.as_deref().unwrap_or("-");
    let world = entry.world.as_deref().unwrap_or("-");
    let digest: String = entry.digest.as_deref().unwrap_or("-").chars().take(12).collect();
    let state = match rejection(entry) {
        Some(_) => "rejected",
        None if entry.is_current => "ready",
        None if entry.trial.as_ref().is_some_and(|trial| trial.mode == Mode::Shadow) => "in shadow",
        None if entry.trial.is_some() => "on trial",
        None => match entry.state {
            State::Kept => "kept",
            State::Gone => "not kept any more",
            State::Ready | State::Rejected { .. } => "ready, older version",
        },
    };
    format!("{id} {version} ({world}) {digest} {state}")
}

/// A plugin as a person reads it.
fn lines(entry: &Entry) -> String {
    let file = entry.file.as_ref().map(|file| file.display().to_string());
    let mut lines = vec![head(entry)];
    lines.extend(rejection(entry).map(|reason| format!("  reason   {}", indented(reason))));
    let (requests, grants) = (&entry.requests, &entry.grants);
    lines.extend(kinds(
        "asks for",
        [&requests.config, &requests.http, &requests.inventory, &requests.pools, &requests.secrets],
    ));
    lines.extend(kinds(
        "granted ",
        [&grants.config, &grants.http, &grants.inventory, &grants.pools, &grants.secrets],
    ));
    lines.extend(space("asks for", requests.scratch));
    lines.extend(space("granted ", grants.scratch));
    lines.extend(file.map(|file| format!("  file     {file}")));
    lines.extend(entry.provenance.as_ref().map(came));
    let untrusted = entry.untrusted.as_deref();
    lines.extend(
        untrusted.map(|reason| format!("  refused at the next start: {}", indented(reason))),
    );
    let usage = entry.usage.filter(|usage| usage.open_fulfilments > 0);
    lines.extend(usage.map(|usage| {
        let registry::Usage { open_fulfilments, open_tasks } = usage;
        format!("  open     {open_fulfilments} orders and runs, {open_tasks} tasks")
    }));
    lines.join("\n")
}

/// A line for capabilities of which values are listed.
fn kinds(title: &str, values: [&Vec<String>; 5]) -> Option<String> {
    let kinds = ["config", "http", "inventory", "pools", "secrets"].into_iter().zip(values);
    let listed = kinds.filter(|(_, values)| !values.is_empty());
    let listed: Vec<String> =
        listed.map(|(kind, values)| format!("{kind} {}", values.join(", "))).collect();
    (!listed.is_empty()).then(|| format!("  {title} {}", listed.join("; ")))
}

/// A line for a scratch space.
pub(super) fn space(title: &str, quota: Option<Quota>) -> Option<String> {
    let Quota { keys, value_kib, call_kib, total_kib } = quota?;
    Some(format!(
        "  {title} a scratch space of {keys} keys and {total_kib} KiB: {value_kib} KiB a value, \
         {call_kib} KiB a call"
    ))
}

/// The line with where a version came from.
fn came(provenance: &Provenance) -> String {
    let Provenance { source, received, since, signed, certified, .. } = provenance;
    let how = match source {
        Source::File => "as a file",
        Source::Upload => "over the API",
        Source::Program => "with the program",
    };
    let since = since.map(|since| format!(", used since {}", since.0)).unwrap_or_default();
    let signed = signed.as_ref().map(|signed| format!(", signed by {}", signed.key));
    let signed = signed.unwrap_or_default();
    let certified = certified.as_ref().map(|certified| {
        let Certified { key, tested_at, tested_by, cases, passed, .. } = certified;
        format!(
            "\n  certified by {key}: {passed} cells of {} passed with ferrule {tested_by} at {}",
            cases.join(", "),
            tested_at.0
        )
    });
    format!("  came     {how} at {}{since}{signed}{}", received.0, certified.unwrap_or_default())
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n           ")
}
