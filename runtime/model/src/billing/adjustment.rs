//! Adjustments: credit for what should not have been charged, which goes on the next bill.

use rust_decimal::Decimal;
use serde_json::Value;

use super::amount::{Rounding, written};
use super::field::{Field, Malformed};
use super::rate::{Rate, RateKind};
use super::tax::AppliedTax;
use super::terms::Terms;
use crate::money::{Money, Tax};
use crate::time::Timestamp;

/// Credit to a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// Its id, which its rate gets.
    pub id: String,
    /// How much before tax: more than zero.
    pub net: Money,
    /// The tax that was charged with it, in per cent; that of the terms where nothing.
    pub tax_rate: Option<Decimal>,
    /// Why, as the bill says it.
    pub reason: String,
    /// When it was granted.
    pub at: Timestamp,
}

/// Why an adjustment is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bill cannot be read.
    #[error("the bill cannot be read")]
    Malformed(#[source] Malformed),
    /// It is not more than zero, or finer than its currency.
    #[error("an adjustment of {amount} is no amount to give back")]
    Amount {
        /// The amount.
        amount: String,
    },
    /// It is more than what the bill charged and was not given back yet.
    #[error("of bill `{bill}` there is left to give back {left}, not {amount}")]
    TooMuch {
        /// The bill.
        bill: String,
        /// What is left before tax.
        left: String,
        /// What was asked for.
        amount: String,
    },
}

impl Adjustment {
    /// The rate of an adjustment of a bill. `rates` are those that there are, for what was given
    /// back of it before.
    pub fn of_bill(&self, bill: &Value, rates: &[Rate], terms: &Terms) -> Result<Rate, Error> {
        let root = Field::root(bill);
        let read = || {
            let id = root.need("id")?.text()?.to_owned();
            let account = root.reference("billingAccount")?;
            Ok((id, account, root.need("taxExcludedAmount")?.money()?))
        };
        let (id, account, charged) = read().map_err(Error::Malformed)?;
        let earlier = rates
            .iter()
            .filter(|rate| rate.kind == RateKind::Adjustment && rate.credits.as_ref() == Some(&id));
        let back: Decimal = earlier.map(|rate| rate.net.amount).sum();
        let left = Money { amount: charged.amount + back, ..charged };
        if self.net.currency != left.currency || self.net.amount > left.amount {
            let (left, amount) = (written(&left), written(&self.net));
            return Err(Error::TooMuch { bill: id, left, amount });
        }
        let rate = self.rate(account, terms)?;
        Ok(Rate { credits: Some(id), ..rate })
    }

    /// The rate of an adjustment that is about no bill in particular.
    pub fn of_account(&self, account: &str, terms: &Terms) -> Result<Rate, Error> {
        self.rate(Some(account.into()), terms)
    }

    fn rate(&self, account: Option<String>, terms: &Terms) -> Result<Rate, Error> {
        let rounded = Rounding::default().of(self.net.amount, &self.net.currency);
        if self.net.amount <= Decimal::ZERO || rounded.amount != self.net.amount {
            return Err(Error::Amount { amount: written(&self.net) });
        }
        let net = terms.rounding.of(-self.net.amount, &self.net.currency);
        let rate = self.tax_rate.unwrap_or(terms.tax.rate);
        Ok(Rate {
            id: self.id.clone(),
            name: self.reason.clone(),
            description: String::new(),
            kind: RateKind::Adjustment,
            date: self.at,
            account,
            product: None,
            price: None,
            credits: None,
            covers: None,
            taxes: AppliedTax::on(&net, &[Tax { rate, ..terms.tax.clone() }], terms.rounding),
            net,
            bill: None,
        })
    }
}

#[cfg(test)]
mod tests;
