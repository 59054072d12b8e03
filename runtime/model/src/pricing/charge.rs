//! One price of one product, with its alterations, as quotes (TMF648 `QuotePrice`) and orders (TMF622
//! `OrderPrice`) have it: `price` is the list price of one product, and each `priceAlteration` has the
//! amount by which it changes that, and the number of periods.

mod document;

use rust_decimal::Decimal;

use crate::pricing::effect::Effect;
use crate::pricing::sold::{Price, PriceAlteration};
use tmf::money::{Currency, Money, PriceKind, Tax, USAGE_DECIMALS, rounded};
use tmf::period::{Period, Term};

pub use document::granted;

/// A price of one product.
#[derive(Clone, Debug, PartialEq)]
pub struct Charge {
    /// Its id in the catalog; empty if it has none.
    pub price: String,
    /// Its name on the bill.
    pub name: String,
    /// When it is charged.
    pub kind: PriceKind,
    /// The period of a recurring one.
    pub period: Option<Period>,
    /// The unit of usage that is counted.
    pub unit: Option<String>,
    /// The part of the usage that it is for, such as `volume 0 to 100`.
    pub tier: Option<String>,
    /// The list price, before tax unless it includes tax.
    pub list: Money,
    /// Whether the list price and its alterations include tax, as they may in a quote from elsewhere.
    pub includes_tax: bool,
    /// Its alterations, in order.
    pub alterations: Vec<Alteration>,
    /// The taxes on it; the category is empty if only a rate is known. Empty if no tax is known.
    pub taxes: Vec<Tax>,
}

/// An alteration of a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alteration {
    /// Its id in the catalog; empty for one that was granted by hand.
    pub price: String,
    /// Its name on the bill.
    pub name: String,
    /// The percentage; `None` if it is an amount.
    pub percentage: Option<Decimal>,
    /// By how much it changes the price: below zero for a discount.
    pub change: Decimal,
    /// How long it lasts; for good if `None`.
    pub lasts: Option<Term>,
    /// Its place among others.
    pub priority: i64,
}

/// An alteration before it is applied to a price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change<'a> {
    pub price: &'a str,
    pub name: &'a str,
    pub effect: Effect,
    pub by: By,
    pub lasts: Option<Term>,
    pub priority: i64,
}

impl Change<'_> {
    /// How long it lasts on a price of a period. Its own period is kept if it differs.
    pub fn lasts_on(self, price: Option<Period>) -> Option<Term> {
        let each = |term: Term| term.each.filter(|each| Some(*each) != price);
        self.lasts.map(|term| Term { each: each(term), ..term })
    }
}

/// By how much a price is altered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Percent(Decimal),
    Amount(Money),
}

impl Charge {
    /// The price of one product, before tax, once all alterations that end have ended.
    pub fn regular(&self) -> Decimal {
        let lasting = self.alterations.iter().filter(|change| change.lasts.is_none());
        self.list.amount + lasting.map(|change| change.change).sum::<Decimal>()
    }

    /// The price of one product, before tax, in the first period.
    pub fn first(&self) -> Decimal {
        self.list.amount + self.alterations.iter().map(|change| change.change).sum::<Decimal>()
    }

    /// The tax on an amount, each tax rounded; `None` if no tax is known.
    pub fn tax_on(&self, net: Decimal) -> Option<Decimal> {
        let tax = |tax: &Tax| rounded(net * tax.rate / Decimal::ONE_HUNDRED, self.decimals());
        (!self.taxes.is_empty()).then(|| self.taxes.iter().map(tax).sum())
    }

    pub fn decimals(&self) -> u32 {
        match self.kind {
            PriceKind::OneOff | PriceKind::Recurring => self.list.currency.decimals(),
            PriceKind::Usage => USAGE_DECIMALS,
        }
    }

    /// Alters it, and returns the part of an amount that was not used. A discount makes the price zero at
    /// the least, and an amount in another currency changes nothing. Lasting alterations apply to the
    /// list price and ending ones to the result, in whichever order they were added.
    pub fn apply(&mut self, change: Change<'_>) -> Decimal {
        if change.lasts.is_some() {
            return self.add(change, self.first());
        }
        let ending = self.alterations.extract_if(.., |other| other.lasts.is_some());
        let ending: Vec<Alteration> = ending.collect();
        let left = self.add(change, self.regular());
        for other in &ending {
            self.add(other.again(self.list.currency), self.first());
        }
        left
    }

    fn add(&mut self, change: Change<'_>, now: Decimal) -> Decimal {
        let (wanted, percentage) = match change.by {
            By::Percent(percent) => {
                let part = now * percent / Decimal::ONE_HUNDRED;
                (rounded(part, self.decimals()), Some(percent))
            }
            By::Amount(money) if money.currency == self.list.currency => (money.amount.abs(), None),
            By::Amount(money) => return money.amount.abs(),
        };
        let taken = match change.effect {
            Effect::Discount => wanted.min(now.max(Decimal::ZERO)),
            Effect::Surcharge => wanted,
        };
        if !taken.is_zero() {
            self.alterations.push(Alteration {
                price: change.price.into(),
                name: change.name.into(),
                percentage,
                change: if change.effect == Effect::Discount { -taken } else { taken },
                lasts: change.lasts_on(self.period),
                priority: change.priority,
            });
        }
        wanted - taken
    }

    /// The price that a product is billed if it is sold at this one: the regular price, and the
    /// alterations of the first periods. The discount of a bundle on its parts has no price of its own:
    /// all of it is an alteration.
    pub fn billed(&self, quote: Option<&str>) -> Price {
        let is_discount = self.list.amount.is_zero() && self.first() < Decimal::ZERO;
        let kept = self.alterations.iter().filter(|one| is_discount || one.lasts.is_some());
        let alterations = kept.map(|change| PriceAlteration {
            id: change.price.clone(),
            name: change.name.clone(),
            amount: change.change,
            lasts: change.lasts,
        });
        let amount = if is_discount { self.list.amount } else { self.regular() };
        Price {
            id: self.price.clone(),
            name: self.name.clone(),
            kind: self.kind,
            amount: self.list.with(amount),
            includes_tax: self.includes_tax,
            period: self.period,
            alterations: alterations.collect(),
            tax: Tax::together(&self.taxes),
            taxes: if self.taxes.len() > 1 { self.taxes.clone() } else { Vec::new() },
            quote: quote.map(Into::into),
        }
    }
}

impl Alteration {
    /// The change that it was made by, to apply it anew.
    fn again(&self, currency: Currency) -> Change<'_> {
        let amount = Money { currency, amount: self.change };
        Change {
            price: &self.price,
            name: &self.name,
            effect: if self.change.is_sign_negative() {
                Effect::Discount
            } else {
                Effect::Surcharge
            },
            by: self.percentage.map_or(By::Amount(amount), By::Percent),
            lasts: self.lasts,
            priority: self.priority,
        }
    }
}
