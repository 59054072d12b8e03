//! The amounts that are left of a charge: the charge, less its refunds.

use rust_decimal::Decimal;

use model::pricing::amount::Rounding;
use model::pricing::rate::Rate;
use model::pricing::tax::{self, AppliedTax};
use tmf::money::{Currency, Money};

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
    pub fn none(currency: Currency) -> Self {
        let net = Money { amount: Decimal::ZERO, currency };
        Self { net, taxes: Vec::new() }
    }

    /// All of a rate.
    pub fn of(rate: &Rate) -> Self {
        Self { net: rate.net, taxes: rate.taxes.clone() }
    }

    /// The amounts with those of another rate, which are negative if it refunds something.
    #[must_use]
    pub fn after(mut self, rate: &Rate) -> Self {
        self.add(rate);
        self
    }

    pub(super) fn add(&mut self, rate: &Rate) {
        self.net.amount += rate.net.amount;
        tax::add(&mut self.taxes, &rate.taxes);
    }

    /// The refund of a share of it: each amount by itself, rounded once.
    #[must_use]
    pub fn share_back(&self, share: Decimal, of: Decimal, rounding: Rounding) -> Self {
        let currency = self.net.currency;
        let back = |amount: Decimal| rounding.of(-amount * share / of, currency);
        let tax = |tax: &AppliedTax| AppliedTax { amount: back(tax.amount).amount, ..tax.clone() };
        Self { net: back(self.net.amount), taxes: self.taxes.iter().map(tax).collect() }
    }

    /// The same, with each amount limited to that of another one of the same signs.
    #[must_use]
    pub fn within(mut self, max: &Self) -> Self {
        let bounded = |amount: Decimal, max: Decimal| {
            if amount.abs() > max.abs() { max } else { amount }
        };
        self.net.amount = bounded(self.net.amount, max.net.amount);
        for tax in &mut self.taxes {
            if let Some(max) = max.taxes.iter().find(|one| one.is_same(tax)) {
                tax.amount = bounded(tax.amount, max.amount);
            }
        }
        self
    }

    /// The refund of all of it.
    #[must_use]
    pub fn all_back(&self, rounding: Rounding) -> Self {
        self.share_back(Decimal::ONE, Decimal::ONE, rounding)
    }
}
