//! The taxes on a rate: each is taken from the rounded charge, and rounded once.

use rust_decimal::Decimal;

use super::amount::Rounding;
use tmf::money::{Money, Tax};

/// One tax on a rate, in the currency of the rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedTax {
    /// What tax it is, such as `VAT`.
    pub category: String,
    /// In per cent, if it is known.
    pub rate: Option<Decimal>,
    /// How much it is.
    pub amount: Decimal,
}

impl AppliedTax {
    /// The taxes on a charge before tax, which is rounded.
    pub fn on(net: &Money, taxes: &[Tax], rounding: Rounding) -> Vec<Self> {
        let one = |tax: &Tax| Self::of(tax, rounding.tax(net, tax.rate).amount);
        taxes.iter().map(one).collect()
    }

    /// A charge before tax and its taxes, of the rounded amount with tax. What rounding leaves over
    /// goes to the last tax.
    pub fn within(gross: &Money, taxes: &[Tax], rounding: Rounding) -> (Money, Vec<Self>) {
        let percent: Decimal = taxes.iter().map(|tax| tax.rate).sum();
        let exact = gross.amount * Decimal::ONE_HUNDRED / (Decimal::ONE_HUNDRED + percent);
        let net = rounding.of(exact, gross.currency);
        let mut left = gross.amount - net.amount;
        let mut applied = Vec::with_capacity(taxes.len());
        for (index, tax) in taxes.iter().enumerate() {
            let share = rounding.of(exact * tax.rate / Decimal::ONE_HUNDRED, gross.currency);
            let amount = if index + 1 == taxes.len() { left } else { share.amount };
            left -= amount;
            applied.push(Self::of(tax, amount));
        }
        (net, applied)
    }

    /// Whether two are the same tax, whatever their amounts.
    pub fn is_same(&self, other: &Self) -> bool {
        self.category == other.category && self.rate == other.rate
    }

    fn of(tax: &Tax, amount: Decimal) -> Self {
        Self { category: tax.category.clone(), rate: Some(tax.rate), amount }
    }
}

/// Adds taxes to others, each to the one of its category and rate.
pub fn add(sum: &mut Vec<AppliedTax>, taxes: &[AppliedTax]) {
    for tax in taxes {
        match sum.iter_mut().find(|one| one.is_same(tax)) {
            Some(one) => one.amount += tax.amount,
            None => sum.push(tax.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
