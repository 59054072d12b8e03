//! Revenue assurance: products that are active and not charged, and charges for products that are
//! not active. Both follow from charging each product again from its first day. In addition, whether
//! each charge is right ([`charges`]), usage is billed ([`usages`]), and the books are complete
//! ([`books`]).

pub mod books;
pub mod charges;
mod fault;
pub mod usages;

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::charge::{Reach, Until, Window, kept, owed};
use super::terms::Terms;
use super::timeline::{Status, Timeline};
use model::pricing::rate::{Rate, RateKind};
use tmf::Malformed;
use tmf::day::{Day, Days};
use tmf::document::product::Product;
use tmf::document::{Deferred, Reference};
use tmf::money::{Currency, Money};

pub use fault::{Fault, FaultKind, Row};

/// A difference between products and rates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub kind: Kind,
    /// The product.
    pub product: String,
    /// The price.
    pub price: String,
    /// From the first to the last day of it.
    pub days: Days,
    /// The sum before tax; more than zero if it should be charged.
    pub net: Money,
}

/// The kind of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It was active and is not charged.
    ActiveNotBilled,
    /// It is charged and was not active.
    BilledNotActive,
}

impl Kind {
    /// How reports spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ActiveNotBilled => "activeNotBilled",
            Self::BilledNotActive => "billedNotActive",
        }
    }
}

/// Compares products with all their rates before a day.
pub fn compare(
    products: &[(&Product, &Timeline)],
    rates: &[Rate],
    until: Day,
    terms: &Terms,
) -> Result<Vec<Finding>, Malformed> {
    let mut found = Differences::new();
    let mut by_product: BTreeMap<&str, Vec<&Rate>> = BTreeMap::new();
    for rate in rates {
        if let Some(product) = &rate.product {
            by_product.entry(product).or_default().push(rate);
        }
    }
    for (product, timeline) in products {
        let mine = by_product.remove(product.id.as_str()).unwrap_or_default();
        let all = Until::all(until);
        let window = Window { until: &all, reach: Reach::Window };
        for rate in owed(product, timeline, &mine, window, terms, terms.zone.start_of(until))? {
            let kind = match rate.kind {
                RateKind::Credit => Kind::BilledNotActive,
                RateKind::Recurring | RateKind::OneOff | RateKind::Usage | RateKind::Adjustment => {
                    Kind::ActiveNotBilled
                }
            };
            add(&mut found, kind, &product.id, &rate, rate.covers, rate.net.amount);
        }
    }
    // The other rates are of products that the inventory does not know.
    for (product, rates) in by_product {
        for charge in rates.iter().filter(|rate| rate.kind == RateKind::Recurring) {
            for days in kept(charge, &rates) {
                let of = charge.covers.map_or(1, Days::count);
                let share = charge.net.amount * Decimal::from(days.count()) / Decimal::from(of);
                let net = terms.rounding.of(-share, charge.net.currency).amount;
                add(&mut found, Kind::BilledNotActive, product, charge, Some(days), net);
            }
        }
    }
    let finding = |(key, (days, amount)): (Key<'_>, (Days, Decimal))| Finding {
        kind: key.kind,
        product: key.product.into(),
        price: key.price,
        days,
        net: Money { currency: key.currency, amount },
    };
    Ok(found.into_iter().map(finding).collect())
}

/// The days and the sum of each finding.
type Differences<'a> = BTreeMap<Key<'a>, (Days, Decimal)>;

/// Identifies a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    kind: Kind,
    product: &'a str,
    price: String,
    currency: Currency,
}

/// A product that has a price, and no account that pays it.
pub fn no_account(product: &Product) -> Option<Fault> {
    let is_account = |reference: &Reference| reference.id.is_some();
    let mut prices = product.product_price.iter().map(Deferred::ok);
    let is_unpaid = prices.any(|price| {
        let account = price.and_then(|price| price.billing_account.as_ref());
        !account.is_some_and(is_account)
    });
    let is_paid = !is_unpaid || product.billing_account.as_ref().is_some_and(is_account);
    if product.status != Some(Status::Active) || is_paid {
        return None;
    }
    let reason = "is active, and no account pays for its prices";
    Some(FaultKind::NoAccount.of("product", &product.id, reason))
}

/// Adds a rate to the finding of its product and price.
fn add<'a>(
    found: &mut Differences<'a>,
    kind: Kind,
    product: &'a str,
    rate: &Rate,
    days: Option<Days>,
    net: Decimal,
) {
    let Some(days) = days else { return };
    let price = rate.price.clone().unwrap_or_default();
    let key = Key { kind, product, price, currency: rate.net.currency };
    let (all, sum) = found.entry(key).or_insert((days, Decimal::ZERO));
    all.from = all.from.min(days.from);
    all.until = all.until.max(days.until);
    *sum += net;
}

#[cfg(test)]
mod tests;
