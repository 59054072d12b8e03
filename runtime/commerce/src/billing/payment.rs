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

/// A bill that has a payment.
#[derive(Clone, Debug, PartialEq)]
pub enum Noted {
    /// It has it now.
    Now(CustomerBill),
    /// It had it before, with the same amount.
    Before(CustomerBill),
}

/// Notes a payment on a bill.
pub fn note(bill: CustomerBill, payment: &Payment) -> Result<Noted, Error> {
    if let Some(line) = bill.applied_payment.iter().find(|line| line.payment.is_to(&payment.id)) {
        if line.applied_amount.0 == payment.amount {
            return Ok(Noted::Before(bill));
        }
        let (noted, amount) = (written(&line.applied_amount.0), written(&payment.amount));
        return Err(Error::Repeated { bill: bill.id, payment: payment.id.clone(), noted, amount });
    }
    if is_finer(&payment.amount) {
        return Err(Error::Finer { amount: written(&payment.amount) });
    }
    let mut bill = payable(bill)?;
    let remaining = bill.remaining_amount.0;
    if payment.amount.currency != remaining.currency {
        return Err(Error::Currency { bill: bill.id, currency: remaining.currency });
    }
    let (paid, left) = (payment.amount.amount, remaining.amount);
    let fits = !paid.is_zero()
        && paid.is_sign_negative() == left.is_sign_negative()
        && paid.abs() <= left.abs();
    if !fits {
        let (remaining, amount) = (written(&remaining), written(&payment.amount));
        return Err(Error::Amount { bill: bill.id, remaining, amount });
    }
    reduce(&mut bill, left - paid, payment.at);
    bill.applied_payment.push(AppliedPayment {
        applied_amount: Amount(payment.amount),
        payment: Reference::of("Payment", &payment.id),
        rest: Rest::new(),
    });
    Ok(Noted::Now(bill))
}

/// Gives up what is left to pay of a bill. Returns the bill as it is then, and how much that was.
pub fn write_off(bill: CustomerBill, at: Timestamp) -> Result<(CustomerBill, Money), Error> {
    let mut bill = payable(bill)?;
    let remaining = bill.remaining_amount.0;
    reduce(&mut bill, Decimal::ZERO, at);
    Ok((bill, remaining))
}

/// A bill, if it can be paid.
fn payable(bill: CustomerBill) -> Result<CustomerBill, Error> {
    if bill.state.is_payable() {
        return Ok(bill);
    }
    Err(Error::NotPayable { bill: bill.id, state: bill.state })
}

fn reduce(bill: &mut CustomerBill, left: Decimal, at: Timestamp) {
    bill.remaining_amount.0.amount = left;
    bill.state = if left.is_zero() { BillState::Settled } else { BillState::PartiallyPaid };
    bill.last_update = Some(at.into());
}

#[cfg(test)]
mod tests;
