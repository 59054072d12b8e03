//! Payments, adjustments and write-offs, as a client sends them: what is booked is booked once.

use axum::body::Body;
use engine::documents::Put;
use serde_json::{Value, json};

use super::bench::{Answer, Bench};

const PRODUCT: &str = "/tmf-api/productInventory/v4/product";
const BILLS: &str = "/tmf-api/customerBillManagement/v4/customerBill";
const RATES: &str = "/tmf-api/customerBillManagement/v4/appliedCustomerBillingRate";
const BILLING: &str = "/orchestration/v1/billing";

fn euro(value: f64) -> Value {
    // As documents write it: whole amounts without a fraction.
    let value = if value.fract() == 0.0 { json!(value as i64) } else { json!(value) };
    json!({ "unit": "EUR", "value": value })
}

/// A monthly price of a product.
fn fee(name: &str, value: f64, tax: u32) -> Value {
    json!({
        "name": name, "priceType": "recurring", "recurringChargePeriod": "month",
        "price": { "dutyFreeAmount": euro(value), "taxRate": tax },
    })
}

/// A product of an account since the first of March.
async fn sold(bench: &Bench, account: &str, prices: &[Value]) -> String {
    let product = json!({
        "name": "Fibre", "status": "active", "startDate": "2026-03-01T00:00:00Z",
        "billingAccount": { "id": account }, "productPrice": prices,
    });
    let made = bench.post(PRODUCT, &product).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.body["id"].as_str().unwrap().to_owned()
}

/// The bill of an account on a day, which is sent.
async fn billed(bench: &Bench, account: &str, date: &str) -> String {
    let asked = json!({ "date": date, "billingAccount": account, "send": true });
    let ran = bench.post(&format!("{BILLING}/runs"), &asked).await;
    assert_eq!(ran.body["billCount"], 1, "{}", ran.text);
    ran.body["bill"][0]["id"].as_str().unwrap().to_owned()
}

async fn told(bench: &Bench, what: &str, body: &Value) -> Answer {
    bench.post(&format!("{BILLING}/{what}"), body).await
}

async fn paid(bench: &Bench, id: &str, bill: &str, amount: Value) -> Answer {
    told(bench, "payments", &json!({ "id": id, "bill": { "id": bill }, "amount": amount })).await
}

async fn adjusted(bench: &Bench, id: &str, bill: &str, value: f64) -> Answer {
    let body = json!({
        "id": id, "bill": { "id": bill }, "amount": euro(value), "reason": "Outage",
    });
    told(bench, "adjustments", &body).await
}

async fn balance(bench: &Bench, account: &str) -> Value {
    let books = bench.get(&format!("{BILLING}/ledger")).await.body;
    let found = books["account"].as_array().unwrap().iter().find(|one| one["account"] == account);
    found.map_or_else(|| json!(0), |one| one["balance"]["value"].clone())
}

#[track_caller]
fn refused(answer: &Answer, status: u16, about: &str) {
    let told = (answer.status.as_u16(), &answer.body["referenceError"]);
    assert_eq!(told, (status, &json!(about)), "{}", answer.text);
}

async fn end(bench: &Bench, product: &str) {
    let headers = [("content-type", "application/merge-patch+json")];
    let body = json!({ "status": "terminated", "terminationDate": "2026-03-01T00:00:00Z" });
    let line = format!("PATCH {PRODUCT}/{product}");
    let ended = bench.send(&line, &headers, Body::from(body.to_string())).await;
    assert_eq!(ended.status, 200, "{}", ended.text);
}

/// L09: the second entry replaced the first, and the first account owed for ever.
#[tokio::test]
async fn one_transfer_may_pay_several_bills() {
    let bench = Bench::new();
    let mut bills = Vec::new();
    for (account, value) in [("acc-1", 30.0), ("acc-2", 50.0)] {
        sold(&bench, account, &[fee("F", value, 0)]).await;
        bills.push(billed(&bench, account, "2026-04-01").await);
    }
    for _ in 0..2 {
        for (bill, value) in bills.iter().zip([30.0, 50.0]) {
            let answer = paid(&bench, "bank-1", bill, euro(value)).await;
            assert_eq!((answer.status.as_u16(), &answer.body["state"]), (201, &json!("settled")));
        }
    }
    assert_eq!(balance(&bench, "cash").await, json!(80));
    for account in ["receivable:acc-1", "receivable:acc-2"] {
        assert_eq!(balance(&bench, account).await, json!(0), "{account}");
    }
}

