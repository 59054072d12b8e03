//! Usage from the door to the books: rated by the shipped rater, billed, sent and paid.

use serde_json::{Value, json};

use crate::world::{Answer, Settings, World, pack_order};

const PRODUCT: &str = "/tmf-api/productInventory/v4/product";
const USAGE: &str = "/tmf-api/usageManagement/v4/usage";
const CYCLE: &str = "/tmf-api/accountManagement/v4/billingCycleSpecification";
const ACCOUNT: &str = "/tmf-api/accountManagement/v4/billingAccount";
const BILLING: &str = "/orchestration/v1/billing";

/// What a minute costs: a hundred are free, the next hundred cost 10 cents, more cost 5, and at
/// night it is half.
fn tariff() -> Value {
    json!({
        "name": "Calls", "priceType": "usage",
        "price": { "dutyFreeAmount": { "unit": "USD", "value": 0.1 } },
        "tariff": {
            "usageSpecification": "VOICE", "quantity": "duration", "roundTo": 60, "per": 60,
            "allowance": 6000,
            "tiers": [{ "upTo": 6000, "price": 0.1 }, { "price": 0.05 }],
            "bands": [{ "name": "night", "from": "20:00", "until": "06:00", "percent": 50 }],
        },
    })
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// A call of this many seconds, yesterday.
async fn call(world: &World, product: &str, time: &str, seconds: u32) -> Value {
    let day = &days_ago(1)[..10];
    let usage = json!({
        "usageDate": format!("{day}T{time}:00Z"), "usageSpecification": { "id": "VOICE" },
        "usageCharacteristic": [{ "name": "duration", "value": seconds }],
        "ratedProductUsage": [{ "productRef": { "id": product } }],
    });
    let answer = world.http.post(USAGE, &usage).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.body["status"], "rated", "{}", answer.text);
    answer.body["ratedProductUsage"][0].clone()
}

fn days_ago(days: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_millis()).unwrap();
    tmf::time::Timestamp(now - days * 86_400_000).to_string()
}

/// Changes attributes of a document.
async fn patch(world: &World, path: &str, changes: &Value) -> Answer {
    let headers = [("content-type", "application/merge-patch+json")];
    world.http.send("PATCH", path, &headers, changes.to_string()).await.unwrap()
}

#[tokio::test]
async fn calls_are_rated_billed_and_paid_and_the_books_are_even() {
    let head = "[billing]\nbills = \"sent\"\n".to_owned();
    let world = World::with(Settings { tail: head, ..Settings::default() }).await;
    let id = world.submit(&pack_order("mobile-4g/new-number")).await;
    world.completed(&id).await;
    let books = world.books().await;
    let product = books.products(&id)[0].clone();
    let mut prices = product["productPrice"].as_array().unwrap().clone();
    prices.push(tariff());
    // The same with a tariff, three days ago: a tariff counts from when the product has it.
    let mut sold = product.clone();
    sold["id"] = Value::Null;
    sold["startDate"] = json!(days_ago(3));
    sold["productPrice"] = json!(prices);
    sold["realizingService"] = Value::Null;
    let sold = world.http.post(PRODUCT, &sold).await;
    assert_eq!(sold.status, 201, "{}", sold.text);
    let own = sold.body["id"].as_str().unwrap();

    // The allowance of 100 minutes, then 100 at 10 cents, then 5 cents; at night the half.
    let calls = [
        ("09:00", 5_941, "included usage", 0.0),
        ("10:00", 5_400, "non included usage", 8.0 + 1.0),
        ("11:00", 1_200, "non included usage", 1.0 + 10.0 * 0.05),
        ("21:00", 1_200, "non included usage", 20.0 * 0.05 / 2.0),
    ];
    let mut sum = 0.0;
    for (time, seconds, tag, net) in calls {
        let rated = call(&world, own, time, seconds).await;
        assert_eq!(rated["usageRatingTag"], tag, "{rated}");
        let said = number(&rated["taxExcludedRatingAmount"]["value"]);
        assert!((said - net).abs() < 1e-9, "{time}: {said}, not {net}");
        assert_eq!(rated["taxRate"], json!(10), "{rated}");
        sum += net;
    }

    let account = "ACC-1003";
    let demand = tmf::table::path("customerBillOnDemand");
    let asked = json!({ "billingAccount": { "id": account } });
    let answer = world.http.post(demand, &asked).await;
    assert_eq!(answer.body["state"], "done", "{}", answer.text);
    let bill = answer.body["customerBill"]["id"].as_str().unwrap();
    let rates = format!(
        "{}?bill.id={bill}&type=usageCharge",
        tmf::table::path("appliedCustomerBillingRate")
    );
    let rates = world.http.get(&rates).await;
    assert_eq!(rates.as_array().unwrap().len(), 1, "{rates}");
    assert!((number(&rates[0]["taxExcludedAmount"]["value"]) - sum).abs() < 1e-9, "{rates}");

    let path = format!("{}/{bill}", tmf::table::path("customerBill"));
    let bill = world.http.get(&path).await;
    assert_eq!(bill["state"], "sent");
    let payment = json!({ "bill": { "id": bill["id"] }, "amount": bill["remainingAmount"] });
    let paid = world.http.post(&format!("{BILLING}/payments"), &payment).await;
    assert_eq!(paid.body["state"], "settled", "{}", paid.text);
    let ledger = world.http.get(&format!("{BILLING}/ledger")).await;
    for difference in ledger["difference"].as_array().unwrap() {
        assert_eq!(number(&difference["value"]), 0.0, "{ledger}");
    }
    let accounts = ledger["account"].as_array().unwrap();
    let owed = accounts.iter().find(|one| one["account"] == format!("receivable:{account}"));
    assert!(owed.is_none(), "{ledger}");
    assert!(accounts.iter().any(|one| one["account"] == "cash"), "{ledger}");
    let used = world.http.get(&format!("{USAGE}?status=billed")).await;
    assert_eq!(used.as_array().unwrap().len(), calls.len());
}

