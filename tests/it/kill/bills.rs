//! The process is killed while a bill run draws bills, and while one is undone. Each account is
//! billed once in the end, and what is undone leaves nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::world::{Dice, World, eventually};

const BILLING: &str = "/orchestration/v1/billing";
const BILL: &str = "/tmf-api/customerBillManagement/v4/customerBill";

/// Accounts that are billed.
const ACCOUNTS: usize = 60;

/// Kills of a run, and of each undoing.
const KILLS: usize = 4;

fn product(number: usize) -> Value {
    let fee = |name: &str, value: f64, tax: u32| {
        json!({ "name": name, "priceType": "recurring", "recurringChargePeriod": "month",
            "price": { "dutyFreeAmount": { "unit": "EUR", "value": value }, "taxRate": tax } })
    };
    json!({
        "name": "Line", "status": "active", "startDate": "2026-01-01T00:00:00Z",
        "billingAccount": { "id": format!("acc-{number:03}") },
        "productPrice": [fee("Access", 31.0, 0), fee("Extras", 10.01, 19)],
    })
}

/// Asks for something, and kills the server once the number of bills is this far from what it was.
async fn killed_in(world: &mut World, path: &str, body: &Value, bills: usize) {
    let before = world.http.total(&format!("{BILL}?limit=1")).await;
    {
        let asked = world.http.post_with(path, &[], body);
        let moved = eventually("bills come or go", async || {
            let now = world.http.total(&format!("{BILL}?limit=1")).await;
            (now.abs_diff(before) >= bills).then_some(())
        });
        // Whichever is first: a run that is over has no more bills to come.
        tokio::select! {
            _ = asked => {}
            () = moved => {}
        }
    }
    world.kill().await;
    world.restart().await;
}

async fn bills(world: &World) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for bill in world.http.list(BILL).await {
        let account = bill["billingAccount"]["id"].as_str().unwrap().to_owned();
        all.entry(account).or_default().push(bill["amountDue"]["value"].to_string());
    }
    all
}

async fn nothing_is_found(world: &World) {
    let found = world.http.get(&format!("{BILLING}/assurance?until=2026-02-01")).await;
    assert_eq!(found["finding"], json!([]), "{found}");
    let books = world.http.get(&format!("{BILLING}/ledger")).await;
    let sums = books["difference"].as_array().unwrap();
    assert!(sums.iter().all(|sum| sum["value"] == json!(0)), "{books}");
}

#[tokio::test]
async fn accounts_are_billed_once_and_runs_undone_as_a_whole_whenever_it_is_killed() {
    let mut dice = Dice::from_environment();
    let mut world = World::start().await;
    for number in 0..ACCOUNTS {
        let made = world.http.post("/tmf-api/productInventory/v4/product", &product(number)).await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    let run = json!({ "date": "2026-02-01" });
    let runs = format!("{BILLING}/runs");
    for _ in 0..KILLS {
        let some = 1 + usize::try_from(dice.up_to(10)).unwrap();
        killed_in(&mut world, &runs, &run, some).await;
        assert!(bills(&world).await.values().all(|bills| bills.len() == 1));
    }
    let last = world.http.post(&runs, &run).await;
    assert_eq!((last.status, &last.body["failed"]), (201, &json!([])), "{}", last.text);
    let billed = bills(&world).await;
    assert_eq!(billed.len(), ACCOUNTS);
    assert!(billed.values().all(|bills| *bills == ["42.91"]), "{billed:?}");
    nothing_is_found(&world).await;
    for run in world.http.list_of(&runs).await {
        let undo = format!("{runs}/{}/undo", run["id"].as_str().unwrap());
        let some = 1 + usize::try_from(dice.up_to(5)).unwrap();
        killed_in(&mut world, &undo, &json!({}), some).await;
        let undone = world.http.post(&undo, &json!({})).await;
        assert_eq!(undone.body["state"], "undone", "{}", undone.text);
    }
    assert_eq!(bills(&world).await, BTreeMap::new());
    let books = world.http.get(&format!("{BILLING}/ledger")).await;
    assert_eq!(books["account"], json!([]), "{books}");
    let again = world.http.post(&runs, &run).await;
    assert_eq!(again.body["billCount"], json!(ACCOUNTS), "{}", again.text);
    assert_eq!(bills(&world).await, billed);
    nothing_is_found(&world).await;
}