#[tokio::test]
async fn a_payment_that_comes_again_is_the_same_or_is_refused() {
    let bench = Bench::new();
    sold(&bench, "acc-1", &[fee("F", 30.0, 0)]).await;
    let bill = billed(&bench, "acc-1", "2026-04-01").await;
    let first = paid(&bench, "p", &bill, euro(10.0)).await;
    assert_eq!(first.body["remainingAmount"], euro(20.0), "{}", first.text);
    let before = bench.facts();
    for other in [
        euro(20.0),
        euro(9.99),
        euro(0.001),
        euro(-10.0),
        euro(500.0),
        json!({ "unit": "USD", "value": 10 }),
    ] {
        refused(&paid(&bench, "p", &bill, other).await, 422, "amount");
    }
    assert_eq!(paid(&bench, "p", &bill, euro(10.0)).await.body, first.body);
    assert_eq!(bench.facts(), before);
    assert_eq!(balance(&bench, "cash").await, json!(10));
    // Also when the bill is settled, and nothing more could be paid.
    paid(&bench, "q", &bill, euro(20.0)).await;
    refused(&paid(&bench, "p", &bill, euro(11.0)).await, 422, "amount");
    assert_eq!(paid(&bench, "p", &bill, euro(10.0)).await.body["state"], "settled");
}

/// F16: 0.999 left 9.001, of which the last tenth of a cent could not be paid.
#[tokio::test]
async fn amounts_finer_than_the_currency_are_refused_wherever_they_come_in() {
    let bench = Bench::new();
    sold(&bench, "acc-1", &[fee("F", 30.0, 0)]).await;
    sold(
        &bench,
        "acc-yen",
        &[json!({
            "name": "F", "priceType": "recurring", "recurringChargePeriod": "month",
            "price": { "dutyFreeAmount": { "unit": "JPY", "value": 900 }, "taxRate": 10 },
        })],
    )
    .await;
    let bill = billed(&bench, "acc-1", "2026-04-01").await;
    let yen = billed(&bench, "acc-yen", "2026-04-01").await;
    let before = bench.facts();
    let amount = |unit: &str, value: Value| json!({ "unit": unit, "value": value });
    let table = [
        ("payments", json!({ "bill": { "id": bill }, "amount": amount("EUR", json!(0.999)) })),
        ("payments", json!({ "bill": { "id": bill }, "amount": amount("EUR", json!("0.9990")) })),
        ("payments", json!({ "bill": { "id": yen }, "amount": amount("JPY", json!(0.5)) })),
        ("payments", json!({ "bill": { "id": bill }, "amount": amount("EUR", json!(1e-7)) })),
        (
            "adjustments",
            json!({ "bill": { "id": bill }, "reason": "r", "amount": amount("EUR", json!(0.004)) }),
        ),
        (
            "adjustments",
            json!({ "bill": { "id": yen }, "reason": "r", "amount": amount("JPY", json!(1.5)) }),
        ),
        (
            "adjustments",
            json!({ "billingAccount": { "id": "acc-1" }, "reason": "r", "amount": amount("EUR", json!(1.001)) }),
        ),
    ];
    for (what, body) in table {
        refused(&told(&bench, what, &body).await, 422, "amount");
    }
    assert_eq!(bench.facts(), before);
    assert_eq!(paid(&bench, "all", &bill, euro(30.0)).await.body["state"], "settled");
}

