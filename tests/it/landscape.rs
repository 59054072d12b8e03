//! One customer from the first question to the last bill, through every system: what is asked, what
//! is sold, what is built, what is used, what is billed, and what is left when it is over.

use serde_json::{Value, json};

use crate::world::{Settings, World};

const BILLING: &str = "/orchestration/v1/billing";

/// What gigabytes cost above a hundred.
fn traffic() -> Value {
    json!({
        "name": "Traffic above 100 GB", "priceType": "usage", "lifecycleStatus": "In Study",
        "price": { "unit": "USD", "value": 0.5 },
        "tariff": { "usageSpecification": "TRAFFIC", "quantity": "volume", "per": 1,
            "allowance": 100, "tiers": [{ "price": 0.5 }] },
    })
}

/// The landscape as its users see it, with one customer in mind.
struct Landscape {
    world: World,
    customer: String,
    account: String,
}

impl Landscape {
    async fn start() -> Self {
        let tail = "[billing]\nbills = \"sent\"\ntax-rate = 19\n".to_owned();
        let world = World::with(Settings { tail, ..Settings::default() }).await;
        Self { world, customer: String::new(), account: String::new() }
    }

    async fn post(&self, key: &str, body: &Value) -> Value {
        let path = if key.starts_with('/') { key } else { tmf::table::path(key) };
        let answer = self.world.http.post(path, body).await;
        assert_eq!(answer.status, 201, "{path} {body}: {}", answer.text);
        answer.body
    }

    async fn patch(&self, key: &str, id: &str, body: &Value) -> Value {
        let path = format!("{}/{id}", tmf::table::path(key));
        let headers = [("content-type", "application/merge-patch+json")];
        let answer = self.world.http.send("PATCH", &path, &headers, body.to_string()).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text);
        answer.body
    }

    async fn get(&self, key: &str, id: &str) -> Value {
        self.world.http.get(&format!("{}/{id}", tmf::table::path(key))).await
    }

    fn party(&self) -> Value {
        json!([{ "id": self.customer, "role": "Customer", "@referredType": "Customer" }])
    }

    /// A catalog entity on its way to being sold.
    async fn launch(&self, key: &str, entity: &Value) -> Value {
        let made = self.post(key, entity).await;
        let id = made["id"].as_str().unwrap();
        let mut last = made.clone();
        for status in ["In Design", "In Test", "Active"] {
            last = self.patch(key, id, &json!({ "lifecycleStatus": status })).await;
        }
        last
    }

    /// The bill that is due now, and its payment in full; nothing is left of it.
    async fn billed_and_paid(&self) -> f64 {
        let asked = json!({ "billingAccount": { "id": self.account } });
        let demand = self.post("customerBillOnDemand", &asked).await;
        assert_eq!(demand["state"], "done", "{demand}");
        let bill = self.get("customerBill", demand["customerBill"]["id"].as_str().unwrap()).await;
        let due = bill["remainingAmount"]["value"].as_f64().unwrap();
        if due > 0.0 {
            let payment =
                json!({ "bill": { "id": bill["id"] }, "amount": bill["remainingAmount"] });
            let paid = self.post(&format!("{BILLING}/payments"), &payment).await;
            assert_eq!(paid["state"], "settled", "{paid}");
        }
        self.balanced().await;
        due
    }

    /// The books are even to the cent, and what is receivable is what the bills say is open.
    async fn balanced(&self) {
        let books = self.world.http.get(&format!("{BILLING}/ledger")).await;
        for difference in books["difference"].as_array().unwrap() {
            assert_eq!(difference["value"].as_f64(), Some(0.0), "{books}");
        }
        let accounts = books["account"].as_array().unwrap().iter();
        let named = format!("receivable:{}", self.account);
        let cents = |value: &Value| (value.as_f64().unwrap() * 100.0).round() as i64;
        let receivable: i64 = accounts
            .filter(|one| one["account"] == named.as_str())
            .map(|one| cents(&one["balance"]["value"]))
            .sum();
        let path = tmf::table::path("customerBill");
        let bills = format!("{path}?billingAccount.id={}", self.account);
        let bills = self.world.http.get(&bills).await;
        let open = bills.as_array().unwrap().iter();
        let open: i64 = open.map(|bill| cents(&bill["remainingAmount"]["value"])).sum();
        assert_eq!(receivable, open, "{books}\n{bills}");
    }

    async fn findings(&self) -> Vec<Value> {
        let found = self.world.http.get(&format!("{BILLING}/assurance")).await;
        found["finding"].as_array().unwrap().clone()
    }
}

/// What is paid once, and what for each period.
fn totals(prices: &Value) -> Vec<(Value, Value)> {
    let prices = prices.as_array().unwrap().iter();
    prices.map(|price| (price["priceType"].clone(), price["price"].clone())).collect()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "it is one story, told in order")]
