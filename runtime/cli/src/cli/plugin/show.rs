//! `ferrule plugin show`: what a plugin is, requests, is granted, used, reads and gives.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use host::registry::{Entry, Granted};
use host::setting::Setting;
use host::{Grants, Inspected, Limits};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Inspector, granted, list, read_file};
use crate::cli::say;
use crate::client::{Client, Login};
use server::config::Config;

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The plugin, a file; with `--server`, its id. Of its code only `describe` is run.
    plugin: String,
    /// The settings with what the plugin is granted.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Ask this server instead: what each version was granted there, and used of it.
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    server: Option<String>,
    #[command(flatten)]
    login: Login,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(show: Show) -> Result<()> {
    if let Some(server) = &show.server {
        return of_server(server, &show).await;
    }
    let path = &show.plugin;
    let bytes = read_file(Path::new(path))?;
    let config = Config::read(show.config.as_deref())?;
    let inspector = Inspector::new(&config)?;
    let plugin = inspector.host.inspect(bytes).await;
    let plugin = plugin.with_context(|| format!("`{path}` is no plugin"))?;
    let nothing = Grants::default();
    let grants = config.plugins.get(&plugin.manifest.id).unwrap_or(&nothing);
    let shown = Shown {
        granted: Granted::from(grants),
        limits: Limits::settle(&plugin.manifest.limits, &grants.limits),
        plugin,
    };
    match show.json {
        true => say(&format!("{:#}", shown.json())),
        false => say(&shown.lines().join("\n")),
    }
}

/// A plugin of a server.
#[derive(Deserialize, Serialize)]
struct Versions {
    id: String,
    current: Option<String>,
    versions: Vec<Entry>,
}

/// Shows the versions of a plugin that a server has loaded.
async fn of_server(server: &str, show: &Show) -> Result<()> {
    let path = format!("/orchestration/v1/plugins/{}", server::http::in_url(&show.plugin));
    let plugin: Versions = Client::new(server, &show.login)?.get(&path).await?;
    if show.json {
        return say(&serde_json::to_string_pretty(&plugin)?);
    }
    let loaded = || plugin.versions.iter().filter(|entry| entry.used.is_some());
    if loaded().next().is_none() {
        return say(&format!("no version of {} is loaded", plugin.id));
    }
    for entry in loaded() {
        say(&list::head(entry))?;
        say(&granted::of_entry(entry).join("\n"))?;
    }
    Ok(())
}

/// A plugin with what the settings give it.
struct Shown {
    plugin: Inspected,
    granted: Granted,
    limits: Limits,
}

impl Shown {
    fn json(&self) -> impl std::fmt::Display + use<> {
        let described = self.plugin.schemas.as_ref();
        json!({
            "manifest": self.plugin.manifest,
            "canUndo": self.plugin.can_undo,
            "granted": self.granted,
            "limits": self.limits,
            "input": described.map(|described| &described.input),
            "output": described.map(|described| &described.output),
            "settings": described.map(|described| &described.settings),
        })
    }

    fn lines(&self) -> Vec<String> {
        let manifest = &self.plugin.manifest;
        let mut lines = vec![
            format!("{} {} ({})", manifest.id, manifest.version, manifest.world),
            format!("  {}", manifest.summary),
        ];
        lines.extend(granted::table(&manifest.requests, &self.granted, None));
        lines.extend(list::space("asks for", manifest.requests.scratch));
        lines.extend(list::space("granted ", self.granted.scratch));
        let Limits { memory_mib, cpu_ms, wall_ms, concurrency } = self.limits;
        lines.push(format!(
            "  limits   {memory_mib} MiB, {cpu_ms} ms of processor time, {wall_ms} ms, {concurrency} calls \
             at one time"
        ));
        lines.push(format!("  undo     {}", if self.plugin.can_undo { "yes" } else { "no" }));
        lines.extend(self.settings());
        lines.extend(self.attributes());
        lines
    }

    /// A line for each setting that the manifest declares.
    fn settings(&self) -> Vec<String> {
        let settings = &self.plugin.manifest.settings;
        let title = (!settings.is_empty()).then(|| "  settings in ferrule.toml".to_owned());
        let line = |(name, setting): (&String, &Setting)| {
            let mandatory = setting.mandatory.then(|| ", mandatory".to_owned());
            let bounds =
                [("default", &setting.default), ("min", &setting.min), ("max", &setting.max)];
            let bounds = bounds
                .into_iter()
                .filter_map(|(key, value)| value.as_ref().map(|value| format!(", {key} {value}")));
            let one_of = (!setting.one_of.is_empty())
                .then(|| format!(", one of {}", setting.one_of.join(", ")));
            let facts: String = mandatory.into_iter().chain(bounds).chain(one_of).collect();
            let about = Some(&setting.about).filter(|about| !about.is_empty());
            let about = about.map(|about| format!(": {about}")).unwrap_or_default();
            format!("    {name} ({}{facts}){about}", setting.kind.name())
        };
        title.into_iter().chain(settings.iter().map(line)).collect()
    }

    /// A line for each attribute of the schemas: its name, its type, whether it is mandatory, its purpose.
    fn attributes(&self) -> Vec<String> {
        let Some(described) = &self.plugin.schemas else { return Vec::new() };
        let schemas = [
            ("input", &described.input),
            ("output", &described.output),
            ("settings", &described.settings),
        ];
        let mut lines = Vec::new();
        for (title, schema) in schemas {
            let Some(schema) = schema else { continue };
            let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
                continue;
            };
            let required = schema.get("required").and_then(Value::as_array);
            lines.push(format!("  {title}"));
            for (name, attribute) in properties {
                let text = |key: &str| attribute.get(key).and_then(Value::as_str);
                let kind = text("type").unwrap_or("any");
                let is_mandatory = required.is_some_and(|all| all.iter().any(|one| one == name));
                let mandatory = if is_mandatory { ", mandatory" } else { "" };
                let purpose = text("description").map(|purpose| format!(": {purpose}"));
                let purpose = purpose.unwrap_or_default();
                lines.push(format!("    {name} ({kind}{mandatory}){purpose}"));
            }
        }
        lines
    }
}