/// Bills and rates are not changed by those who did not make them.
#[tokio::test]
async fn a_client_cannot_write_past_the_books() {
    let bench = Bench::new();
    sold(&bench, "acc-1", &[fee("F", 30.0, 0)]).await;
    let bill = billed(&bench, "acc-1", "2026-04-01").await;
    let before = bench.facts();
    let headers = [("content-type", "application/merge-patch+json")];
    for body in [
        json!({ "amountDue": euro(0.001) }),
        json!({ "remainingAmount": euro(0.0) }),
        json!({ "appliedPayment": [{ "appliedAmount": euro(30.0), "payment": { "id": "x" } }] }),
        json!({ "taxItem": [] }),
        json!({ "billingAccount": { "id": "acc-2" } }),
        json!({ "taxExcludedAmount": euro(1.0), "state": "settled" }),
        json!({ "state": "settled" }),
        json!({ "state": "partiallyPaid" }),
        json!({ "state": "new" }),
        json!({ "state": null }),
        json!({ "state": "paid" }),
        json!({ "state": 7 }),
    ] {
        let line = format!("PATCH {BILLS}/{bill}");
        let answer = bench.send(&line, &headers, Body::from(body.to_string())).await;
        assert!([400, 422].contains(&answer.status.as_u16()), "{body}: {}", answer.text);
        assert!(answer.body["referenceError"].is_string(), "{body}: {}", answer.text);
    }
    let json = [("content-type", "application/json")];
    let rate = json!({ "type": "credit", "taxExcludedAmount": euro(-0.001) }).to_string();
    for line in [
        format!("POST {BILLS}"),
        format!("DELETE {BILLS}/{bill}"),
        format!("PUT {BILLS}/{bill}"),
        format!("POST {RATES}"),
        "POST /tmf-api/customerBillManagement/v5/appliedCustomerBillingRate".to_owned(),
        "POST /tmf-api/customerBillManagement/v5/billCycle".to_owned(),
    ] {
        let answer = bench.send(&line, &json, Body::from(rate.clone())).await;
        assert_eq!(answer.status, 405, "{line}: {}", answer.text);
    }
    for resource in ["customerBill", "appliedCustomerBillingRate", "journalEntry", "billCycle"] {
        let line = format!("PUT /orchestration/v1/imports/it-{resource}?resource={resource}");
        let rows = [("content-type", "application/x-ndjson")];
        let answer = bench.send(&line, &rows, Body::from(rate.clone())).await;
        refused(&answer, if resource == "journalEntry" { 400 } else { 422 }, "resource");
    }
    assert_eq!(bench.facts(), before);
}

/// L16: another amount was answered as before, and the id of a charge with the charge.
#[tokio::test]
async fn an_adjustment_that_comes_again_is_the_same_or_is_refused() {
    let bench = Bench::new();
    let product = sold(&bench, "acc-1", &[fee("F", 30.0, 0)]).await;
    let bill = billed(&bench, "acc-1", "2026-04-01").await;
    let first = adjusted(&bench, "adj-1", &bill, 1.0).await;
    assert_eq!(first.status, 201, "{}", first.text);
    let before = bench.facts();
    assert_eq!(adjusted(&bench, "adj-1", &bill, 1.0).await.body, first.body);
    refused(&adjusted(&bench, "adj-1", &bill, 2.0).await, 422, "id");
    let of_account = json!({
        "id": "adj-1", "billingAccount": { "id": "acc-1" }, "amount": euro(1.0), "reason": "Outage",
    });
    refused(&told(&bench, "adjustments", &of_account).await, 422, "id");
    let other_reason = json!({
        "id": "adj-1", "bill": { "id": bill }, "amount": euro(1.0), "reason": "Goodwill",
    });
    refused(&told(&bench, "adjustments", &other_reason).await, 422, "id");
    // The ids that charges have, and those that they will have.
    for id in
        [format!("{product}-b1"), format!("{product}-b2"), "o-c1-1".into(), "o-c1-1-back".into()]
    {
        refused(&adjusted(&bench, &id, &bill, 1.0).await, 422, "id");
    }
    let elsewhere = json!({
        "bill": { "id": bill }, "billingAccount": { "id": "acc-2" }, "amount": euro(1.0), "reason": "r",
    });
    refused(&told(&bench, "adjustments", &elsewhere).await, 422, "billingAccount.id");
    assert_eq!(bench.facts(), before);
}

