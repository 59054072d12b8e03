//! Documents, payments, subscriptions and imported rows that were acknowledged are there after each failure.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::world::{Dice, Disk, Http, Request, SENT, Settings, Survivors, World, soaked, text};

const FAILURES: u64 = 6;

/// Clients that write at one time.
const CLIENTS: u64 = 12;

/// Max writes that are acknowledged between two failures.
const WRITES_MAX: u64 = 60;

/// What was acknowledged: where it is, and what is said there.
#[derive(Default)]
struct Ledger {
    entries: Mutex<BTreeMap<String, Value>>,
    count: watch::Sender<u64>,
}

impl Ledger {
    fn note(&self, path: String, expected: Value) {
        self.entries.lock().unwrap().insert(path, expected);
        self.count.send_modify(|count| *count += 1);
    }

    /// Everything that was noted is there.
    async fn check(&self, http: &Http, seed: u64) {
        let entries = self.entries.lock().unwrap().clone();
        for (path, expected) in entries {
            let found = http.ask(&Request::get(&path)).await.unwrap();
            assert_eq!(found.status, 200, "{path} was acknowledged, FERRULE_SEED={seed}");
            for (name, value) in expected.as_object().unwrap() {
                assert_eq!(&found.body[name], value, "{path}, FERRULE_SEED={seed}");
            }
        }
    }
}

/// Writes one thing after the other until the server is gone.
async fn write(http: Http, ledger: Arc<Ledger>, round: u64, client: u64) {
    let individual = tmf::table::path("individual");
    for number in 0.. {
        let name = format!("{round}-{client}-{number}");
        let person = json!({ "givenName": "Ann", "familyName": name });
        let request = Request::post(individual, &person).keyed(&name);
        let Ok(made) = http.ask(&request).await else { return };
        assert_eq!(made.status, 201, "{}", made.text);
        let path = format!("{individual}/{}", text(&made.body["id"]));
        ledger.note(path.clone(), json!({ "givenName": "Ann" }));
        let Ok(changed) = http.ask(&Request::patch(&path, &json!({ "title": "Dr" }))).await else {
            return;
        };
        assert_eq!(changed.status, 200, "{}", changed.text);
        ledger.note(path, json!({ "title": "Dr", "familyName": name }));
        match client % 3 {
            0 => {
                let callback = json!({ "callback": format!("http://127.0.0.1:9/{name}") });
                let hub = "/tmf-api/party/v4/hub";
                let Ok(made) = http.ask(&Request::post(hub, &callback)).await else { return };
                assert_eq!(made.status, 201, "{}", made.text);
                let path = format!("/orchestration/v1/subscriptions/{}", text(&made.body["id"]));
                ledger.note(path, callback);
            }
            1 => {
                let Ok(()) = import(&http, &ledger, &name).await else { return };
            }
            _ => {}
        }
    }
}

/// Pays a bill; it is settled once that is acknowledged.
async fn pay(http: Http, ledger: Arc<Ledger>, bill: Value) {
    let payment = json!({ "id": bill["id"], "bill": { "id": bill["id"] },
        "amount": bill["remainingAmount"] });
    let request = Request::post("/orchestration/v1/billing/payments", &payment);
    let Ok(paid) = http.ask(&request).await else { return };
    assert_eq!(paid.status, 201, "{}", paid.text);
    let path = format!("{}/{}", tmf::table::path("customerBill"), text(&bill["id"]));
    ledger.note(path, json!({ "state": "settled" }));
}

/// Imports some rows; all of them are there once that is acknowledged.
async fn import(http: &Http, ledger: &Ledger, name: &str) -> anyhow::Result<()> {
    let ids: Vec<String> = (0..5).map(|row| format!("P-{name}-{row}")).collect();
    let row = |id: &String| format!("{}\n", json!({ "id": id, "name": id, "status": "active" }));
    let rows: String = ids.iter().map(row).collect();
    let path = format!("/orchestration/v1/imports/i-{name}?resource=product");
    let headers = [("content-type", "application/x-ndjson")];
    let taken = http.send("PUT", &path, &headers, rows).await?;
    assert_eq!(taken.status, 200, "{}", taken.text);
    assert_eq!(taken.body["state"], "completed", "{}", taken.text);
    for id in ids {
        let path = format!("{}/{id}", tmf::table::path("product"));
        ledger.note(path, json!({ "name": id }));
    }
    Ok(())
}

#[tokio::test]
async fn acknowledged_writes_are_there_after_each_power_failure() {
    let mut dice = Dice::from_environment();
    let settings = Settings { disk: Disk::Forgetful, tail: SENT.into(), ..Settings::default() };
    let mut world = World::with(settings).await;
    let ledger = Arc::new(Ledger::default());
    for round in 0..soaked(FAILURES) {
        let bill = world.bill(&format!("{round}")).await;
        world.power().slow_syncs(if round % 2 == 0 { 10 } else { 0 });
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            clients.spawn(write(world.http.clone(), Arc::clone(&ledger), round, client));
        }
        clients.spawn(pay(world.http.clone(), Arc::clone(&ledger), bill));
        let goal = *ledger.count.borrow() + dice.up_to(WRITES_MAX);
        let mut count = ledger.count.subscribe();
        let seen = count.wait_for(|count| *count >= goal);
        tokio::time::timeout(crate::world::DEADLINE, seen).await.expect("writes go on").unwrap();
        let survivors = match round % 3 {
            0 => Survivors::None,
            _ => Survivors::Some(&mut dice),
        };
        world.fail_power(survivors).await;
        clients.join_all().await;
        world.restart().await;
        ledger.check(&world.http, dice.seed()).await;
    }
}
