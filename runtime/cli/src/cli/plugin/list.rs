//! `ferrule plugin list`: the plugins of a folder, or of a server that runs.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::Value;

use super::{Inspector, Usage};
use crate::cli::say;
use crate::client::Client;
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
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Lists plugins; fails where one is rejected.
pub(super) async fn run(list: List) -> Result<()> {
    let entries = match &list.server {
        Some(url) => {
            let answer = Client::new(url).get("/orchestration/v1/plugins").await?;
            answer.as_array().cloned().unwrap_or_default()
        }
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

async fn of_folder(path: Option<PathBuf>, config: Config) -> Result<Vec<Value>> {
    let folder = path.unwrap_or_else(|| config.plugins_dir.clone());
    if !folder.is_dir() {
        return Err(Usage(format!("there is no folder `{}`", folder.display())).into());
    }
    let inspector = Inspector::new(config)?;
    let host = &inspector.host;
    host.load_dir(&folder).await?;
    Ok(host.list().iter().map(serde_json::to_value).collect::<Result<_, _>>()?)
}

/// Why a plugin is not taken; `None` where it is.
fn rejection(entry: &Value) -> Option<&str> {
    let state = entry.get("state")?;
    let is_rejected = state.get("state")? == "rejected";
    is_rejected.then(|| state.get("reason").and_then(Value::as_str).unwrap_or_default())
}

/// A plugin as a person reads it.
fn lines(entry: &Value) -> String {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    let file = text("file").unwrap_or("-");
    let digest: String = text("digest").unwrap_or("-").chars().take(12).collect();
    let current = entry.get("isCurrent").and_then(Value::as_bool).unwrap_or_default();
    let state = match rejection(entry) {
        Some(_) => "rejected",
        None if current => "ready",
        None => "ready, older version",
    };
    let (id, version) = (text("id").unwrap_or(file), text("version").unwrap_or("-"));
    let world = text("world").unwrap_or("-");
    let mut lines = vec![format!("{id} {version} ({world}) {digest} {state}")];
    lines.extend(rejection(entry).map(|reason| format!("  reason   {}", indented(reason))));
    for (title, name) in [("asks for", "requests"), ("granted ", "grants")] {
        let kinds = entry.get(name).and_then(Value::as_object).into_iter().flatten();
        let kinds = kinds.filter_map(|(kind, values)| {
            let values = values.as_array()?.iter().filter_map(Value::as_str).collect::<Vec<_>>();
            (!values.is_empty()).then(|| format!("{kind} {}", values.join(", ")))
        });
        let kinds: Vec<String> = kinds.collect();
        lines.extend((!kinds.is_empty()).then(|| format!("  {title} {}", kinds.join("; "))));
    }
    if file != "-" {
        lines.push(format!("  file     {file}"));
    }
    lines.join("\n")
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n           ")
}
