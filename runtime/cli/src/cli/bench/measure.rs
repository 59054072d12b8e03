//! Requests that are sent one after the other by some clients at one time, and what they took: of the
//! clients, of the process of the server, and by the server's own counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use super::super::say;
use super::Load;
use super::process::{cpu_seconds, resident_mib, written_bytes};
use crate::client::Client;

/// How long requests took, sorted, and what they cost.
pub(super) struct Measured {
    in_flight: usize,
    latencies: Vec<Duration>,
    took: Duration,
    used: Used,
    pid: Option<u32>,
}

/// The counters of a server, or how much each has grown.
#[derive(Clone, Copy, Default)]
pub(super) struct Used {
    cpu_seconds: Option<f64>,
    written_bytes: Option<f64>,
    /// Calls to plugins.
    calls: Option<f64>,
    /// Syncs of its store.
    syncs: Option<f64>,
}

/// The figures of one kind of request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    in_flight: usize,
    requests: usize,
    seconds: f64,
    per_second: f64,
    /// Steps, as far as they are calls to plugins.
    steps_per_second: Option<f64>,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    cpu_ms_each: Option<f64>,
    #[serde(rename = "writtenKBEach")]
    written_kb_each: Option<f64>,
    syncs_per_second: Option<f64>,
    #[serde(rename = "residentMiB")]
    resident_mib: Option<u64>,
}

impl Used {
    async fn now(client: &Client, pid: Option<u32>) -> Self {
        let page = client.look("/metrics").await.and_then(|answer| answer.success("/metrics"));
        let page = page.map(|answer| answer.text().into_owned()).unwrap_or_default();
        Self {
            cpu_seconds: pid.and_then(cpu_seconds),
            written_bytes: pid.and_then(written_bytes).map(|bytes| bytes as f64),
            calls: counter(&page, "ferrule_calls_total"),
            syncs: counter(&page, "ferrule_store_syncs_total"),
        }
    }

    fn since(self, before: Self) -> Self {
        let grown = |pick: fn(&Self) -> Option<f64>| Some(pick(&self)? - pick(&before)?);
        Self {
            cpu_seconds: grown(|used| used.cpu_seconds),
            written_bytes: grown(|used| used.written_bytes),
            calls: grown(|used| used.calls),
            syncs: grown(|used| used.syncs),
        }
    }
}

/// The sum of a counter over its labels; `None` if a page does not have it.
fn counter(page: &str, name: &str) -> Option<f64> {
    let values = page.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let value = match rest.strip_prefix('{') {
            Some(labelled) => labelled.rsplit_once('}')?.1,
            None => rest,
        };
        value.trim().parse::<f64>().ok()
    });
    values.reduce(|sum, value| sum + value)
}

/// How many requests are sent, and when.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub(super) in_flight: usize,
    pub(super) requests: usize,
    /// How many begin in a second; `None` if each begins when the one before it ends.
    pub(super) rate: Option<f64>,
}

impl Pace {
    /// When a request begins: not before it is due.
    async fn begin(self, began: Instant, number: usize) -> Instant {
        let Some(rate) = self.rate else { return Instant::now() };
        let due = began + Duration::from_secs_f64(number as f64 / rate);
        tokio::time::sleep_until(due.into()).await;
        due
    }
}

/// Sends requests; `one` gets what all share, and the number of each.
pub(super) async fn measure<T, F>(
    client: &Client,
    pid: Option<u32>,
    pace: Pace,
    target: &Arc<T>,
    one: impl Fn(Arc<T>, usize) -> F + Copy + Send + 'static,
) -> Result<Measured>
where
    T: Send + Sync + 'static,
    F: Future<Output = Result<()>> + Send,
{
    let before = Used::now(client, pid).await;
    let began = Instant::now();
    let Pace { in_flight, requests, .. } = pace;
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = Vec::new();
    for _ in 0..in_flight.min(requests) {
        let (target, next) = (Arc::clone(target), Arc::clone(&next));
        workers.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= requests {
                    return Ok::<_, anyhow::Error>(latencies);
                }
                let began = pace.begin(began, number).await;
                one(Arc::clone(&target), number).await?;
                latencies.push(began.elapsed());
            }
        }));
    }
    let mut latencies = Vec::with_capacity(requests);
    for worker in workers {
        latencies.extend(worker.await??);
    }
    let took = began.elapsed();
    latencies.sort_unstable();
    let used = Used::now(client, pid).await.since(before);
    Ok(Measured { in_flight, latencies, took, used, pid })
}

