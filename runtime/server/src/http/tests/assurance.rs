//! Revenue assurance: each fault that is written into the store is found, and after ordinary lives
//! there is nothing to find.

use std::sync::Arc;

use axum::body::Body;
use engine::documents::{Change, Expected, Put};
use serde_json::{Value, json};

use super::bench::{Bench, Hands};

const PRODUCT: &str = "/tmf-api/productInventory/v4/product";
const ON_DEMAND: &str = "/tmf-api/customerBillManagement/v4/customerBillOnDemand";
const ACCOUNTS: &str = "/tmf-api/accountManagement/v4";
const BILLING: &str = "/orchestration/v1/billing";

const BILL: &str = "customerBill";
const RATE: &str = "appliedCustomerBillingRate";
const ENTRY: &str = "journalEntry";

fn euro(value: f64) -> Value {
    json!({ "unit": "EUR", "value": value })
}

fn price(name: &str, period: Option<&str>, value: f64) -> Value {
    let mut price = json!({
        "name": name, "priceType": "oneTime",
        "price": { "dutyFreeAmount": euro(value), "taxRate": 19 },
    });
    if let Some(period) = period {
        price["priceType"] = json!("recurring");
        price["recurringChargePeriod"] = json!(period);
    }
    price
}

/// A usage of the product `P` as a rater left it.
fn usage(id: &str, day: &str, status: &str) -> Value {
    json!({
        "id": id, "status": status, "usageDate": format!("{day}T10:00:00Z"),
        "ratedProductUsage": [{
            "productRef": { "id": "P" }, "price": "Data", "priceName": "Data", "units": 2,
            "freeUnits": 0, "unitsBefore": 0, "ratingDate": "2026-04-01T01:00:00Z",
            "isBilled": status == "billed",
            "tax": [{ "taxCategory": "VAT", "taxRate": 19 }],
            "taxExcludedRatingAmount": euro(1.25), "taxIncludedRatingAmount": euro(1.49),
        }],
    })
}

/// A server with a clock.
struct World {
    bench: Bench,
    hands: Arc<Hands>,
}

impl World {
    fn new(now: &str) -> Self {
        let (bench, hands) = Bench::at(now);
        Self { bench, hands }
    }

    async fn ask(&self, line: &str, body: &Value) -> Value {
        let kind = match line.starts_with("PATCH") {
            true => "application/merge-patch+json",
            false => "application/json",
        };
        let body = Body::from(body.to_string());
        let answer = self.bench.send(line, &[("content-type", kind)], body).await;
        assert!(answer.status.is_success(), "{line}: {}", answer.text);
        answer.body
    }

    async fn billing(&self, what: &str, body: &Value) -> Value {
        self.ask(&format!("POST {BILLING}/{what}"), body).await
    }

    /// Runs at the second hour of a day; the id of the first bill.
    async fn run(&self, day: &str) -> Option<String> {
        self.hands.set(&format!("{day}T02:00:00Z"));
        let ran = self.billing("runs", &json!({ "send": true })).await;
        assert_eq!(ran["failed"], json!([]), "{ran}");
        Some(ran["bill"][0]["id"].as_str()?.to_owned())
    }

    async fn found(&self, until: &str) -> Vec<Value> {
        let found = self.bench.get(&format!("{BILLING}/assurance?until={until}")).await;
        assert_eq!(found.status, 200, "{}", found.text);
        found.body["finding"].as_array().unwrap().clone()
    }

    async fn document(&self, resource: &str, id: &str) -> Value {
        self.bench.services.documents.document(resource, id).await.unwrap().unwrap().body
    }

    async fn set(&self, resource: &str, id: &str, body: Value) {
        self.bench.services.documents.write(vec![Put::set(resource, id, body)]).await.unwrap();
    }

    async fn change(&self, resource: &str, id: &str, pointer: &str, value: Value) {
        let mut body = self.document(resource, id).await;
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        self.set(resource, id, body).await;
    }

    async fn remove(&self, resource: &str, id: &str) {
        let removed = Put::new(resource, id, Change::Remove, Expected::Anything);
        self.bench.services.documents.write(vec![removed]).await.unwrap();
    }

