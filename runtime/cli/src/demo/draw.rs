//! Draws a plan while it runs: its waves, and each task as it ends.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Result;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use tmf::document::{Characteristics, DateTime};
use tmf::time::Timestamp;

use crate::client::Client;

/// A fulfilment, as far as it is drawn.
#[derive(Deserialize)]
struct Plan {
    waves: Vec<Vec<String>>,
    items: Vec<IgnoredAny>,
    tasks: Vec<Task>,
}

#[derive(Deserialize)]
struct Task {
    name: String,
    plugin: String,
}

/// A record of the journal.
#[derive(Deserialize)]
struct Record {
    at: DateTime,
    events: Vec<Event>,
}

/// An event, as far as it is drawn.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    task: String,
    failure: Option<Cause>,
    cause: Option<Cause>,
    outputs: Characteristics,
}

#[derive(Deserialize)]
struct Cause {
    message: String,
}

/// Follows a fulfilment until it has ended or is held, a line for each task that ends.
pub(super) async fn follow(client: &Client, id: &str, out: &mut impl Write) -> Result<()> {
    let plan: Plan = client.get(&format!("/orchestration/v1/fulfilments/{id}")).await?;
    waves(&plan, out)?;
    let mut drawing = Drawing::new(plan);
    let mut events = client.events(id).await?;
    while let Some(record) = events.next::<Record>().await? {
        for event in &record.events {
            drawing.event(record.at.at(), event, out)?;
        }
        out.flush()?;
        if drawing.is_over {
            break;
        }
    }
    Ok(())
}

fn waves(plan: &Plan, out: &mut impl Write) -> Result<()> {
    writeln!(out, "The plan: {} items, {} tasks.", plan.items.len(), plan.tasks.len())?;
    for (number, wave) in plan.waves.iter().enumerate() {
        writeln!(out, "  wave {}  {}", number + 1, wave.join("  "))?;
    }
    Ok(writeln!(out)?)
}

#[derive(Default)]
struct Drawing {
    /// The wave of each item.
    waves: BTreeMap<String, usize>,
    /// The plugin of each task.
    plugins: BTreeMap<String, String>,
    began: BTreeMap<String, Timestamp>,
    first: Option<Timestamp>,
    is_over: bool,
}

impl Drawing {
    fn new(plan: Plan) -> Self {
        let waves = plan.waves.into_iter().zip(1..);
        let waves =
            waves.flat_map(|(wave, number)| wave.into_iter().map(move |item| (item, number)));
        let plugins = plan.tasks.into_iter().map(|task| (task.name, task.plugin));
        Self { waves: waves.collect(), plugins: plugins.collect(), ..Self::default() }
    }

    fn event(&mut self, at: Timestamp, event: &Event, out: &mut impl Write) -> Result<()> {
        let since = at.ms_since(*self.first.get_or_insert(at));
        let task = event.task.as_str();
        let cause = event.failure.as_ref().or(event.cause.as_ref());
        let reason = cause.map_or("", |cause| &cause.message);
        match event.kind.as_str() {
            "held" | "rejected" => {
                self.is_over = true;
                writeln!(out, "{since:6} ms  {}: {reason}", event.kind)?;
            }
            "started" => {
                self.began.entry(task.into()).or_insert(at);
            }
            "waiting" => self.line(since, "waits", task, "for an answer", out)?,
            "succeeded" => {
                let took = self.began.get(task).map(|began| at.ms_since(*began));
                let took = took.map_or_else(String::new, |ms| format!("{ms} ms"));
                let detail = format!("{took:>6}  {}", brief(&event.outputs));
                self.line(since, "done", task, detail.trim_end(), out)?;
            }
            "retrying" => self.line(since, "again", task, reason, out)?,
            "failed" => {
                // Nothing moves on by itself where the order is held.
                self.is_over = true;
                self.line(since, "failed", task, reason, out)?;
            }
            "rollingBack" => {
                self.is_over = false;
                writeln!(out, "{since:6} ms  rolling back: {reason}")?;
            }
            "undone" => self.line(since, "undone", task, "", out)?,
            "undoFailed" => {
                self.is_over = true;
                self.line(since, "stuck", task, reason, out)?;
            }
            "ended" => self.is_over = true,
            _ => {}
        }
        Ok(())
    }

    fn line(
        &self,
        since: u64,
        what: &str,
        task: &str,
        detail: &str,
        out: &mut impl Write,
    ) -> Result<()> {
        let item = task.rsplit_once('.').map_or(task, |(item, _)| item);
        let wave = self.waves.get(item).map_or_else(String::new, |wave| format!("wave {wave}"));
        let plugin = self.plugins.get(task).map_or("", String::as_str);
        let line = format!("{since:6} ms  {what:6}  {wave:6}  {task:32}  {plugin:17}  {detail}");
        Ok(writeln!(out, "{}", line.trim_end())?)
    }
}

/// The first outputs that fit a line.
fn brief(outputs: &Characteristics) -> String {
    let short = outputs.iter().filter_map(|(name, value)| match value {
        Value::String(text) if text.chars().count() <= 40 => Some(format!("{name} {text}")),
        Value::Number(number) => Some(format!("{name} {number}")),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    });
    short.take(3).collect::<Vec<_>>().join(", ")
}
