//! A worker whose calls are spans, and whose requests are their children.

use std::pin::Pin;

use engine::scratch::Scratch;
use engine::telemetry::Sent;
use engine::trace::Trace;
use engine::worker::{Call, Effects, Report, Resolved, Worker};
use host::Host;
use model::{Digest, Outcome, PluginId};

use super::{Attribute, Kind, Span, Tracer, now, text};

/// Runs plugins, and takes spans of it.
#[derive(Clone, Debug)]
pub(crate) struct Traced {
    pub(crate) host: Host,
    pub(crate) tracer: Tracer,
}

impl Worker for Traced {
    fn resolve(&self, plugin: &PluginId) -> Option<Resolved> {
        self.host.resolve(plugin)
    }

    fn effects(&self, digest: &Digest) -> Option<Effects> {
        self.host.effects(digest)
    }

    fn scratch(&self) -> Scratch {
        self.host.scratch()
    }

    fn run(&self, mut call: Call) -> Pin<Box<dyn Future<Output = Report> + Send>> {
        let Some(task) = call.trace.filter(|_| self.tracer.is_on()) else {
            call.trace = None;
            return self.host.run(call);
        };
        let (tracer, began) = (self.tracer.clone(), now());
        tracer.begin((call.fulfilment.clone(), call.task), &call.name, began);
        // Each call for an attempt has a name of its own in the trace.
        let (operation, attempt) = (call.operation.name(), call.attempt);
        let name = format!("{}:{}:{operation}:{attempt}:{began}", call.fulfilment, call.task);
        let trace = task.named(&name);
        call.trace = Some(trace);
        let mut span = Span {
            trace,
            parent: Some(task.span),
            kind: Kind::Internal,
            name: format!("{operation} {}", call.plugin),
            began,
            ended: began,
            attributes: vec![
                ("ferrule.plugin", text(call.plugin.as_str())),
                ("ferrule.digest", text(call.digest.as_str())),
                ("ferrule.attempt", Attribute::Number(attempt.into())),
            ],
            failure: None,
        };
        let running = self.host.run(call);
        Box::pin(async move {
            let report = running.await;
            span.ended = now();
            if let Outcome::Failed(failure) = &report.outcome {
                span.failure = Some(failure.code.to_string());
            }
            let sent = report.telemetry.as_ref().map_or(&[][..], |telemetry| &telemetry.sent);
            for request in sent {
                tracer.take(requested(trace, began, request));
            }
            tracer.take(span);
            report
        })
    }
}

/// The span of a request of a plugin.
fn requested(call: Trace, began: u64, sent: &Sent) -> Span {
    let Sent { span, method, target, after_us, took_us, status } = sent;
    let began = began.saturating_add(after_us.saturating_mul(1_000));
    let mut attributes = vec![
        ("http.request.method", text(method.as_str())),
        ("server.address", text(target.as_str())),
    ];
    if let Some(status) = status {
        attributes.push(("http.response.status_code", Attribute::Number((*status).into())));
    }
    let failure = match status {
        None => Some("no answer".to_owned()),
        Some(status) if *status >= 400 => Some(status.to_string()),
        Some(_) => None,
    };
    Span {
        trace: Trace { span: *span, ..call },
        parent: Some(call.span),
        kind: Kind::Client,
        name: method.clone(),
        began,
        ended: began.saturating_add(took_us.saturating_mul(1_000)),
        attributes,
        failure,
    }
}
