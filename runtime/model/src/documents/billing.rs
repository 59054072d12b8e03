//! What a fulfilment makes billable: the prices of its products and the charges that raters gave.

use serde_json::{Value, json};

use super::{Changes, Document, copy, href};
use crate::fulfilment::Fulfilment;
use crate::id::{ItemId, TaskId};
use crate::money::{Price, PriceKind};
use crate::plan::Level;

impl Fulfilment {
    /// The charges that rater plugins gave, as applied billing rates (TMF678).
    pub(super) fn charges(&self, changes: &mut Changes) {
        for (id, item) in self.plan.items_of(Level::Product) {
            let mut number = 0;
            for charge in self.charges_of(id) {
                number += 1;
                let rate = format!("{}-c{}-{number}", self.id, item.line);
                let product = self.product_id(item);
                let mut body = json!({
                    "id": rate,
                    "href": href("appliedCustomerBillingRate", &rate),
                    "name": charge.get("name"),
                    "description": charge.get("price"),
                    "date": self.updated_at.to_string(),
                    "isBilled": false,
                    "type": charge.get("kind"),
                    "taxExcludedAmount": amount(&charge, "net"),
                    "taxIncludedAmount": gross(&charge),
                    "appliedTax": [{ "taxCategory": "VAT", "taxAmount": amount(&charge, "tax") }],
                    "periodCoverage": {
                        "startDateTime": charge.get("from"),
                        "endDateTime": charge.get("to"),
                    },
                    "product": { "id": product, "href": href("product", &product), "@referredType": "Product" },
                    "@type": "AppliedCustomerBillingRate",
                });
                copy(&self.document, &["billingAccount"], &mut body);
                changes.documents.push(Document {
                    resource: "appliedCustomerBillingRate",
                    id: rate,
                    body,
                });
            }
        }
    }

    /// What raters put into the outputs of an item's tasks under `charges`.
    fn charges_of(&self, item: ItemId) -> Vec<Value> {
        let tasks: Vec<TaskId> = self.plan.tasks_of(item).collect();
        let outputs = tasks.iter().map(|task| self.tasks[task.index()].yielded().outputs);
        let charges = outputs.filter_map(|outputs| outputs.get("charges")?.as_array().cloned());
        charges.flatten().collect()
    }
}

/// A catalog price on a product (TMF637 `productPrice`).
pub(super) fn product_price(price: &Price) -> Value {
    let mut body = json!({
        "name": price.name,
        "priceType": price.kind.as_tmf(),
        "price": { "dutyFreeAmount": price.amount.to_tmf() },
        "productOfferingPrice": { "id": price.id, "@referredType": "ProductOfferingPrice" },
        "@type": "ProductPrice",
    });
    if price.kind == PriceKind::Recurring
        && let Some(fields) = body.as_object_mut()
    {
        fields.insert("recurringChargePeriod".into(), json!(price.period));
    }
    body
}

/// An amount of a charge as TM Forum's `Money`.
fn amount(charge: &Value, name: &str) -> Value {
    money(charge, name).map_or(Value::Null, |money| money.to_tmf())
}

fn gross(charge: &Value) -> Value {
    match (money(charge, "net"), money(charge, "tax")) {
        (Some(net), Some(tax)) => {
            crate::money::Money { amount: net.amount + tax.amount, ..net }.to_tmf()
        }
        _ => Value::Null,
    }
}

fn money(charge: &Value, name: &str) -> Option<crate::money::Money> {
    serde_json::from_value(charge.get(name)?.clone()).ok()
}
