//! Many clients, one thing: one of them gets it, and each is told how it stands.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::world::{
    Answer, Request, SENT, Settings, World, fresh, pack_order, text, with_characteristic,
};

/// Clients that ask at one time.
const CLIENTS: usize = 16;

const BILLING: &str = "/orchestration/v1/billing";
const STOCK: &str = "/tmf-api/stock/v4";

/// Sends each request from a client of its own, all at one time.
async fn all(world: &World, requests: impl IntoIterator<Item = Request>) -> Vec<Answer> {
    let mut asking = JoinSet::new();
    for request in requests {
        let http = world.http.clone();
        asking.spawn(async move { http.ask(&request).await.unwrap() });
    }
    asking.join_all().await
}

/// Sends one request from many clients.
async fn many(world: &World, request: &Request) -> Vec<Answer> {
    all(world, std::iter::repeat_n(request.clone(), CLIENTS)).await
}

/// The answers with this status; each other one has one of these.
fn taken(answers: &[Answer], status: u16, others: &[u16]) -> Vec<Value> {
    for answer in answers {
        let is_known = answer.status == status || others.contains(&answer.status);
        assert!(is_known, "{}: {}", answer.status, answer.text);
    }
    let taken = answers.iter().filter(|answer| answer.status == status);
    taken.map(|answer| answer.body.clone()).collect()
}