    /// A copy of a document under another id.
    async fn copy(&self, resource: &str, id: &str, other: &str) {
        let mut body = self.document(resource, id).await;
        body["id"] = json!(other);
        self.set(resource, other, body).await;
    }
}

/// A product `P` of `acc-1` since the first of March with usage; its bill of March, which is paid in
/// part and adjusted.
async fn world() -> (World, String) {
    let world = World::new("2026-03-01T08:00:00Z");
    let mut data = price("Data", None, 0.5);
    data["priceType"] = json!("usage");
    data["tariff"] = json!({ "usageSpecification": "DATA", "quantity": "volume" });
    let product = json!({
        "id": "P", "name": "Fibre", "status": "active", "startDate": "2026-03-01T00:00:00Z",
        "billingAccount": { "id": "acc-1" },
        "productPrice": [price("Access", Some("month"), 31.0), price("Setup", None, 49.9), data],
    });
    let rows = [("content-type", "application/x-ndjson")];
    let line = "PUT /orchestration/v1/imports/it?resource=product";
    let imported = world.bench.send(line, &rows, Body::from(product.to_string())).await;
    assert_eq!(imported.body["created"], 1, "{}", imported.text);
    world.set("usage", "U", usage("U", "2026-03-10", "rated")).await;
    let bill = world.run("2026-04-01").await.unwrap();
    let of = json!({ "id": bill });
    let payment = json!({ "id": "pay", "bill": of, "amount": euro(50.0) });
    world.billing("payments", &payment).await;
    let credit = json!({ "id": "adj", "bill": of, "amount": euro(10.0), "reason": "Outage" });
    world.billing("adjustments", &credit).await;
    (world, bill)
}

/// What is written into the store, and what is found then: type, resource and id, `{bill}` for the
/// id of the bill.
async fn inject(world: &World, bill: &str, fault: &str) {
    let set = |resource, id, pointer, value| world.change(resource, id, pointer, value);
    match fault {
        "currency of a product" => {
            set("product", "P", "/productPrice/0/price/dutyFreeAmount/unit", json!("eur")).await;
        }
        "kind of a rate" => set(RATE, "P-b1", "/type", json!("gift")).await,
        "status of a usage" => set("usage", "U", "/status", json!("lost")).await,
        "total of a bill" => set(BILL, bill, "/taxIncludedAmount", Value::Null).await,
        "side of an entry" => set(ENTRY, "rate-P-b1", "/line/0/type", json!("both")).await,
        "amount" => set(RATE, "P-b1", "/taxExcludedAmount/value", json!(13)).await,
        "a cent" => set(RATE, "P-b1", "/taxExcludedAmount/value", json!(31.01)).await,
        "amount once" => set(RATE, "P-b2", "/taxExcludedAmount/value", json!(49.89)).await,
        "tax" => set(RATE, "P-b1", "/appliedTax/0/taxAmount/value", json!(0)).await,
        "rate of a tax" => {
            set(RATE, "P-b1", "/appliedTax/0/taxAmount/value", json!(2.17)).await;
            set(RATE, "P-b1", "/appliedTax/0/taxRate", json!(7)).await;
        }
        "payer" => set(RATE, "P-b1", "/billingAccount/id", json!("acc-2")).await,
        _ => inject_more(world, bill, fault).await,
    }
}

