//! Billing, asked as a client asks it. There is no rater here; usage waits for one.

use axum::body::Body;
use serde_json::{Value, json};

use super::bench::{Answer, Bench};

const PRODUCT: &str = "/tmf-api/productInventory/v4/product";
const BILL: &str = "/tmf-api/customerBillManagement/v4/customerBill";
const RATE: &str = "/tmf-api/customerBillManagement/v4/appliedCustomerBillingRate";
const ON_DEMAND: &str = "/tmf-api/customerBillManagement/v4/customerBillOnDemand";
const USAGE: &str = "/tmf-api/usageManagement/v4/usage";
const BILLING: &str = "/orchestration/v1/billing";

/// A product of `acc-1` since the tenth of March: 31 a month and 49.90 once.
fn fibre() -> Value {
    let price =
        |value: f64| json!({ "dutyFreeAmount": { "unit": "EUR", "value": value }, "taxRate": 19 });
    json!({
        "name": "Fibre",
        "status": "active",
        "startDate": "2026-03-10T10:00:00Z",
        "billingAccount": { "id": "acc-1" },
        "productPrice": [
            { "name": "Access", "priceType": "recurring", "recurringChargePeriod": "month", "price": price(31.0) },
            { "name": "Setup", "priceType": "oneTime", "price": price(49.9) },
        ],
    })
}

impl Bench {
    async fn sold(&self, product: &Value) -> String {
        let made = self.post(PRODUCT, product).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.body["id"].as_str().unwrap().to_owned()
    }

    async fn billing(&self, what: &str, body: &Value) -> Answer {
        self.post(&format!("{BILLING}/{what}"), body).await
    }

    /// Bills on a day; the bill that was drawn.
    async fn billed(&self, date: &str) -> Value {
        let ran = self.billing("runs", &json!({ "date": date, "send": true })).await;
        assert_eq!(ran.status, 201, "{}", ran.text);
        assert_eq!(ran.body["failed"], json!([]));
        assert_eq!(ran.body["billCount"], json!(1), "{}", ran.text);
        let id = ran.body["bill"][0]["id"].as_str().unwrap();
        self.get(&format!("{BILL}/{id}")).await.body
    }

    async fn balances(&self) -> String {
        let books = self.get(&format!("{BILLING}/ledger")).await.body;
        for sum in books["difference"].as_array().unwrap() {
            assert_eq!(sum["value"], json!(0), "{books}");
        }
        let accounts = books["account"].as_array().unwrap().iter();
        let lines = accounts.map(|one| format!("{} {}", one["account"], one["balance"]["value"]));
        lines.collect::<Vec<_>>().join(", ").replace('"', "")
    }

