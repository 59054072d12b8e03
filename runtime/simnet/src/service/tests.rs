use axum::body::Body;
use axum::extract::Request;
use axum::routing::post;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::*;

const PORT: &str = "/olt-1/restconf/data/ports=1";

/// A network of its own, and a client of it.
struct Simnet {
    base: String,
    client: Pool<HttpConnector, Body>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), Error>>,
}

impl Simnet {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(serve(listener, async { drop(stopped.await) }));
        let client = Pool::builder(TokioExecutor::new()).build_http();
        Self { base, client, stop, served }
    }

    /// One call; the line is `METHOD path key body`, like in the tests of the network.
    fn call(&self, line: &str, callback: &str) -> JoinHandle<Option<(u16, Value)>> {
        let mut words = line.splitn(4, ' ');
        let mut request = Request::builder().method(words.next().unwrap()).uri(format!(
            "{}{}",
            self.base,
            words.next().unwrap()
        ));
        if let Some(key) = words.next().filter(|key| *key != "-") {
            request = request.header("Idempotency-Key", key);
        }
        if !callback.is_empty() {
            request = request.header("X-Callback-Url", callback);
        }
        let body = Body::from(words.next().unwrap_or("").to_owned());
        let sent = self.client.request(request.body(body).unwrap());
        tokio::spawn(async move {
            let response = sent.await.ok()?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.ok()?.to_bytes();
            let is_empty = body.is_empty();
            let body = if is_empty { Value::Null } else { serde_json::from_slice(&body).unwrap() };
            Some((status, body))
        })
    }

    /// One call whose answer arrives.
    async fn ask(&self, line: &str) -> (u16, Value) {
        self.call(line, "").await.unwrap().expect("an answer")
    }

    /// Asks for the effects until they are these.
    async fn until_effects(&self, called: u64, applied: u64) {
        loop {
            let (_, effects) = self.ask("GET /_effects?element=olt-1").await;
            if effects[0]["called"] == called && effects[0]["applied"] == applied {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_lost_answer_was_applied_and_is_said_when_asked_again() {
    let simnet = Simnet::start().await;
    simnet.ask(r#"PUT /_faults - [{"fault":"lost","times":1}]"#).await;
    let write = format!(r#"PUT {PORT} k1 {{"vlan":7}}"#);
    assert_eq!(simnet.call(&write, "").await.unwrap(), None);
    let (_, effects) = simnet.ask("GET /_effects").await;
    assert_eq!(effects[0]["applied"], 1);
    let (status, answer) = simnet.ask(&write).await;
    assert_eq!((status, &answer["state"]), (201, &json!("active")));
    let (_, effects) = simnet.ask("GET /_effects").await;
    let expected = json!([{
        "element": "olt-1", "operation": "put ports", "key": "k1", "called": 2, "applied": 1,
    }]);
    assert_eq!(effects, expected);
    let (_, faults) = simnet.ask("GET /_faults").await;
    assert_eq!(faults[0]["fired"], 1);
}

#[tokio::test]
async fn a_call_that_times_out_is_not_applied() {
    let simnet = Simnet::start().await;
    simnet.ask(r#"PUT /_faults - [{"fault":"timeout","times":1}]"#).await;
    let write = format!(r#"PUT {PORT} k1 {{"vlan":7}}"#);
    let hanging = simnet.call(&write, "");
    simnet.until_effects(1, 0).await;
    assert!(!hanging.is_finished());
    hanging.abort();
    assert_eq!(simnet.ask(&format!("GET {PORT}")).await.0, 404);
    assert_eq!(simnet.ask(&write).await.0, 201);
    simnet.until_effects(2, 1).await;
}

#[tokio::test]
async fn a_slow_write_is_applied_though_its_client_gave_up() {
    let simnet = Simnet::start().await;
    simnet.ask(r#"PUT /_faults - [{"fault":"slow","delayMs":30}]"#).await;
    let hanging = simnet.call(&format!("PUT {PORT} k1 {{}}"), "");
    simnet.until_effects(1, 0).await;
    hanging.abort();
    simnet.until_effects(1, 1).await;
}

#[tokio::test]
async fn a_callback_is_delivered_until_it_is_heard_and_twice_when_asked() {
    let simnet = Simnet::start().await;
    let (heard, mut hearing) = mpsc::channel::<Value>(8);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/done", listener.local_addr().unwrap());
    let hear = async move |body: Bytes| {
        let first = heard.capacity() == heard.max_capacity();
        heard.send(serde_json::from_slice(&body).unwrap()).await.unwrap();
        if first { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::NO_CONTENT }
    };
    let receiver = Router::new().route("/done", post(hear));
    tokio::spawn(async move { axum::serve(listener, receiver).await });

    let fault = r#"[{"fault":"async","delayMs":0,"duplicate":true}]"#;
    simnet.ask(&format!("PUT /_faults - {fault}")).await;
    let write = format!(r#"PUT {PORT} k1 {{"vlan":7}}"#);
    let (status, answer) = simnet.call(&write, &address).await.unwrap().unwrap();
    assert_eq!(status, 202);
    assert_eq!(answer, json!({"state": "pending", "idempotencyKey": "k1"}));

    // Left in the channel until all came, so that only the first finds it empty.
    while hearing.len() < 3 {
        tokio::task::yield_now().await;
    }
    let (_, answer) = simnet.ask(&write).await;
    let report = json!({"key": "k1", "status": "done", "result": answer});
    for _ in 0..3 {
        assert_eq!(hearing.recv().await.unwrap(), report);
    }
    let (_, found) = simnet.ask(&format!("GET {PORT}")).await;
    assert_eq!(found["state"], "active");
    simnet.until_effects(2, 1).await;
}

#[tokio::test]
async fn a_stop_ends_the_calls_that_wait() {
    let simnet = Simnet::start().await;
    let faults = r#"[{"fault":"timeout","times":1},{"fault":"slow","delayMs":600000}]"#;
    simnet.ask(&format!("PUT /_faults - {faults}")).await;
    let silent = simnet.call(&format!("PUT {PORT} k1 {{}}"), "");
    simnet.until_effects(1, 0).await;
    let slow = simnet.call(&format!("PUT {PORT} k1 {{}}"), "");
    simnet.until_effects(2, 0).await;
    simnet.stop.send(()).unwrap();
    assert_eq!(silent.await.unwrap(), None);
    assert_eq!(slow.await.unwrap().unwrap().0, 503);
    simnet.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_state_of_the_network_is_shown_and_cleared() {
    let simnet = Simnet::start().await;
    assert_eq!(simnet.ask("GET /healthz").await.0, 200);
    let (_, elements) = simnet.ask("GET /_elements").await;
    assert_eq!(elements[0], json!({"name": "acs", "dialect": "json-rpc"}));
    assert_eq!(elements.as_array().unwrap().len(), 16);
    simnet.ask(&format!(r#"PUT {PORT} k1 {{"vlan":7}}"#)).await;
    let (_, state) = simnet.ask("GET /_state/olt-1").await;
    let expected = json!([{
        "collection": "ports", "id": "1", "state": "active", "idempotencyKey": "k1",
        "config": {"vlan": 7}, "onuId": "ONU-5766304247",
    }]);
    assert_eq!(state, expected);
    let place = "/_state/olt-1/ports/1";
    let drifted = r#"{"config":{"vlan":8}}"#;
    assert_eq!(simnet.ask(&format!("PUT {place} - {drifted}")).await.0, 204);
    let (_, state) = simnet.ask("GET /_state/olt-1").await;
    assert_eq!(
        (&state[0]["config"]["vlan"], &state[0]["idempotencyKey"]),
        (&json!(8), &json!("k1"))
    );
    assert_eq!(simnet.ask(&format!("PUT {place} - {{}}")).await.0, 400);
    assert_eq!(simnet.ask(&format!("DELETE {place}")).await.0, 204);
    assert_eq!(simnet.ask(&format!("DELETE {place}")).await.0, 404);
    let (_, effects) = simnet.ask("GET /_effects").await;
    assert_eq!(effects.as_array().unwrap().len(), 1, "changes by hand are no effects");
    let (_, others) = simnet.ask("GET /_effects?element=bng-1").await;
    assert_eq!(others, json!([]));
    assert_eq!(simnet.ask("GET /_effects?element=unknown").await.0, 404);
    assert_eq!(simnet.ask("GET /_effects?colour=red").await.0, 400);
    assert_eq!(simnet.ask("GET /_state/unknown").await.0, 404);
    assert_eq!(simnet.ask("PUT /_faults - [{\"fault\":\"x\"}]").await.0, 400);
    let large = "x".repeat(BODY_BYTES_MAX);
    let refused = simnet.ask(&format!("PUT {PORT} k1 {{\"a\":\"{large}\"}}")).await;
    assert_eq!(refused.0, 413);
    simnet.ask("DELETE /_effects").await;
    assert_eq!(simnet.ask("GET /_effects").await.1, json!([]));
    assert_eq!(simnet.ask("GET /_state/olt-1").await.1, json!([]));
}
