//! Clients that vanish before they are answered, at each point at which a request waits for
//! something: either nothing has happened then, or all of it, with what follows from it.

use std::pin::pin;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use engine::store::{Appended, Batch, Epoch, Error, Fact, Memory, Scan, Settled, Store};
use futures_util::future::join_all;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use serde_json::{Value, json};

use super::bench::{Bench, order};

const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";
const QUOTES: &str = "/tmf-api/quoteManagement/v4/quote";
const CATALOG: &str = "/tmf-api/productCatalogManagement/v4";
const HUB: &str = "/tmf-api/productOrderingManagement/v4/hub";
const MERGE: &str = "application/merge-patch+json";

/// A request that takes longer than this many waits has hung.
const WAITS_MAX: usize = 200;

/// Everything that was begun goes on for this many turns after its client has gone.
const TURNS: usize = 2_000;

/// A store that acknowledges a batch some turns after it is written, as a slow disk does:
/// within that time clients vanish.
struct Late(Memory);

/// The turns between a batch and its answer.
const LATE_TURNS: usize = 5;

impl Store for Late {
    fn append(&self, batch: Batch) -> Appended {
        let written = self.0.append(batch);
        let (answer, appended) = Appended::pending();
        tokio::spawn(async move {
            for _ in 0..LATE_TURNS {
                tokio::task::yield_now().await;
            }
            drop(answer.send(written.await));
        });
        appended
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.0.get(key)
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, Error> {
        self.0.scan(scan)
    }

    fn claim(&self) -> Result<Epoch, Error> {
        self.0.claim()
    }

    fn changed(&self) -> tokio::sync::watch::Receiver<u64> {
        self.0.changed()
    }

    fn settled(&self) -> Settled {
        self.0.settled()
    }
}

fn bench() -> Bench {
    let memory = Memory::new();
    Bench::over(memory.clone(), Arc::new(Late(memory)))
}

impl Bench {
    /// Sends a request and vanishes after a number of waits, or when it is answered: then with its
    /// status.
    async fn vanish(&self, after: usize, line: &str, body: &Value) -> Option<u16> {
        let media_type = if line.starts_with("PATCH") { MERGE } else { "application/json" };
        let headers = [("content-type", media_type)];
        {
            let mut answer = pin!(self.open(line, &headers, Body::from(body.to_string())));
            for _ in 0..after {
                if let Some(response) = answer.as_mut().now_or_never() {
                    return Some(response.status().as_u16());
                }
                self.turn().await;
            }
        }
        self.settled().await;
        None
    }

    async fn settled(&self) {
        for _ in 0..TURNS {
            self.turn().await;
        }
    }

    /// Lets every task go on once, and then the reads of the store end.
    async fn turn(&self) {
        tokio::task::yield_now().await;
        while self.services.documents.reads() > 0 {
            std::thread::yield_now();
        }
    }