async fn a_lead_becomes_a_customer_uses_pays_changes_and_leaves() {
    let mut land = Landscape::start().await;

    // The designers sell traffic with the broadband.
    let price = land.launch("productOfferingPrice", &traffic()).await;
    let offering = land.get("productOffering", "PO-SF200H").await;
    let mut prices = offering["productOfferingPrice"].as_array().unwrap().clone();
    prices.push(json!({ "id": price["id"], "name": price["name"] }));
    land.patch("productOffering", "PO-SF200H", &json!({ "productOfferingPrice": prices })).await;
    land.post("usageSpecification", &json!({ "name": "TRAFFIC" })).await;

    // A lead, who asks what can be had at home.
    let person = json!({ "givenName": "Ann", "familyName": "Walker" });
    let person = land.post("individual", &person).await;
    let engaged = json!({ "id": person["id"], "@referredType": "Individual" });
    let lead = json!({ "name": "Ann Walker", "status": "Prospective", "engagedParty": engaged });
    let lead = land.post("customer", &lead).await;
    land.customer = lead["id"].as_str().unwrap().into();
    let home = json!([{ "id": "ADDR-1", "role": "installation" }]);
    let asked = json!({ "place": home, "relatedParty": land.party(),
        "productOfferingQualificationItem": [{ "id": "1", "productOffering": { "id": "PO-SF200H" } }] });
    let qualified = land.post("productOfferingQualification", &asked).await;
    assert_eq!(qualified["qualificationResult"], "green", "{qualified}");

    // She becomes a customer, and takes the quote.
    land.patch("customer", &land.customer, &json!({ "status": "Approved" })).await;
    let owner = json!([{ "id": land.customer, "name": "Ann Walker", "role": "owner" }]);
    let account = json!({ "name": "Ann at home", "relatedParty": owner });
    land.account = land.post("billingAccount", &account).await["id"].as_str().unwrap().into();
    let alteration = json!([{ "name": "Welcome", "priceType": "recurring",
        "price": { "percentage": 10 } }]);
    let quote = json!({ "relatedParty": land.party(), "billingAccount": [{ "id": land.account }],
        "quoteItem": [{ "id": "1", "action": "add", "quantity": 1,
            "productOffering": { "id": "PO-SF200H" }, "product": { "place": home },
            "quoteItemPrice": [{ "priceType": "recurring", "priceAlteration": alteration }] }] });
    let quote = land.post("quote", &quote).await;
    let quoted = quote["quoteTotalPrice"].clone();
    let id = quote["id"].as_str().unwrap();
    for state in ["approved", "accepted"] {
        land.patch("quote", id, &json!({ "state": state })).await;
    }
    let order = land.post(&format!("/orchestration/v1/quotes/{id}/order"), &json!({})).await;
    assert_eq!(totals(&order["orderTotalPrice"]), totals(&quoted), "{order}");

    // It is built, and hers.
    let first = order["id"].as_str().unwrap().to_string();
    land.world.completed(&first).await;
    let own = format!("{first}-1");
    let product = land.get("product", &own).await;
    assert_eq!(product["status"], "active", "{product}");
    assert_eq!(product["relatedParty"][0]["id"], json!(land.customer), "{product}");
    assert!(!land.world.network.state().await.is_empty());
    let view = land.world.http.get(&format!("/orchestration/v1/customers/{}", land.customer)).await;
    assert_eq!(view["product"].as_array().map(Vec::len), Some(1), "{view}");

    // She uses it; the first bill has what recurs, what is once, and what she used.
    for volume in [60, 70] {
        let usage = json!({ "usageDate": product["startDate"], "usageSpecification": { "id": "TRAFFIC" },
            "usageCharacteristic": [{ "name": "volume", "value": volume }],
            "ratedProductUsage": [{ "productRef": { "id": own } }] });
        let usage = land.post("usage", &usage).await;
        assert_eq!(usage["status"], "rated", "{usage}");
    }
    assert!(land.billed_and_paid().await > 0.0);
    let rates = tmf::table::path("appliedCustomerBillingRate");
    let used = land.world.http.get(&format!("{rates}?product.id={own}&type=usageCharge")).await;
    let used = used[0]["taxExcludedAmount"]["value"].as_f64();
    assert_eq!(used, Some(15.0), "30 GB above the hundred");
    assert!(land.findings().await.is_empty(), "{:?}", land.findings().await);

    // She wants more.
    let faster = json!([{ "name": "downstreamSpeed", "value": 500 },
        { "name": "upstreamSpeed", "value": 100 }]);
    let change = json!({ "relatedParty": land.party(), "productOrderItem": [{ "id": "1",
        "action": "modify", "product": { "id": own, "productCharacteristic": faster } }] });
    let change = land.post("productOrder", &change).await;
    land.world.completed(change["id"].as_str().unwrap()).await;
    let speeds = land.get("product", &own).await["productCharacteristic"].clone();
    assert!(speeds.to_string().contains("500"), "{speeds}");
    land.balanced().await;

    // She leaves: nothing is left in the network, and nothing unpaid in the books.
    let leave = json!({ "relatedParty": land.party(), "productOrderItem": [{ "id": "1",
        "action": "delete", "product": { "id": own } }] });
    let leave = land.post("productOrder", &leave).await;
    land.world.completed(leave["id"].as_str().unwrap()).await;
    assert_eq!(land.get("product", &own).await["status"], "terminated");
    assert!(land.world.network.state().await.is_empty());
    land.billed_and_paid().await;
    assert!(land.findings().await.is_empty(), "{:?}", land.findings().await);
    let view = land.world.http.get(&format!("/orchestration/v1/customers/{}", land.customer)).await;
    for owed in view["owes"].as_array().unwrap() {
        assert!(owed["value"].as_f64().unwrap() <= 0.0, "{view}");
    }
    let built = land.get("productOrder", &first).await["completionDate"].clone();
    let then = format!("/orchestration/v1/history/product/{own}?at={}", built.as_str().unwrap());
    assert_eq!(land.world.http.get(&then).await["document"]["status"], "active");
}
