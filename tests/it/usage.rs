//! Usage from the door to the books: rated by the shipped rater, billed, sent and paid.

use serde_json::{Value, json};

use crate::world::{Settings, World, pack_order};

const PRODUCT: &str = "/tmf-api/productInventory/v4/product";
const USAGE: &str = "/tmf-api/usageManagement/v4/usage";
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

/// A call of so many seconds, today.
async fn call(world: &World, product: &str, time: &str, seconds: u32) -> Value {
    let day = &today()[..10];
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

fn today() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    model::Timestamp(i64::try_from(now.as_millis()).unwrap()).to_string()
}

#[tokio::test]
async fn calls_are_rated_billed_and_paid_and_the_books_are_even() {
    let head = "[billing]\nbills = \"sent\"\n".to_owned();
    let world = World::with(Settings { tail: head, ..Settings::default() }).await;
    let id = world.submit(&pack_order("mobile-4g/new-number")).await;
    world.completed(&id).await;
    let books = world.books().await;
    let product = books.products(&id)[0].clone();
    let own = product["id"].as_str().unwrap();
    let mut prices = product["productPrice"].as_array().unwrap().clone();
    prices.push(tariff());
    let path = format!("{PRODUCT}/{own}");
    let patch = json!({ "productPrice": prices }).to_string();
    let headers = [("content-type", "application/merge-patch+json")];
    let patched = world.http.send("PATCH", &path, &headers, patch).await.unwrap();
    assert_eq!(patched.status, 200, "{}", patched.text);

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
    let demand = model::resource::path("customerBillOnDemand");
    let asked = json!({ "billingAccount": { "id": account } });
    let answer = world.http.post(demand, &asked).await;
    assert_eq!(answer.body["state"], "done", "{}", answer.text);
    let bill = answer.body["customerBill"]["id"].as_str().unwrap();
    let rates = format!(
        "{}?bill.id={bill}&type=usageCharge",
        model::resource::path("appliedCustomerBillingRate")
    );
    let rates = world.http.get(&rates).await;
    assert_eq!(rates.as_array().unwrap().len(), 1, "{rates}");
    assert!((number(&rates[0]["taxExcludedAmount"]["value"]) - sum).abs() < 1e-9, "{rates}");

    let path = format!("{}/{bill}", model::resource::path("customerBill"));
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
