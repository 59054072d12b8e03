//! Bill runs over the time of an operator: days of a zone, what is told late, parts of periods.

use model::billing::Zone;
use serde_json::{Value, json};

use super::bench::{Bench, Hands};
use crate::app::Commerce;

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
        let commerce = Commerce { zone: Zone::named(zone).unwrap(), ..Commerce::default() };
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