    async fn found(&self, until: &str) -> Vec<Value> {
        let found = self.get(&format!("{BILLING}/assurance?until={until}")).await;
        assert_eq!(found.status, 200, "{}", found.text);
        found.body["finding"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_period_is_billed_once_and_nothing_is_missed() {
    let bench = Bench::new();
    bench.sold(&fibre()).await;
    assert_eq!(bench.found("2026-04-01").await.len(), 2);
    let bill = bench.billed("2026-04-01").await;
    assert_eq!(bill["amountDue"], json!({ "unit": "EUR", "value": 85.56 }));
    assert_eq!((&bill["state"], &bill["billNo"]), (&json!("sent"), &json!("B00000001")));
    assert_eq!(bench.found("2026-04-01").await, [] as [Value; 0]);
    for _ in 0..2 {
        let again = bench.billing("runs", &json!({ "date": "2026-04-01" })).await;
        assert_eq!(again.body["billCount"], json!(0), "{}", again.text);
    }
    let cycle = "/tmf-api/customerBillManagement/v5/billCycle/2026-04-01";
    assert_eq!(bench.get(cycle).await.body["billingDate"], "2026-04-01T00:00:00.000Z");
    let rates = bench.get(&format!("{RATE}?billingAccount.id=acc-1")).await;
    assert_eq!(rates.body.as_array().unwrap().len(), 2, "{}", rates.text);
    let next = bench.billed("2026-05-01").await;
    assert_eq!(next["amountDue"], json!({ "unit": "EUR", "value": 36.89 }));
    let books = bench.balances().await;
    assert_eq!(books, "receivable:acc-1 122.45, revenue -102.9, taxPayable -19.55");
}

#[tokio::test]
async fn a_bill_is_paid_adjusted_and_given_up_and_the_books_balance() {
    let bench = Bench::new();
    bench.sold(&fibre()).await;
    let id = bench.billed("2026-04-01").await["id"].clone();
    let euro = |value: f64| json!({ "unit": "EUR", "value": value });
    let payment = json!({ "id": "pay-1", "bill": { "id": id }, "amount": euro(50.0) });
    for _ in 0..2 {
        let paid = bench.billing("payments", &payment).await;
        assert_eq!(paid.status, 201, "{}", paid.text);
        assert_eq!(paid.body["state"], json!("partiallyPaid"));
        assert_eq!(paid.body["remainingAmount"], euro(35.56));
    }
    let more = json!({ "bill": { "id": id }, "amount": euro(35.57) });
    let refused = bench.billing("payments", &more).await;
    assert_eq!((refused.status.as_u16(), &refused.body["referenceError"]), (422, &json!("amount")));
    let credit =
        json!({ "id": "adj-1", "bill": { "id": id }, "amount": euro(10.0), "reason": "Outage" });
    for _ in 0..2 {
        let credited = bench.billing("adjustments", &credit).await;
        assert_eq!(credited.body["taxIncludedAmount"], euro(-11.9), "{}", credited.text);
    }
    assert_eq!(bench.billed("2026-05-01").await["amountDue"], euro(24.99));
    let given_up = bench.billing("write-offs", &json!({ "bill": { "id": id } })).await;
    assert_eq!(given_up.body["state"], json!("settled"), "{}", given_up.text);
    let books = bench.balances().await;
    assert_eq!(
        books,
        "receivable:acc-1 24.99, cash 50, revenue -102.9, adjustments 10, writeOff 35.56, \
         taxPayable -17.65"
    );
}

#[tokio::test]
async fn a_bill_is_a_page_that_runs_nothing() {
    let bench = Bench::new();
    let mut product = fibre();
    product["name"] = json!("<script>alert(1)</script>");
    bench.sold(&product).await;
    let id = bench.billed("2026-04-01").await["id"].as_str().unwrap().to_owned();
    let page = bench.get(&format!("{BILLING}/bills/{id}/document")).await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(page.text.contains("85.56 EUR") && !page.text.contains("<script"));
    for path in ["none/document", "none/document.pdf"] {
        let none = bench.get(&format!("{BILLING}/bills/{path}")).await;
        assert_eq!(none.status, 404, "{path}");
    }
}

/// C5: a bill tells where its documents are, and each is there in its format.
#[tokio::test]
async fn a_bill_tells_its_documents() {
    let bench = Bench::new();
    bench.sold(&fibre()).await;
    let bill = bench.billed("2026-04-01").await;
    let id = bill["id"].as_str().unwrap();
    for version in ["v4", "v5"] {
        let path = format!("/tmf-api/customerBillManagement/{version}/customerBill");
        let shown = bench.get(&format!("{path}/{id}")).await.body;
        let told = shown["billDocument"].as_array().unwrap();
        for (document, media_type) in told.iter().zip(["text/html", "application/pdf"]) {
            assert_eq!(document["mimeType"], media_type, "{version} {id}");
            let url = document["url"].as_str().unwrap();
            let place = url.strip_prefix("http://127.0.0.1:8080").unwrap();
            let answer = bench.get(place).await;
            assert_eq!(answer.status, 200, "{place}");
            assert!(answer.header("content-type").starts_with(media_type), "{place}");
            assert!(answer.text.contains("85.56 EUR"), "{place}");
        }
        let listed = bench.get(&format!("{path}?fields=billDocument")).await.body;
        assert_eq!(listed[0]["billDocument"].as_array().unwrap().len(), 2, "{listed}");
    }
    for (accept, media_type) in [
        ("application/pdf", "application/pdf"),
        ("text/html;q=0.5, application/pdf", "application/pdf"),
        ("application/*", "application/pdf"),
        ("application/pdf;q=0.1, */*", "text/html; charset=utf-8"),
        ("text/html, application/pdf", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("", "text/html; charset=utf-8"),
    ] {
        let line = format!("GET {BILLING}/bills/{id}/document");
        let answer = bench.send(&line, &[("accept", accept)], Body::empty()).await;
        assert_eq!(answer.header("content-type"), media_type, "{accept}");
    }
}

#[tokio::test]
async fn a_product_that_ended_gives_back_what_was_charged_ahead() {
    let bench = Bench::new();
    let id = bench.sold(&fibre()).await;
    bench.billed("2026-04-01").await;
    let end = json!({ "status": "terminated", "terminationDate": "2026-03-21T08:00:00Z" });
    let headers = [("content-type", "application/merge-patch+json")];
    let patch = format!("PATCH {PRODUCT}/{id}");
    let ended = bench.send(&patch, &headers, Body::from(end.to_string())).await;
    assert_eq!(ended.status, 200, "{}", ended.text);
    let found = bench.found("2026-05-01").await;
    assert_eq!(found[0]["type"], json!("billedNotActive"), "{found:?}");
    let bill = bench.billed("2026-05-01").await;
    assert_eq!(bill["amountDue"], json!({ "unit": "EUR", "value": -13.09 }));
    assert_eq!(bench.found("2026-05-01").await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_bill_on_demand_is_drawn_when_it_is_asked_for() {
    let bench = Bench::new();
    bench.sold(&fibre()).await;
    let asked = json!({ "billingAccount": { "id": "acc-1" } });
    let first = bench.post(ON_DEMAND, &asked).await;
    assert_eq!(
        (first.status.as_u16(), &first.body["state"]),
        (201, &json!("done")),
        "{}",
        first.text
    );
    let id = first.body["customerBill"]["id"].as_str().unwrap();
    let bill = bench.get(&format!("{BILL}/{id}")).await;
    assert_eq!(bill.body["runType"], json!("offCycle"), "{}", bill.text);
    assert_eq!(bill.body["state"], json!("new"), "{}", bill.text);
    let second = bench.post(ON_DEMAND, &asked).await;
    assert_eq!(second.body["state"], json!("rejected"), "{}", second.text);
    let without_account = bench.post(ON_DEMAND, &json!({})).await;
    assert_eq!(without_account.status, 400, "{}", without_account.text);
}

#[tokio::test]
async fn usage_waits_for_a_rater_and_is_rejected_where_it_belongs_to_nothing() {
    let bench = Bench::new();
    let mut phone = fibre();
    phone["productSerialNumber"] = json!("+4930123");
    phone["productPrice"] = json!([{
        "name": "Calls", "priceType": "usage",
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": 0.09 } },
        "tariff": { "usageSpecification": "VOICE", "quantity": "duration", "per": 60 },
    }]);
    bench.sold(&phone).await;
    let call = |number: &str| {
        json!({
            "usageDate": "2026-03-20T10:00:00Z",
            "usageSpecification": { "id": "VOICE" },
            "usageCharacteristic": [
                { "name": "msisdn", "value": number }, { "name": "duration", "value": 60 },
            ],
        })
    };
    let mine = bench.post(USAGE, &call("+4930123")).await;
    assert_eq!(
        (mine.status.as_u16(), &mine.body["status"]),
        (201, &json!("received")),
        "{}",
        mine.text
    );
    let other = bench.post(USAGE, &call("+4930999")).await;
    assert_eq!(other.body["status"], json!("rejected"), "{}", other.text);
    assert_eq!(other.body["rejection"]["code"], json!("NO_PRODUCT"));
}

#[tokio::test]
async fn errors_name_the_attribute_and_change_nothing() {
    let bench = Bench::new();
    let table = [
        ("runs", json!({ "date": "soon" }), 400, "date"),
        ("runs", json!({ "date": 1 }), 400, "date"),
        ("runs", json!({ "date": "2128-02-01" }), 422, "date"),
        ("runs", json!({ "from": "2026-01-01" }), 400, "from"),
        ("runs", json!({ "dates": "2026-01-01" }), 400, "dates"),
        ("runs", json!({ "billingAccount": {} }), 400, "billingAccount.id"),
        ("runs", json!({ "billingAccount": "" }), 400, "billingAccount"),
        ("payments", json!({}), 400, "bill"),
        (
            "payments",
            json!({ "bill": { "id": "none" }, "amount": { "unit": "EUR", "value": 1 } }),
            422,
            "bill.id",
        ),
        ("adjustments", json!({ "billingAccount": { "id": "a" }, "reason": "x" }), 400, "amount"),
        (
            "adjustments",
            json!({ "billingAccount": { "id": "a" }, "reason": "x", "amount": { "unit": "EUR", "value": -1 } }),
            422,
            "amount",
        ),
        ("write-offs", json!({ "bill": { "id": "none" } }), 422, "bill.id"),
        ("write-offs", json!({ "bill": { "id": "none" }, "amount": 1 }), 400, "amount"),
    ];
    let before = bench.facts();
    for (what, body, status, about) in table {
        let refused = bench.billing(what, &body).await;
        assert_eq!(refused.status.as_u16(), status, "{what} {body}: {}", refused.text);
        assert_eq!(refused.body["referenceError"], json!(about), "{what} {body}");
    }
    assert_eq!(bench.facts(), before);
}
