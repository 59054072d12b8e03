//! An answer rests on what is durable, even if a client asks again while the first answer is
//! still on its way: what a repeat or a read was told survives a power failure.

use serde_json::json;

use crate::world::{
    Answer, Disk, Request, SENT, Settings, Survivors, World, eventually, fresh, pack_order, text,
};

/// Added to each sync, so that there is time to ask again before it ends.
const SYNC_MS: u64 = 700;

const BILLING: &str = "/orchestration/v1/billing";
const STOCK: &str = "/tmf-api/stock/v4";
const RUNS: &str = "/orchestration/v1/workflows/six-steps/runs";

/// What is asked twice.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Order,
    Run,
    Document,
    Patch,
    Read,
    Payment,
    Release,
    Removal,
}

/// An operation with what it is about.
struct Prepared {
    first: Request,
    repeat: Request,
    /// The condition that must hold once the repeat was answered.
    holds: Box<dyn Fn(&Answer) -> bool>,
    look: Look,
}

/// How to see that it happened.
enum Look {
    /// The document that the answer names.
    Named(&'static str),
    At(String),
}

impl Operation {
    const ALL: [Self; 8] = [
        Self::Order,
        Self::Run,
        Self::Document,
        Self::Patch,
        Self::Read,
        Self::Payment,
        Self::Release,
        Self::Removal,
    ];

    async fn prepare(self, world: &World) -> Prepared {
        let same = |first: Request, holds: Box<dyn Fn(&Answer) -> bool>, look: Look| Prepared {
            repeat: first.clone(),
            first,
            holds,
            look,
        };
        let is_there = || Box::new(|answer: &Answer| answer.status == 200);
        let individual = tmf::table::path("individual");
        match self {
            Self::Order => {
                let order = fresh(&pack_order("mobile-4g/new-number"), "repeated");
                let path = tmf::table::path("productOrder");
                same(Request::post(path, &order).keyed("order-1"), is_there(), Look::Named(path))
            }
            Self::Run => {
                let request = Request::post(RUNS, &json!({ "n": 1 })).keyed("run-1");
                same(request, is_there(), Look::Named("/orchestration/v1/runs"))
            }
            Self::Document => {
                let body = json!({ "givenName": "Ann", "familyName": "Walker" });
                let request = Request::post(individual, &body).keyed("document-1");
                same(request, is_there(), Look::Named(individual))
            }
            Self::Patch | Self::Read => {
                let path = format!("{individual}/{}", world.person().await);
                let first = Request::patch(&path, &json!({ "familyName": "Runner" }));
                let is_changed = |answer: &Answer| answer.body["familyName"] == "Runner";
                let prepared = same(first, Box::new(is_changed), Look::At(path.clone()));
                if matches!(self, Self::Read) {
                    return Prepared { repeat: Request::get(&path), ..prepared };
                }
                prepared
            }
            Self::Payment => {
                let bill = world.bill("repeated").await;
                let payment = json!({ "id": "payment-1", "bill": { "id": bill["id"] },
                    "amount": bill["remainingAmount"] });
                let request = Request::post(&format!("{BILLING}/payments"), &payment);
                let is_paid = |answer: &Answer| answer.body["state"] == "settled";
                let path = tmf::table::path("customerBill");
                let look = Look::At(format!("{path}/{}", text(&bill["id"])));
                same(request, Box::new(is_paid), look)
            }
            Self::Release => {
                let (stock, request) = world.stock(1).await;
                let reserved = world.http.ask(&request).await.unwrap();
                let state = &reserved.body["reserveProductStockState"];
                assert_eq!(state, "done", "{}", reserved.text);
                let reservation = text(&reserved.body["id"]);
                let path = format!("/orchestration/v1/stock/reservations/{reservation}/release");
                let is_back = |answer: &Answer| {
                    answer.body["productStockLevel"]["amount"].as_f64() == Some(1.0)
                };
                let look = Look::At(format!("{STOCK}/productStock/{stock}"));
                same(Request::post(&path, &json!({})), Box::new(is_back), look)
            }
            Self::Removal => {
                let path = format!("{individual}/{}", world.person().await);
                let mut request = Request::get(&path);
                request.method = "DELETE";
                let is_gone = |answer: &Answer| answer.status == 404;
                same(request, Box::new(is_gone), Look::At(path))
            }
        }
    }

    /// Whether an answer confirms that it has happened.
    fn is_acknowledged(self, answer: &Answer) -> bool {
        match self {
            Self::Read => answer.body["familyName"] == "Runner",
            // Who asks again is told that it is gone.
            Self::Removal => matches!(answer.status, 204 | 404),
            Self::Order
            | Self::Run
            | Self::Document
            | Self::Patch
            | Self::Payment
            | Self::Release => (200..300).contains(&answer.status),
        }
    }
}

#[tokio::test]
async fn answers_to_repeats_and_reads_survive_a_power_failure() {
    let settings = Settings { disk: Disk::Forgetful, tail: SENT.into(), ..Settings::default() };
    let mut world = World::with(settings).await;
    let mut lost = Vec::new();
    for operation in Operation::ALL {
        let prepared = operation.prepare(&world).await;
        world.power().slow_syncs(SYNC_MS);
        let first = {
            let (http, request) = (world.http.clone(), prepared.first.clone());
            tokio::spawn(async move { http.ask(&request).await })
        };
        let answer =
            world.http.repeat_until(&prepared.repeat, |answer| operation.is_acknowledged(answer));
        let answer = answer.await;
        world.fail_power(Survivors::None).await;
        // It may have been answered, or not; what it was answered with is not asked here.
        first.abort();
        world.restart().await;
        let path = match &prepared.look {
            Look::Named(path) => format!("{path}/{}", text(&answer.body["id"])),
            Look::At(path) => path.clone(),
        };
        let found = eventually("the server answers", async || {
            world.http.ask(&Request::get(&path)).await.ok()
        });
        let found = found.await;
        if !(prepared.holds)(&found) {
            lost.push(format!(
                "{operation:?} was answered with {} {}, and then {path} with {} {}",
                answer.status, answer.text, found.status, found.text
            ));
        }
    }
    assert!(lost.is_empty(), "{} were lost:\n{}", lost.len(), lost.join("\n"));
}
