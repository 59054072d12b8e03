//! Stocks, asked as a client asks.

use serde_json::{Value, json};

use super::bench::Bench;

const STOCK: &str = "/tmf-api/stock/v4";

async fn stocked(bench: &Bench, amount: u64) -> String {
    let body = json!({
        "name": "routers", "productStockStatusType": "available",
        "productStockLevel": { "amount": amount, "units": "piece" },
        "stockedProduct": { "id": "router", "productOffering": { "id": "PO-ROUTER" } },
        "place": { "id": "Berlin", "role": "warehouse" },
    });
    let made = bench.post(&format!("{STOCK}/productStock"), &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.body["id"].as_str().unwrap().to_owned()
}

async fn level(bench: &Bench, id: &str) -> Value {
    let stock = bench.get(&format!("{STOCK}/productStock/{id}")).await;
    stock.body["productStockLevel"]["amount"].clone()
}

fn one_of(stock: &Value) -> Value {
    json!({ "reserveProductStockItem": [{
        "id": "1", "quantityRequested": { "amount": 1, "units": "piece" },
        "requestedProduct": { "productOffering": { "id": "PO-ROUTER" } },
        "productStockRequested": stock,
    }] })
}

#[tokio::test]
async fn of_two_who_want_the_last_one_one_gets_it() {
    let bench = Bench::new();
    let id = stocked(&bench, 1).await;
    let path = format!("{STOCK}/reserveProductStock");
    let (by_stock, by_product) = (one_of(&json!({ "id": id })), one_of(&Value::Null));
    let (one, other) = tokio::join!(bench.post(&path, &by_stock), bench.post(&path, &by_product));
    let mut states = Vec::new();
    for answer in [&one, &other] {
        assert_eq!(answer.status, 201, "{}", answer.text);
        states.push(answer.body["reserveProductStockState"].as_str().unwrap());
    }
    states.sort_unstable();
    assert_eq!(states, ["done", "terminatedWithError"]);
    assert_eq!(level(&bench, &id).await, json!(0));
    let won = if one.body["reserveProductStockState"] == "done" { &one } else { &other };
    let item = &won.body["reserveProductStockItem"][0];
    assert_eq!(item["quantityReserved"]["amount"], json!(1));
    let held = item["productStockReserved"]["id"].as_str().unwrap();
    // One who fails and claims the other's stock has nothing to release.
    let mut claim = one_of(&json!({ "id": id }));
    claim["reserveProductStockItem"][0]["productStockReserved"] = json!({ "id": held });
    let failed = bench.post(&path, &claim).await;
    assert_eq!(failed.body["reserveProductStockState"], "terminatedWithError", "{}", failed.text);
    let failed = failed.body["id"].as_str().unwrap();
    let release = format!("/orchestration/v1/stock/reservations/{failed}/release");
    assert_eq!(bench.post(&release, &json!({})).await.status, 200);
    assert_eq!(level(&bench, held).await, json!(1));
    // It is released once, however often a client asks.
    let own = won.body["id"].as_str().unwrap();
    for _ in 0..2 {
        let release = format!("/orchestration/v1/stock/reservations/{own}/release");
        let released = bench.post(&release, &json!({})).await;
        assert_eq!(released.status, 200, "{}", released.text);
        assert_eq!(level(&bench, &id).await, json!(1));
    }
    assert_eq!(bench.get(&format!("{STOCK}/productStock/{held}")).await.status, 404);
    let none = bench.post("/orchestration/v1/stock/reservations/none/release", &json!({})).await;
    assert_eq!(none.status, 404);
}

#[tokio::test]
async fn expired_reservations_are_released_when_another_client_needs_the_stock() {
    let bench = Bench::new();
    let id = stocked(&bench, 1).await;
    let path = format!("{STOCK}/reserveProductStock");
    let mut brief = one_of(&json!({ "id": id }));
    brief["validFor"] = json!({ "endDateTime": "2026-01-01T00:00:00Z" });
    let first = bench.post(&path, &brief).await;
    assert_eq!(first.body["reserveProductStockState"], "done", "{}", first.text);
    let next = bench.post(&path, &one_of(&Value::Null)).await;
    assert_eq!(next.body["reserveProductStockState"], "done", "{}", next.text);
    let first = bench.get(&format!("{path}/{}", first.body["id"].as_str().unwrap())).await;
    assert_eq!(first.body["reserveProductStockItem"][0]["quantityReserved"]["amount"], json!(0));
    assert_eq!(level(&bench, &id).await, json!(0));
}

#[tokio::test]
async fn levels_are_adjusted_checked_and_asked_for() {
    let bench = Bench::new();
    let id = stocked(&bench, 2).await;
    let adjust = |amount: i64| {
        json!({ "adjustReason": "count", "adjustProductStockItem": [{
            "id": "1", "productStockTarget": { "id": id },
            "adjustProductStockQuantity": { "amount": amount, "units": "piece" },
        }] })
    };
    let path = format!("{STOCK}/adjustProductStock");
    for (amount, state, left) in [(3, "done", 5), (-6, "terminatedWithError", 5), (-5, "done", 0)] {
        let adjusted = bench.post(&path, &adjust(amount)).await;
        assert_eq!(adjusted.body["state"], json!(state), "{}", adjusted.text);
        assert_eq!(level(&bench, &id).await, json!(left));
    }
    bench.post(&path, &adjust(4)).await;
    let check = |amount: u64| {
        json!({ "checkProductStockItem": [{
            "id": "1", "requestedQuantity": { "amount": amount },
            "checkedProductStock": { "stockedProduct": { "id": "router" } },
        }] })
    };
    for (amount, result) in [(4, "available"), (5, "unavailable")] {
        let checked = bench.post(&format!("{STOCK}/checkProductStock"), &check(amount)).await;
        let item = &checked.body["checkProductStockItem"][0];
        assert_eq!(item["availabilityResult"], json!(result), "{}", checked.text);
    }
    let place = json!({ "id": "Berlin", "role": "warehouse" });
    let query = json!({ "searchCriteria": { "place": place } });
    let found = bench.post(&format!("{STOCK}/queryProductStock"), &query).await;
    assert_eq!(found.body["queryProductStockItem"][0]["id"], json!(id), "{}", found.text);
    let before = bench.facts();
    let wrong = [
        (
            "reserveProductStock",
            json!({ "reserveProductStockItem": [{ "id": "1", "quantityRequested": { "amount": 1 } }] }),
            400,
            "reserveProductStockItem[0]",
        ),
        (
            "reserveProductStock",
            json!({ "reserveProductStockItem": [{ "id": "1", "quantityRequested": { "amount": 0 }, "productStockRequested": { "id": id } }] }),
            422,
            "reserveProductStockItem[0].quantityRequested.amount",
        ),
        (
            "reserveProductStock",
            json!({ "reserveProductStockItem": [{ "id": "1", "quantityRequested": { "amount": 1 }, "productStockRequested": { "id": "none" } }] }),
            422,
            "reserveProductStockItem[0].productStockRequested.id",
        ),
        (
            "adjustProductStock",
            json!({ "adjustProductStockItem": [{ "id": "1", "productStockTarget": { "id": id }, "adjustProductStockQuantity": { "amount": 1, "units": "metre" } }] }),
            422,
            "adjustProductStockItem[0].adjustProductStockQuantity.units",
        ),
    ];
    for (task, body, status, about) in wrong {
        let refused = bench.post(&format!("{STOCK}/{task}"), &body).await;
        assert_eq!(refused.status.as_u16(), status, "{task}: {}", refused.text);
        assert_eq!(refused.body["referenceError"], json!(about), "{}", refused.text);
    }
    assert_eq!(bench.facts(), before);
}
