//! Bill runs over the time of an operator: days of a zone, what is told late, parts of periods.

mod undo;

use serde_json::{Value, json};
use tmf::zone::Zone;

use super::bench::{Bench, Hands};
use crate::settings::BillingSettings;

const PRODUCT: &str = "/tmf-api/productInventory/v4/product";
const BILL: &str = "/tmf-api/customerBillManagement/v4/customerBill";
const RATE: &str = "/tmf-api/customerBillManagement/v4/appliedCustomerBillingRate";
const BILLING: &str = "/orchestration/v1/billing";

/// A recurring price without tax.
fn fee(name: &str, euros: f64, period: &str) -> Value {
    json!({
        "name": name, "priceType": "recurring", "recurringChargePeriod": period,
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": euros }, "taxRate": 0 },
    })
}

fn product(account: &str, start: &str, prices: &[Value]) -> Value {
    json!({
        "name": "Fibre", "status": "active", "startDate": start,
        "billingAccount": { "id": account }, "productPrice": prices,
    })
}

/// A server, its clock and what is asked of it.
struct World {
    bench: Bench,
    hands: std::sync::Arc<Hands>,
}

impl World {
    fn new(zone: &str, now: &str) -> Self {
        let (bench, hands) = Bench::at(now);
        let commerce =
            BillingSettings { zone: Zone::named(zone).unwrap(), ..BillingSettings::default() };
        Self { bench: bench.with_commerce(commerce), hands }
    }

    async fn sold(&self, product: &Value) -> String {
        let made = self.bench.post(PRODUCT, product).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.body["id"].as_str().unwrap().to_owned()
    }

