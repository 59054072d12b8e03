//! An answer rests on what is durable, although the store shows a commit before it is: on a store
//! whose sync is held back nothing is answered that a power loss could undo.

use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use engine::store::Memory;
use serde_json::{Value, json};

use super::bench::{Answer, Bench, order};

const PERSON: &str = "/tmf-api/party/v4/individual";
const PRODUCT: &str = "/tmf-api/productInventory/v4/product";
const ORDER: &str = "/tmf-api/productOrderingManagement/v4/productOrder";
const BILLING: &str = "/orchestration/v1/billing";

/// How long an answer that must not come is waited for.
const QUIET: Duration = Duration::from_millis(200);

/// A request: its line and its body.
type Request = (String, Value);

fn post(path: &str, body: Value) -> Request {
    (format!("POST {path}"), body)
}

fn get(path: &str) -> Request {
    (format!("GET {path}"), Value::Null)
}

struct Held(Bench);

impl Held {
    fn new() -> Self {
        let bench = Bench::on(Memory::unsynced());
        bench.store.sync();
        Self(bench)
    }

    async fn send(&self, (line, body): &Request) -> Answer {
        let media_type = if line.starts_with("PATCH") {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let mut headers = vec![("content-type", media_type)];
        if line.starts_with("POST") {
            headers.push(("idempotency-key", "k"));
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.0.send(line, &headers, body).await
    }

    /// Lets the disk work until something is done.
    async fn synced<T>(&self, work: impl Future<Output = T>) -> T {
        let disk = async {
            loop {
                self.0.store.sync();
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            done = work => done,
            () = disk => unreachable!("the disk works on"),
        }
    }

    /// Sends a request, and another as soon as what the first one wrote shows. Neither may be
    /// answered; then the disk does what it is told, and both answers come.
    async fn twice(
        &self,
        first: &Request,
        second: &Request,
        disk: impl FnOnce(&Memory),
    ) -> (Answer, Answer) {
        let mut one = pin!(self.send(first));
        let shows = async {
            while self.0.store.unsynced_count() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            answer = &mut one => panic!("{first:?} is answered: {}", answer.text),
            () = shows => {}
        }
        let mut two = pin!(self.send(second));
        tokio::select! {
            biased;
            answer = &mut two => panic!("{second:?} is answered: {}", answer.text),
            answer = &mut one => panic!("{first:?} is answered: {}", answer.text),
            () = tokio::time::sleep(QUIET) => {}
        }
        disk(&self.0.store);
        self.synced(async { tokio::join!(one, two) }).await
    }
}

async fn product(held: &Held, id: &str) {
    let body = json!({
        "name": id, "status": "active", "startDate": "2026-03-10T10:00:00Z",
        "billingAccount": { "id": "acc" },
        "productPrice": [{
            "name": "Access", "priceType": "recurring", "recurringChargePeriod": "month",
            "price": { "dutyFreeAmount": { "unit": "EUR", "value": 31 } },
        }],
    });
    let lines = format!("{}\n", with_id(body, id));
    let line = format!("PUT /orchestration/v1/imports/{id}?resource=product");
    let headers = [("content-type", "application/x-ndjson")];
    let taken = held.synced(held.0.send(&line, &headers, Body::from(lines))).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
}

fn with_id(mut body: Value, id: &str) -> Value {
    body["id"] = id.into();
    body
}

/// A bill that can be paid, and its id.
async fn bill(held: &Held) -> String {
    product(held, "p").await;
    let run = post(&format!("{BILLING}/runs"), json!({ "date": "2026-04-01", "send": true }));
    let run = held.synced(held.send(&run)).await;
    run.body["bill"][0]["id"].as_str().unwrap_or_else(|| panic!("{}", run.text)).to_owned()
}

#[tokio::test]
async fn repeats_and_looks_are_answered_when_the_first_is_durable() {
    let held = Held::new();
    product(&held, "p1").await;
    let person = || post(PERSON, json!({ "givenName": "Ann", "familyName": "Lee" }));
    let rename = |name: &str| (format!("PATCH {PRODUCT}/p1"), json!({ "name": name }));
    let cases = [
        (person(), person()),
        (post(ORDER, order("A")), post(ORDER, order("A"))),
        (rename("a"), rename("a")),
        (rename("b"), get(&format!("{PRODUCT}/p1"))),
        (rename("c"), get(&format!("{PRODUCT}?name=c"))),
        (rename("d"), get("/orchestration/v1/history/product/p1")),
        (rename("e"), get("/orchestration/v1/exports/product")),
    ];
    for (first, second) in cases {
        let (one, two) = held.twice(&first, &second, Memory::sync).await;
        assert!(one.status.is_success(), "{first:?}: {}", one.text);
        assert!(two.status.is_success(), "{second:?}: {}", two.text);
    }
}

#[tokio::test]
async fn a_repeated_payment_is_answered_when_the_first_is_durable() {
    let held = Held::new();
    let id = bill(&held).await;
    let amount = json!({ "unit": "EUR", "value": 1 });
    let pay = post(
        &format!("{BILLING}/payments"),
        json!({ "id": "pay", "bill": { "id": id }, "amount": amount }),
    );
    let (one, two) = held.twice(&pay, &pay, Memory::sync).await;
    for answer in [one, two] {
        assert!(answer.status.is_success(), "{}", answer.text);
    }
}

#[tokio::test]
async fn writes_that_could_not_be_made_durable_are_not_shown() {
    let held = Held::new();
    product(&held, "p1").await;
    let rename = (format!("PATCH {PRODUCT}/p1"), json!({ "name": "lost" }));
    let look = get(&format!("{PRODUCT}/p1"));
    let (one, two) = held.twice(&rename, &look, Memory::fail_sync).await;
    for answer in [one, two] {
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(!answer.text.contains("lost"), "{}", answer.text);
        assert!(!answer.header("retry-after").is_empty());
    }
    // Health and metrics rest on nothing that is kept.
    assert_eq!(held.0.get("/healthz").await.status, 200);
    assert_eq!(held.0.get("/metrics").await.status, 200);
}
