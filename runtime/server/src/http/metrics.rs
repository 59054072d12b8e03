//! Metrics in the text format of Prometheus. It is a few lines of ours; a library would
//! bring a registry that nothing else here needs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use host::State;

use super::problem::Problem;
use super::{ServerState, answer};

/// The upper bounds of the latency histogram, in milliseconds.
const BOUNDS_MS: [u64; 12] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 30_000];

/// Requests by route and status, with their latency. One lock for all: it is locked for some dozens
/// of nanoseconds for each request.
#[derive(Debug, Default)]
pub(super) struct Metrics(Mutex<BTreeMap<(&'static str, &'static str), Series>>);

#[derive(Clone, Debug, Default)]
struct Series {
    by_status: BTreeMap<u16, u64>,
    within: [u64; BOUNDS_MS.len()],
    count: u64,
    micros: u64,
}

impl Metrics {
    /// Counts an answered request.
    pub(super) fn count(
        &self,
        route: &'static str,
        method: &Method,
        status: StatusCode,
        took: Duration,
    ) {
        let mut routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let series = routes.entry((route, name_of(method))).or_default();
        *series.by_status.entry(status.as_u16()).or_default() += 1;
        series.count += 1;
        series.micros += u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bound = BOUNDS_MS.iter().position(|bound| took <= Duration::from_millis(*bound));
        if let Some(bound) = bound {
            series.within[bound] += 1;
        }
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let routes = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let name = "ferrule_http_requests_total";
        writeln!(text, "# HELP {name} Requests that were answered.\n# TYPE {name} counter")?;
        for ((route, method), series) in &routes {
            for (status, count) in &series.by_status {
                let labels = format!("route=\"{route}\",method=\"{method}\",status=\"{status}\"");
                writeln!(text, "{name}{{{labels}}} {count}")?;
            }
        }
        let name = "ferrule_http_request_seconds";
        writeln!(text, "# HELP {name} How long answers took to begin.\n# TYPE {name} histogram")?;
        for ((route, method), series) in &routes {
            let labels = format!("route=\"{route}\",method=\"{method}\"");
            let mut below = 0;
            for (bound, count) in BOUNDS_MS.iter().zip(series.within) {
                below += count;
                let bound = Duration::from_millis(*bound).as_secs_f64();
                writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {below}")?;
            }
            writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", series.count)?;
            let seconds = Duration::from_micros(series.micros).as_secs_f64();
            writeln!(text, "{name}_sum{{{labels}}} {seconds}")?;
            writeln!(text, "{name}_count{{{labels}}} {}", series.count)?;
        }
        Ok(())
    }
}

/// All metrics as text.
pub(super) fn render(server: &ServerState) -> Result<Response, Problem> {
    let mut text = String::new();
    write(server, &mut text).map_err(|error| Problem::ours(&error))?;
    let media_type = "text/plain; version=0.0.4; charset=utf-8";
    Ok(answer::with_type(StatusCode::OK, media_type, text))
}

fn write(server: &ServerState, text: &mut String) -> std::fmt::Result {
    for (name, kind, help, number) in numbers(server) {
        writeln!(text, "# HELP ferrule_{name} {help}\n# TYPE ferrule_{name} {kind}")?;
        writeln!(text, "ferrule_{name} {number}")?;
    }
    server.metrics.write(text)
}

/// A name, a type, a description and a number.
type Number = (&'static str, &'static str, &'static str, u64);

#[expect(clippy::too_many_lines, reason = "a table")]
fn numbers(server: &ServerState) -> Vec<Number> {
    let counters = server.engine.counters();
    let plugins = server.plugins.host.list();
    let ready = plugins.iter().filter(|plugin| plugin.state == State::Ready).count();
    let removed = &server.removed;
    let rulebook = server.rulebooks.current();
    let left_out = rulebook.left_out().len();
    let in_use = rulebook.packs().filter(|pack| !rulebook.is_kept(&pack.name)).count();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    vec![
        ("packs", "gauge", "Packs that are in use.", count(in_use)),
        ("packs_left_out", "gauge", "Packs that are left out for a mistake.", count(left_out)),
        (
            "removed_runs_total",
            "counter",
            "Runs that were removed by retention.",
            removed.runs.load(Ordering::Relaxed),
        ),
        (
            "removed_orders_total",
            "counter",
            "Journals of orders that were removed by retention.",
            removed.orders.load(Ordering::Relaxed),
        ),
        (
            "removed_logs_total",
            "counter",
            "Logs of attempts that were removed by retention.",
            removed.logs.load(Ordering::Relaxed),
        ),
        (
            "removed_submissions_total",
            "counter",
            "Keys of submissions that were removed by retention.",
            removed.submissions.load(Ordering::Relaxed),
        ),
        ("open_fulfilments", "gauge", "Open fulfilments.", counters.open.load(Ordering::Relaxed)),
        (
            "open_fulfilments_bytes",
            "gauge",
            "Bytes of the journals of open fulfilments.",
            counters.open_bytes.load(Ordering::Relaxed),
        ),
        (
            "set_aside",
            "gauge",
            "Fulfilments that are set aside, since their journal cannot be carried on.",
            counters.set_aside.load(Ordering::Relaxed),
        ),
        (
            "unreadable_facts",
            "gauge",
            "Reservations and callbacks that could not be read.",
            counters.unreadable_facts.load(Ordering::Relaxed),
        ),
        (
            "callbacks_kept",
            "gauge",
            "Callbacks that are kept until their task waits for them.",
            counters.callbacks_kept.load(Ordering::Relaxed),
        ),
        (
            "callbacks_kept_bytes",
            "gauge",
            "Bytes of the bodies of these callbacks.",
            counters.callbacks_kept_bytes.load(Ordering::Relaxed),
        ),
        (
            "submitted_total",
            "counter",
            "Fulfilments that were submitted.",
            counters.submitted.load(Ordering::Relaxed),
        ),
        (
            "ended_total",
            "counter",
            "Fulfilments that ended.",
            counters.ended.load(Ordering::Relaxed),
        ),
        ("calls_total", "counter", "Calls to plugins.", counters.calls.load(Ordering::Relaxed)),
        ("commits_total", "counter", "Commits.", counters.commits.load(Ordering::Relaxed)),
        (
            "unreadable_documents",
            "gauge",
            "Documents that were met and cannot be read.",
            counters.unreadable.count() as u64,
        ),
        (
            "store_reads",
            "gauge",
            "Reads of documents under way, each on a thread of its own.",
            server.documents.reads(),
        ),
        (
            "plugin_instances",
            "gauge",
            "Instances of plugins that calls have now.",
            count(server.plugins.host.instances()),
        ),
        ("plugins_ready", "gauge", "Plugins that can be called.", ready as u64),
        (
            "plugins_rejected",
            "gauge",
            "Plugin files that were not taken.",
            (plugins.len() - ready) as u64,
        ),
    ]
}

/// A client may send unknown methods; they are counted as one.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