    /// Runs at a time, for its day; what the bills come to.
    async fn run(&self, now: &str, account: &str) -> Vec<f64> {
        self.hands.set(now);
        let asked = json!({ "billingAccount": account });
        let ran = self.bench.post(&format!("{BILLING}/runs"), &asked).await;
        assert_eq!((ran.status.as_u16(), &ran.body["failed"]), (201, &json!([])), "{}", ran.text);
        let bills = ran.body["bill"].as_array().unwrap().iter();
        bills.map(|bill| bill["amountDue"]["value"].as_f64().unwrap()).collect()
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        self.bench.get(path).await.body.as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn days_are_those_of_the_billing_time_zone() {
    // Instants that are on the first of April in the zone, and in March in UTC or the other way round.
    for (zone, start, just_before, then, offset) in [
        (
            "Europe/Berlin",
            "2026-03-31T22:00:00Z",
            "2026-04-30T21:59:59Z",
            "2026-04-30T22:00:00Z",
            "+02:00",
        ),
        (
            "America/St_Johns",
            "2026-04-02T02:29:59Z",
            "2026-05-01T02:29:59Z",
            "2026-05-01T02:30:00Z",
            "-02:30",
        ),
        (
            "Asia/Kolkata",
            "2026-03-31T18:30:00Z",
            "2026-04-30T18:29:59Z",
            "2026-04-30T18:30:00Z",
            "+05:30",
        ),
    ] {
        let world = World::new(zone, start);
        world.sold(&product("acc-1", start, &[fee("Access", 30.0, "month")])).await;
        assert_eq!(world.run(just_before, "acc-1").await, [] as [f64; 0], "{zone}");
        assert_eq!(world.run(then, "acc-1").await, [30.0], "{zone}");
        assert_eq!(world.run(then, "acc-1").await, [] as [f64; 0], "{zone}");
        let rate = &world.list(&format!("{RATE}?billingAccount.id=acc-1")).await[0];
        let bill = &world.list(&format!("{BILL}?billingAccount.id=acc-1")).await[0];
        for period in [&rate["periodCoverage"], &bill["billingPeriod"]] {
            assert_eq!(period["startDateTime"], format!("2026-04-01T00:00:00.000{offset}"));
            assert_eq!(period["endDateTime"], format!("2026-05-01T00:00:00.000{offset}"));
        }
        assert_eq!(bill["nextBillDate"], format!("2026-06-01T00:00:00.000{offset}"));
        assert_eq!(bill["paymentDueDate"], format!("2026-05-15T00:00:00.000{offset}"));
    }
}

fn paid_by(mut price: Value, account: &str) -> Value {
    price["billingAccount"] = json!({ "id": account });
    price
}

fn once(name: &str, euros: f64) -> Value {
    json!({
        "name": name, "priceType": "oneTime",
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": euros }, "taxRate": 0 },
    })
}

impl World {
    async fn patched(&self, product: &str, patch: &Value) {
        let headers = [("content-type", "application/merge-patch+json")];
        let line = format!("PATCH {PRODUCT}/{product}");
        let answer = self.bench.send(&line, &headers, patch.to_string().into()).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// Runs for all accounts; the whole answer.
    async fn all(&self, now: &str) -> Value {
        self.hands.set(now);
        let ran = self.bench.post(&format!("{BILLING}/runs"), &json!({})).await;
        assert_eq!(ran.status, 201, "{}", ran.text);
        ran.body
    }

    async fn found(&self, until: &str) -> Value {
        let found = self.bench.get(&format!("{BILLING}/assurance?until={until}")).await;
        assert_eq!(found.status, 200, "{}", found.text);
        found.body["finding"].clone()
    }

    /// The balances that are not zero; the books are even.
    async fn books(&self) -> Vec<String> {
        let books = self.bench.get(&format!("{BILLING}/ledger")).await.body;
        for sum in books["difference"].as_array().unwrap() {
            assert_eq!(sum["value"], json!(0), "{books}");
        }
        let accounts = books["account"].as_array().unwrap().iter();
        accounts.map(|one| format!("{} {}", one["account"], one["balance"]["value"])).collect()
    }
}

/// Each account with what its bills come to.
fn billed(run: &Value) -> Vec<(String, f64)> {
    let bills = run["bill"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    bills
        .map(|bill| {
            (text(&bill["billingAccount"]["id"]), bill["amountDue"]["value"].as_f64().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn late_usage_is_on_the_next_bill() {
    let world = World::new("UTC", "2026-03-02T08:00:00Z");
    let start = "2026-03-01T00:00:00Z";
    world.sold(&product("acc-1", start, &[fee("A", 31.0, "month")])).await;
    assert_eq!(world.run("2026-04-01T08:00:00Z", "acc-1").await, [31.0]);
    let late = "2026-03-11T00:00:00Z";
    world.sold(&product("acc-1", late, &[fee("B", 31.0, "month"), once("Setup", 9.0)])).await;
    // It ended before anyone heard of it.
    let mut ended = product("acc-1", late, &[fee("C", 31.0, "month")]);
    ended["status"] = json!("terminated");
    ended["terminationDate"] = json!("2026-03-13T00:00:00Z");
    world.sold(&ended).await;
    // 62 of April, 21 and 9 of B, 2 of C.
    assert_eq!(world.run("2026-05-01T08:00:00Z", "acc-1").await, [94.0]);
    assert_eq!(world.run("2026-05-01T09:00:00Z", "acc-1").await, [] as [f64; 0]);
    let bills = world.list(&format!("{BILL}?billingAccount.id=acc-1")).await;
    let latest = bills.iter().find(|bill| bill["amountDue"]["value"] == json!(94)).unwrap();
    assert_eq!(latest["billingPeriod"]["startDateTime"], "2026-04-01T00:00:00.000Z");
    assert_eq!(latest["nextBillDate"], "2026-06-01T00:00:00.000Z");
    assert_eq!(world.found("2026-05-01").await, json!([]));
}

#[tokio::test]
async fn a_run_charges_what_earlier_ones_missed_and_an_earlier_date_bills_nothing() {
    let world = World::new("UTC", "2026-03-10T08:00:00Z");
    let prices = [fee("A", 31.0, "month"), once("Setup", 50.0)];
    world.sold(&product("acc-1", "2026-03-10T00:00:00Z", &prices)).await;
    // 22 of March, 31 of April and of May, and 50.
    assert_eq!(world.run("2026-06-01T08:00:00Z", "acc-1").await, [134.0]);
    for date in ["2026-06-01", "2026-05-01", "2026-04-01", "2026-03-01"] {
        let asked = json!({ "date": date, "billingAccount": { "id": "acc-1" } });
        let ran = world.bench.post(&format!("{BILLING}/runs"), &asked).await;
        assert_eq!(ran.body["billCount"], json!(0), "{date}: {}", ran.text);
    }
}

#[tokio::test]
async fn credits_for_billed_rates_wait_for_the_next_cycle() {
    let world = World::new("UTC", "2026-03-01T08:00:00Z");
    let yearly = fee("A", 365.0, "year");
    let id = world.sold(&product("acc-1", "2026-03-01T00:00:00Z", &[yearly])).await;
    assert_eq!(world.run("2026-04-01T08:00:00Z", "acc-1").await, [365.0]);
    world.hands.set("2026-04-10T08:00:00Z");
    let end = json!({ "status": "terminated", "terminationDate": "2026-04-10T00:00:00Z" });
    world.patched(&id, &end).await;
    assert_eq!(world.run("2026-04-12T08:00:00Z", "acc-1").await, [] as [f64; 0]);
    assert_eq!(world.run("2026-05-01T08:00:00Z", "acc-1").await, [-325.0]);
}

#[tokio::test]
async fn the_account_that_pays_for_a_price_is_billed_in_the_same_run() {
    let line = |account: &str| paid_by(fee("Line", 30.0, "month"), account);
    for boss in ["BOSS", "ZBOSS"] {
        let world = World::new("UTC", "2026-03-01T08:00:00Z");
        let prices = [line(boss), fee("Extras", 5.0, "month")];
        let id = world.sold(&product("STAFF", "2026-03-01T00:00:00Z", &prices)).await;
        let first = world.all("2026-04-01T08:00:00Z").await;
        let mut bills = billed(&first);
        bills.sort_by(|one, other| one.0.cmp(&other.0));
        let both = [(boss.to_owned(), 30.0), ("STAFF".to_owned(), 5.0)];
        let mut expected = both.to_vec();
        expected.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(bills, expected, "{first}");
        let again = world.all("2026-04-01T09:00:00Z").await;
        assert_eq!((&again["billCount"], &again["nothingCount"]), (&json!(0), &json!(2)));
        // From the eleventh on it is paid by the product's account.
        world.hands.set("2026-04-11T08:00:00Z");
        let own =
            json!({ "productPrice": [fee("Line", 30.0, "month"), fee("Extras", 5.0, "month")] });
        world.patched(&id, &own).await;
        let next = world.all("2026-05-01T08:00:00Z").await;
        let mut bills = billed(&next);
        bills.sort_by(|one, other| one.1.total_cmp(&other.1));
        assert_eq!(bills, [(boss.to_owned(), 10.0), ("STAFF".to_owned(), 25.0)], "{next}");
    }
}

#[tokio::test]
async fn a_run_of_one_account_charges_what_it_pays_for_of_others() {
    let world = World::new("UTC", "2026-03-01T08:00:00Z");
    let prices = [paid_by(fee("Line", 30.0, "month"), "BOSS"), fee("Extras", 5.0, "month")];
    world.sold(&product("STAFF", "2026-03-01T00:00:00Z", &prices)).await;
    assert_eq!(world.run("2026-04-01T08:00:00Z", "BOSS").await, [30.0]);
    assert_eq!(world.run("2026-04-01T08:00:00Z", "BOSS").await, [] as [f64; 0]);
    assert_eq!(world.run("2026-04-01T08:00:00Z", "STAFF").await, [5.0]);
    assert_eq!(world.run("2026-04-01T08:00:00Z", "BOSS").await, [] as [f64; 0]);
    assert_eq!(
        world.books().await,
        ["\"receivable:BOSS\" 30", "\"receivable:STAFF\" 5", "\"revenue\" -35"]
    );
}

#[tokio::test]
async fn like_prices_stay_apart_when_something_else_is_patched() {
    let world = World::new("UTC", "2026-03-01T08:00:00Z");
    let prices = [
        fee("Seat", 10.0, "month"),
        fee("Seat", 10.0, "month"),
        once("In", 10.0),
        once("In", 20.0),
    ];
    let id = world.sold(&product("acc-1", "2026-03-01T00:00:00Z", &prices)).await;
    assert_eq!(world.run("2026-04-01T08:00:00Z", "acc-1").await, [50.0]);
    world.patched(&id, &json!({ "description": "hello" })).await;
    assert_eq!(world.run("2026-05-01T08:00:00Z", "acc-1").await, [20.0]);
    assert_eq!(world.run("2026-06-01T08:00:00Z", "acc-1").await, [20.0]);
}

#[tokio::test]
async fn a_product_that_is_removed_ends_on_that_day() {
    let world = World::new("UTC", "2026-03-01T08:00:00Z");
    let start = "2026-03-01T00:00:00Z";
    let ahead = world.sold(&product("acc-1", start, &[fee("Year", 365.0, "year")])).await;
    let after = world.sold(&product("acc-1", start, &[fee("Month", 30.0, "month")])).await;
    assert_eq!(world.run("2026-04-01T08:00:00Z", "acc-1").await, [395.0]);
    world.hands.set("2026-04-11T08:00:00Z");
    for id in [ahead, after] {
        let gone = world.bench.send(&format!("DELETE {PRODUCT}/{id}"), &[], "".into()).await;
        assert_eq!(gone.status, 204, "{}", gone.text);
    }
    // 365 - 41 days are given back, ten days of April are charged.
    assert_eq!(world.run("2026-05-01T08:00:00Z", "acc-1").await, [-314.0]);
    assert_eq!(world.found("2026-05-01").await, json!([]));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_holds_up_its_account_alone() {
    let world = World::new("UTC", "2026-03-01T08:00:00Z");
    let start = "2026-03-01T00:00:00Z";
    world.sold(&product("acc-1", start, &[fee("A", 31.0, "month")])).await;
    let bad = json!({
        "id": "bad", "status": "active", "startDate": start, "billingAccount": { "id": "acc-2" },
        "productPrice": [{ "name": "A", "priceType": "recurring", "recurringChargePeriod": "fortnight",
            "price": { "dutyFreeAmount": { "unit": "eur", "value": 1 } } }],
    });
    // As an earlier version took them.
    let put = |resource: &str, body: &Value| {
        engine::documents::Put::set(resource, body["id"].as_str().unwrap(), body.clone())
    };
    world.bench.services.documents.write(vec![put("product", &bad)]).await.unwrap();
    let rate = json!({ "id": "worse", "billingAccount": { "id": "acc-3" }, "type": "gift" });
    world
        .bench
        .services
        .documents
        .write(vec![put("appliedCustomerBillingRate", &rate)])
        .await
        .unwrap();
    let cycle = json!({ "id": "c", "frequency": "now and then" });
    let account =
        json!({ "id": "acc-4", "billStructure": { "cycleSpecification": { "id": "c" } } });
    let kept = vec![put("billingCycleSpecification", &cycle), put("billingAccount", &account)];
    world.bench.services.documents.write(kept).await.unwrap();
    world.sold(&product("acc-4", start, &[fee("A", 31.0, "month")])).await;
    let run = world.all("2026-04-01T08:00:00Z").await;
    assert_eq!(billed(&run), [("acc-1".to_owned(), 31.0)], "{run}");
    let failed = run["failed"].as_array().unwrap().iter();
    let failed: Vec<_> = failed
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap().to_owned();
            format!("{} {} {}", text("billingAccount"), text("resource"), text("id"))
        })
        .collect();
    assert_eq!(
        failed,
        [
            "acc-2 product bad",
            "acc-3 appliedCustomerBillingRate worse",
            "acc-4 billingCycleSpecification c",
        ],
        "{run}"
    );
    // A correction counts.
    world.patched("bad", &json!({ "productPrice": [fee("A", 31.0, "month")] })).await;
    assert_eq!(world.run("2026-04-01T09:00:00Z", "acc-2").await, [31.0]);
}

#[tokio::test]
async fn an_account_is_billed_on_the_last_days_of_months() {
    let world = World::new("UTC", "2026-01-31T08:00:00Z");
    let cycles = "/tmf-api/accountManagement/v4/billingCycleSpecification";
    let cycle = json!({ "name": "on the last", "frequency": "month", "billingDateShift": 30 });
    let cycle = world.bench.post(cycles, &cycle).await;
    assert_eq!(cycle.status, 201, "{}", cycle.text);
    let account = json!({
        "id": "acc-1", "name": "a", "relatedParty": [{ "id": "c", "role": "owner" }],
        "billStructure": { "cycleSpecification": { "id": cycle.body["id"], "name": "c" } },
    });
    let put = engine::documents::Put::set("billingAccount", "acc-1", account);
    world.bench.services.documents.write(vec![put]).await.unwrap();
    world.sold(&product("acc-1", "2026-01-31T00:00:00Z", &[fee("A", 31.0, "month")])).await;
    for (day, due) in [
        ("02-27", vec![]),
        ("02-28", vec![31.0]),
        ("03-30", vec![]),
        ("03-31", vec![31.0]),
        ("04-30", vec![31.0]),
        ("05-31", vec![31.0]),
    ] {
        assert_eq!(world.run(&format!("2026-{day}T08:00:00Z"), "acc-1").await, due, "{day}");
    }
}

#[tokio::test]
async fn a_cycle_that_nothing_can_be_billed_by_is_rejected_where_it_is_written() {
    let world = World::new("UTC", "2026-01-31T08:00:00Z");
    let base = "/tmf-api/accountManagement";
    for version in ["v4", "v5"] {
        for (wrong, path) in [
            (
                json!({ "name": "c", "frequency": "month", "billingDateShift": 31 }),
                "billingDateShift",
            ),
            (
                json!({ "name": "c", "frequency": "week", "billingDateShift": 7 }),
                "billingDateShift",
            ),
            (json!({ "name": "c", "frequency": "fortnight" }), "frequency"),
        ] {
            let path_of = format!("{base}/{version}/billingCycleSpecification");
            let told = world.bench.post(&path_of, &wrong).await;
            assert_eq!(told.status, 422, "{version} {wrong}: {}", told.text);
            assert_eq!(told.body["referenceError"], path, "{version} {wrong}");
        }
    }
    let account = json!({
        "name": "a", "relatedParty": [{ "id": "c", "role": "owner" }],
        "billStructure": { "cycleSpecification": { "name": "c", "dateShift": 31 } },
    });
    let told = world.bench.post(&format!("{base}/v4/billingAccount"), &account).await;
    let path = "billStructure.cycleSpecification.dateShift";
    assert_eq!((told.status.as_u16(), told.body["referenceError"].as_str()), (422, Some(path)));
    let bad = json!({ "id": "c", "frequency": "now and then" });
    let put = engine::documents::Put::set("billingCycleSpecification", "c", bad);
    world.bench.services.documents.write(vec![put]).await.unwrap();
    let account = json!({
        "name": "a", "relatedParty": [{ "id": "c", "role": "owner" }],
        "billStructure": { "cycleSpecification": { "id": "c", "name": "c" } },
    });
    let told = world.bench.post(&format!("{base}/v4/billingAccount"), &account).await;
    let path = "billStructure.cycleSpecification.id";
    assert_eq!(
        (told.status.as_u16(), told.body["referenceError"].as_str()),
        (422, Some(path)),
        "{}",
        told.text
    );
}

#[tokio::test]
async fn a_bill_on_demand_in_several_currencies_names_all() {
    let world = World::new("UTC", "2026-03-01T08:00:00Z");
    let mut dollars = once("Router", 20.0);
    dollars["price"]["dutyFreeAmount"]["unit"] = json!("USD");
    world.sold(&product("acc-1", "2026-03-01T00:00:00Z", &[once("Setup", 10.0), dollars])).await;
    let demand = "/tmf-api/customerBillManagement/v4/customerBillOnDemand";
    let asked = world.bench.post(demand, &json!({ "billingAccount": { "id": "acc-1" } })).await;
    assert_eq!(asked.body["state"], "done", "{}", asked.text);
    let bills = asked.body["customerBills"].as_array().unwrap();
    assert_eq!((bills.len(), &bills[0]), (2, &asked.body["customerBill"]));
}
