//! Bill runs that are undone (rule 7.7).

use super::*;

/// A run that is undone leaves what was there before, and the next one bills the same.
#[tokio::test]
async fn a_run_is_undone_and_the_next_one_bills_the_same() {
    let world = World::new("UTC", "2026-03-01T08:00:00Z");
    let prices = [
        paid_by(fee("Line", 9.99, "month"), "BOSS"),
        fee("Extras", 5.0, "month"),
        once("Setup", 49.9),
    ];
    world.sold(&product("STAFF", "2026-03-10T00:00:00Z", &prices)).await;
    let adjustment = json!({ "id": "adj-1", "billingAccount": { "id": "STAFF" }, "reason": "sorry",
        "amount": { "unit": "EUR", "value": 1 } });
    let granted = world.bench.post(&format!("{BILLING}/adjustments"), &adjustment).await;
    assert_eq!(granted.status, 201, "{}", granted.text);
    let books = world.books().await;
    let before = world.list(RATE).await;
    let first = world.all("2026-04-01T08:00:00Z").await;
    let billed_first = billed(&first);
    let charged = world.books().await;
    for _ in 0..2 {
        let id = first["id"].as_str().unwrap();
        let undone = world.bench.post(&format!("{BILLING}/runs/{id}/undo"), &json!({})).await;
        assert_eq!(
            (undone.status.as_u16(), &undone.body["state"]),
            (200, &json!("undone")),
            "{}",
            undone.text
        );
        assert_eq!(world.list(BILL).await, [] as [Value; 0]);
        assert_eq!(world.list(RATE).await, before);
        assert_eq!(world.books().await, books);
    }
    let again = world.all("2026-04-01T09:00:00Z").await;
    assert_eq!(billed(&again), billed_first);
    assert_eq!(world.books().await, charged);
    let next = world.all("2026-04-01T10:00:00Z").await;
    assert_eq!(next["billCount"], json!(0), "{next}");
    let runs = world.list(&format!("{BILLING}/runs")).await;
    let states: Vec<_> = runs.iter().map(|run| run["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["done", "done", "undone"]);
}

#[tokio::test]
async fn a_run_whose_bill_is_out_or_adjusted_is_not_undone() {
    let world = World::new("UTC", "2026-03-01T08:00:00Z");
    world.sold(&product("acc-1", "2026-03-01T00:00:00Z", &[fee("A", 31.0, "month")])).await;
    world.sold(&product("acc-2", "2026-03-01T00:00:00Z", &[fee("A", 31.0, "month")])).await;
    let undo = async |run: &Value| {
        let id = run["id"].as_str().unwrap();
        world.bench.post(&format!("{BILLING}/runs/{id}/undo"), &json!({})).await
    };
    let run = world.all("2026-04-01T08:00:00Z").await;
    let bill = run["bill"][1]["id"].as_str().unwrap();
    let sent = world.bench.post(&format!("{BILLING}/bills/{bill}/send"), &json!({})).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    let kept = (world.list(BILL).await, world.list(RATE).await, world.books().await);
    let told = undo(&run).await;
    assert_eq!(
        (told.status.as_u16(), &told.body["referenceError"]),
        (422, &json!("id")),
        "{}",
        told.text
    );
    assert_eq!((world.list(BILL).await, world.list(RATE).await, world.books().await), kept);

    let run = world.all("2026-05-01T08:00:00Z").await;
    let bill = run["bill"][0]["id"].as_str().unwrap();
    let adjustment = json!({ "id": "adj-1", "bill": { "id": bill }, "reason": "sorry",
        "amount": { "unit": "EUR", "value": 1 } });
    let granted = world.bench.post(&format!("{BILLING}/adjustments"), &adjustment).await;
    assert_eq!(granted.status, 201, "{}", granted.text);
    assert_eq!(undo(&run).await.status, 422);
    let missing = world.bench.post(&format!("{BILLING}/runs/none/undo"), &json!({})).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn usage_of_a_run_that_is_undone_is_billed_again() {
    let world = World::new("UTC", "2026-03-01T08:00:00Z");
    let calls = json!({
        "name": "Calls", "priceType": "usage",
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": 0.1 }, "taxRate": 0 },
        "tariff": { "usageSpecification": "VOICE", "quantity": "n" },
    });
    let id = world.sold(&product("acc-1", "2026-03-01T00:00:00Z", &[calls])).await;
    let euro = json!({ "unit": "EUR", "value": 1.25 });
    let usage = json!({
        "id": "u1", "status": "rated", "usageDate": "2026-03-10T08:00:00Z",
        "usageSpecification": { "id": "VOICE" },
        "ratedProductUsage": [{
            "productRef": { "id": id }, "price": "Calls", "priceName": "Calls", "units": 12.5,
            "freeUnits": 0, "unitsBefore": 0, "taxRate": 0, "isBilled": false,
            "taxExcludedRatingAmount": euro, "taxIncludedRatingAmount": euro,
            "ratingDate": "2026-03-10T09:00:00Z",
        }],
    });
    let put = engine::documents::Put::set("usage", "u1", usage.clone());
    world.bench.services.documents.write(vec![put]).await.unwrap();
    let kept = async || {
        world.bench.get("/tmf-api/usageManagement/v4/usage/u1").await.body["status"].clone()
    };
    let first = world.all("2026-04-01T08:00:00Z").await;
    assert_eq!((billed(&first), kept().await), (vec![("acc-1".to_owned(), 1.25)], json!("billed")));
    let run = first["id"].as_str().unwrap();
    let undone = world.bench.post(&format!("{BILLING}/runs/{run}/undo"), &json!({})).await;
    assert_eq!((undone.status.as_u16(), kept().await), (200, json!("rated")), "{}", undone.text);
    assert_eq!(world.books().await, [] as [String; 0]);
    let again = world.all("2026-04-01T09:00:00Z").await;
    assert_eq!((billed(&again), kept().await), (vec![("acc-1".to_owned(), 1.25)], json!("billed")));
    let next = world.all("2026-05-01T09:00:00Z").await;
    assert_eq!(next["billCount"], json!(0), "{next}");
}
