//! Adjustments: credit for what should not have been charged, on the next bill. Adjustments of a bill
//! and credits of its lines together refund at most what the bill charged.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::left::Left;
use super::terms::Terms;
use model::pricing::amount::{Rounding, written};
use model::pricing::rate::{Rate, RateKind};
use model::pricing::tax::AppliedTax;
use tmf::document::customer_bill::CustomerBill;
use tmf::document::id_of;
use tmf::malformed::Malformed;
use tmf::money::{Currency, Money, is_finer};
use tmf::time::Timestamp;

/// Credit to a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// The id of its rate.
    pub id: String,
    /// How much before tax: more than zero.
    pub net: Money,
    /// The text on the bill.
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
    Amount { amount: String },
    /// It is more than what the bill charged and was not given back yet.
    #[error("of bill `{bill}` there is left to give back {left}, not {amount}")]
    TooMuch {
        bill: String,
        /// What is left before tax.
        left: String,
        amount: String,
    },
}

impl Adjustment {
    /// The rate of an adjustment of a bill. `rates` are those of its account, on bills or not. The
    /// tax is what is left of the taxes of the bill by its share; the last adjustment has the rest.
    pub fn of_bill(
        self,
        bill: &CustomerBill,
        rates: &[Rate],
        rounding: Rounding,
    ) -> Result<Rate, Error> {
        let account = id_of(bill.billing_account.as_ref(), "billingAccount");
        let account = account.map_err(Error::Malformed)?.map(str::to_owned);
        let currency = bill.tax_excluded_amount.0.currency;
        self.check()?;
        let left = left_of(&bill.id, currency, rates);
        if self.net.currency != currency || self.net.amount > left.net.amount {
            let (left, amount) = (written(&left.net), written(&self.net));
            return Err(Error::TooMuch { bill: bill.id.clone(), left, amount });
        }
        let mut back = left.share_back(self.net.amount, left.net.amount, rounding);
        back.taxes.retain(|tax| !tax.amount.is_zero() || left.taxes.len() == 1);
        Ok(Rate { credits: Some(bill.id.clone()), ..self.rate(account, back) })
    }

    /// The rate of an adjustment that is about no bill in particular: its tax is that of the terms.
    pub fn of_account(self, account: &str, terms: &Terms) -> Result<Rate, Error> {
        self.check()?;
        let net = terms.rounding.of(-self.net.amount, self.net.currency);
        let taxes = AppliedTax::on(&net, std::slice::from_ref(&terms.tax), terms.rounding);
        Ok(self.rate(Some(account.into()), Left { net, taxes }))
    }

    /// Whether a rate is what this adjustment became when it was granted, for a bill or an account.
    pub fn is(&self, rate: &Rate, bill: Option<&str>, account: Option<&str>) -> bool {
        rate.kind == RateKind::Adjustment
            && rate.net.currency == self.net.currency
            && rate.net.amount == -self.net.amount
            && rate.name == self.reason
            && rate.credits.as_deref() == bill
            && account.is_none_or(|account| rate.account.as_deref() == Some(account))
    }

    fn check(&self) -> Result<(), Error> {
        if self.net.amount <= Decimal::ZERO || is_finer(&self.net) {
            return Err(Error::Amount { amount: written(&self.net) });
        }
        Ok(())
    }

    fn rate(self, account: Option<String>, back: Left) -> Rate {
        Rate {
            id: self.id,
            name: self.reason,
            description: String::new(),
            kind: RateKind::Adjustment,
            date: self.at,
            account,
            product: None,
            price: None,
            credits: None,
            covers: None,
            net: back.net,
            taxes: back.taxes,
            bill: None,
        }
    }
}

/// What a bill charged, less the credits of its lines and the adjustments of it. `rates` are those
/// of its account.
pub fn left_of<'a>(
    bill: &str,
    currency: Currency,
    rates: impl IntoIterator<Item = &'a Rate, IntoIter: Clone>,
) -> Left {
    let rates = rates.into_iter();
    let lines =
        rates.clone().filter(|rate| rate.bill.as_deref() == Some(bill) && rate.kind.is_charge());
    let ids: BTreeSet<&str> = lines.clone().map(|line| line.id.as_str()).collect();
    let back = rates.filter(|rate| {
        let of = rate.credits.as_deref();
        of.is_some_and(|of| of == bill || ids.contains(of))
    });
    lines.chain(back).fold(Left::none(currency), Left::after)
}

/// Lowers credits of charges whose bills were adjusted to what is left of those. `known` are the
/// rates of the account that the bills are of. The days of a credit stay: they were given back.
#[must_use]
pub fn limited(mut made: Vec<Rate>, known: &[Rate], rounding: Rounding) -> Vec<Rate> {
    let is_lower = |rate: &Rate| rate.kind == RateKind::Credit && rate.net.amount < Decimal::ZERO;
    for index in 0..made.len() {
        let credit = &made[index];
        let charge = known.iter().find(|one| Some(&one.id) == credit.credits.as_ref());
        let bill = charge.and_then(|charge| charge.bill.as_deref());
        let Some(bill) = bill.filter(|_| is_lower(credit)) else { continue };
        let is_adjustment = |one: &Rate| one.kind == RateKind::Adjustment;
        if !known.iter().any(|one| is_adjustment(one) && one.credits.as_deref() == Some(bill)) {
            continue;
        }
        // What those before it give back counts, and what any takes: a discount that ends.
        let others = made.iter().enumerate();
        let others = others.filter(|(at, one)| *at < index || (*at > index && !is_lower(one)));
        let all = known.iter().chain(others.map(|(_, rate)| rate));
        let left = left_of(bill, credit.net.currency, all);
        limit(&mut made[index], &left, rounding);
    }
    made
}

fn limit(credit: &mut Rate, left: &Left, rounding: Rounding) {
    let max = left.net.amount.max(Decimal::ZERO);
    if -credit.net.amount >= max {
        // The rest of the taxes goes with the last of the amount.
        let back = if max.is_zero() {
            Left::of(credit).share_back(Decimal::ZERO, Decimal::ONE, rounding)
        } else {
            left.all_back(rounding)
        };
        (credit.net, credit.taxes) = (back.net, back.taxes);
        return;
    }
    for tax in &mut credit.taxes {
        let same = left.taxes.iter().find(|one| one.is_same(tax));
        let max = same.map_or(Decimal::ZERO, |one| one.amount.max(Decimal::ZERO));
        tax.amount = tax.amount.max(-max);
    }
}

#[cfg(test)]
mod tests;
