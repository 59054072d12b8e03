//! `ferrule attempts`: what plugins did for an order, from a server that runs.

use anyhow::Result;
use clap::Args;
use engine::telemetry::Exchange;
use serde::Deserialize;

use super::import::escaped;
use super::say;
use crate::client::{Client, Login};

/// Attempts that are asked for at once.
const AT_ONCE: usize = 20;

/// The bytes of a body that are printed.
const BODY_BYTES_MAX: usize = 400;

#[derive(Debug, Args)]
pub(crate) struct Attempts {
    /// The order, fulfilment or run.
    fulfilment: String,
    /// A task, such as `RFS-VLAN.activate`: prints its HTTP exchanges and its log too.
    task: Option<String>,
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: String,
    #[command(flatten)]
    login: Login,
}

/// An attempt as the server shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attempt {
    task: Option<String>,
    attempt: u32,
    operation: String,
    ended_at: String,
    outcome: String,
    code: Option<String>,
    took_us: u64,
    cpu_us: u64,
    #[serde(rename = "memoryKiB")]
    memory_kib: u32,
    #[serde(default)]
    exchanges: Vec<Exchange>,
    #[serde(default)]
    exchanges_dropped: u32,
    log: Option<Vec<String>>,
}

pub(crate) async fn run(asked: Attempts) -> Result<()> {
    let client = Client::new(&asked.server, &asked.login)?;
    let fulfilment = escaped(&asked.fulfilment);
    let path = match &asked.task {
        Some(task) => format!("{fulfilment}/tasks/{}/attempts", escaped(task)),
        None => format!("{fulfilment}/attempts"),
    };
    let mut offset = 0;
    loop {
        let query = format!("limit={AT_ONCE}&offset={offset}");
        let path = format!("/orchestration/v1/fulfilments/{path}?{query}");
        let attempts: Vec<Attempt> = client.get(&path).await?;
        for attempt in &attempts {
            attempt.print()?;
        }
        if attempts.len() < AT_ONCE {
            return Ok(());
        }
        offset += AT_ONCE;
    }
}

impl Attempt {
    fn print(&self) -> Result<()> {
        let Self { attempt, operation, ended_at, took_us, cpu_us, memory_kib, .. } = self;
        let task = self.task.as_deref().unwrap_or("-");
        let ended = self.code.as_deref().unwrap_or(&self.outcome);
        say(&format!(
            "{ended_at} {task} #{attempt} {operation}: {ended}, took {} ms, processor {} ms, \
             {memory_kib} KiB",
            millis(*took_us),
            millis(*cpu_us),
        ))?;
        for exchange in &self.exchanges {
            say(&shown(exchange))?;
        }
        if self.exchanges_dropped > 0 {
            say(&format!("  {} more exchanges were not kept", self.exchanges_dropped))?;
        }
        for line in self.log.iter().flatten() {
            say(&format!("  log {line}"))?;
        }
        Ok(())
    }
}

fn shown(exchange: &Exchange) -> String {
    let Exchange { took_us, method, url, request, status, answer, failure, .. } = exchange;
    let status = status.map(|status| status.to_string());
    let ended = [status.as_deref(), failure.as_deref()].into_iter().flatten();
    let ended = ended.collect::<Vec<_>>().join(", ");
    let mut text = format!("  {method} {url} -> {ended} in {} ms", millis(*took_us));
    let bodies = [(">", Some(request)), ("<", answer.as_ref())];
    for (mark, message) in bodies {
        let Some(body) = message.and_then(|message| message.body.as_deref()) else { continue };
        let short = &body[..body.floor_char_boundary(BODY_BYTES_MAX)];
        let one_line = short.replace(['\n', '\r', '\t'], " ");
        let more = if short.len() < body.len() { "..." } else { "" };
        text.push_str(&format!("\n    {mark} {one_line}{more}"));
    }
    text
}

/// Microseconds in milliseconds, with three digits after the point.
fn millis(micros: u64) -> String {
    format!("{}.{:03}", micros / 1_000, micros % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_is_a_line_with_its_bodies_below() {
        let exchange = serde_json::json!({
            "afterUs": 1, "tookUs": 1_002, "method": "PUT", "url": "http://olt-1/ports/1",
            "request": { "headers": [], "body": "{\n}", "bodyBytes": 3 },
            "status": 503, "answer": { "headers": [], "body": "x".repeat(401), "bodyBytes": 401 },
        });
        let text = shown(&serde_json::from_value(exchange).unwrap());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "  PUT http://olt-1/ports/1 -> 503 in 1.002 ms");
        assert_eq!(lines[1], "    > { }");
        assert_eq!(lines[2], format!("    < {}...", "x".repeat(400)));
    }
}
