//! Metrics in the text format of OpenMetrics 1.0, which Prometheus reads.

mod families;

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use axum::response::Response;
use host::State;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::call::Call;
use super::problem::Problem;
use super::{ServerState, answer};
use crate::access::{ApiName, Permission, Verb};
use crate::config::tenants::DEFAULT;

/// The upper bounds of the latency histogram, in seconds.
const BOUNDS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// The method of a request, as it is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct MethodName(&'static str);

/// Requests by route, method and status, with their latency by route and method.
#[derive(Debug)]
pub(super) struct Metrics {
    requests: Family<Answered, Counter>,
    seconds: Family<Asked, Histogram, fn() -> Histogram>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answered {
    route: &'static str,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Asked {
    route: &'static str,
    method: &'static str,
}

impl MethodName {
    /// A client may send unknown methods; they are counted as one.
    pub(super) fn of(method: &Method) -> Self {
        Self(match *method {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::PATCH => "PATCH",
            Method::DELETE => "DELETE",
            Method::OPTIONS => "OPTIONS",
            _ => "other",
        })
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BOUNDS);
        Self { requests: Family::default(), seconds: Family::new_with_constructor(histogram) }
    }
}

impl Metrics {
    /// Counts an answered request.
    pub(super) fn count(
        &self,
        route: &'static str,
        MethodName(method): MethodName,
        status: StatusCode,
        took: Duration,
    ) {
        let answered = Answered { route, method, status: status.as_u16() };
        self.requests.get_or_create(&answered).inc();
        self.seconds.get_or_create(&Asked { route, method }).observe(took.as_secs_f64());
    }
}

/// The permission to read the metrics of all tenants. No route demands it.
pub(super) fn permission() -> Permission {
    Permission { api: ApiName::Server, resource: "tenants".into(), verb: Verb::Read }
}

/// The metrics as text: those of the tenant, and of the tenants that are served behind it for a client that
/// may read them.
pub(super) fn render(server: &ServerState, call: &Call) -> Result<Response, Problem> {
    let sees_all = call.admitted.reader.may(&permission()).is_all();
    let shown = server.all().take(if sees_all { usize::MAX } else { 1 });
    let pages = shown.map(page_of).collect::<Result<Vec<_>, _>>();
    let pages = pages.map_err(|error| Problem::ours(&error))?;
    let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(answer::with_type(StatusCode::OK, media_type, families::joined(&pages)))
}

/// The metrics of one tenant, which names it where there are several.
fn page_of(server: &ServerState) -> Result<String, fmt::Error> {
    let is_only = server.tenant.is_none() && server.tenants.is_empty();
    let name = server.name().unwrap_or(DEFAULT).to_owned();
    let label = (Cow::Borrowed("tenant"), Cow::Owned(name));
    let labels = (!is_only).then_some(label).into_iter();
    let mut page = Page(Registry::with_prefix_and_labels("ferrule", labels));
    page.packs(server);
    page.retention(server);
    page.fulfilments(server);
    page.store(server);
    page.plugins(server);
    page.traces(server);
    page.audit(server);
    page.tls(server);
    page.requests(&server.metrics);
    page.text()
}

/// The metrics of one answer. Most are counted elsewhere, and read here.
struct Page(Registry);

impl Page {
    fn gauge(&mut self, name: &str, help: &str, number: impl TryInto<i64>) {
        self.0.register(name, help, ConstGauge::new(number.try_into().unwrap_or(i64::MAX)));
    }

    fn gauge_of(&mut self, name: &str, help: &str, number: &AtomicU64) {
        self.gauge(name, help, number.load(Ordering::Relaxed));
    }

    /// A counter; the text format adds `_total` to its name.
    fn counter(&mut self, name: &str, help: &str, number: &AtomicU64) {
        self.0.register(name, help, ConstCounter::new(number.load(Ordering::Relaxed)));
    }

    fn packs(&mut self, server: &ServerState) {
        let rulebook = server.rulebooks.current();
        let in_use = rulebook.packs().filter(|pack| !rulebook.is_kept(&pack.name)).count();
        self.gauge("packs", "Packs that are in use", in_use);
        let left_out = rulebook.left_out().len();
        self.gauge("packs_left_out", "Packs that are left out for a mistake", left_out);
    }

    fn retention(&mut self, server: &ServerState) {
        let removed = &server.removed;
        self.counter("removed_runs", "Runs that were removed by retention", &removed.runs);
        self.counter(
            "removed_orders",
            "Journals of orders that were removed by retention",
            &removed.orders,
        );
        self.counter(
            "removed_logs",
            "Logs and figures of attempts that were removed by retention",
            &removed.logs,
        );
        self.counter(
            "removed_exchanges",
            "HTTP exchanges of attempts that were removed by retention",
            &removed.exchanges,
        );
        self.counter(
            "removed_submissions",
            "Keys of submissions that were removed by retention",
            &removed.submissions,
        );
        let help = "Entries of the audit that were removed by retention";
        self.counter("removed_audit_entries", help, &removed.audit);
    }

