//! What a fulfilment makes billable: the prices of its products and the charges that raters gave.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Changes, Document};
use crate::fulfilment::Fulfilment;
use crate::id::{ItemId, TaskId};
use crate::plan::{Action, Item, Level};
use crate::pricing::amount::Rounding;
use crate::pricing::ledger::{self, Entry};
use crate::pricing::product_price::keys;
use crate::pricing::rate::{self, Rate, RateKind};
use crate::pricing::sold::{Price, PriceAlteration};
use crate::pricing::tax::AppliedTax;
use tmf::day::{Day, Days};
use tmf::money::{Money, PriceKind, TAX_CATEGORY, Tax, number};
use tmf::zone::Zone;

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
        let ids: Vec<&str> = item.prices.iter().map(|price| price.id.as_str()).collect();
        let keys = keys(&ids);
        let rates = charges.iter().enumerate().filter_map(|(index, charge)| {
            let rate = self.rate(item, charge, account)?;
            let id = rate.price.as_deref()?;
            // Of prices with one id each has a charge of its own, in their order.
            let same = |one: &&Value| one.get("price").and_then(Value::as_str) == Some(id);
            let place = charges[..index].iter().filter(same).count();
            let own = ids.iter().zip(&keys).filter(|(one, _)| **one == id).nth(place);
            let key = own.map(|(_, key)| key.clone());
            Some(Rate { price: key.or_else(|| rate.price.clone()), ..rate })
        });
        let numbered = rates.enumerate().map(|(index, rate)| Rate {
            id: format!("{}-c{}-{}", self.id(), item.line, index + 1),
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
                date: self.updated_at(),
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
        let kind = RateKind::parse(text("kind"))?;
        let covers = day("from").zip(last).and_then(|(from, until)| Days::new(from, until));
        let charges = covers.is_none_or(|covers| self.begins_with(covers, price));
        // A rater is told no price with tax: the next bill run charges it.
        if price.is_some_and(|price| price.includes_tax) || kind == RateKind::Recurring && !charges
        {
            return None;
        }
        let net = money(charge, "net")?;
        Some(Rate {
            id: String::new(),
            name: text("name").into(),
            description: charge
                .pointer("/attributes/prorated")
                .and_then(Value::as_str)
                .map(|fraction| format!("{fraction} days"))
                .unwrap_or_default(),
            kind,
            date: self.updated_at(),
            account: account.map(str::to_owned),
            product: Some(self.product_id(item)),
            price: Some(text("price").to_owned()),
            credits: None,
            covers,
            taxes: applied(charge, price, &net)?,
            net,
            bill: None,
        })
    }

    /// Whether a recurring charge begins when the product does, and its price is the same on all of
    /// its days. What a rater made for other days, or with one amount for several, is left to the
    /// next bill run, which charges the product from its first day.
    fn begins_with(&self, covers: Days, price: Option<&Price>) -> bool {
        let begin = self.plan().zone.day_of(self.updated_at());
        let lasts = price.into_iter().flat_map(|price| {
            price.alterations.iter().filter_map(|change| Some(change.lasts?.of(price.period)))
        });
        covers.from == begin && lasts.into_iter().all(|lasts| lasts.after(begin) >= covers.until)
    }

    /// What raters put into the outputs of an item's tasks under `charges`.
    fn charges_of(&self, item: ItemId) -> Vec<Value> {
        let tasks: Vec<TaskId> = self.tasks_of(item).collect();
        let outputs = tasks.iter().map(|task| self.tasks()[task.index()].task_output().outputs);
        let charges = outputs.filter_map(|outputs| outputs.get("charges")?.as_array().cloned());
        charges.flatten().collect()
    }
}

