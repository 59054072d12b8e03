//! Payments and write-offs of bills.

use model::pricing::amount::written;
pub use model::pricing::ledger::Payment;
use rust_decimal::Decimal;
use tmf::BillState;
use tmf::document::customer_bill::{AppliedPayment, CustomerBill};
use tmf::document::{Amount, Reference, Rest};
use tmf::money::{Currency, Money, is_finer};
use tmf::time::Timestamp;

/// Why a payment is not noted, or a bill not written off.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bill is not out, or is settled.
    #[error("bill `{bill}` is `{state}`: only what is `sent` or `partiallyPaid` can be paid")]
    NotPayable { bill: String, state: BillState },
    /// The payment was noted on the bill with another amount.
    #[error("payment `{payment}` was noted on bill `{bill}` with {noted}, not {amount}")]
    Repeated {
        bill: String,
        payment: String,
        /// The amount that was noted.
        noted: String,
        /// The amount that came now.
        amount: String,
    },
    /// The amount has more decimals than its currency.
    #[error("{amount} is finer than the currency")]
    Finer {
        /// The amount.
        amount: String,
    },
    /// The payment is in another currency.
    #[error("bill `{bill}` is in `{currency}`")]
    Currency { bill: String, currency: Currency },
    /// The payment is zero, of the other sign, or more than what is left to pay.
    #[error("of bill `{bill}` there is left to pay {remaining}, not {amount}")]
    Amount {
        bill: String,
        /// What is left to pay.
        remaining: String,
        /// What was paid.
        amount: String,
    },
}

/// Notes a payment on a bill. Returns `None` if it was noted before with this amount.
pub fn note(bill: &CustomerBill, payment: &Payment) -> Result<Option<CustomerBill>, Error> {
    if let Some(line) = bill.applied_payment.iter().find(|line| line.payment.is_to(&payment.id)) {
        return repeated(bill, &line.applied_amount.0, payment).map(|()| None);
    }
    if is_finer(&payment.amount) {
        return Err(Error::Finer { amount: written(&payment.amount) });
    }
    let remaining = open(bill)?;
    if payment.amount.currency != remaining.currency {
        let currency = remaining.currency;
        return Err(Error::Currency { bill: bill.id.clone(), currency });
    }
    let (paid, left) = (payment.amount.amount, remaining.amount);
    let fits = !paid.is_zero()
        && paid.is_sign_negative() == left.is_sign_negative()
        && paid.abs() <= left.abs();
    if !fits {
        let (remaining, amount) = (written(&remaining), written(&payment.amount));
        return Err(Error::Amount { bill: bill.id.clone(), remaining, amount });
    }
    let mut bill = bill.clone();
    reduce(&mut bill, left - paid, payment.at);
    bill.applied_payment.push(AppliedPayment {
        applied_amount: Amount(payment.amount),
        payment: Reference::of("Payment", &payment.id),
        rest: Rest::new(),
    });
    Ok(Some(bill))
}

/// Gives up what is left to pay of a bill. Returns the bill as it is then, and how much that was.
pub fn write_off(mut bill: CustomerBill, at: Timestamp) -> Result<(CustomerBill, Money), Error> {
    let remaining = open(&bill)?;
    reduce(&mut bill, Decimal::ZERO, at);
    Ok((bill, remaining))
}

/// Checks a payment that was noted before with an amount.
fn repeated(bill: &CustomerBill, noted: &Money, payment: &Payment) -> Result<(), Error> {
    if *noted == payment.amount {
        return Ok(());
    }
    let (noted, amount) = (written(noted), written(&payment.amount));
    Err(Error::Repeated { bill: bill.id.clone(), payment: payment.id.clone(), noted, amount })
}

/// What is left of a bill that can be paid.
fn open(bill: &CustomerBill) -> Result<Money, Error> {
    if !bill.state.is_payable() {
        return Err(Error::NotPayable { bill: bill.id.clone(), state: bill.state });
    }
    Ok(bill.remaining_amount.0)
}

fn reduce(bill: &mut CustomerBill, left: Decimal, at: Timestamp) {
    bill.remaining_amount.0.amount = left;
    bill.state = if left.is_zero() { BillState::Settled } else { BillState::PartiallyPaid };
    bill.last_update = Some(at.into());
}

#[cfg(test)]
mod tests;
