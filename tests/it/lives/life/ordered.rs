//! Products that are ordered: at prices that a system elsewhere agreed, with tax, which a run charges
//! from the day of delivery on (8.1, 8.2).

use serde_json::{Value, json};

use super::{Kind, Life, Product, Version, draw, pick};
use crate::lives::exact::Exact;
use crate::lives::facts::{Price, Tax};
use crate::world::Dice;

impl Life {
    /// Orders a product; `None` if there is nothing that could be agreed.
    pub(super) async fn ordered(&mut self) -> Option<()> {
        let others: Vec<String> = self.accounts.iter().map(|one| one.id.clone()).collect();
        let account = pick(&mut self.dice, &others);
        let prices = agreed(&mut self.dice, &others);
        if prices.is_empty() {
            return None;
        }
        let number = self.story.len();
        let order = json!({
            "relatedParty": [
                { "id": format!("C-{number}"), "role": "Customer", "@referredType": "Customer" },
            ],
            "billingAccount": { "id": account },
            "productOrderItem": [{
                "id": "1", "action": "add", "productOffering": { "id": "PO-4GEP-01" },
                "quoteItem": {
                    "id": "1", "quoteId": format!("CPQ-{number}"),
                    "quoteHref": format!("https://cpq.example/quote/{number}"),
                },
                "itemPrice": prices.iter().map(item_price).collect::<Vec<_>>(),
                "product": { "productCharacteristic": [
                    { "name": "dataQuota", "value": 10 },
                    { "name": "portIn", "value": false },
                    { "name": "simType", "value": "eSIM" },
                ] },
            }],
        });
        let id = self.world.submit(&order).await;
        self.world.completed(&id).await;
        let version = Version { since: self.now, is_active: true, prices };
        let product = Product {
            id: format!("{id}-1"),
            account,
            start: self.now,
            end: None,
            versions: vec![version],
        };
        self.tell(&format!("order of {} {order}", product.id));
        self.products.push(product);
        Some(())
    }

    /// Suspends or resumes an ordered product by an order.
    pub(super) async fn paused_by_order(&mut self, index: usize, status: &str) {
        let id = self.products[index].id.clone();
        let order = json!({
            "productOrderItem": [
                { "id": "1", "action": "modify", "product": { "id": id, "status": status } },
            ],
        });
        self.tell(&format!("order: {id} becomes {status}"));
        let order = self.world.submit(&order).await;
        self.world.completed(&order).await;
    }
}

/// Whether a product was ordered: it is named by its order and line.
pub(super) fn is_ordered(product: &Product) -> bool {
    product.id.ends_with("-1")
}

/// Prices with one tax, as a quote may tell them.
fn agreed(dice: &mut Dice, others: &[String]) -> Vec<Price> {
    let currency = pick(dice, &["EUR", "JPY", "KWD"]);
    let mut prices = draw::prices(dice, currency, others);
    prices.retain(|price| !matches!(price.kind, Kind::Usage(_)));
    for price in &mut prices {
        price.payer = None;
        price.includes_tax = true;
        price.alterations.clear();
        price.taxes = vec![Tax { category: "VAT".into(), rate: Exact::new(19, 1) }];
    }
    prices
}

/// A price as orders tell it (TMF622 `OrderPrice`).
fn item_price(price: &Price) -> Value {
    let mut told = price.json();
    if let Kind::Recurring(unit) = &price.kind
        && let Some(fields) = told.as_object_mut()
    {
        fields.remove("recurringChargePeriodLength");
        let period = format!("{} {}", unit.length, unit.name);
        fields.insert("recurringChargePeriod".into(), json!(period));
    }
    told
}
