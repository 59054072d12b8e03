//! Usage and tariffs at the door: what cannot be is rejected by attribute, and changes nothing. There
//! is no rater here; usage waits for one.

use serde_json::{Value, json};

use super::bench::{Answer, Bench};

const PRODUCT: &str = "/tmf-api/productInventory/v4/product";
const PRICE: &str = "/tmf-api/productCatalogManagement/v4/productOfferingPrice";
const USAGE: &str = "/tmf-api/usageManagement/v4/usage";

fn calls(tariff: &Value) -> Value {
    json!({
        "name": "Calls", "priceType": "usage", "tariff": tariff,
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": 0.09 }, "taxRate": 0 },
    })
}

fn phone(prices: &Value) -> Value {
    json!({
        "name": "Phone", "status": "active", "startDate": "2026-03-10T10:00:00Z",
        "billingAccount": { "id": "acc-1" }, "productSerialNumber": "+4930123",
        "productPrice": prices,
    })
}

fn call() -> Value {
    json!({
        "usageDate": "2026-03-20T10:00:00Z",
        "usageSpecification": { "id": "VOICE" },
        "usageCharacteristic": [
            { "name": "msisdn", "value": "+4930123" }, { "name": "duration", "value": 60 },
        ],
    })
}

fn voice() -> Value {
    json!({ "usageSpecification": "VOICE", "quantity": "duration", "per": 60 })
}

impl Bench {}

fn refused(answer: &Answer, about: &str, what: &Value) {
    let status = answer.status.as_u16();
    assert!([400, 422].contains(&status), "{what}: {}", answer.text);
    assert_eq!(answer.body["referenceError"], json!(about), "{what}: {}", answer.text);
}

#[tokio::test]
async fn usage_that_cannot_be_is_rejected_by_attribute() {
    let bench = Bench::new();
    let sold = bench.post(PRODUCT, &phone(&json!([calls(&voice())]))).await;
    assert_eq!(sold.status, 201, "{}", sold.text);
    let line = |name: &str, value: Value| json!([{ "productRef": { "id": sold.body["id"] }, name: value }]);
    let euro = json!({ "unit": "EUR", "value": 0 });
    let table = [
        ("status", json!("billed"), "status"),
        ("status", json!("rated"), "status"),
        ("usageDate", json!("2126-03-20T10:00:00Z"), "usageDate"),
        ("usageDate", json!("2026-02-30T10:00:00Z"), "usageDate"),
        ("usageDate", json!(7), "usageDate"),
        ("rejection", json!({ "code": "MINE" }), "rejection"),
        ("ratedProductUsage", line("isBilled", json!(true)), "ratedProductUsage[0].isBilled"),
        (
            "ratedProductUsage",
            line("taxExcludedRatingAmount", euro),
            "ratedProductUsage[0].taxExcludedRatingAmount",
        ),
    ];
    let before = bench.facts();
    for (name, value, about) in table {
        let mut usage = call();
        usage[name] = value;
        refused(&bench.post(USAGE, &usage).await, about, &usage);
    }
    assert_eq!(bench.facts(), before);
    // Attributes that depend on the product are rejected with a reason, and can be corrected.
    let mut usage = call();
    usage["usageCharacteristic"][1]["value"] = json!(-1);
    let rejected = bench.post(USAGE, &usage).await;
    assert_eq!(rejected.body["rejection"]["code"], "MALFORMED", "{}", rejected.text);
    assert_eq!(rejected.body["rejection"]["attribute"], "usageCharacteristic[1].value");
    let path = format!("{USAGE}/{}", rejected.body["id"].as_str().unwrap());
    let changes = json!({ "usageCharacteristic": call()["usageCharacteristic"] });
    let corrected = bench.patch(&path, &changes).await;
    assert_eq!(corrected.body["status"], "recycled", "{}", corrected.text);
    assert_eq!(corrected.body["rejection"], Value::Null);
    for state in ["billed", "rated", "received"] {
        refused(&bench.patch(&path, &json!({ "status": state })).await, "status", &json!(state));
    }
}

#[tokio::test]
async fn tariffs_that_cannot_be_rated_are_rejected_where_they_are_written() {
    let bench = Bench::new();
    let with = |name: &str, value: Value| {
        let mut tariff = voice();
        tariff[name] = value;
        tariff
    };
    let table = [
        (with("per", json!(0)), "per"),
        (with("tiers", json!([{ "upTo": 9, "price": 1 }])), "tiers[0]"),
        (with("bands", json!([{ "name": "n" }])), "bands[0].from"),
        (with("perUnit", json!(1)), "perUnit"),
    ];
    let sold = bench.post(PRODUCT, &phone(&json!([calls(&voice())]))).await;
    let path = format!("{PRODUCT}/{}", sold.body["id"].as_str().unwrap());
    let offered = |tariff: &Value| {
        json!({
            "name": "Calls", "priceType": "usage", "lifecycleStatus": "In Design",
            "price": { "unit": "EUR", "value": 0.09 }, "tariff": tariff,
        })
    };
    let price = bench.post(PRICE, &offered(&voice())).await;
    assert_eq!(price.status, 201, "{}", price.text);
    let before = bench.facts();
    for (tariff, about) in table {
        let about = format!("tariff.{about}");
        let prices = json!([calls(&tariff)]);
        let at = format!("productPrice[0].{about}");
        refused(&bench.post(PRODUCT, &phone(&prices)).await, &at, &tariff);
        refused(&bench.patch(&path, &json!({ "productPrice": prices })).await, &at, &tariff);
        refused(&bench.post(PRICE, &offered(&tariff)).await, &about, &tariff);
    }
    let twice = json!([calls(&voice()), calls(&voice())]);
    let about = "productPrice[1].tariff.usageSpecification";
    refused(&bench.post(PRODUCT, &phone(&twice)).await, about, &twice);
    assert_eq!(bench.facts(), before);
    // The catalog keeps what a tariff was: usage that comes late is rated by it.
    let path = format!("{PRICE}/{}", price.body["id"].as_str().unwrap());
    let changed = bench.patch(&path, &json!({ "tariff": with("allowance", json!(9)) })).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let id = price.body["id"].as_str().unwrap();
    let history = bench.get(&format!("/orchestration/v1/history/productOfferingPrice/{id}")).await;
    assert_eq!(history.body.as_array().map(Vec::len), Some(2), "{}", history.text);
}