/// Calls at a price per unit, with one unit a month free.
fn units(price: f64) -> Value {
    json!({
        "name": "Calls", "priceType": "usage",
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": price }, "taxRate": 0 },
        "tariff": { "usageSpecification": "VOICE", "quantity": "n", "allowance": 1 },
    })
}

/// Usage of some days ago, as it is rated.
async fn used(world: &World, product: &str, days: i64, count: u32) -> Value {
    let usage = json!({
        "usageDate": days_ago(days), "usageSpecification": { "id": "VOICE" },
        "usageCharacteristic": [{ "name": "n", "value": count }],
        "ratedProductUsage": [{ "productRef": { "id": product } }],
    });
    let answer = world.http.post(USAGE, &usage).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.body
}

fn net(usage: &Value) -> f64 {
    number(&usage["ratedProductUsage"][0]["taxExcludedRatingAmount"]["value"])
}

#[tokio::test]
async fn usage_costs_what_the_price_was_when_it_was_used_and_stays_as_it_is_billed() {
    let world = World::start().await;
    let yearly = json!({ "name": "yearly", "frequency": "yearly" });
    let cycle = world.http.post(CYCLE, &yearly).await.body["id"].clone();
    let account = json!({
        "name": "a", "relatedParty": [{ "id": "c", "role": "owner" }],
        "billStructure": { "cycleSpecification": { "id": cycle, "name": "yearly" } },
    });
    let account = world.http.post(ACCOUNT, &account).await;
    assert_eq!(account.status, 201, "{}", account.text);
    let account = account.body["id"].clone();
    let product = json!({
        "name": "Phone", "status": "active", "startDate": days_ago(3),
        "billingAccount": { "id": account }, "productPrice": [units(0.1)],
    });
    let sold = world.http.post(PRODUCT, &product).await;
    assert_eq!(sold.status, 201, "{}", sold.text);
    let own = sold.body["id"].as_str().unwrap().to_owned();
    let early = used(&world, &own, 1, 101).await;
    assert_eq!(net(&early), 10.0, "{early}");
    let dear = json!({ "productPrice": [units(0.9)] });
    let patched = patch(&world, &format!("{PRODUCT}/{own}"), &dear).await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    // It comes late, takes the allowance, and costs what calls cost then.
    let late = used(&world, &own, 2, 1).await;
    assert_eq!(net(&late), 0.0, "{late}");
    assert_eq!(net(&used(&world, &own, 1, 10).await), 1.0);
    assert_eq!(net(&used(&world, &own, 0, 10).await), 9.0);
    assert_eq!(used(&world, &own, 4, 1).await["rejection"]["code"], "NOT_ACTIVE");

    // Corrected usage is rated again.
    let path = format!("{USAGE}/{}", early["id"].as_str().unwrap());
    let more = json!({ "usageCharacteristic": [{ "name": "n", "value": 201 }] });
    let corrected = patch(&world, &path, &more).await;
    assert_eq!(corrected.body["status"], "rerated", "{}", corrected.text);
    assert_eq!(net(&corrected.body), 20.1, "{}", corrected.text);

    let asked = json!({ "billingAccount": { "id": account } });
    let answer = world.http.post(tmf::table::path("customerBillOnDemand"), &asked).await;
    assert_eq!(answer.body["state"], "done", "{}", answer.text);
    let bill = answer.body["customerBill"]["id"].as_str().unwrap();
    let rates = format!("{}?bill.id={bill}", tmf::table::path("appliedCustomerBillingRate"));
    let rates = world.http.get(&rates).await;
    assert_eq!(number(&rates[0]["taxExcludedAmount"]["value"]), 30.1, "{rates}");

    for (name, value) in [
        ("usageDate", json!(days_ago(2))),
        ("usageCharacteristic", json!([{ "name": "n", "value": 1 }])),
        ("ratedProductUsage", json!([{ "productRef": { "id": "another" } }])),
    ] {
        let refused = patch(&world, &path, &json!({ name: value })).await;
        assert_eq!(refused.status, 409, "{name}: {}", refused.text);
        assert_eq!(refused.body["referenceError"], name);
    }
    let refused = patch(&world, &path, &json!({ "status": "rerated" })).await;
    assert_eq!((refused.status, &refused.body["referenceError"]), (422, &json!("status")));
    let refused = world.http.send("DELETE", &path, &[], "").await.unwrap();
    assert_eq!((refused.status, &refused.body["referenceError"]), (409, &json!("id")));
}