    fn fulfilments(&mut self, server: &ServerState) {
        let counters = server.engine.counters();
        self.gauge_of("open_fulfilments", "Open fulfilments", &counters.open);
        self.gauge_of(
            "open_fulfilments_asleep",
            "Open fulfilments that wait and have left memory",
            &counters.asleep,
        );
        self.gauge_of(
            "open_fulfilments_bytes",
            "Bytes of the journals of open fulfilments that are in memory",
            &counters.open_bytes,
        );
        self.gauge_of(
            "set_aside",
            "Fulfilments that are set aside, since their journal cannot be carried on",
            &counters.set_aside,
        );
        self.gauge_of(
            "callbacks_kept",
            "Callbacks that are kept until their task waits for them",
            &counters.callbacks_kept,
        );
        self.gauge_of(
            "callbacks_kept_bytes",
            "Bytes of the bodies of these callbacks",
            &counters.callbacks_kept_bytes,
        );
        self.counter("submitted", "Fulfilments that were submitted", &counters.submitted);
        self.counter("ended", "Fulfilments that ended", &counters.ended);
        self.counter("calls", "Calls to plugins", &counters.calls);
        self.counter("commits", "Commits", &counters.commits);
    }

    fn store(&mut self, server: &ServerState) {
        let counters = server.engine.counters();
        self.gauge_of(
            "unreadable_facts",
            "Reservations and callbacks that could not be read",
            &counters.unreadable_facts,
        );
        self.gauge(
            "unreadable_documents",
            "Documents that were met and cannot be read",
            counters.unreadable.count(),
        );
        let syncs = AtomicU64::new(server.engine.store().syncs());
        self.counter("store_syncs", "Syncs of the store, each with all commits until then", &syncs);
        self.gauge(
            "store_reads",
            "Reads of documents under way, each on a thread of its own",
            server.documents.reads(),
        );
    }

    fn plugins(&mut self, server: &ServerState) {
        let host = &server.plugins.host;
        let plugins = host.list();
        let ready = plugins.iter().filter(|plugin| plugin.state == State::Ready).count();
        self.gauge(
            "plugin_instances",
            "Instances of plugins that calls have now",
            host.instances(),
        );
        self.gauge("plugins_ready", "Plugins that can be called", ready);
        self.gauge("plugins_rejected", "Plugin files that were not taken", plugins.len() - ready);
        host.count(&mut self.0);
    }

    fn audit(&mut self, server: &ServerState) {
        let progress = server.audit.progress();
        if !progress.is_on.load(Ordering::Relaxed) {
            return;
        }
        let (head, sent) =
            (progress.head.load(Ordering::Relaxed), progress.sent.load(Ordering::Relaxed));
        let lag = head.saturating_sub(sent);
        self.gauge("audit_syslog_lag", "Entries of the audit that are not sent yet", lag);
        let help = "Connections to the receiver of the audit that failed";
        self.counter("audit_syslog_failures", help, &progress.failures);
    }

    fn traces(&mut self, server: &ServerState) {
        let Some(counts) = server.tracer.counts() else { return };
        self.counter("spans_sent", "Spans that the collector of traces took", &counts.sent);
        self.counter(
            "spans_dropped",
            "Spans that were dropped: the queue was full, or the collector did not take them",
            &counts.dropped,
        );
    }

    fn tls(&mut self, server: &ServerState) {
        let Some(tls) = &server.tls else { return };
        if let Some(left) = tls.now().expires_in_s() {
            self.gauge(
                "tls_certificate_expiry_seconds",
                "Seconds until the certificate of the listener expires, negative after that",
                left,
            );
        }
        let counts = &tls.counts;
        self.counter(
            "tls_reloads",
            "Changed certificates that were taken into use",
            &counts.reloads,
        );
        self.counter(
            "tls_reloads_rejected",
            "Changed certificates that cannot be used",
            &counts.rejected,
        );
        self.counter(
            "tls_handshakes_failed",
            "Connections that ended before TLS was established",
            &counts.failed_handshakes,
        );
    }

    fn requests(&mut self, metrics: &Metrics) {
        let (requests, seconds) = (metrics.requests.clone(), metrics.seconds.clone());
        self.0.register("http_requests", "Requests that were answered", requests);
        self.0.register("http_request_seconds", "How long answers took to begin", seconds);
    }

    fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.0)?;
        Ok(text)
    }
}
