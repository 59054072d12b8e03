//! Subscribing over HTTP: hubs of APIs, topics with their hubs, and what operations staff do.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::bench::{Answer, Bench};

const BASE: &str = "http://127.0.0.1:8080";
const HUB: &str = "/tmf-api/productOrderingManagement/v4/hub";
const CUSTOMERS: &str = "/tmf-api/customerManagement/v4/customer";
const TOPICS: &str = "/tmf-api/event/v4/topic";

/// Where a client listens; nothing answers there in these tests.
const CALLBACK: &str = "http://127.0.0.1:9/in";

async fn delete(bench: &Bench, path: &str) -> Answer {
    bench.send(&format!("DELETE {path}"), &[], Body::empty()).await
}

/// Sends what is posted to it into a channel, and answers with a status.
async fn receiver(status: StatusCode) -> (String, mpsc::UnboundedReceiver<Value>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in", listener.local_addr().unwrap());
    let take = async move |State(sender): State<mpsc::UnboundedSender<Value>>, request: Request| {
        let bytes = request.into_body().collect().await.unwrap().to_bytes();
        sender.send(serde_json::from_slice(&bytes).unwrap()).unwrap();
        status
    };
    let router = Router::new().fallback(take).with_state(sender);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, receiver)
}

#[tokio::test]
async fn a_hub_is_taken_found_and_removed() {
    let bench = Bench::new();
    let input = json!({ "callback": CALLBACK, "query": "eventType=ProductOrderCreateEvent" });
    let created = bench.post(HUB, &input).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let id = created.body["id"].as_str().unwrap();
    let expected = json!({ "id": id, "callback": CALLBACK, "query": input["query"] });
    assert_eq!(created.body, expected);
    let path = format!("{HUB}/{id}");
    assert_eq!(created.header("location"), format!("{BASE}{path}"));
    assert_eq!(bench.get(&path).await.body, expected);
    let list = bench.get(HUB).await;
    assert_eq!((&list.body, list.header("x-total-count")), (&json!([expected]), "1"));
    // It belongs to one API in one version.
    for other in [
        "/tmf-api/productOrderingManagement/v5/hub",
        "/tmf-api/serviceOrdering/v4/hub",
        "/tmf-api/customerManagement/v4/hub",
    ] {
        assert_eq!(bench.get(other).await.body, json!([]), "{other}");
        assert_eq!(delete(&bench, &format!("{other}/{id}")).await.status, 404);
    }
    let again = bench.post(HUB, &input).await;
    assert_eq!((again.status.as_u16(), &again.body["referenceError"]), (409, &json!("callback")));
    assert_eq!(delete(&bench, &path).await.status, 204);
    assert_eq!(delete(&bench, &path).await.status, 404);
    assert_eq!(bench.get(&path).await.status, 404);
}

#[tokio::test]
async fn version_5_names_its_hubs() {
    let bench = Bench::new();
    let hub = "/tmf-api/productOrderingManagement/v5/hub";
    let created = bench.post(hub, &json!({ "callback": CALLBACK })).await;
    assert_eq!((created.status.as_u16(), &created.body["@type"]), (201, &json!("Hub")));
    assert_eq!(created.body["href"], created.header("location"));
}

#[tokio::test]
async fn a_bad_hub_is_refused_and_leaves_nothing() {
    let bench = Bench::new();
    for (input, status, attribute) in [
        (json!({}), 400, "callback"),
        (json!([]), 400, "callback"),
        (json!({ "callback": "nowhere" }), 400, "callback"),
        (json!({ "callback": "http://169.254.169.254/latest" }), 422, "callback"),
        (json!({ "callback": "http://[fe80::1]/" }), 422, "callback"),
        (json!({ "callback": "http://10.0.0.1/" }), 422, "callback"),
        (json!({ "callback": "http://0.0.0.0/" }), 422, "callback"),
        (json!({ "callback": "http://localhost:8080/" }), 422, "callback"),
        (json!({ "callback": "https://203.0.113.1/" }), 422, "callback"),
        (json!({ "callback": CALLBACK, "query": "a.regex=(" }), 400, "query"),
        (json!({ "callback": CALLBACK, "payload": "x" }), 400, "payload"),
    ] {
        let answer = bench.post(HUB, &input).await;
        assert_eq!(answer.status, status, "{input}: {}", answer.body);
        assert_eq!(answer.body["referenceError"], attribute, "{input}");
        assert_eq!(answer.body["@type"], "Error");
    }
    assert_eq!(bench.get(HUB).await.body, json!([]));
    let wrong = bench.send(&format!("PATCH {HUB}"), &[], Body::empty()).await;
    assert_eq!((wrong.status.as_u16(), wrong.header("allow")), (405, "GET, HEAD, POST"));
    assert_eq!(bench.get("/tmf-api/nothing/v4/hub").await.status, 404);
    // There is no version 5 of it.
    assert_eq!(bench.get("/tmf-api/event/v5/hub").await.status, 404);
}