async fn inject_more(world: &World, bill: &str, fault: &str) {
    let set = |resource, id, pointer, value| world.change(resource, id, pointer, value);
    match fault {
        "sum" => set(BILL, bill, "/taxExcludedAmount/value", json!(1)).await,
        "what is left" => set(BILL, bill, "/remainingAmount/value", json!(1)).await,
        "taxes of a bill" => set(BILL, bill, "/taxItem", json!([])).await,
        "line" => set(RATE, "P-b1", "/bill/id", json!("none")).await,
        "usage" => world.set("usage", "V", usage("V", "2026-03-20", "rated")).await,
        "usage that is billed" => {
            world.set("usage", "V", usage("V", "2026-03-20", "billed")).await;
        }
        "no account" => set("product", "P", "/billingAccount", Value::Null).await,
        "twice" => world.copy(RATE, "P-b1", "P-b9").await,
        "once twice" => world.copy(RATE, "P-b2", "P-b9").await,
        "credit of nothing" => {
            world.copy(RATE, "adj", "lost").await;
            set(RATE, "lost", "/characteristic/0/value", json!("none")).await;
        }
        "credit of too much" => {
            world.copy(RATE, "P-b1", "P-b9").await;
            set(RATE, "P-b9", "/type", json!("credit")).await;
            set(RATE, "P-b9", "/taxExcludedAmount/value", json!(-32)).await;
            let credits = json!([{ "name": "credits", "value": "P-b1" }]);
            set(RATE, "P-b9", "/characteristic", credits).await;
        }
        "adjusted too much" => {
            set(RATE, "adj", "/taxExcludedAmount/value", json!(-100)).await;
        }
        "not charged" => {
            world.remove(RATE, "P-b1").await;
            world.remove(ENTRY, "rate-P-b1").await;
        }
        "not active" => {
            let end = json!("2026-03-11T00:00:00Z");
            set("product", "P", "/terminationDate", end).await;
            set("product", "P", "/status", json!("terminated")).await;
        }
        _ => inject_into_books(world, bill, fault).await,
    }
}

async fn inject_into_books(world: &World, bill: &str, fault: &str) {
    let set = |resource, id, pointer, value| world.change(resource, id, pointer, value);
    match fault {
        "no entry" => world.remove(ENTRY, "rate-P-b1").await,
        "no entry of an adjustment" => world.remove(ENTRY, "rate-adj").await,
        "other entry" => {
            for line in ["/line/0/amount/value", "/line/1/amount/value"] {
                set(ENTRY, "rate-adj", line, json!(9)).await;
            }
            let mut entry = world.document(ENTRY, "rate-adj").await;
            entry["line"].as_array_mut().unwrap().truncate(2);
            world.set(ENTRY, "rate-adj", entry).await;
        }
        "no entry of a payment" => world.remove(ENTRY, &format!("payment-pay/{bill}")).await,
        "payment without entry" => {
            let mut body = world.document(BILL, bill).await;
            let paid = json!({ "payment": { "id": "x" }, "appliedAmount": euro(1.0) });
            body["appliedPayment"].as_array_mut().unwrap().push(paid);
            world.set(BILL, bill, body).await;
        }
        "other payment" => {
            set(BILL, bill, "/appliedPayment/0/appliedAmount/value", json!(40)).await;
        }
        "entry of nothing" => world.copy(ENTRY, "rate-adj", "rate-none").await,
        "entry of no payment" => world.copy(ENTRY, "rate-adj", &format!("payment-x/{bill}")).await,
        "entry of another kind" => world.copy(ENTRY, "rate-adj", "own").await,
        other => panic!("{other}"),
    }
}

