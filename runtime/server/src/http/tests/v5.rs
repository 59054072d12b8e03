//! Version 5 over the same documents: what a client sends there, what it reads, and what it is told
//! of its mistakes.

use axum::body::Body;
use serde_json::{Value, json};

use super::bench::{Answer, Bench};

const PRODUCTS: &str = "/tmf-api/productInventory/v5/product";
const PRODUCTS_V4: &str = "/tmf-api/productInventory/v4/product";
const ORDERS: &str = "/tmf-api/productOrderingManagement/v5/productOrder";
const ORDERS_V4: &str = "/tmf-api/productOrderingManagement/v4/productOrder";
const BASE: &str = "http://127.0.0.1:8080";

fn product(party: &str, started: &str) -> Value {
    let inner = json!({ "@type": "PartyRef", "id": party, "name": party });
    json!({
        "@type": "Product",
        "status": "active",
        "startDate": started,
        "productCharacteristic": [
            { "@type": "IntegerCharacteristic", "name": "speed", "value": 200 },
        ],
        "relatedParty": [
            { "@type": "RelatedPartyOrPartyRole", "role": "user", "partyOrPartyRole": inner },
        ],
    })
}

fn order() -> Value {
    let place = json!({ "@type": "PlaceRef", "id": "ADDR-1" });
    let place = json!([{ "@type": "RelatedPlaceRefOrValue", "role": "home", "place": place }]);
    let product = json!({ "@type": "Product", "place": place });
    let offering = json!({ "@type": "ProductOfferingRef", "id": "PO-SF200H" });
    json!({
        "@type": "ProductOrder",
        "externalId": [{ "@type": "ExternalIdentifier", "id": "A", "owner": "shop" }],
        "productOrderItem": [{
            "@type": "ProductOrderItem", "id": "1", "action": "add", "productOffering": offering,
            "product": product,
        }],
    })
}

async fn patch(bench: &Bench, media: &str, path: &str, body: &Value) -> Answer {
    let headers = [("content-type", media)];
    bench.send(&format!("PATCH {path}"), &headers, Body::from(body.to_string())).await
}

#[tokio::test]
async fn both_versions_show_the_same_product() {
    let bench = Bench::new();
    let made = bench.post(PRODUCTS, &product("ann", "2026-01-01T00:00:00Z")).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("{BASE}{PRODUCTS}/{id}"));
    assert_eq!(made.body["href"], format!("{BASE}{PRODUCTS}/{id}"));
    let party = &made.body["relatedParty"][0];
    assert_eq!(party["partyOrPartyRole"]["@type"], "PartyRef");
    assert_eq!((&party["role"], party.get("id")), (&json!("user"), None));
    let there = bench.get(&format!("{PRODUCTS}/{id}")).await;
    assert_eq!(there.body, made.body);
    let before = bench.get(&format!("{PRODUCTS_V4}/{id}")).await;
    assert_eq!(before.body["relatedParty"][0]["id"], "ann");
    assert_eq!(before.body["relatedParty"][0]["role"], "user");
    assert_eq!(before.body["relatedParty"][0].get("partyOrPartyRole"), None);
    assert_eq!(before.body["href"], format!("{BASE}{PRODUCTS_V4}/{id}"));
    assert_eq!(before.header("etag"), there.header("etag"));
}

#[tokio::test]
async fn lists_are_asked_for_in_the_words_of_the_version() {
    let bench = Bench::new();
    for (party, started) in [("ann", "2026-01-02T00:00:00Z"), ("bob", "2026-01-01T00:00:00Z")] {
        assert_eq!(bench.post(PRODUCTS, &product(party, started)).await.status, 201);
    }
    let name = |row: &Value| row["relatedParty"][0]["partyOrPartyRole"]["id"].clone();
    let path = format!("{PRODUCTS}?relatedParty.partyOrPartyRole.id=bob");
    let found = bench.get(&path).await;
    assert_eq!((found.header("x-total-count"), name(&found.body[0])), ("1", json!("bob")));
    let sorted = bench.get(&format!("{PRODUCTS}?sort=relatedParty.partyOrPartyRole.id")).await;
    assert_eq!((name(&sorted.body[0]), name(&sorted.body[1])), (json!("ann"), json!("bob")));
    let path = format!("{PRODUCTS}?productCharacteristic.@type=IntegerCharacteristic");
    assert_eq!(bench.get(&path).await.header("x-total-count"), "2");
    let path = format!("{PRODUCTS}?fields=relatedParty.partyOrPartyRole.id&limit=1");
    let few = bench.get(&path).await;
    let party = json!([{ "partyOrPartyRole": { "id": "ann" } }]);
    assert_eq!(few.body[0]["relatedParty"], party);
    let wrong = bench.get(&format!("{PRODUCTS}?relatedParty.id=bob")).await;
    assert_eq!(
        (wrong.status.as_u16(), &wrong.body["referenceError"]),
        (400, &json!("relatedParty.id"))
    );
    assert_eq!(
        bench.get(&format!("{PRODUCTS_V4}?relatedParty.id=bob")).await.header("x-total-count"),
        "1"
    );
}