fn ids(documents: &[Value]) -> BTreeSet<String> {
    documents.iter().map(|document| text(&document["id"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_makes_one_order() {
    let world = World::start().await;
    let path = tmf::table::path("productOrder");
    for round in 0..5 {
        let name = format!("key-{round}");
        let order = fresh(&pack_order("mobile-4g/new-number"), &name);
        let answers = many(&world, &Request::post(path, &order).keyed(&name)).await;
        let orders = taken(&answers, 201, &[]);
        assert_eq!(ids(&orders).len(), 1, "{orders:#?}");
        let listed = world.http.list_of(&format!("{path}?externalId={name}")).await;
        assert_eq!(ids(&listed), ids(&orders));
        world.completed(&text(&orders[0]["id"])).await;
    }
    world.books().await.check_once();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_quote_makes_one_order() {
    let world = World::start().await;
    for _ in 0..5 {
        let id = world.accepted_quote().await;
        let path = format!("/orchestration/v1/quotes/{id}/order");
        let orders = taken(&many(&world, &Request::post(&path, &json!({}))).await, 201, &[]);
        assert_eq!((orders.len(), ids(&orders).len()), (CLIENTS, 1), "{orders:#?}");
        let listed = format!("{}?quote.id={id}", tmf::table::path("productOrder"));
        assert_eq!(ids(&world.http.list_of(&listed).await), ids(&orders));
    }
}

/// Orders about one product come one after the other: what they say is in the product, and each
/// effect is there once.
#[tokio::test(flavor = "multi_thread")]
async fn one_product_is_changed_by_one_order_at_a_time() {
    let world = World::start().await;
    let first = world.submit(&pack_order("superfibre/gpon")).await;
    world.completed(&first).await;
    let path = tmf::table::path("productOrder");
    let mut carried_out = vec![first.clone()];
    for round in 0..3 {
        let changes = (0..CLIENTS).map(|client| {
            let mut order = fresh(&pack_order("superfibre/gpon"), &format!("{round}-{client}"));
            let speeds = json!([
                { "name": "downstreamSpeed", "value": 300 + 100 * ((round + client) % 5) },
                { "name": "upstreamSpeed", "value": 100 },
            ]);
            order["productOrderItem"] = json!([{ "id": "1", "action": "modify",
                "product": { "id": format!("{first}-1"), "productCharacteristic": speeds } }]);
            Request::post(path, &order)
        });
        let orders = taken(&all(&world, changes).await, 201, &[409, 422]);
        assert!(!orders.is_empty(), "one of them is taken");
        for order in ids(&orders) {
            let story = world.ended(&order).await;
            if story.end == "completed" {
                carried_out.push(order);
            }
        }
    }
    assert!(carried_out.len() > 3, "one of each round is carried out: {carried_out:?}");
    let books = world.books().await;
    let product = &books.of("product")[&format!("{first}-1")];
    let links = product["productOrderItem"].as_array().unwrap();
    let linked: BTreeSet<_> = links.iter().map(|link| text(&link["productOrderId"])).collect();
    assert_eq!(linked, carried_out.iter().cloned().collect(), "{product:#}");
    assert_eq!(linked.len(), links.len(), "an order is named twice: {product:#}");
    let last = links.last().map(|link| text(&link["productOrderId"])).unwrap();
    let said = &books.of("productOrder")[&last]["productOrderItem"][0]["product"];
    let speed = |product: &Value| {
        let all = product["productCharacteristic"].as_array().unwrap().iter();
        all.clone().find(|one| one["name"] == "downstreamSpeed").unwrap()["value"].clone()
    };
    assert_eq!(speed(product), speed(said), "the last order is what it is now");
    books.check_once();
    books.check_pools();
    books.check_outbox();
}

/// A product is removed before an order is about it, or after that has ended, and then it is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_not_removed_under_an_order_and_never_comes_back() {
    let world = World::start().await;
    let path = tmf::table::path("productOrder");
    for round in 0..6 {
        let order = fresh(&pack_order("superfibre/gpon"), &format!("removed-{round}"));
        let first = world.submit(&order).await;
        world.completed(&first).await;
        let product = format!("{}/{first}-1", tmf::table::path("product"));
        // A service on top of active services is not removed at all.
        let apart = json!({ "realizingService": [] });
        let apart = Request { method: "PATCH", ..Request::post(&product, &apart) };
        assert_eq!(world.http.ask(&apart).await.unwrap().status, 200);
        let mut change = fresh(&pack_order("superfibre/gpon"), &format!("changed-{round}"));
        let speeds = json!([{ "name": "upstreamSpeed", "value": 50 }]);
        change["productOrderItem"] = json!([{ "id": "1", "action": "modify",
            "product": { "id": format!("{first}-1"), "productCharacteristic": speeds } }]);
        let change = Request::post(path, &change);
        let removal = Request { method: "DELETE", ..Request::get(&product) };
        let (changed, removed) = tokio::join!(world.http.ask(&change), world.http.ask(&removal));
        let (changed, removed) = (changed.unwrap(), removed.unwrap());
        assert!([201, 404, 409, 422].contains(&changed.status), "{}", changed.text);
        assert!([204, 409].contains(&removed.status), "{}", removed.text);
        if changed.status == 201 {
            world.ended(&text(&changed.body["id"])).await;
        }
        let found = world.http.ask(&Request::get(&product)).await.unwrap();
        if removed.status == 204 {
            assert_eq!(found.status, 404, "it came back: {}", found.text);
        } else {
            // Once the order has ended the product stands on its services again.
            let why = ["is about it", "has the service"];
            assert!(why.iter().any(|why| removed.text.contains(why)), "{}", removed.text);
            assert!(found.body["name"].is_string(), "{}", found.text);
            assert_eq!(changed.status, 201, "{}", changed.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_payment_is_noted_once_on_each_of_two_bills() {
    let world = World::with(Settings { tail: SENT.into(), ..Settings::default() }).await;
    let mut bills = Vec::new();
    for name in ["one", "other"] {
        let bill = world.bill(name).await;
        let path = format!("{}/{}", tmf::table::path("customerBill"), text(&bill["id"]));
        bills.push((path, bill));
    }
    let payment = |bill: &Value| {
        let body = json!({ "id": "PAY-1", "bill": { "id": bill["id"] },
            "amount": bill["remainingAmount"] });
        Request::post(&format!("{BILLING}/payments"), &body)
    };
    let both = bills.iter().flat_map(|(_, bill)| std::iter::repeat_n(payment(bill), CLIENTS / 2));
    let answers = all(&world, both).await;
    let settled = taken(&answers, 201, &[409, 422]);
    assert!(!settled.is_empty());
    let mut paid = 0.0;
    let mut count = 0;
    for (path, before) in &bills {
        let bill = world.http.get(path).await;
        let payments = bill["appliedPayment"].as_array().map_or(0, Vec::len);
        assert_eq!(payments == 1, bill["state"] == "settled", "{bill:#}");
        count += payments;
        paid += before["remainingAmount"]["value"].as_f64().unwrap();
    }
    assert_eq!(count, 2);
    let ledger = world.http.get(&format!("{BILLING}/ledger")).await;
    let accounts = ledger["account"].as_array().unwrap();
    let cash = accounts.iter().find(|one| one["account"] == "cash").expect("money came in");
    let cash = cash["balance"]["value"].as_f64().unwrap().abs();
    assert!((cash - paid).abs() < 1e-9, "{count} bills are paid with {paid}, in cash is {cash}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_is_reserved_once() {
    const PIECES: u64 = 5;
    let world = World::start().await;
    let (stock, request) = world.stock(PIECES).await;
    let level = async || {
        let stock = world.http.get(&format!("{STOCK}/productStock/{stock}")).await;
        stock["productStockLevel"]["amount"].as_f64().unwrap()
    };
    let answers = taken(&many(&world, &request).await, 201, &[409]);
    let mut by_state = BTreeMap::<String, Vec<Value>>::new();
    for answer in answers {
        let state = text(&answer["reserveProductStockState"]);
        by_state.entry(state).or_default().push(answer);
    }
    let done = by_state.remove("done").unwrap_or_default();
    assert_eq!((done.len() as u64, level().await), (PIECES, 0.0), "{by_state:#?}");
    // Each is given back once, however many ask.
    for id in ids(&done) {
        let path = format!("/orchestration/v1/stock/reservations/{id}/release");
        taken(&many(&world, &Request::post(&path, &json!({}))).await, 200, &[409]);
    }
    assert_eq!(level().await, PIECES as f64);
}

/// An answer that comes many times is one answer.
#[tokio::test(flavor = "multi_thread")]
async fn one_key_has_one_callback() {
    let world = World::start().await;
    // The element accepts with a later callback, which the test sends in its place.
    let silent = json!([{ "element": "bng-1", "fault": "async", "delayMs": 600_000, "times": 1 }]);
    world.network.fail(silent).await;
    let id = world.submit(&pack_order("superfibre/gpon")).await;
    let waiting = |now: &Value| -> Option<(String, String)> {
        let tasks = now["tasks"].as_array()?;
        let task = tasks.iter().find(|task| task["waitsFor"].is_array())?;
        Some((text(&task["waitsFor"][0]), text(&task["answersAt"][0])))
    };
    let now = world.until(&id, "a task waits", |now| waiting(now).is_some()).await;
    let (key, address) = waiting(&now).unwrap();
    let path = address.strip_prefix(&world.http.base).expect("it answers to us");
    let answers = (0..CLIENTS).map(|client| {
        let result = json!({ "sessionId": format!("session-{client}") });
        Request::post(path, &json!({ "key": key, "status": "done", "result": result }))
    });
    let answers = taken(&all(&world, answers).await, 200, &[202, 409]);
    let delivered = answers.iter().filter(|answer| answer["state"] == "delivered").count();
    assert_eq!(delivered, 1, "{answers:#?}");
    let story = world.completed(&id).await;
    assert_eq!(story.count("calledBack"), 1, "{story}");
}

/// A tag counts for open orders too.
#[tokio::test(flavor = "multi_thread")]
async fn of_changes_of_an_open_order_with_one_tag_one_is_taken() {
    let world = World::start().await;
    let path = tmf::table::path("productOrder");
    let mut order = pack_order("mobile-4g/port-in");
    with_characteristic(&mut order, "portWindow", &"2099-01-01T00:00:00Z".into());
    let id = world.submit(&order).await;
    let some = |now: &Value| now["tasksDone"].as_u64() >= Some(3);
    world.until(&id, "it waits for its date", some).await;
    let path = format!("{path}/{id}");
    let mut changes = 0;
    for round in 0..20 {
        let read = world.http.ask(&Request::get(&path)).await.unwrap();
        let tag = read.headers["etag"].to_str().unwrap().to_string();
        let patches = (0..4).map(|client| {
            let name = format!("{round}-{client}");
            Request::patch(&path, &json!({ "description": name })).with("if-match", &tag)
        });
        let patched = taken(&all(&world, patches).await, 200, &[412]);
        // Where none is taken the order went on by itself meanwhile.
        assert!(patched.len() <= 1, "round {round}: {patched:#?}");
        let Some(patched) = patched.first() else { continue };
        let now = world.http.get(&path).await;
        assert_eq!(now["description"], patched["description"], "round {round}");
        changes += 1;
    }
    assert!(changes > 10, "only {changes} changes were taken");
}
