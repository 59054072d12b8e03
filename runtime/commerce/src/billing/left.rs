//! What is left of a charge: what was charged, less what was given back of it.

use rust_decimal::Decimal;

use model::pricing::amount::Rounding;
use model::pricing::rate::Rate;
use model::pricing::tax::{self, AppliedTax};
use tmf::money::Money;

/// An amount before tax and its taxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Before tax.
    pub net: Money,
    /// The taxes.
    pub taxes: Vec<AppliedTax>,
}

impl Left {
    /// Nothing, in a currency.
    pub fn none(currency: &str) -> Self {
        let net = Money { amount: Decimal::ZERO, currency: currency.into() };
        Self { net, taxes: Vec::new() }
    }

    /// All of a rate.
    pub fn of(rate: &Rate) -> Self {
        Self { net: rate.net.clone(), taxes: rate.taxes.clone() }
    }

    /// What is left after another rate, which is less than zero if it gives something back.
    #[must_use]
    pub fn after(mut self, rate: &Rate) -> Self {
        self.net.amount += rate.net.amount;
        tax::add(&mut self.taxes, &rate.taxes);
        self
    }

    /// A share of it as it is given back: each amount by itself, rounded once.
    #[must_use]
    pub fn share_back(&self, share: Decimal, of: Decimal, rounding: Rounding) -> Self {
        let currency = &self.net.currency;
        let back = |amount: Decimal| rounding.of(-amount * share / of, currency);
        let tax = |tax: &AppliedTax| AppliedTax { amount: back(tax.amount).amount, ..tax.clone() };
        Self { net: back(self.net.amount), taxes: self.taxes.iter().map(tax).collect() }
    }

    /// The same, but of each amount no more than of another one of the same signs.
    #[must_use]
    pub fn within(mut self, most: &Self) -> Self {
        let bounded = |amount: Decimal, most: Decimal| {
            if amount.abs() > most.abs() { most } else { amount }
        };
        self.net.amount = bounded(self.net.amount, most.net.amount);
        for tax in &mut self.taxes {
            if let Some(most) = most.taxes.iter().find(|one| one.is_same(tax)) {
                tax.amount = bounded(tax.amount, most.amount);
            }
        }
        self
    }

    /// All of it as it is given back.
    #[must_use]
    pub fn all_back(&self, rounding: Rounding) -> Self {
        self.share_back(Decimal::ONE, Decimal::ONE, rounding)
    }
}