#[tokio::test]
async fn a_product_is_changed_in_either_notation() {
    let bench = Bench::new();
    let made = bench.post(PRODUCTS, &product("ann", "2026-01-01T00:00:00Z")).await;
    let path = format!("{PRODUCTS}/{}", made.body["id"].as_str().unwrap());
    let operations = json!([
        { "op": "test", "path": "/relatedParty/0/partyOrPartyRole/id", "value": "ann" },
        { "op": "replace", "path": "/relatedParty/0/partyOrPartyRole/name", "value": "Ann" },
    ]);
    let changed = patch(&bench, "application/json-patch+json", &path, &operations).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(changed.body["relatedParty"][0]["partyOrPartyRole"]["name"], "Ann");
    let merge = json!({ "relatedParty": null, "status": "suspended" });
    let changed = patch(&bench, "application/merge-patch+json", &path, &merge).await;
    assert_eq!((changed.status.as_u16(), changed.body.get("relatedParty")), (200, None));
    let back = json!({ "status": "created" });
    let illegal = patch(&bench, "application/merge-patch+json", &path, &back).await;
    assert_eq!((illegal.status.as_u16(), &illegal.body["referenceError"]), (422, &json!("status")));
    let path = path.replace("/v5/", "/v4/");
    assert_eq!(bench.get(&path).await.body["status"], "suspended");
}

#[tokio::test]
async fn an_order_of_version_5_is_carried_out() {
    let bench = Bench::new();
    let sent = order();
    let made = bench.post(ORDERS, &sent).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["externalId"], sent["externalId"]);
    assert!(made.body["creationDate"].is_string() && made.body.get("orderDate").is_none());
    let id = made.body["id"].as_str().unwrap();
    let before = bench.get(&format!("{ORDERS_V4}/{id}")).await;
    assert_eq!(before.body["externalId"], "A");
    assert_eq!(before.body["orderDate"], made.body["creationDate"]);
    let found = bench.get(&format!("{ORDERS}?externalId.id=A")).await;
    assert_eq!((found.header("x-total-count"), &found.body[0]["id"]), ("1", &json!(id)));
}

#[tokio::test]
async fn errors_use_the_names_of_the_client_and_change_nothing() {
    let bench = Bench::new();
    let facts = bench.facts();
    let inner = json!({ "@type": "PartyRef", "name": "unknown" });
    let party = json!({ "role": "user", "partyOrPartyRole": inner });
    let related = json!([party]);
    let resources = "/tmf-api/resourceInventory/v5/resource";
    let mut draft = order();
    draft["requestedInitialState"] = json!("draft");
    let wrong = [
        (ORDERS, json!({}), 400, "productOrderItem"),
        (
            ORDERS,
            json!({ "productOrderItem": [{ "id": "1", "action": "sell" }] }),
            400,
            "productOrderItem[0].action",
        ),
        (
            ORDERS,
            json!({ "externalId": "A", "productOrderItem": [{ "id": "1", "action": "add" }] }),
            400,
            "externalId",
        ),
        (ORDERS, draft, 422, "requestedInitialState"),
        ("/tmf-api/partyManagement/v5/organization", json!({ "tradingName": "x" }), 400, "name"),
        (PRODUCTS, json!({ "relatedParty": related }), 400, "relatedParty[0].partyOrPartyRole.id"),
        (PRODUCTS, json!({ "status": "gone" }), 400, "status"),
        (PRODUCTS, json!({ "creationDate": "yesterday" }), 400, "creationDate"),
        (resources, json!({ "operationalState": "enable" }), 400, "operationalState"),
        (
            "/tmf-api/productCatalogManagement/v5/productOffering",
            json!({ "name": "x" }),
            400,
            "lifecycleStatus",
        ),
    ];
    for (path, body, status, about) in wrong {
        let answer = bench.post(path, &body).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.body);
        assert_eq!(answer.body["referenceError"], about, "{body}: {}", answer.body);
        assert_eq!(answer.body["@type"], "Error");
    }
    assert_eq!(bench.facts(), facts);
}

#[tokio::test]
async fn each_version_is_described() {
    let bench = Bench::new();
    let later = bench.get("/tmf-api/637/v5/openapi.json").await;
    let paths = later.body["paths"].as_object().unwrap();
    assert!(paths.keys().all(|path| path.starts_with("/tmf-api/productInventory/v5/")));
    let schemas = &later.body["components"]["schemas"];
    assert!(schemas["RelatedPartyOrPartyRole_637v5"]["properties"]["partyOrPartyRole"].is_object());
    let first = bench.get("/tmf-api/637/openapi.json").await;
    assert!(first.body["paths"][PRODUCTS_V4].is_object());
    assert_eq!(bench.get("/tmf-api/652/v5/openapi.json").await.status, 404);
}