/// The taxes on a charge: of one tax as the rater has it, of several each from the amount.
fn applied(charge: &Value, price: Option<&Price>, net: &Money) -> Option<Vec<AppliedTax>> {
    let taxes = price.map(Price::taxes).unwrap_or_default();
    if taxes.len() > 1 {
        return Some(AppliedTax::on(net, &taxes, Rounding::default()));
    }
    let category = taxes.first().map_or(TAX_CATEGORY, |tax| &tax.category).to_owned();
    let rate = charge.pointer("/attributes/tax-rate").and_then(Value::as_str);
    let rate = rate.and_then(|rate| rate.parse().ok());
    Some(vec![AppliedTax { category, rate, amount: money(charge, "tax")?.amount }])
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
        body: tmf::document::write(&rate.document(Zone::UTC)),
    });
    // Net and tax of one currency balance; of two they were no charge.
    if let Ok(entry) = Entry::of_rate(rate) {
        changes.documents.push(Document {
            resource: ledger::RESOURCE,
            id: entry.id().to_owned(),
            body: tmf::document::write(&entry.document()),
        });
    }
}

/// A catalog price on a product (TMF637 `productPrice`). A product that is several of a thing has
/// the price of all of them, but for usage, which is counted.
pub fn product_price(price: &Price, quantity: u32) -> Value {
    let times = |amount: Decimal| match price.kind {
        PriceKind::OneOff | PriceKind::Recurring => amount * Decimal::from(quantity),
        PriceKind::Usage => amount,
    };
    let all = Money { amount: times(price.amount.amount), ..price.amount.clone() };
    let mut body = json!({
        "name": price.name,
        "priceType": price.kind.as_tmf(),
        "price": told(price, &all),
        "@type": "ProductPrice",
    });
    let mut set = |name: &str, value: Value| {
        if let Some(fields) = body.as_object_mut() {
            fields.insert(name.into(), value);
        }
    };
    if !price.id.is_empty() {
        let id = json!({ "id": price.id, "@referredType": "ProductOfferingPrice" });
        set("productOfferingPrice", id);
    }
    if let Some(period) = price.period {
        set("recurringChargePeriod", json!(period));
    }
    let is_discount = !price.alterations.is_empty() && price.amount.amount.is_zero();
    // A discount on other prices has their tax, and what was agreed keeps its own: the catalog has
    // none for them. The catalog's tax of other prices may change.
    if is_discount || price.quote.is_some() {
        let taxes = price.taxes();
        if !taxes.is_empty() {
            set("tax", Tax::listed(&taxes));
        }
    }
    let alterations = price.alterations.iter().map(|change| {
        let amount = Money { amount: times(change.amount), ..price.amount.clone() };
        alteration(change, &told(price, &amount), price.quote.as_deref())
    });
    let alterations: Vec<Value> = alterations.collect();
    if !alterations.is_empty() {
        set("productPriceAlteration", Value::Array(alterations));
    }
    body
}

/// An amount of a price as TM Forum's `Price`.
fn told(price: &Price, amount: &Money) -> Value {
    match &price.tax {
        Some(tax) if price.includes_tax => json!({
            "taxIncludedAmount": amount.to_tmf(), "taxRate": number(tax.rate),
        }),
        Some(_) | None => json!({ "dutyFreeAmount": amount.to_tmf() }),
    }
}

/// What alters a price of a product by an amount of each period.
fn alteration(change: &PriceAlteration, amount: &Value, quote: Option<&str>) -> Value {
    let effect = if change.amount > Decimal::ZERO { "surcharge" } else { "discount" };
    let mut entry = json!({
        "name": change.name,
        "priceType": effect,
        "price": amount,
    });
    let mut set = |name: &str, value: Value| {
        if let Some(fields) = entry.as_object_mut() {
            fields.insert(name.into(), value);
        }
    };
    if let Some(lasts) = change.lasts {
        set("applicationDuration", json!(lasts.periods));
        if let Some(each) = lasts.each {
            set("recurringChargePeriod", json!(each));
        }
    }
    // What another quote agrees under the same name begins anew.
    if let Some(quote) = quote {
        set("quote", json!({ "id": quote, "@referredType": "Quote" }));
    }
    if !change.id.is_empty() {
        let id = json!({ "id": change.id, "@referredType": "ProductOfferingPrice" });
        set("productOfferingPrice", id);
    }
    entry
}

/// An amount of a charge.
fn money(charge: &Value, name: &str) -> Option<Money> {
    serde_json::from_value(charge.get(name)?.clone()).ok()
}
