//! Draws a plan while it runs: its waves, and each task as it ends.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context as _, Result};
use serde_json::Value;
use tmf::time::Timestamp;

use crate::client::Client;

/// Follows a fulfilment until it has ended or is held, a line for each task that ends.
pub(super) async fn follow(client: &Client, id: &str, out: &mut impl Write) -> Result<()> {
    let plan = client.get(&format!("/orchestration/v1/fulfilments/{id}")).await?;
    let mut drawing = Drawing::new(&plan);
    drawing.waves(&plan, out)?;
    let mut events = client.events(id).await?;
    while let Some(record) = events.next().await? {
        let at = record.get("at").and_then(Value::as_str).and_then(Timestamp::parse);
        let at = at.context("a record has a time")?;
        for event in list(&record, "events") {
            drawing.event(at, event, out)?;
        }
        out.flush()?;
        if drawing.is_over {
            break;
        }
    }
    Ok(())
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
    fn new(plan: &Value) -> Self {
        let mut drawing = Self::default();
        for (number, wave) in list(plan, "waves").enumerate() {
            for item in wave.as_array().into_iter().flatten().filter_map(Value::as_str) {
                drawing.waves.insert(item.into(), number + 1);
            }
        }
        for task in list(plan, "tasks") {
            drawing.plugins.insert(text(task, "name").into(), text(task, "plugin").into());
        }
        drawing
    }

    fn waves(&self, plan: &Value, out: &mut impl Write) -> Result<()> {
        let (items, tasks) = (list(plan, "items").count(), list(plan, "tasks").count());
        writeln!(out, "The plan: {items} items, {tasks} tasks.")?;
        for (number, wave) in list(plan, "waves").enumerate() {
            let names = wave.as_array().into_iter().flatten().filter_map(Value::as_str);
            writeln!(out, "  wave {}  {}", number + 1, names.collect::<Vec<_>>().join("  "))?;
        }
        Ok(writeln!(out)?)
    }

    fn event(&mut self, at: Timestamp, event: &Value, out: &mut impl Write) -> Result<()> {
        let since = at.ms_since(*self.first.get_or_insert(at));
        let task = text(event, "task");
        let failure = event.get("failure").or_else(|| event.get("cause"));
        let reason = failure.map_or("", |failure| text(failure, "message"));
        match text(event, "type") {
            "held" | "rejected" => {
                self.is_over = true;
                writeln!(out, "{since:6} ms  {}: {reason}", text(event, "type"))?;
            }
            "started" => {
                self.began.entry(task.into()).or_insert(at);
            }
            "waiting" => self.line(since, "waits", task, "for an answer", out)?,
            "succeeded" => {
                let took = self.began.get(task).map(|began| at.ms_since(*began));
                let took = took.map_or_else(String::new, |ms| format!("{ms} ms"));
                let detail = format!("{took:>6}  {}", brief(event.get("outputs")));
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
fn brief(outputs: Option<&Value>) -> String {
    let outputs = outputs.and_then(Value::as_object).into_iter().flatten();
    let short = outputs.filter_map(|(name, value)| match value {
        Value::String(text) if text.chars().count() <= 40 => Some(format!("{name} {text}")),
        Value::Number(number) => Some(format!("{name} {number}")),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    });
    short.take(3).collect::<Vec<_>>().join(", ")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}
