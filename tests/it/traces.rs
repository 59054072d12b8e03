//! One trace from the client to the element, sent to a collector.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::world::{Receiver, Settings, World, eventually, text};

const CLIENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

async fn traced(collector: &str) -> World {
    let tail = format!("[traces]\ncollector = \"{collector}\"\n");
    World::with(Settings { tail, ..Settings::default() }).await
}

fn spans(taken: &[(String, Value)]) -> Vec<Value> {
    let all = taken.iter().filter(|(path, _)| path == "/v1/traces").flat_map(|(_, message)| {
        message["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap()
    });
    all.filter(|span| span["traceId"] == TRACE).cloned().collect()
}

fn has(taken: &[(String, Value)], name: &str) -> bool {
    spans(taken).iter().any(|span| span["name"] == name)
}

/// The names of the parents of a span, up to that of the client.
fn above(spans: &[Value], name: &str) -> Vec<String> {
    let by_id: BTreeMap<String, &Value> =
        spans.iter().map(|span| (text(&span["spanId"]), span)).collect();
    let mut names = Vec::new();
    let mut next = spans.iter().find(|span| span["name"] == name);
    while let Some(span) = next {
        names.push(text(&span["name"]));
        next = by_id.get(&text(&span["parentSpanId"])).copied();
        if next.is_none() {
            names.push(text(&span["parentSpanId"]));
        }
    }
    names
}

#[tokio::test]
async fn a_trace_leads_from_the_client_to_the_element_and_past_a_crash() {
    let collector = Receiver::start().await;
    let mut world = traced(&collector.url("")).await;
    // The third element does not answer before the server is killed.
    let slow = json!({ "element": "warehouse", "fault": "slow", "delayMs": 8_000, "times": 1, "every": 3 });
    world.network.fail(json!([slow])).await;
    let headers = [("traceparent", CLIENT)];
    let path = "/orchestration/v1/workflows/six-external/runs";
    let answer = world.http.post_with(path, &headers, &json!({})).await.unwrap();
    let id = text(&answer.body["id"]);
    let is_under_way = |taken: &Vec<(String, Value)>| has(taken, "six-external.s2");
    collector.until("the second task has ended", is_under_way).await;
    world.kill().await;
    world.restart().await;
    world.completed(&id).await;
    let is_over = |taken: &Vec<(String, Value)>| has(taken, "fulfilment");
    let spans = spans(&collector.until("the run has ended", is_over).await);

    let up = ["fulfilment", "POST workflow runs", "b7ad6b7169203331"];
    for step in ["six-external.s1", "six-external.s6"] {
        assert_eq!(above(&spans, step), [&[step][..], &up].concat(), "{step}");
    }
    let request = ["PUT", "run rest-activator", "six-external.s1"];
    assert_eq!(above(&spans, "PUT"), [&request[..], &up].concat());
    let recovered = above(&spans, "recover rest-activator");
    assert_eq!(recovered, [&["recover rest-activator", "six-external.s3"][..], &up].concat());

    // The element got the span of the request.
    let tried = format!("/orchestration/v1/fulfilments/{id}/tasks/six-external.s1/attempts");
    let tried = world.http.get(&tried).await;
    let sent = tried[0]["exchanges"][0]["request"]["headers"].as_array().unwrap();
    let sent = sent.iter().find(|header| header[0] == "traceparent").expect("it is passed on");
    let put = spans.iter().find(|span| span["name"] == "PUT").unwrap();
    assert_eq!(text(&sent[1]), format!("00-{TRACE}-{}-01", text(&put["spanId"])));
}

#[tokio::test]
async fn without_a_collector_and_with_one_that_is_down_orders_are_carried_out() {
    let down = traced("http://127.0.0.1:1").await;
    let path = "/orchestration/v1/workflows/six-external/runs?wait=60s";
    let headers = [("traceparent", CLIENT)];
    let answer = down.http.post_with(path, &headers, &json!({})).await.unwrap();
    assert_eq!(answer.body["state"], "completed", "{}", answer.text);
    let lost = async || {
        let metrics = down.http.send("GET", "/metrics", &[], "").await.unwrap().text;
        let line =
            metrics.lines().find_map(|line| line.strip_prefix("ferrule_spans_dropped_total "));
        line.filter(|count| *count != "0").map(|_| ())
    };
    eventually("spans are counted as dropped", lost).await;

    let off = World::start().await;
    let answer = off.http.post_with(path, &headers, &json!({})).await.unwrap();
    let id = text(&answer.body["id"]);
    let tried = format!("/orchestration/v1/fulfilments/{id}/tasks/six-external.s1/attempts");
    let tried = off.http.get(&tried).await;
    assert!(!tried.to_string().contains("traceparent"), "{tried}");
}

#[tokio::test]
async fn traces_that_begin_here_are_sampled_and_a_client_decides_for_its_own() {
    let collector = Receiver::start().await;
    let tail = format!("[traces]\ncollector = \"{}\"\nsample = 0.0\n", collector.url(""));
    let world = World::with(Settings { tail, ..Settings::default() }).await;
    let path = "/orchestration/v1/workflows/six-external/runs?wait=60s";
    // The first has ended before the second begins, so its spans would come first.
    for headers in [&[][..], &[("traceparent", CLIENT)]] {
        let answer = world.http.post_with(path, headers, &json!({})).await.unwrap();
        assert_eq!(answer.body["state"], "completed", "{}", answer.text);
    }
    let is_over = |taken: &Vec<(String, Value)>| has(taken, "fulfilment");
    let taken = collector.until("the run of the client has ended", is_over).await;
    let all: Vec<_> = taken
        .iter()
        .flat_map(|(_, message)| {
            message["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap()
        })
        .collect();
    assert!(all.iter().all(|span| span["traceId"] == TRACE), "{all:?}");
}
