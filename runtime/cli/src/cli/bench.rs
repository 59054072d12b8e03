//! `ferrule bench`: load against a server that runs, and what it took.

mod documents;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use hyper::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::say;
use crate::client::{Client, Login};

#[derive(Debug, Args)]
pub(crate) struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Run a workflow, again and again.
    Runs(Runs),
    /// Read, list and create documents among many.
    Documents(documents::Documents),
}

#[derive(Debug, Args)]
struct Runs {
    #[command(flatten)]
    load: Load,
    /// The workflow to run.
    #[arg(long, default_value = "six-steps")]
    workflow: String,
    /// How many runs, after as many tenths to warm up.
    #[arg(long, default_value_t = 2_000)]
    runs: usize,
}

/// What every load has.
#[derive(Debug, Args)]
struct Load {
    /// The server; load goes to this machine only.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: String,
    #[command(flatten)]
    login: Login,
    /// How many requests are in flight at one time.
    #[arg(long, default_value_t = 64)]
    in_flight: usize,
    /// The process id of the server, to measure its CPU time and memory.
    #[arg(long)]
    pid: Option<u32>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// No more than this many requests at one go.
const REQUESTS_MAX: usize = 10_000_000;

/// How long requests took, sorted, and what they cost.
struct Measured {
    latencies: Vec<Duration>,
    took: Duration,
    cpu_seconds: Option<f64>,
}

/// The figures of one kind of request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    requests: usize,
    seconds: f64,
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_ms_each: Option<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunsReport {
    #[serde(flatten)]
    measured: Report,
    workflow: String,
    #[serde(rename = "residentMiB")]
    resident_mib: Option<u64>,
}

/// A run of a workflow, as the server answers.
#[derive(Deserialize)]
struct Run {
    state: String,
}

pub(crate) async fn run(bench: Bench) -> Result<()> {
    match bench.what {
        What::Runs(runs) => runs.run().await,
        What::Documents(documents) => documents.run().await,
    }
}

impl Runs {
    async fn run(self) -> Result<()> {
        let load = &self.load;
        let path = format!("/orchestration/v1/workflows/{}/runs?wait=60s", self.workflow);
        let target = Arc::new((load.client(self.runs)?, path));
        let one = |target: Arc<(Client, String)>, _: usize| async move {
            let (client, path) = &*target;
            let input = json!({ "bench": true });
            let answer = client.send(Method::POST, path, &input).await?.success(path)?;
            if answer.json::<Run>()?.state != "completed" {
                bail!("a run answered {}", answer.text());
            }
            Ok(())
        };
        load.measure(self.runs.div_ceil(10), &target, one).await?;
        let measured = load.measure(self.runs, &target, one).await?;
        let report = RunsReport {
            measured: measured.report(),
            workflow: self.workflow,
            resident_mib: load.pid.and_then(resident_mib),
        };
        print(&report, load.json)
    }
}

impl Load {
    /// A client of the server, where the load is one that may be.
    fn client(&self, requests: usize) -> Result<Client> {
        let client = Client::new(&self.server, &self.login)?;
        let place = self.server.split_once("://").map_or("", |(_, place)| place);
        let local = ["127.0.0.1", "localhost", "[::1]"];
        if !local.iter().any(|prefix| place.starts_with(prefix)) {
            bail!("`{}` is not on this machine; load goes to loopback only", self.server);
        }
        if requests == 0 || requests > REQUESTS_MAX || self.in_flight == 0 {
            bail!("there are 1 to {REQUESTS_MAX} requests, and --in-flight is at least 1");
        }
        Ok(client)
    }

    /// Sends `requests` requests, one after the other; `one` gets what all share, and the number of each.
    async fn measure<T, F>(
        &self,
        requests: usize,
        target: &Arc<T>,
        one: impl Fn(Arc<T>, usize) -> F + Copy + Send + 'static,
    ) -> Result<Measured>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<()>> + Send,
    {
        let cpu_before = self.pid.and_then(cpu_seconds);
        let began = Instant::now();
        let next = Arc::new(AtomicUsize::new(0));
        let mut workers = Vec::new();
        for _ in 0..self.in_flight.min(requests) {
            let (target, next) = (Arc::clone(target), Arc::clone(&next));
            workers.push(tokio::spawn(async move {
                let mut latencies = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= requests {
                        return Ok::<_, anyhow::Error>(latencies);
                    }
                    let began = Instant::now();
                    one(Arc::clone(&target), number).await?;
                    latencies.push(began.elapsed());
                }
            }));
        }
        let mut latencies = Vec::with_capacity(requests);
        for worker in workers {
            latencies.extend(worker.await??);
        }
        latencies.sort_unstable();
        let cpu_after = self.pid.and_then(cpu_seconds);
        let cpu_seconds = cpu_after.zip(cpu_before).map(|(after, before)| after - before);
        Ok(Measured { latencies, took: began.elapsed(), cpu_seconds })
    }
}

impl Measured {
    fn report(&self) -> Report {
        let count = self.latencies.len() as f64;
        Report {
            requests: self.latencies.len(),
            seconds: self.took.as_secs_f64(),
            per_second: count / self.took.as_secs_f64(),
            p50_ms: self.at(0.5),
            p99_ms: self.at(0.99),
            cpu_ms_each: self.cpu_seconds.map(|cpu| cpu * 1e3 / count),
        }
    }

    /// The latency that this share of the requests stayed below, in milliseconds.
    fn at(&self, share: f64) -> f64 {
        let index = (self.latencies.len() as f64 * share) as usize;
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get(index.min(last)).copied().unwrap_or_default().as_secs_f64() * 1e3
    }
}

/// Prints a report as JSON, or as a line for each figure.
fn print(report: &impl Serialize, as_json: bool) -> Result<()> {
    let report = serde_json::to_value(report)?;
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