    /// The documents of a resource.
    async fn kept(&self, resource: &'static str) -> Vec<Value> {
        let read = self.services.documents.read(move |session| {
            let mut kept = Vec::new();
            session.each_document(resource, |document| {
                kept.push(document.body);
                Ok::<_, engine::documents::Error>(())
            })?;
            Ok::<_, engine::documents::Error>(kept)
        });
        read.await.unwrap()
    }
}

/// Does something with a client that vanishes after no wait, one, two, until one is answered.
async fn at_each_point(mut vanishes: impl AsyncFnMut(usize) -> Option<u16>, status: u16) {
    for after in 0..WAITS_MAX {
        if let Some(answered) = vanishes(after).await {
            assert_eq!(answered, status);
            assert!(after > LATE_TURNS, "it waits for the store at least");
            return;
        }
    }
    panic!("it was not answered after {WAITS_MAX} waits");
}

async fn accepted_quote(bench: &Bench) -> String {
    let quote = json!({
        "relatedParty": [{ "id": "CUST-1", "role": "Customer", "@referredType": "Customer" }],
        "quoteItem": [{
            "productOffering": { "id": "PO-SF200H" },
            "product": { "place": [{ "id": "ADDR-1", "role": "installation" }] },
        }],
    });
    let id = bench.post(QUOTES, &quote).await.body["id"].as_str().unwrap().to_string();
    for state in ["approved", "accepted"] {
        let headers = [("content-type", MERGE)];
        let body = Body::from(json!({ "state": state }).to_string());
        let changed = bench.send(&format!("PATCH {QUOTES}/{id}"), &headers, body).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
    }
    id
}

#[tokio::test]
async fn a_quote_is_ordered_once_whenever_its_clients_vanish() {
    let bench = bench();
    let first = accepted_quote(&bench).await;
    let made = bench.post(&format!("/orchestration/v1/quotes/{first}/order"), &json!({})).await;
    at_each_point(
        async |after| {
            let id = accepted_quote(&bench).await;
            let mut by_hand = order("by hand");
            let written = made.body["productOrderItem"].to_string().replace(&first, &id);
            by_hand["productOrderItem"] = serde_json::from_str(&written).unwrap();
            let line = format!("POST {ORDERS}");
            let clients = (0..5).map(|_| bench.vanish(after, &line, &by_hand));
            let answered = join_all(clients).await;
            bench.settled().await;
            let last = bench.post(ORDERS, &by_hand).await;
            let orders = bench.kept("productOrder").await;
            let of_quote = orders.iter().filter(|order| order.to_string().contains(&id)).count();
            assert_eq!(of_quote, 1, "after {after} waits");
            let answered: Vec<u16> = answered.into_iter().flatten().collect();
            assert!(answered.iter().filter(|status| **status == 201).count() <= 1);
            assert!([201, 422].contains(&last.status.as_u16()), "{}", last.text);
            answered.contains(&201).then_some(201)
        },
        201,
    )
    .await;
}

#[tokio::test]
async fn a_hub_that_is_on_disk_is_listed_and_no_other() {
    let bench = bench();
    at_each_point(
        async |after| {
            let callback = json!({ "callback": format!("http://127.0.0.1:9/{after}") });
            let answered = bench.vanish(after, &format!("POST {HUB}"), &callback).await;
            let kept = bench.kept("subscription").await.len();
            assert_eq!(bench.events.all().len(), kept, "after {after} waits");
            let listed = bench.get(HUB).await.body.as_array().unwrap().len();
            assert_eq!(listed, kept, "after {after} waits");
            answered
        },
        201,
    )
    .await;
}

#[tokio::test]
async fn a_hub_that_is_forgotten_is_gone_from_disk_and_list() {
    let bench = bench();
    at_each_point(
        async |after| {
            let callback = json!({ "callback": format!("http://127.0.0.1:9/{after}") });
            let hub = bench.post(HUB, &callback).await;
            let line = format!("DELETE {HUB}/{}", hub.body["id"].as_str().unwrap());
            let answered = bench.vanish(after, &line, &json!({})).await;
            assert_eq!(bench.events.all().len(), bench.kept("subscription").await.len());
            answered
        },
        204,
    )
    .await;
}

#[tokio::test]
async fn a_catalog_that_is_on_disk_is_in_use() {
    let bench = bench();
    let price = "POP-SF200-MRC";
    at_each_point(
        async |after| {
            let line = format!("PATCH {CATALOG}/productOfferingPrice/{price}");
            let dearer = json!({ "price": { "unit": "USD", "value": 100 + after } });
            let answered = bench.vanish(after, &line, &dearer).await;
            let kept = bench.services.documents.document("productOfferingPrice", price);
            let kept = kept.await.unwrap().unwrap();
            let quote = json!({
                "quoteItem": [{
                    "productOffering": { "id": "PO-SF200H" },
                    "product": { "place": [{ "id": "ADDR-1", "role": "installation" }] },
                }],
            });
            let quoted = bench.post(QUOTES, &quote).await.body;
            let used = &quoted["quoteTotalPrice"][1]["price"]["dutyFreeAmount"]["value"];
            let (used, kept) = (used.as_f64(), kept.body["price"]["value"].as_f64());
            assert_eq!(used, kept, "after {after} waits: {quoted}");
            answered
        },
        200,
    )
    .await;
}

#[tokio::test]
async fn a_job_that_is_on_disk_is_begun() {
    let bench = bench();
    at_each_point(
        async |after| {
            let jobs = Arc::clone(&bench.services.jobs);
            let mut told = pin!(jobs.notified());
            told.as_mut().enable();
            let before = bench.kept("productCatalogExportJob").await.len();
            let job = json!({ "url": "file:out.ndjson", "path": format!("{CATALOG}/category") });
            let answered = bench.vanish(after, &format!("POST {CATALOG}/exportJob"), &job).await;
            let now = bench.kept("productCatalogExportJob").await.len();
            assert_eq!(told.now_or_never().is_some(), now > before, "after {after} waits");
            answered
        },
        201,
    )
    .await;
}

#[tokio::test]
async fn a_reconciliation_that_is_on_disk_is_begun() {
    let bench = bench();
    let open = json!({});
    at_each_point(
        async |after| {
            let mut told = pin!(bench.services.reconciler.arrived.notified());
            told.as_mut().enable();
            let before = bench.kept("reconciliation").await.len();
            let line = "POST /orchestration/v1/reconciliations";
            let answered = bench.vanish(after, line, &open).await;
            let now = bench.kept("reconciliation").await.len();
            assert_eq!(told.now_or_never().is_some(), now > before, "after {after} waits");
            answered
        },
        202,
    )
    .await;
}

#[tokio::test]
async fn an_order_is_cancelled_with_its_request_or_not_at_all() {
    let bench = bench();
    let path = "/tmf-api/productOrderingManagement/v4/cancelProductOrder";
    at_each_point(
        async |after| {
            let made = bench.post(ORDERS, &order(&after.to_string())).await;
            let id = made.body["id"].as_str().unwrap().to_string();
            let cancel = json!({ "productOrder": { "id": id } });
            let answered = bench.vanish(after, &format!("POST {path}"), &cancel).await;
            let requests = bench.kept("cancelProductOrder").await;
            let of_order = requests.iter().filter(|one| one["productOrder"]["id"] == *id).count();
            let order = bench.get(&format!("{ORDERS}/{id}")).await.body;
            assert_eq!(
                order["state"] == "cancelled",
                of_order == 1,
                "after {after} waits: {order}"
            );
            answered
        },
        201,
    )
    .await;
}

#[tokio::test]
async fn a_client_that_vanishes_within_its_body_changes_nothing() {
    let bench = bench();
    let document = order("cut").to_string().into_bytes();
    let half = Bytes::from(document[..document.len() / 2].to_vec());
    let headers = [("content-type", "application/json")];
    for ends_early in [true, false] {
        let part = stream::iter([Ok::<_, std::io::Error>(half.clone())]);
        let body = match ends_early {
            true => {
                Body::from_stream(part.chain(stream::iter([Err(std::io::Error::other("gone"))])))
            }
            false => Body::from_stream(part.chain(stream::pending())),
        };
        {
            let line = format!("POST {ORDERS}");
            let mut answer = pin!(bench.send(&line, &headers, body));
            for _ in 0..TURNS {
                if let Some(answer) = answer.as_mut().now_or_never() {
                    assert_eq!(answer.status, 400, "{}", answer.text);
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        bench.settled().await;
        assert!(bench.kept("productOrder").await.is_empty());
    }
    assert_eq!(bench.facts(), 0);
}