/// Measures a load with each number in flight, after a tenth of it to warm up, and prints a row for each round. `target`
/// gives what the requests of a phase share, by its name.
pub(super) async fn sweep<T, F>(
    load: &Load,
    client: &Client,
    requests: usize,
    target: impl Fn(String) -> Arc<T>,
    one: impl Fn(Arc<T>, usize) -> F + Copy + Send + 'static,
) -> Result<()>
where
    T: Send + Sync + 'static,
    F: Future<Output = Result<()>> + Send,
{
    if !load.json {
        say(&HEADS.map(|head| format!("{head:>WIDTH$}")).concat())?;
    }
    for in_flight in load.in_flight.iter().copied() {
        let pace = Pace { in_flight, requests, rate: load.rate };
        let warm = Pace { requests: requests.div_ceil(10), ..pace };
        measure(client, None, warm, &target(format!("w{in_flight}")), one).await?;
        for round in 0..load.rounds {
            let target = target(format!("m{in_flight}-{round}"));
            let measured = measure(client, load.pid, pace, &target, one).await?;
            measured.report().print(load.json)?;
        }
    }
    Ok(())
}

impl Measured {
    pub(super) fn report(&self) -> Report {
        let (count, seconds) = (self.latencies.len() as f64, self.took.as_secs_f64());
        let Used { cpu_seconds, written_bytes, calls, syncs } = self.used;
        Report {
            in_flight: self.in_flight,
            requests: self.latencies.len(),
            seconds,
            per_second: count / seconds,
            steps_per_second: calls.map(|calls| calls / seconds),
            p50_ms: self.at(0.5),
            p90_ms: self.at(0.9),
            p99_ms: self.at(0.99),
            cpu_ms_each: cpu_seconds.map(|cpu| cpu * 1e3 / count),
            written_kb_each: written_bytes.map(|bytes| bytes / 1e3 / count),
            syncs_per_second: syncs.map(|syncs| syncs / seconds),
            resident_mib: self.pid.and_then(resident_mib),
        }
    }

    /// The latency that this share of the requests stayed below, in milliseconds.
    fn at(&self, share: f64) -> f64 {
        let index = (self.latencies.len() as f64 * share) as usize;
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get(index.min(last)).copied().unwrap_or_default().as_secs_f64() * 1e3
    }
}

/// The heads of the columns of a table of reports.
const HEADS: [&str; 10] = [
    "in flight",
    "per s",
    "steps/s",
    "p50 ms",
    "p90 ms",
    "p99 ms",
    "CPU ms",
    "written kB",
    "syncs/s",
    "MiB",
];

/// The width of a column.
const WIDTH: usize = 11;

impl Report {
    /// Prints it as a row of a table, or as JSON.
    fn print(&self, as_json: bool) -> Result<()> {
        if as_json {
            return say(&serde_json::to_string(self)?);
        }
        let number = |value: Option<f64>, digits: usize| match value {
            Some(value) => format!("{value:.digits$}"),
            None => "-".into(),
        };
        let cells = [
            self.in_flight.to_string(),
            number(Some(self.per_second), 0),
            number(self.steps_per_second, 0),
            number(Some(self.p50_ms), 2),
            number(Some(self.p90_ms), 2),
            number(Some(self.p99_ms), 2),
            number(self.cpu_ms_each, 3),
            number(self.written_kb_each, 1),
            number(self.syncs_per_second, 0),
            self.resident_mib.map_or_else(|| "-".into(), |mib| mib.to_string()),
        ];
        say(&cells.map(|cell| format!("{cell:>WIDTH$}")).concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_the_sum_over_its_labels() {
        let page = "# TYPE ferrule_calls counter\nferrule_calls_total 3\nferrule_calls_total_more 9\n\
                    ferrule_syncs_total{tenant=\"a\"} 4\nferrule_syncs_total{tenant=\"}b\"} 5\n";
        assert_eq!(counter(page, "ferrule_calls_total"), Some(3.0));
        assert_eq!(counter(page, "ferrule_syncs_total"), Some(9.0));
        assert_eq!(counter(page, "ferrule_none_total"), None);
    }

    #[test]
    fn latencies_are_shares_of_all_requests() {
        let latencies = (1..=100).map(Duration::from_millis).collect();
        let took = Duration::from_secs(2);
        let used = Used { cpu_seconds: Some(0.5), ..Used::default() };
        let report = Measured { in_flight: 4, latencies, took, used, pid: None }.report();
        assert_eq!((report.p50_ms, report.p90_ms, report.p99_ms), (51.0, 91.0, 100.0));
        assert_eq!((report.per_second, report.cpu_ms_each), (50.0, Some(5.0)));
        assert_eq!(report.steps_per_second, None);
    }
}
