//! What becomes of bills, and runs that others get in the way of.

use axum::body::Body;
use engine::documents::Put;
use serde_json::{Value, json};

use super::bench::{Answer, Bench};

const PRODUCT: &str = "/tmf-api/productInventory/v4/product";
const BILL: &str = "/tmf-api/customerBillManagement/v4/customerBill";
const BILLING: &str = "/orchestration/v1/billing";

/// A product of an account since the tenth of March, for 31 a month.
async fn sold(bench: &Bench, account: &str) -> String {
    let product = json!({
        "name": "Fibre", "status": "active", "startDate": "2026-03-10T10:00:00Z",
        "billingAccount": { "id": account },
        "productPrice": [{
            "name": "Access", "priceType": "recurring", "recurringChargePeriod": "month",
            "price": { "dutyFreeAmount": { "unit": "EUR", "value": 31 } },
        }],
    });
    let made = bench.post(PRODUCT, &product).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.body["id"].as_str().unwrap().to_owned()
}

async fn ran(bench: &Bench, body: &Value) -> Value {
    let ran = bench.post(&format!("{BILLING}/runs"), body).await;
    assert_eq!(ran.status, 201, "{}", ran.text);
    ran.body
}

async fn patched(bench: &Bench, id: &str, state: &str) -> Answer {
    bench.patch(&format!("{BILL}/{id}"), &json!({ "state": state })).await
}

#[tokio::test]
async fn a_bill_is_looked_at_before_it_is_sent_and_paid_after() {
    let bench = Bench::new();
    sold(&bench, "acc-1").await;
    let run = ran(&bench, &json!({ "date": "2026-04-01" })).await;
    let bill = &run["bill"][0];
    assert_eq!(bill["state"], "new");
    let id = bill["id"].as_str().unwrap();
    let payment = json!({ "bill": { "id": id }, "amount": { "unit": "EUR", "value": 22 } });
    let early = bench.post(&format!("{BILLING}/payments"), &payment).await;
    assert_eq!((early.status.as_u16(), &early.body["referenceError"]), (422, &json!("bill")));
    let drawn = bench.get(&format!("{BILL}/{id}")).await.body;
    for (state, status) in [
        ("sent", 422),
        ("settled", 422),
        ("onHold", 200),
        ("sent", 422),
        ("validated", 200),
        ("sent", 200),
        ("settled", 422),
        ("partiallyPaid", 422),
        ("new", 422),
    ] {
        let answer = patched(&bench, id, state).await;
        assert_eq!(answer.status.as_u16(), status, "{state}: {}", answer.text);
        if status == 422 {
            assert_eq!(answer.body["referenceError"], "state", "{}", answer.text);
        }
    }
    let sent = bench.get(&format!("{BILL}/{id}")).await.body;
    assert!(sent["paymentDueDate"].as_str() >= drawn["paymentDueDate"].as_str(), "{sent}");
    let paid = bench.post(&format!("{BILLING}/payments"), &payment).await;
    assert_eq!(paid.body["state"], "settled", "{}", paid.text);
}

#[tokio::test]
async fn all_bills_go_out_together_but_those_on_hold() {
    let bench = Bench::new();
    for account in ["acc-1", "acc-2", "acc-3"] {
        sold(&bench, account).await;
    }
    let run = ran(&bench, &json!({ "date": "2026-04-01" })).await;
    let id = run["bill"][1]["id"].as_str().unwrap();
    let step = |what: String| {
        let bench = &bench;
        async move { bench.post(&format!("{BILLING}/bills/{what}"), &json!({})).await }
    };
    assert_eq!(step(format!("{id}/hold")).await.body["state"], "onHold");
    assert_eq!(step("validate".into()).await.body["billCount"], 2);
    assert_eq!(step("send".into()).await.body["billCount"], 2);
    assert_eq!(step("send".into()).await.body["billCount"], 0);
    let refused = step(format!("{id}/send")).await;
    assert_eq!((refused.status.as_u16(), &refused.body["referenceError"]), (422, &json!("state")));
    assert_eq!(step("none/send".into()).await.status, 404);
    assert_eq!(step(format!("{id}/burn")).await.status, 404);
    let sent = bench.get(&format!("{BILL}?state=sent")).await;
    assert_eq!(sent.body.as_array().unwrap().len(), 2, "{}", sent.text);
}