const FAULTS: &[(&str, &str, &str, &str)] = &[
    ("currency of a product", "unreadable", "product", "P"),
    ("kind of a rate", "unreadable", RATE, "P-b1"),
    ("status of a usage", "unreadable", "usage", "U"),
    ("total of a bill", "unreadable", BILL, "{bill}"),
    ("side of an entry", "unreadable", ENTRY, "rate-P-b1"),
    ("amount", "wrongAmount", RATE, "P-b1"),
    ("a cent", "wrongAmount", RATE, "P-b1"),
    ("amount once", "wrongAmount", RATE, "P-b2"),
    ("amount", "entryDiffers", RATE, "P-b1"),
    ("amount", "wrongSum", BILL, "{bill}"),
    ("tax", "wrongTax", RATE, "P-b1"),
    ("rate of a tax", "wrongTax", RATE, "P-b1"),
    ("payer", "wrongPayer", RATE, "P-b1"),
    ("no entry", "entryMissing", RATE, "P-b1"),
    ("no entry of an adjustment", "entryMissing", RATE, "adj"),
    ("other entry", "entryDiffers", RATE, "adj"),
    ("no entry of a payment", "entryMissing", BILL, "{bill}"),
    ("payment without entry", "entryMissing", BILL, "{bill}"),
    ("other payment", "entryDiffers", BILL, "{bill}"),
    ("other payment", "wrongSum", BILL, "{bill}"),
    ("entry of nothing", "entryUnfounded", ENTRY, "rate-none"),
    ("entry of no payment", "entryUnfounded", ENTRY, "payment-x/{bill}"),
    ("entry of another kind", "entryUnfounded", ENTRY, "own"),
    ("sum", "wrongSum", BILL, "{bill}"),
    ("what is left", "wrongSum", BILL, "{bill}"),
    ("taxes of a bill", "wrongSum", BILL, "{bill}"),
    ("line", "wrongBill", RATE, "P-b1"),
    ("line", "wrongSum", BILL, "{bill}"),
    ("usage", "usageNotBilled", "usage", "V"),
    ("usage that is billed", "usageNotCharged", RATE, "U-b"),
    ("no account", "noAccount", "product", "P"),
    ("twice", "chargedTwice", RATE, "P-b9"),
    ("once twice", "chargedTwice", RATE, "P-b9"),
    ("credit of nothing", "wrongCredit", RATE, "lost"),
    ("credit of too much", "wrongCredit", RATE, "P-b1"),
    ("adjusted too much", "wrongCredit", RATE, "adj"),
];

