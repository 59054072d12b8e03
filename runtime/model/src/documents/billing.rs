//! What a fulfilment makes billable: the prices of its products and the charges that raters gave.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Changes, Document};
use crate::billing::ledger::{self, Entry};
use crate::billing::rate::{self, Rate, RateKind};
use crate::billing::tax::AppliedTax;
use crate::billing::{Day, Days, Zone};
use crate::fulfilment::Fulfilment;
use crate::id::{ItemId, TaskId};
use crate::money::{Money, Price, PriceKind, TAX_CATEGORY};
use crate::plan::{Action, Item, Level};

/// The attribute of a product that has its prices.
pub(crate) const PRICES: &str = "productPrice";

impl Fulfilment {
    /// The charges that rater plugins gave for a new product, as applied billing rates (TMF678). What
    /// changes is credited and charged by its days when it is billed: some is paid already.
    pub(super) fn charges(&self, id: ItemId, item: &Item, changes: &mut Changes) {
        self.rates(id, item).iter().for_each(|rate| write_rate(rate, changes));
    }

    fn rates(&self, id: ItemId, item: &Item) -> Vec<Rate> {
        if item.level != Level::Product || item.action != Action::Add {
            return Vec::new();
        }
        let charges = self.charges_of(id);
        let account = self.account(id).and_then(|account| account.get("id")?.as_str());
        let rates = charges.iter().filter_map(|charge| self.rate(item, charge, account));
        let numbered = rates.enumerate().map(|(index, rate)| Rate {
            id: format!("{}-c{}-{}", self.id, item.line, index + 1),
            ..rate
        });
        numbered.collect()
    }

    /// Gives back what was charged once for a product that was delivered and is rolled back now. What
    /// is charged by days is given back when it is billed: a product that ended is owed no more days.
    pub(super) fn credits(&self, id: ItemId, item: &Item, changes: &mut Changes) {
        let once = self.rates(id, item).into_iter().filter(|rate| rate.kind == RateKind::OneOff);
        for charge in once {
            let credit = Rate {
                id: format!("{}-back", charge.id),
                description: "given back".into(),
                kind: RateKind::Credit,
                date: self.updated_at,
                net: back(&charge.net),
                taxes: charge.taxes.iter().map(tax_back).collect(),
                credits: Some(charge.id.clone()),
                ..charge
            };
            write_rate(&credit, changes);
        }
    }

    /// The rate of a charge that a rater gave for an item; nothing where it has no money in it,
    /// which the host lets through from no rater.
    fn rate(&self, item: &Item, charge: &Value, account: Option<&str>) -> Option<Rate> {
        let text = |name: &str| charge.get(name).and_then(Value::as_str).unwrap_or_default();
        let day = |name: &str| Day::parse(text(name));
        let last = day("to").map(|last| last.plus_days(1));
        let price = item.prices.iter().find(|price| price.id == text("price"));
        let tax = price.and_then(|price| price.tax.as_ref());
        Some(Rate {
            id: String::new(),
            name: text("name").into(),
            description: charge
                .pointer("/attributes/prorated")
                .and_then(Value::as_str)
                .map(|fraction| format!("{fraction} days"))
                .unwrap_or_default(),
            kind: RateKind::parse(text("kind"))?,
            date: self.updated_at,
            account: account.map(str::to_owned),
            product: Some(self.product_id(item)),
            price: Some(text("price").to_owned()),
            credits: None,
            covers: day("from").zip(last).and_then(|(from, until)| Days::new(from, until)),
            net: money(charge, "net")?,
            taxes: vec![AppliedTax {
                category: tax.map_or(TAX_CATEGORY, |tax| &tax.category).to_owned(),
                rate: charge
                    .pointer("/attributes/tax-rate")
                    .and_then(Value::as_str)
                    .and_then(|rate| rate.parse().ok()),
                amount: money(charge, "tax")?.amount,
            }],
            bill: None,
        })
    }

    /// What raters put into the outputs of an item's tasks under `charges`.
    fn charges_of(&self, item: ItemId) -> Vec<Value> {
        let tasks: Vec<TaskId> = self.tasks_of(item).collect();
        let outputs = tasks.iter().map(|task| self.tasks[task.index()].yielded().outputs);
        let charges = outputs.filter_map(|outputs| outputs.get("charges")?.as_array().cloned());
        charges.flatten().collect()
    }
}

fn back(amount: &Money) -> Money {
    Money { amount: -amount.amount, ..amount.clone() }
}

fn tax_back(tax: &AppliedTax) -> AppliedTax {
    AppliedTax { amount: -tax.amount, ..tax.clone() }
}

fn write_rate(rate: &Rate, changes: &mut Changes) {
    changes.documents.push(Document {
        resource: rate::RESOURCE,
        id: rate.id.clone(),
        body: rate.document(Zone::UTC),
    });
    // Net and tax of one currency balance; of two they were no charge.
    if let Ok(entry) = Entry::of_rate(rate) {
        changes.documents.push(Document {
            resource: ledger::RESOURCE,
            id: entry.id().to_owned(),
            body: entry.document(),
        });
    }
}

/// A catalog price on a product (TMF637 `productPrice`). A product that is several of a thing has
/// the price of all of them, but for usage, which is counted.
pub(crate) fn product_price(price: &Price, quantity: u32) -> Value {
    let times = |amount: Decimal| match price.kind {
        PriceKind::OneOff | PriceKind::Recurring => amount * Decimal::from(quantity),
        PriceKind::Usage => amount,
    };
    let all = Money { amount: times(price.amount.amount), ..price.amount.clone() };
    let mut body = json!({
        "name": price.name,
        "priceType": price.kind.as_tmf(),
        "price": { "dutyFreeAmount": all.to_tmf() },
        "productOfferingPrice": { "id": price.id, "@referredType": "ProductOfferingPrice" },
        "@type": "ProductPrice",
    });
    if price.kind == PriceKind::Recurring
        && let Some(fields) = body.as_object_mut()
    {
        fields.insert("recurringChargePeriod".into(), json!(price.period));
    }
    let alterations = price.alterations.iter().map(|change| {
        let amount = Money { amount: times(change.amount), ..price.amount.clone() };
        json!({
            "name": change.name,
            "priceType": "discount",
            "applicationDuration": change.periods,
            "price": { "dutyFreeAmount": amount.to_tmf() },
        })
    });
    let alterations: Vec<Value> = alterations.collect();
    if let (false, Some(fields)) = (alterations.is_empty(), body.as_object_mut()) {
        fields.insert("productPriceAlteration".into(), Value::Array(alterations));
    }
    body
}

/// An amount of a charge.
fn money(charge: &Value, name: &str) -> Option<Money> {
    serde_json::from_value(charge.get(name)?.clone()).ok()
}
