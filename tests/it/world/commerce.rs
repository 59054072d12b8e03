//! What tests of money, quotes and stock begin with.

use serde_json::{Value, json};

use super::{Request, World, fresh, pack_order, text};

const STOCK: &str = "/tmf-api/stock/v4";

impl World {
    /// A document, written and synced.
    pub(crate) async fn person(&self) -> String {
        let body = json!({ "givenName": "Ann", "familyName": "Walker" });
        let made = self.http.post(tmf::table::path("individual"), &body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        text(&made.body["id"])
    }

    /// A bill that is out, for an account of its own. The world sends bills: see [`SENT`].
    pub(crate) async fn bill(&self, name: &str) -> Value {
        let account = format!("ACC-{name}");
        let order = fresh(&pack_order("mobile-4g/new-number"), name).to_string();
        let order = serde_json::from_str(&order.replace("ACC-1003", &account)).unwrap();
        let id = self.submit(&order).await;
        self.completed(&id).await;
        let asked = json!({ "billingAccount": { "id": account } });
        let demand = self.http.post(tmf::table::path("customerBillOnDemand"), &asked).await;
        assert_eq!(demand.body["state"], "done", "{}", demand.text);
        let bill = text(&demand.body["customerBill"]["id"]);
        self.http.get(&format!("{}/{bill}", tmf::table::path("customerBill"))).await
    }

    /// A quote that a customer has accepted.
    pub(crate) async fn accepted_quote(&self) -> String {
        let quote = json!({
            "relatedParty": [{ "id": "CUST-1", "role": "Customer", "@referredType": "Customer" }],
            "quoteItem": [{
                "id": "1", "action": "add", "quantity": 1,
                "productOffering": { "id": "PO-SF200H" },
                "product": { "place": [{ "id": "ADDR-1", "role": "installation" }] },
            }],
        });
        let path = tmf::table::path("quote");
        let made = self.http.post(path, &quote).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let id = text(&made.body["id"]);
        for state in ["approved", "accepted"] {
            let patch = Request::patch(&format!("{path}/{id}"), &json!({ "state": state }));
            let patched = self.http.ask(&patch).await.unwrap();
            assert_eq!(patched.status, 200, "{}", patched.text);
        }
        id
    }

    /// A stock of some pieces, and the request that reserves one of them.
    pub(crate) async fn stock(&self, pieces: u64) -> (String, Request) {
        let stock = json!({
            "name": "routers", "productStockStatusType": "available",
            "productStockLevel": { "amount": pieces, "units": "piece" },
            "stockedProduct": { "id": "router", "productOffering": { "id": "PO-ROUTER" } },
            "place": { "id": "Berlin", "role": "warehouse" },
        });
        let made = self.http.post(&format!("{STOCK}/productStock"), &stock).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let stock = text(&made.body["id"]);
        let asked = json!({ "reserveProductStockItem": [{
            "id": "1", "quantityRequested": { "amount": 1, "units": "piece" },
            "requestedProduct": { "productOffering": { "id": "PO-ROUTER" } },
            "productStockRequested": { "id": stock },
        }] });
        (stock, Request::post(&format!("{STOCK}/reserveProductStock"), &asked))
    }
}

/// Settings under which the bills of a run are sent at once.
pub(crate) const SENT: &str = "[billing]\nbills = \"sent\"\n";