/// An entry that is in the books is not replaced, whatever comes with its id.
#[tokio::test]
async fn an_entry_that_is_there_already_refuses_another_of_its_id() {
    let bench = Bench::new();
    sold(&bench, "acc-1", &[fee("F", 30.0, 0)]).await;
    let bill = billed(&bench, "acc-1", "2026-04-01").await;
    let entry = json!({ "id": "x", "date": "2026-04-01T00:00:00Z", "line": [] });
    let ids = [format!("payment-p/{bill}"), format!("writeOff-{bill}"), "rate-adj".to_owned()];
    let there = ids.map(|id| Put::create("journalEntry", id, entry.clone()));
    bench.services.documents.write(there.to_vec()).await.unwrap();
    let before = bench.facts();
    refused(&paid(&bench, "p", &bill, euro(30.0)).await, 422, "id");
    refused(&adjusted(&bench, "adj", &bill, 1.0).await, 422, "id");
    let given_up = told(&bench, "write-offs", &json!({ "bill": { "id": bill } })).await;
    refused(&given_up, 422, "id");
    assert_eq!(bench.facts(), before);
}

/// L12: 30 was given back by a credit and by an adjustment, whichever came first.
#[tokio::test]
async fn credited_rates_are_not_adjusted() {
    let bench = Bench::new();
    let product = sold(&bench, "acc-1", &[fee("F", 30.0, 0)]).await;
    let bill = billed(&bench, "acc-1", "2026-04-01").await;
    end(&bench, &product).await;
    billed(&bench, "acc-1", "2026-05-01").await;
    let before = bench.facts();
    for value in [30.0, 0.01] {
        refused(&adjusted(&bench, "adj", &bill, value).await, 422, "amount");
    }
    assert_eq!(bench.facts(), before);
}

#[tokio::test]
async fn adjusted_rates_are_not_credited() {
    for (value, left) in [(30.0, 0.0), (20.0, -10.0)] {
        let bench = Bench::new();
        let product = sold(&bench, "acc-1", &[fee("F", 30.0, 0)]).await;
        let bill = billed(&bench, "acc-1", "2026-04-01").await;
        assert_eq!(adjusted(&bench, "adj", &bill, value).await.status, 201);
        end(&bench, &product).await;
        let next = billed(&bench, "acc-1", "2026-05-01").await;
        let bill = bench.get(&format!("{BILLS}/{next}")).await;
        assert_eq!(bill.body["taxExcludedAmount"], euro(-30.0), "{value}: {}", bill.text);
        let rates = bench.get(&format!("{RATES}?type=credit")).await;
        assert_eq!(rates.body[0]["taxExcludedAmount"], euro(left), "{}", rates.text);
        let found = bench.get(&format!("{BILLING}/assurance?until=2026-05-01")).await;
        assert_eq!(found.body["finding"], json!([]), "{}", found.text);
    }
}

#[tokio::test]
async fn an_adjustment_gives_back_the_taxes_of_the_bill_by_their_shares() {
    for (parts, taxes) in
        [(&[110.0] as &[f64], &[-7.0] as &[f64]), (&[55.0, 54.99, 0.01], &[-3.5, -3.5, 0.0])]
    {
        let bench = Bench::new();
        sold(&bench, "acc-1", &[fee("A", 100.0, 7), fee("B", 10.0, 0)]).await;
        let bill = billed(&bench, "acc-1", "2026-04-01").await;
        let mut sum = 0.0;
        for (index, (part, tax)) in parts.iter().zip(taxes).enumerate() {
            let made = adjusted(&bench, &format!("adj-{index}"), &bill, *part).await;
            let applied = made.body["appliedTax"].as_array().unwrap().iter();
            let given: f64 = applied.map(|one| one["taxAmount"]["value"].as_f64().unwrap()).sum();
            assert!((given - tax).abs() < 1e-9, "{part}: {}", made.text);
            sum += given;
        }
        assert!((sum + 7.0).abs() < 1e-9, "{sum}");
        refused(&adjusted(&bench, "more", &bill, 0.01).await, 422, "amount");
    }
}
