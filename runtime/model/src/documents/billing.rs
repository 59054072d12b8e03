//! What a fulfilment makes billable: the prices of its products and the charges that raters gave.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::{Changes, Document};
use crate::fulfilment::Fulfilment;
use crate::id::ItemId;
use crate::plan::{Action, Item, Level};
use crate::pricing::amount::Rounding;
use crate::pricing::ledger::{self, Entry};
use crate::pricing::product_price::keys;
use crate::pricing::rate::{self, Rate, RateKind};
use crate::pricing::sold::{Price, PriceAlteration};
use crate::pricing::tax::AppliedTax;
use tmf::day::{Day, Days};
use tmf::document::product::{self, PriceTax, ProductPrice};
use tmf::document::{Amount, Number, Reference, Rest, write};
use tmf::money::{Money, PriceKind, TAX_CATEGORY};
use tmf::zone::Zone;

/// The attribute of a product that has its prices.
pub(crate) const PRICES: &str = "productPrice";

impl Fulfilment {
    /// The charges that rater plugins gave for a new product, as applied billing rates (TMF678). What
    /// changes is credited and charged by its days when it is billed: some is paid already.
    pub(super) fn charges(&self, id: ItemId, item: &Item, changes: &mut Changes) {
        self.rates(id, item).into_iter().for_each(|rate| write_rate(rate, changes));
    }

    fn rates(&self, id: ItemId, item: &Item) -> Vec<Rate> {
        if item.level != Level::Product || item.action != Action::Add {
            return Vec::new();
        }
        let account = self.account(id).and_then(|account| account.text("id"));
        let ids: Vec<&str> = item.prices.iter().map(|price| price.id.as_str()).collect();
        let mut keys: Vec<_> = ids.iter().zip(keys(&ids)).collect();
        let rates = self.charges_of(id).into_iter().filter_map(|charge| {
            // Of prices with one id each has a charge of its own, in their order.
            let place = keys.iter().position(|(id, _)| **id == charge.price);
            let key = place.map(|place| keys.remove(place).1);
            let rate = self.rate(item, charge, account)?;
            Some(Rate { price: key.or(rate.price), ..rate })
        });
        let numbered = rates.enumerate().map(|(index, rate)| Rate {
            id: format!("{}-c{}-{}", self.id(), item.line, index + 1),
            ..rate
        });
        numbered.collect()
    }

    /// Refunds the one-time charges of a product that was delivered and is rolled back now. Charges by
    /// days are refunded by the next bill run: a product that ended is charged for no more days.
    pub(super) fn credits(&self, id: ItemId, item: &Item, changes: &mut Changes) {
        let once = self.rates(id, item).into_iter().filter(|rate| rate.kind == RateKind::OneOff);
        for charge in once {
            let taxes = charge.taxes.into_iter();
            let taxes = taxes.map(|tax| AppliedTax { amount: -tax.amount, ..tax }).collect();
            let credit = Rate {
                id: format!("{}-back", charge.id),
                description: "given back".into(),
                kind: RateKind::Credit,
                date: self.updated_at(),
                net: charge.net.with(-charge.net.amount),
                taxes,
                credits: Some(charge.id),
                ..charge
            };
            write_rate(credit, changes);
        }
    }