#[tokio::test]
async fn each_fault_is_found_and_nothing_is_found_without_one() {
    for (fault, kind, resource, id) in FAULTS {
        let (world, bill) = world().await;
        assert_eq!(world.found("2026-04-01").await, [] as [Value; 0], "before {fault}");
        inject(&world, &bill, fault).await;
        let found = world.found("2026-04-01").await;
        let id = id.replace("{bill}", &bill);
        let is_it = |one: &&Value| {
            one["type"] == *kind && one["resource"] == *resource && one["id"] == json!(id)
        };
        let it = found.iter().find(is_it);
        let it = it.unwrap_or_else(|| panic!("{fault}: no {kind} of {id} in {found:#?}"));
        assert!(it["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{it}");
    }
    for (fault, kind) in [("not charged", "activeNotBilled"), ("not active", "billedNotActive")] {
        let (world, bill) = world().await;
        inject(&world, &bill, fault).await;
        let found = world.found("2026-04-01").await;
        let is_it = |one: &Value| one["type"] == kind && one["product"]["id"] == "P";
        assert!(found.iter().any(is_it), "{fault}: {found:#?}");
    }
}

/// The books are shown without an entry that cannot be read, which is told.
#[tokio::test]
async fn an_entry_that_cannot_be_read_hides_no_other() {
    let (world, bill) = world().await;
    inject(&world, &bill, "side of an entry").await;
    let books = world.bench.get(&format!("{BILLING}/ledger")).await;
    assert_eq!(books.status, 200, "{}", books.text);
    assert_eq!(books.body["failed"][0]["id"], "rate-P-b1", "{}", books.text);
    assert_ne!(books.body["account"], json!([]), "{}", books.text);
}

/// The prices of a product of which one changes.
fn prices(access: f64) -> Value {
    json!([
        price("Access", Some("month"), access),
        price("Setup", None, 4.9),
        price("Care", Some("year"), 99.95),
        price("Box", Some("week"), 1.11),
    ])
}

/// A product of one price.
fn line(account: &str, start: &str) -> Value {
    json!({
        "name": "Phone", "status": "active", "startDate": format!("{start}T10:00:00Z"),
        "billingAccount": { "id": account }, "productPrice": [price("Line", Some("month"), 10.0)],
    })
}

/// The subject of a lifecycle.
struct Lifecycle {
    world: World,
    account: String,
    cycle: Value,
    /// Where the product is changed.
    product: String,
    bills: Vec<String>,
}

impl Lifecycle {
    async fn new() -> Self {
        let world = World::new("2026-01-05T08:00:00Z");
        let cycle = json!({ "name": "15th", "frequency": "monthly", "billingDateShift": 14 });
        let cycle = world.ask(&format!("POST {ACCOUNTS}/billingCycleSpecification"), &cycle).await;
        let owner = json!([{ "id": "c", "role": "owner", "@referredType": "Customer" }]);
        let account = json!({ "name": "a", "relatedParty": owner });
        let account = world.ask(&format!("POST {ACCOUNTS}/billingAccount"), &account).await;
        let product = json!({
            "name": "Fibre", "status": "active", "startDate": "2026-01-10T10:00:00Z",
            "billingAccount": { "id": account["id"] }, "productPrice": prices(19.99),
        });
        let product = world.ask(&format!("POST {PRODUCT}"), &product).await;
        Self {
            account: account["id"].as_str().unwrap().to_owned(),
            product: format!("PATCH {PRODUCT}/{}", product["id"].as_str().unwrap()),
            cycle: cycle["id"].clone(),
            bills: Vec::new(),
            world,
        }
    }

    async fn change(&self, change: Value) {
        self.world.ask(&self.product, &change).await;
    }

    async fn step(&self, step: &str) {
        let Self { world, account, cycle, bills, .. } = self;
        match step {
            "dearer" => self.change(json!({ "productPrice": prices(24.99) })).await,
            "cheaper" => self.change(json!({ "productPrice": prices(9.99) })).await,
            "suspended" | "active" | "terminated" => self.change(json!({ "status": step })).await,
            "payer" => self.change(json!({ "billingAccount": { "id": "acc-3" } })).await,
            "told late" => {
                world.ask(&format!("POST {PRODUCT}"), &line("acc-2", "2026-02-20")).await;
            }
            "on demand" => {
                let asked = json!({ "billingAccount": { "id": account } });
                world.ask(&format!("POST {ON_DEMAND}"), &asked).await;
            }
            "cycle" => {
                let by = json!({ "billStructure": { "cycleSpecification": {
                    "id": cycle, "name": "15th", "@referredType": "BillingCycleSpecification",
                } } });
                world.ask(&format!("PATCH {ACCOUNTS}/billingAccount/{account}"), &by).await;
            }
            "paid" => {
                let bill = json!({ "id": bills[0] });
                let payment = json!({ "id": "p", "bill": bill, "amount": euro(5.0) });
                world.billing("payments", &payment).await;
                let credit =
                    json!({ "bill": bill, "amount": euro(3.33), "reason": "r", "id": "adj-1" });
                world.billing("adjustments", &credit).await;
                world.billing("write-offs", &json!({ "bill": bill })).await;
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn nothing_is_found_after_ordinary_lives() {
    let mut life = Lifecycle::new().await;
    for (day, step) in [
        ("2026-02-01", "nothing"),
        ("2026-02-17", "dearer"),
        ("2026-02-25", "told late"),
        ("2026-03-01", "suspended"),
        ("2026-03-20", "on demand"),
        ("2026-04-01", "active"),
        ("2026-04-08", "cycle"),
        ("2026-04-15", "paid"),
        ("2026-05-15", "cheaper"),
        ("2026-05-20", "payer"),
        ("2026-06-15", "terminated"),
        ("2026-07-15", "nothing"),
    ] {
        life.bills.extend(life.world.run(day).await);
        let mut found = life.world.found(day).await;
        // Between two bill days there are days that no bill was for yet.
        let is_bill_day = ["2026-02-01", "2026-03-01", "2026-04-01"].contains(&day);
        found.retain(|one| is_bill_day || one["type"] != "activeNotBilled");
        assert_eq!(found, [] as [Value; 0], "{day}, before {step}");
        life.step(step).await;
    }
    let world = &life.world;
    world.hands.set("2026-08-15T02:00:00Z");
    world.ask(&format!("POST {PRODUCT}"), &line("acc-4", "2026-07-01")).await;
    let ran = world.billing("runs", &json!({})).await;
    world.billing(&format!("runs/{}/undo", ran["id"].as_str().unwrap()), &json!({})).await;
    let mut found = world.found("2026-08-01").await;
    found.retain(|one| one["type"] != "activeNotBilled");
    assert_eq!(found, [] as [Value; 0], "after a run was undone");
}
