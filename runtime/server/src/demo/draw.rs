//! Draws a plan while it runs: its waves, and each task as it begins and ends.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context as _, Result};
use model::{Event, Plan, Record, TaskId};
use serde_json::Value;

use crate::client::Client;

/// Follows a fulfilment until it has ended or is held, a line for each task that ends.
pub(super) async fn follow(client: &Client, id: &str, out: &mut impl Write) -> Result<()> {
    let mut events = client.events(id).await?;
    let mut drawing = Drawing::default();
    while let Some(event) = events.next().await? {
        let record: Record = serde_json::from_value(event).context("an event is no record")?;
        for event in &record.events {
            drawing.event(record.at.0, event, out)?;
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
    plan: Plan,
    wave_of: BTreeMap<TaskId, String>,
    began: BTreeMap<TaskId, i64>,
    first: Option<i64>,
    is_over: bool,
}

impl Drawing {
    fn event(&mut self, at: i64, event: &Event, out: &mut impl Write) -> Result<()> {
        let since = at - *self.first.get_or_insert(at);
        match event {
            Event::Planned { plan } => self.planned(plan, out)?,
            Event::Held { failure } => {
                self.is_over = true;
                writeln!(out, "  held: {}", failure.message)?;
            }
            Event::Rejected { failure } => {
                self.is_over = true;
                writeln!(out, "  rejected: {}", failure.message)?;
            }
            Event::Started { task, .. } => {
                self.began.entry(*task).or_insert(at);
            }
            Event::Waiting { task, .. } => self.line(since, *task, "waits", "", out)?,
            Event::Succeeded { task, outputs, .. } => {
                let took = self.began.get(task).map(|began| format!("{} ms", at - began));
                let detail = [took.unwrap_or_default(), brief(outputs)].join("  ");
                self.line(since, *task, "done", detail.trim_end(), out)?;
            }
            Event::Retrying { task, failure, .. } => {
                self.line(since, *task, "again", &failure.message, out)?;
            }
            Event::Failed { task, failure, .. } => {
                // Nothing moves on by itself where the order is held.
                self.is_over = true;
                self.line(since, *task, "failed", &failure.message, out)?;
            }
            Event::Unwinding { cause } => {
                self.is_over = false;
                writeln!(out, "{since:6} ms  taking back what was done: {}", cause.message)?;
            }
            Event::Undone { task } => self.line(since, *task, "undone", "", out)?,
            Event::UndoFailed { task, failure, .. } => {
                self.is_over = true;
                self.line(since, *task, "stuck", &failure.message, out)?;
            }
            Event::Ended { .. } => self.is_over = true,
            Event::Submitted { .. }
            | Event::CalledBack { .. }
            | Event::Reopened { .. }
            | Event::UndoRetrying { .. } => {}
        }
        Ok(())
    }

    fn planned(&mut self, plan: &Plan, out: &mut impl Write) -> Result<()> {
        self.plan = plan.clone();
        writeln!(out, "The plan: {} items, {} tasks.", plan.items.len(), plan.tasks.len())?;
        for (number, wave) in plan.waves().iter().enumerate() {
            let names: Vec<_> =
                wave.iter().map(|item| plan.items[item.index()].name.as_str()).collect();
            writeln!(out, "  wave {}  {}", number + 1, names.join("  "))?;
            for item in wave {
                for task in plan.tasks_of(*item) {
                    self.wave_of.insert(task, format!("wave {}", number + 1));
                }
            }
        }
        writeln!(out)?;
        Ok(())
    }

    fn line(
        &self,
        since: i64,
        task: TaskId,
        what: &str,
        detail: &str,
        out: &mut impl Write,
    ) -> Result<()> {
        let wave = self.wave_of.get(&task).map_or("", String::as_str);
        let name = self.plan.task_name(task);
        let plugin = &self.plan.step(task).plugin;
        let line = format!("{since:6} ms  {what:7} {wave:7} {name:36} {plugin:18} {detail}");
        writeln!(out, "{}", line.trim_end())?;
        Ok(())
    }
}

/// The first outputs that fit a line.
fn brief(outputs: &serde_json::Map<String, Value>) -> String {
    let short = outputs.iter().filter_map(|(name, value)| match value {
        Value::String(text) if text.chars().count() <= 40 => Some(format!("{name} {text}")),
        Value::Number(number) => Some(format!("{name} {number}")),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    });
    short.take(3).collect::<Vec<_>>().join(", ")
}