#[tokio::test]
async fn runs_at_the_same_time_bill_each_account_once() {
    let bench = Bench::new();
    let accounts: Vec<String> = (1..=5).map(|number| format!("acc-{number}")).collect();
    for account in &accounts {
        sold(&bench, account).await;
    }
    let asked = json!({ "date": "2026-04-01" });
    let (one, other, third) =
        tokio::join!(ran(&bench, &asked), ran(&bench, &asked), ran(&bench, &asked));
    let mut numbers = Vec::new();
    for run in [&one, &other, &third] {
        assert_eq!(run["failed"], json!([]), "{run}");
        let told = run["billCount"].as_u64().unwrap() + run["nothingCount"].as_u64().unwrap();
        assert_eq!(told, 5, "{run}");
        let bills = run["bill"].as_array().unwrap().iter();
        numbers.extend(bills.map(|bill| bill["billNo"].as_str().unwrap().to_owned()));
    }
    numbers.sort();
    assert_eq!(numbers, ["B00000001", "B00000002", "B00000003", "B00000004", "B00000005"]);
    for account in &accounts {
        let bills = bench.get(&format!("{BILL}?billingAccount.id={account}")).await;
        assert_eq!(bills.body.as_array().unwrap().len(), 1, "{account}");
    }
    let again = ran(&bench, &asked).await;
    assert_eq!((&again["billCount"], &again["nothingCount"]), (&json!(0), &json!(5)));
}

#[tokio::test]
async fn an_account_that_cannot_be_billed_stops_no_other() {
    let bench = Bench::new();
    sold(&bench, "acc-1").await;
    let product = sold(&bench, "acc-2").await;
    sold(&bench, "acc-3").await;
    // A rate that stands where the run puts its own, and that it does not see.
    let squatter = Put::create("appliedCustomerBillingRate", format!("{product}-b1"), json!({}));
    bench.services.documents.write(vec![squatter]).await.unwrap();
    let asked = json!({ "date": "2026-04-01" });
    let run = ran(&bench, &asked).await;
    assert_eq!((&run["billCount"], &run["failedCount"]), (&json!(2), &json!(1)), "{run}");
    assert_eq!(run["failed"][0]["billingAccount"], "acc-2");
    let reason = run["failed"][0]["reason"].as_str().unwrap();
    assert!(reason.contains(&format!("appliedCustomerBillingRate `{product}-b1`")), "{reason}");
    let gone = Put::new(
        "appliedCustomerBillingRate",
        format!("{product}-b1"),
        engine::documents::Change::Remove,
        engine::documents::Expected::Anything,
    );
    bench.services.documents.write(vec![gone]).await.unwrap();
    let again = ran(&bench, &asked).await;
    assert_eq!((&again["billCount"], &again["nothingCount"]), (&json!(1), &json!(2)), "{again}");
}

#[tokio::test]
async fn a_price_that_changes_is_given_back_and_charged_anew_on_the_next_bill() {
    let (bench, hands) = Bench::at("2026-03-10T10:00:00Z");
    let id = sold(&bench, "acc-1").await;
    hands.set("2026-03-20T10:00:00Z");
    let on_demand = async || {
        let demand = "/tmf-api/customerBillManagement/v4/customerBillOnDemand";
        let asked = bench.post(demand, &json!({ "billingAccount": { "id": "acc-1" } })).await;
        assert_eq!(asked.body["state"], "done", "{}", asked.text);
        let id = asked.body["customerBill"]["id"].as_str().unwrap().to_owned();
        bench.get(&format!("{BILL}/{id}")).await.body["amountDue"]["value"].clone()
    };
    // From the tenth to the end of today.
    assert_eq!(on_demand().await, json!(11));
    let dearer = json!({ "productPrice": [{
        "name": "Faster", "priceType": "recurring", "recurringChargePeriod": "month",
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": 62 } },
    }] });
    let headers = [("content-type", "application/merge-patch+json")];
    let patch = format!("PATCH {PRODUCT}/{id}");
    let patched = bench.send(&patch, &headers, Body::from(dearer.to_string())).await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    // Today is given back at the former price, and charged at the new one.
    hands.set("2026-03-20T11:00:00Z");
    assert_eq!(on_demand().await, json!(1));
    hands.set("2026-04-01T10:00:00Z");
    let run = ran(&bench, &json!({ "date": "2026-04-01" })).await;
    assert_eq!(run["bill"][0]["amountDue"]["value"], json!(22), "{run}");
    hands.set("2026-05-01T10:00:00Z");
    let run = ran(&bench, &json!({ "date": "2026-05-01" })).await;
    assert_eq!(run["bill"][0]["amountDue"]["value"], json!(62), "{run}");
}
