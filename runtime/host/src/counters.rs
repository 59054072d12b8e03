//! What plugins do, counted for `/metrics`. Codes are the plugins' to choose and targets may be many, so
//! the values of labels are bounded: what is one too many is counted as [`OTHER`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use engine::telemetry::Figures;
use model::{Failure, FailureClass, Outcome};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The value of a label in the place of one too many.
const OTHER: &str = "other";

/// Max plugins that are counted by their id.
const PLUGINS_MAX: usize = 256;

/// Max codes of failures of a plugin that are counted by themselves.
const CODES_MAX: usize = 32;

/// Max targets of a plugin that are counted by themselves.
const TARGETS_MAX: usize = 32;

/// The upper bounds of the histograms, in seconds.
const BOUNDS: [f64; 12] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// The counts of all plugins of a host.
pub(crate) struct Counters {
    calls: Family<Called, Counter>,
    failures: Family<Failed, Counter>,
    seconds: Family<Plugin, Histogram, fn() -> Histogram>,
    cpu_seconds: Family<Plugin, Counter<f64, AtomicU64>>,
    requests: Family<Requested, Counter>,
    request_seconds: Family<Target, Histogram, fn() -> Histogram>,
    shadows: Family<Shadowed, Counter>,
    labels: Mutex<Labels>,
}

/// The values of labels that are in use.
#[derive(Debug, Default)]
struct Labels(BTreeMap<String, Known>);

/// Those of one plugin.
#[derive(Debug, Default)]
struct Known {
    codes: BTreeSet<String>,
    targets: BTreeSet<String>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Plugin {
    plugin: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Called {
    plugin: String,
    operation: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Failed {
    plugin: String,
    class: &'static str,
    code: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Requested {
    plugin: String,
    target: String,
    status: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Target {
    plugin: String,
    target: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Shadowed {
    plugin: String,
    verdict: &'static str,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It was answered, with this status.
    Answered(u16),
    /// It was not answered.
    Unanswered,
    /// It was not sent, since it is not granted.
    Denied,
}

impl Default for Counters {
    fn default() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BOUNDS);
        Self {
            calls: Family::default(),
            failures: Family::default(),
            seconds: Family::new_with_constructor(histogram),
            cpu_seconds: Family::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(histogram),
            shadows: Family::default(),
            labels: Mutex::default(),
        }
    }
}

impl Counters {
    /// Counts a call for a task.
    pub(crate) fn attempted(&self, plugin: &str, figures: &Figures, outcome: &Outcome) {
        let (ended, failure) = match outcome {
            Outcome::Done(_) => ("done", None),
            Outcome::Waiting(_) => ("waiting", None),
            Outcome::Failed(failure) => ("failed", Some(failure)),
        };
        self.count(plugin, figures, ended, failure);
    }

    /// Counts a call that is for no task.
    pub(crate) fn asked(&self, plugin: &str, figures: &Figures, failure: Option<&Failure>) {
        let ended = if failure.is_some() { "failed" } else { "done" };
        self.count(plugin, figures, ended, failure);
    }

    fn count(
        &self,
        plugin: &str,
        figures: &Figures,
        outcome: &'static str,
        failure: Option<&Failure>,
    ) {
        let (plugin, code) = self.labels(|labels| {
            let code = failure.map(|failure| labels.code(plugin, failure.code.as_str()));
            (labels.plugin(plugin), code)
        });
        if let (Some(failure), Some(code)) = (failure, code) {
            let failed = Failed { plugin: plugin.clone(), class: class(failure.class), code };
            self.failures.get_or_create(&failed).inc();
        }
        let called =
            Called { plugin: plugin.clone(), operation: figures.operation.clone(), outcome };
        self.calls.get_or_create(&called).inc();
        let plugin = Plugin { plugin };
        self.seconds.get_or_create(&plugin).observe(seconds(figures.took_us));
        self.cpu_seconds.get_or_create(&plugin).inc_by(seconds(figures.cpu_us));
    }

    /// Counts a request of a plugin to a target, by its host and port.
    pub(crate) fn requested(&self, plugin: &str, target: &str, status: Status, took: Duration) {
        let (plugin, target) = self.labels(|labels| {
            let target = match status {
                // What is asked for in vain takes the place of no target that is granted.
                Status::Denied => OTHER.to_owned(),
                Status::Answered(_) | Status::Unanswered => labels.target(plugin, target),
            };
            (labels.plugin(plugin), target)
        });
        let status = status.class();
        let requested = Requested { plugin: plugin.clone(), target: target.clone(), status };
        self.requests.get_or_create(&requested).inc();
        let target = Target { plugin, target };
        self.request_seconds.get_or_create(&target).observe(took.as_secs_f64());
    }

    /// Counts a call that a version in shadow repeated.
    pub(crate) fn shadowed(&self, plugin: &str, verdict: &'static str) {
        let plugin = self.labels(|labels| labels.plugin(plugin));
        self.shadows.get_or_create(&Shadowed { plugin, verdict }).inc();
    }

    /// Adds them to a page of metrics.
    pub(crate) fn register(&self, page: &mut Registry) {
        page.register("plugin_calls", "Calls of plugins that ended", self.calls.clone());
        page.register("plugin_failures", "Failures of plugins", self.failures.clone());
        page.register("plugin_call_seconds", "How long calls took", self.seconds.clone());
        page.register("plugin_cpu_seconds", "Processor time of calls", self.cpu_seconds.clone());
        page.register("plugin_requests", "HTTP requests of plugins", self.requests.clone());
        let (name, help) = ("plugin_request_seconds", "How long answers took to begin");
        page.register(name, help, self.request_seconds.clone());
        let help = "Calls that a version in shadow repeated";
        page.register("plugin_shadow_calls", help, self.shadows.clone());
    }

    fn labels<T>(&self, pick: impl FnOnce(&mut Labels) -> T) -> T {
        // Every change leaves the labels consistent, so a poisoned lock is still good.
        pick(&mut self.labels.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Labels {
    fn plugin(&mut self, plugin: &str) -> String {
        if self.0.contains_key(plugin) {
            return plugin.to_owned();
        }
        if self.0.len() >= PLUGINS_MAX {
            return OTHER.to_owned();
        }
        self.0.insert(plugin.to_owned(), Known::default());
        plugin.to_owned()
    }

    fn code(&mut self, plugin: &str, code: &str) -> String {
        let plugin = self.plugin(plugin);
        one_of(&mut self.0.entry(plugin).or_default().codes, code, CODES_MAX)
    }

    fn target(&mut self, plugin: &str, target: &str) -> String {
        let plugin = self.plugin(plugin);
        one_of(&mut self.0.entry(plugin).or_default().targets, target, TARGETS_MAX)
    }
}

impl Status {
    fn class(self) -> &'static str {
        match self {
            Self::Answered(status) => match status / 100 {
                1 => "1xx",
                2 => "2xx",
                3 => "3xx",
                4 => "4xx",
                _ => "5xx",
            },
            Self::Unanswered => "none",
            Self::Denied => "denied",
        }
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counters")
    }
}

/// A value if it is known, or there is room for it.
fn one_of(known: &mut BTreeSet<String>, value: &str, max: usize) -> String {
    if known.contains(value) {
        return value.to_owned();
    }
    if known.len() >= max {
        return OTHER.to_owned();
    }
    known.insert(value.to_owned());
    value.to_owned()
}

fn class(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Retry => "retry",
        FailureClass::Reject => "reject",
        FailureClass::Operator => "operator",
    }
}

fn seconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64()
}

#[cfg(test)]
mod tests;