    /// The rate of a charge that a rater gave for an item; `None` if the next bill run charges it.
    fn rate(&self, item: &Item, charge: RaterCharge, account: Option<&str>) -> Option<Rate> {
        let last = Day::parse(&charge.to).map(|last| last.plus_days(1));
        let price = item.prices.iter().find(|price| price.id == charge.price);
        let kind = RateKind::parse(&charge.kind)?;
        let covers =
            Day::parse(&charge.from).zip(last).and_then(|(from, until)| Days::new(from, until));
        let charges = covers.is_none_or(|covers| self.begins_with(covers, price));
        // A rater is told no price with tax: the next bill run charges it.
        if price.is_some_and(|price| price.includes_tax) || kind == RateKind::Recurring && !charges
        {
            return None;
        }
        let prorated = charge.attributes.prorated.as_ref();
        Some(Rate {
            id: String::new(),
            taxes: applied(&charge, price),
            name: charge.name,
            description: prorated.map(|fraction| format!("{fraction} days")).unwrap_or_default(),
            kind,
            date: self.updated_at(),
            account: account.map(str::to_owned),
            product: Some(self.product_id(item)),
            price: Some(charge.price),
            credits: None,
            covers,
            net: charge.net,
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

    /// The charges that raters put into the outputs of an item's tasks. The host accepts no others.
    fn charges_of(&self, item: ItemId) -> Vec<RaterCharge> {
        let outputs = self.tasks_of(item).filter_map(|task| {
            let left = self.tasks()[task.index()].task_output()?;
            left.outputs.get("charges")?.as_array()
        });
        outputs.flatten().filter_map(|charge| RaterCharge::deserialize(charge).ok()).collect()
    }
}

/// A charge as a rater plugin gives it.
#[derive(Debug, Deserialize)]
struct RaterCharge {
    #[serde(default)]
    price: String,
    #[serde(default)]
    name: String,
    kind: String,
    /// The first and the last day that it covers; empty if it covers no days.
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    net: Money,
    tax: Money,
    #[serde(default)]
    attributes: RaterAttributes,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RaterAttributes {
    prorated: Option<String>,
    tax_rate: Option<String>,
}

/// The taxes on a charge: of one tax as the rater has it, of several each from the amount.
fn applied(charge: &RaterCharge, price: Option<&Price>) -> Vec<AppliedTax> {
    let taxes = price.map(Price::taxes).unwrap_or_default();
    if taxes.len() > 1 {
        return AppliedTax::on(&charge.net, taxes, Rounding::default());
    }
    let category = taxes.first().map_or(TAX_CATEGORY, |tax| &tax.category).to_owned();
    let rate = charge.attributes.tax_rate.as_ref().and_then(|rate| rate.parse().ok());
    vec![AppliedTax { category, rate, amount: charge.tax.amount }]
}

fn write_rate(rate: Rate, changes: &mut Changes) {
    let entry = Entry::of_rate(&rate);
    changes.documents.push(Document {
        resource: rate::RESOURCE,
        body: write(&rate.document(Zone::UTC)),
        id: rate.id,
    });
    // Net and tax of one currency balance; of two they were no charge.
    if let Ok(entry) = entry {
        let entry = entry.into_document();
        let body = write(&entry);
        changes.documents.push(Document { resource: ledger::RESOURCE, id: entry.id, body });
    }
}

/// A catalog price on a product (TMF637 `productPrice`). A product that is several of a thing has
/// the price of all of them, but for usage, which is counted.
pub fn product_price(price: &Price, quantity: u32) -> ProductPrice {
    let times = |amount: Decimal| match price.kind {
        PriceKind::OneOff | PriceKind::Recurring => amount * Decimal::from(quantity),
        PriceKind::Usage => amount,
    };
    let is_discount = !price.alterations.is_empty() && price.amount.amount.is_zero();
    // A discount on other prices has their tax, and what was agreed keeps its own: the catalog has
    // none for them. The catalog's tax of other prices may change.
    let taxes = if is_discount || price.quote.is_some() { price.taxes() } else { &[] };
    let tax = taxes.iter().map(|tax| PriceTax {
        tax_category: Some(tax.category.clone()),
        tax_rate: Number(tax.rate),
        rest: Rest::new(),
    });
    let alterations = price.alterations.iter();
    let alterations =
        alterations.map(|change| alteration(change, amounts(price, times(change.amount)), price));
    ProductPrice {
        name: Some(price.name.clone()),
        price_type: Some(price.kind.as_tmf().into()),
        recurring_charge_period: price.period.map(|period| period.to_string()),
        price: Some(amounts(price, times(price.amount.amount))),
        product_offering_price: offered(&price.id),
        tax: tax.collect(),
        product_price_alteration: alterations.collect(),
        kind: Some("ProductPrice".into()),
        ..ProductPrice::default()
    }
}

/// An amount of a price as TM Forum's `Price`.
fn amounts(price: &Price, amount: Decimal) -> product::Price {
    let amount = Some(Amount::new(amount, price.amount.currency));
    match &price.tax {
        Some(tax) if price.includes_tax => product::Price {
            tax_included_amount: amount,
            tax_rate: Some(Number(tax.rate)),
            ..product::Price::default()
        },
        Some(_) | None => product::Price { duty_free_amount: amount, ..product::Price::default() },
    }
}

/// A change of a price of a product by an amount of each period.
fn alteration(
    change: &PriceAlteration,
    amount: product::Price,
    price: &Price,
) -> product::PriceAlteration {
    let effect = if change.amount > Decimal::ZERO { "surcharge" } else { "discount" };
    product::PriceAlteration {
        name: Some(change.name.clone()),
        price_type: Some(effect.into()),
        price: Some(amount),
        application_duration: change.lasts.map(|lasts| lasts.periods),
        recurring_charge_period: change
            .lasts
            .and_then(|lasts| lasts.each)
            .map(|each| each.to_string()),
        // An alteration of another quote under the same name begins anew.
        quote: price.quote.as_deref().map(|quote| Reference::of("Quote", quote)),
        product_offering_price: offered(&change.id),
        ..product::PriceAlteration::default()
    }
}

fn offered(price: &str) -> Option<Reference> {
    (!price.is_empty()).then(|| Reference::of("ProductOfferingPrice", price))
}