#[tokio::test]
async fn events_posted_to_a_topic_reach_its_hubs() {
    let bench = Bench::new();
    tokio::spawn(bench.events.clone().run(std::future::pending()));
    let input = json!({ "name": "outages", "headerQuery": "priority=1,2" });
    let topic = bench.post(TOPICS, &input).await;
    assert_eq!(topic.status, 201, "{}", topic.body);
    let path = format!("{TOPICS}/{}", topic.body["id"].as_str().unwrap());
    let (url, mut heard) = receiver(StatusCode::CREATED).await;
    let hub = format!("{path}/hub");
    let created = bench.post(&hub, &json!({ "callback": url, "query": "event.site=b" })).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let location = created.header("location").strip_prefix(BASE).unwrap().to_string();
    assert_eq!(bench.get(&location).await.body, created.body);
    let events = format!("{path}/event");
    let event = |id: &str, priority: &str, site: &str| {
        json!({
            "eventId": id,
            "eventType": "OutageEvent",
            "priority": priority,
            "event": { "site": site },
        })
    };
    let posted = bench.post(&events, &event("e-1", "1", "a")).await;
    assert_eq!(posted.status, 201, "{}", posted.body);
    assert_eq!(posted.header("location"), format!("{BASE}{events}/e-1"));
    let second = bench.post(&events, &event("e-2", "2", "b")).await.body;
    // Nulls say nothing, here as in any other new document.
    let mut with_nulls = event("e-0", "1", "a");
    with_nulls["source"] = json!(null);
    with_nulls["@type"] = json!(null);
    let with_nulls = bench.post(&events, &with_nulls).await;
    assert_eq!(with_nulls.status, 201, "{}", with_nulls.body);
    assert!(!with_nulls.body.to_string().contains("null"), "{}", with_nulls.body);
    for (wrong, status, attribute) in [
        (event("e-1", "1", "a"), 409, "eventId"),
        (event("e-3", "9", "a"), 422, "headerQuery"),
        (event("a/b", "1", "a"), 400, "eventId"),
        (json!({ "eventType": 7 }), 400, "eventType"),
        (json!([]), 400, "$"),
    ] {
        let refused = bench.post(&events, &wrong).await;
        assert_eq!(refused.status, status, "{wrong}");
        assert_eq!(refused.body["referenceError"], attribute, "{wrong}");
    }
    assert_eq!(heard.recv().await.unwrap(), second);
    assert_eq!(bench.get(&format!("{events}/e-2")).await.body, second);
    let list = bench.get(&events).await;
    assert_eq!((&list.body[2], list.header("x-total-count")), (&second, "3"));
    assert_eq!(bench.get(&format!("{TOPICS}/none/event")).await.status, 404);
    assert_eq!(bench.get(&format!("{path}/nothing")).await.status, 404);
    // A topic takes its subscriptions with it.
    assert_eq!(delete(&bench, &path).await.status, 204);
    assert_eq!(bench.get(&location).await.status, 404);
    assert_eq!(bench.get("/orchestration/v1/subscriptions").await.body, json!([]));
}

#[tokio::test]
async fn staff_see_where_each_stands_and_bring_back_what_was_not_taken() {
    let bench = Bench::new();
    tokio::spawn(bench.events.clone().run(std::future::pending()));
    let (url, mut heard) = receiver(StatusCode::GONE).await;
    let hub = "/tmf-api/customerManagement/v4/hub";
    let id = bench.post(hub, &json!({ "callback": url })).await.body["id"].clone();
    let path = format!("/orchestration/v1/subscriptions/{}", id.as_str().unwrap());
    let person = json!({ "givenName": "Ann", "familyName": "Walker" });
    let party = bench.post("/tmf-api/party/v4/individual", &person).await.body["id"].clone();
    let customer = json!({ "name": "Ann", "engagedParty": { "id": party } });
    let created = bench.post(CUSTOMERS, &customer).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let event = heard.recv().await.unwrap();
    assert_eq!(event["event"]["customer"]["id"], created.body["id"]);
    let letters = format!("{path}/dead-letters");
    let dead = loop {
        let dead = bench.get(&letters).await.body;
        if dead.get(0).is_some() {
            break dead;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((&dead[0]["reason"], &dead[0]["event"]), (&json!("answered 410 Gone"), &event));
    let now = bench.get(&path).await.body;
    assert_eq!(
        (&now["state"], &now["lag"], &now["deadLetters"]),
        (&json!("active"), &json!(0), &json!(1))
    );
    assert_eq!(now["lastError"]["message"], "answered 410 Gone");
    let sequence = &dead[0]["sequence"];
    let again = bench.post(&format!("{letters}/{sequence}/retry"), &json!({})).await;
    assert_eq!((&again.body["taken"], &again.body["reason"]), (&json!(false), &dead[0]["reason"]));
    let all = bench.post(&format!("{letters}/retry"), &json!({})).await;
    assert_eq!(all.body["refused"]["sequence"], *sequence);
    assert_eq!(delete(&bench, &format!("{letters}/{sequence}")).await.status, 204);
    assert_eq!(delete(&bench, &format!("{letters}/{sequence}")).await.status, 404);
    let paused = bench.post(&format!("{path}/pause"), &json!({})).await.body;
    assert_eq!(paused["state"], "paused");
    let replayed = bench.post(&format!("{path}/replay?from={sequence}"), &json!({})).await.body;
    assert_eq!((&replayed["next"], &replayed["lag"]), (sequence, &json!(1)));
    for (wrong, status) in [("replay", 400), ("replay?after=99", 400), ("nothing", 404)] {
        let answer = bench.post(&format!("{path}/{wrong}"), &json!({})).await;
        assert_eq!(answer.status, status, "{wrong}");
    }
    bench.post(&format!("{path}/resume"), &json!({})).await;
    // The two attempts by hand, and then the replay.
    for _ in 0..3 {
        assert_eq!(heard.recv().await.unwrap(), event);
    }
    assert_eq!(bench.get("/orchestration/v1/subscriptions/none").await.status, 404);
}
