//! `ferrule bench`: load against a server that runs, and what it took.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;
use hyper::Method;
use serde_json::{Value, json};

use super::say;
use crate::client::Client;

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// The server; load goes to this machine only.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: String,
    /// The workflow to run.
    #[arg(long, default_value = "six-steps")]
    workflow: String,
    /// How many runs, after as many tenths to warm up.
    #[arg(long, default_value_t = 2_000)]
    runs: usize,
    /// How many are in flight at one time.
    #[arg(long, default_value_t = 64)]
    in_flight: usize,
    /// The process id of the server, to measure its CPU time and memory.
    #[arg(long)]
    pid: Option<u32>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// No more than this many runs at one go.
const RUNS_MAX: usize = 10_000_000;

pub(crate) async fn run(bench: Bench) -> Result<()> {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    if !local.iter().any(|prefix| bench.server.starts_with(prefix)) {
        bail!("`{}` is not on this machine; load goes to loopback only", bench.server);
    }
    if bench.runs == 0 || bench.runs > RUNS_MAX || bench.in_flight == 0 {
        bail!("--runs is 1 to {RUNS_MAX}, --in-flight at least 1");
    }
    let client = Client::new(&bench.server);
    load(&client, &bench, bench.runs.div_ceil(10)).await?;
    let cpu_before = bench.pid.and_then(cpu_seconds);
    let began = Instant::now();
    let mut latencies = load(&client, &bench, bench.runs).await?;
    let took = began.elapsed();
    let cpu = bench.pid.and_then(cpu_seconds).zip(cpu_before).map(|(after, before)| after - before);
    latencies.sort_unstable();
    let at = |share: f64| {
        let index = (latencies.len() as f64 * share) as usize;
        let latency = latencies.get(index.min(latencies.len() - 1)).copied();
        latency.unwrap_or_default().as_secs_f64() * 1e3
    };
    let report = json!({
        "workflow": bench.workflow,
        "runs": bench.runs,
        "inFlight": bench.in_flight,
        "seconds": took.as_secs_f64(),
        "runsPerSecond": bench.runs as f64 / took.as_secs_f64(),
        "p50Ms": at(0.5),
        "p99Ms": at(0.99),
        "cpuMsPerRun": cpu.map(|cpu| cpu * 1e3 / bench.runs as f64),
        "residentMiB": bench.pid.and_then(resident_mib),
    });
    print(&report, bench.json)
}

fn print(report: &Value, as_json: bool) -> Result<()> {
    if as_json {
        return say(&report.to_string());
    }
    for (name, value) in report.as_object().into_iter().flatten() {
        match value.as_f64() {
            Some(number) if value.is_f64() => say(&format!("{name:14} {number:.3}"))?,
            _ => say(&format!("{name:14} {value}"))?,
        }
    }
    Ok(())
}

/// Makes so many runs, each waited for to its end; answers with how long each took.
async fn load(client: &Client, bench: &Bench, runs: usize) -> Result<Vec<Duration>> {
    let path: Arc<str> =
        format!("/orchestration/v1/workflows/{}/runs?wait=60s", bench.workflow).into();
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = Vec::new();
    for _ in 0..bench.in_flight.min(runs) {
        let (client, path, next) = (client.clone(), Arc::clone(&path), Arc::clone(&next));
        workers.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            while next.fetch_add(1, Ordering::Relaxed) < runs {
                let began = Instant::now();
                let input = json!({ "bench": true });
                let (status, body) = client.send(Method::POST, &path, Some(&input)).await?;
                let state = body.get("state").and_then(Value::as_str).unwrap_or_default();
                if !status.is_success() || state != "completed" {
                    bail!("a run answered {status}: {body}");
                }
                latencies.push(began.elapsed());
            }
            Ok(latencies)
        }));
    }
    let mut latencies = Vec::with_capacity(runs);
    for worker in workers {
        latencies.extend(worker.await??);
    }
    Ok(latencies)
}

/// The CPU time that a process has used so far, as Linux tells.
fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    // Linux counts in hundredths of a second on every machine we know.
    Some(ticks / 100.0)
}

fn resident_mib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1024)
}
