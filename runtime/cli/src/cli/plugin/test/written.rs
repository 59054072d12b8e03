//! Writes cases: YAML, with JSON for what is within.

use anyhow::Result;
use serde::Serialize;

use super::case::{Exchange, Written};
use super::json::Json;

/// The text of a case to which exchanges are added, and outputs if there are any.
pub(super) fn extended(text: &str, made: &[Exchange], outputs: Option<&Json>) -> Result<String> {
    let mut text = text.trim_end().to_owned();
    text.push('\n');
    text.push_str(&exchanges(made)?);
    if let Some(outputs) = outputs {
        match text.lines().position(|line| line.trim_end() == "expect:") {
            Some(at) => {
                let mut lines: Vec<&str> = text.lines().collect();
                let line = format!("  outputs: {}", json(outputs)?);
                lines.insert(at + 1, &line);
                return Ok(format!("{}\n", lines.join("\n")));
            }
            None => text.push_str(&format!("expect:\n  outputs: {}\n", json(outputs)?)),
        }
    }
    Ok(text)
}

/// The text of a new case.
pub(in crate::cli::plugin) fn whole(comment: &[String], written: &Written) -> Result<String> {
    let mut lines: Vec<String> = comment.iter().map(|line| format!("# {line}")).collect();
    lines.push(format!("about: {}", json(&written.about)?));
    lines.push("task:".into());
    lines.push(format!("  spec: {}", json(&written.task.spec)?));
    lines.push(format!("  action: {}", json(&written.task.action)?));
    lines.push(format!("  characteristics: {}", json(&written.task.characteristics)?));
    lines.push(format!("  input: {}", json(&written.task.input)?));
    lines.push("settings:".into());
    for (name, value) in &written.settings {
        lines.push(format!("  {}: {}", json(name)?, json(value)?));
    }
    if let Some(disturb) = &written.disturb {
        lines.push(format!("disturb: {}", json(disturb)?));
    }
    lines.push(exchanges(&written.exchanges)?.trim_end().into());
    lines.push(format!("expect: {}\n", json(&written.expect)?));
    Ok(lines.join("\n"))
}

fn exchanges(made: &[Exchange]) -> Result<String> {
    if made.is_empty() {
        return Ok("exchanges: []\n".into());
    }
    let mut lines = vec!["exchanges:".to_owned()];
    for exchange in made {
        lines.push(format!("  - does: {}", json(&exchange.does)?));
        lines.push(format!("    request: {}", json(&exchange.request)?));
        lines.push(format!("    answer: {}", json(&exchange.answer)?));
        for (name, answer) in [("absent", &exchange.absent), ("repeated", &exchange.repeated)] {
            if let Some(answer) = answer {
                lines.push(format!("    {name}: {}", json(answer)?));
            }
        }
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

fn json(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string(value)?)
}
