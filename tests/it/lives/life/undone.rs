//! Runs that are undone.

use serde_json::{Value, json};

use super::{BILLING, BILLS, Life};
use crate::world::text;

impl Life {
    /// A run that is undone, which leaves everything as it was.
    pub(super) async fn undone(&mut self, mut asked: Value) -> Option<String> {
        asked["send"] = json!(false);
        let rates = format!("{BILLS}/appliedCustomerBillingRate");
        let (before, books) = (self.world.http.list(&rates).await, self.balances().await);
        let run = self.made(&format!("{BILLING}/runs"), &asked).await;
        self.tell(&format!("run of {}, to be undone: {}", asked["billingAccount"], run["bill"]));
        let undo = format!("{BILLING}/runs/{}/undo", text(&run["id"]));
        let undone = self.world.http.post(&undo, &json!({})).await;
        if undone.body["state"] != "undone" {
            return Some(format!("not undone: {}", undone.text));
        }
        let is_same =
            self.world.http.list(&rates).await == before && self.balances().await == books;
        (!is_same).then(|| format!("a run that was undone left something: {}", run["bill"]))
    }

    /// The balances of the books.
    async fn balances(&self) -> Value {
        self.world.http.get(&format!("{BILLING}/ledger")).await["account"].clone()
    }
}
