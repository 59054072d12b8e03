use std::future::pending;

use super::*;

const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A tracer whose collector is down.
fn open(sample: Share) -> (Tracer, Exporter) {
    let url = hyper::Uri::from_static("http://127.0.0.1:1/v1/traces");
    Tracer::open(&Traces { collector: Some(Collector { url, ca: None }), sample })
}

fn span(name: &str) -> Span {
    let trace = Trace::parse(HEADER).unwrap();
    Span {
        trace,
        parent: Some([1; 8]),
        kind: Kind::Client,
        name: name.into(),
        began: 5,
        ended: 3,
        attributes: vec![("a", text("b")), ("n", Attribute::Number(7))],
        failure: Some("no answer".into()),
    }
}

#[test]
fn a_span_is_written_as_otlp_has_it() {
    let text = String::from_utf8(otlp::message(vec![span("PUT")])).unwrap();
    let whole = concat!(
        r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","#,
        r#""value":{"stringValue":"ferrule"}}]},"scopeSpans":[{"scope":{"name":"ferrule","#,
        r#""version":"0.1.0"},"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","#,
        r#""spanId":"b7ad6b7169203331","parentSpanId":"0101010101010101","name":"PUT","kind":3,"#,
        r#""startTimeUnixNano":"5","endTimeUnixNano":"5","attributes":[{"key":"a","#,
        r#""value":{"stringValue":"b"}},{"key":"n","value":{"intValue":"7"}}],"#,
        r#""status":{"code":2,"message":"no answer"}}]}]}]}"#,
    );
    assert_eq!(text, whole);
}

#[test]
fn without_a_collector_there_are_no_spans() {
    let (tracer, exporter) = Tracer::open(&Traces::default());
    assert!(exporter.0.is_none() && !tracer.is_on() && tracer.counts().is_none());
    assert_eq!(tracer.request(Some(HEADER)), None);
}

#[test]
fn a_request_goes_on_with_the_trace_of_its_client() {
    let (tracer, _exporter) = open(Share::default());
    let client = Trace::parse(HEADER).unwrap();
    let (own, parent) = tracer.request(Some(HEADER)).unwrap();
    assert_eq!((own.id, parent), (client.id, Some(client.span)));
    assert_ne!(own.span, client.span);
    for header in [None, Some("garbage")] {
        let (own, parent) = tracer.request(header).unwrap();
        assert!(own.id != client.id && parent.is_none() && own.sampled == Sampled::Yes);
    }
}

#[test]
fn of_traces_that_begin_here_a_share_is_sent_and_a_client_decides_for_its_own() {
    let (tracer, _exporter) = open(Share::of(0.0).unwrap());
    let sampled = |header| tracer.request(header).unwrap().0.sampled;
    assert_eq!((sampled(None), sampled(Some(HEADER))), (Sampled::No, Sampled::Yes));
    let (tracer, _exporter) = open(Share::of(1.0).unwrap());
    let sampled = |header| tracer.request(header).unwrap().0.sampled;
    let silent = HEADER.replace("-01", "-00");
    assert_eq!((sampled(None), sampled(Some(&silent))), (Sampled::Yes, Sampled::No));
}

#[test]
fn a_full_queue_drops_and_counts_and_an_unsampled_trace_is_passed_on_only() {
    let (tracer, _exporter) = open(Share::default());
    let mut silent = span("silent");
    silent.trace.sampled = Sampled::No;
    for _ in 0..SPANS_MAX {
        tracer.take(silent.clone());
    }
    for _ in 0..SPANS_MAX + 3 {
        tracer.take(span("PUT"));
    }
    assert_eq!(tracer.counts().unwrap().dropped.load(Ordering::Relaxed), 3);
}

#[test]
fn an_ended_fulfilment_leaves_no_beginnings() {
    let (tracer, _exporter) = open(Share::default());
    let task = |id: &str, task| (FulfilmentId::new(id), TaskId(task));
    for (id, number) in [("a", 1), ("b", 0), ("b", 7), ("c", 0)] {
        tracer.begin(task(id, number), "t", 5);
    }
    tracer.forget(&FulfilmentId::new("b"));
    let begun = |id, number| tracer.begun(&task(id, number)).is_some();
    assert_eq!(
        [begun("a", 1), begun("b", 0), begun("b", 7), begun("c", 0)],
        [true, false, false, true]
    );
}

/// Nothing listens: spans are lost, and nothing waits for that.
#[tokio::test]
async fn a_collector_that_is_down_loses_spans() {
    let (tracer, exporter) = open(Share::default());
    let (_records, published) = broadcast::channel(1);
    let exporting = tokio::spawn(exporter.run(published, pending()));
    tracer.take(span("PUT"));
    let counts = tracer.counts().unwrap();
    while counts.dropped.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(counts.sent.load(Ordering::Relaxed), 0);
    exporting.abort();
}

/// Spans that are left when the server stops are sent once.
#[tokio::test]
async fn spans_that_are_left_at_the_end_are_sent() {
    let (tracer, exporter) = open(Share::default());
    let (_records, published) = broadcast::channel(1);
    tracer.take(span("PUT"));
    exporter.run(published, std::future::ready(())).await;
    assert_eq!(tracer.counts().unwrap().dropped.load(Ordering::Relaxed), 1);
}
