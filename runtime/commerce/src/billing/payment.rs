//! What is paid of a bill, and what is given up.

use serde_json::{Value, json};

use super::bill_state::BillState;
use model::pricing::amount::written;
pub use model::pricing::ledger::Payment;
use tmf::field::{Field, Malformed};
use tmf::money::{Money, is_finer};
use tmf::time::Timestamp;

/// Why a payment is not noted, or a bill not written off.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bill cannot be read.
    #[error("the bill cannot be read")]
    Malformed(#[source] Malformed),
    /// The bill is not out, or is settled.
    #[error("bill `{bill}` is `{state}`: only what is `sent` or `partiallyPaid` can be paid")]
    NotPayable {
        /// The bill.
        bill: String,
        /// Its state.
        state: String,
    },
    /// The payment was noted on the bill with another amount.
    #[error("payment `{payment}` was noted on bill `{bill}` with {noted}, not {amount}")]
    Repeated {
        /// The bill.
        bill: String,
        /// The payment.
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
    Currency {
        /// The bill.
        bill: String,
        /// Its currency.
        currency: String,
    },
    /// The payment is nothing, of the other sign, or more than what is left to pay.
    #[error("of bill `{bill}` there is left to pay {remaining}, not {amount}")]
    Amount {
        /// The bill.
        bill: String,
        /// What is left to pay.
        remaining: String,
        /// What was paid.
        amount: String,
    },
}

/// Notes a payment on a bill. Returns `None` if it was noted before with this amount.
pub fn note(bill: &Value, payment: &Payment) -> Result<Option<Value>, Error> {
    let mut earlier = bill.get("appliedPayment").and_then(Value::as_array).into_iter().flatten();
    if let Some(line) = earlier.find(|line| is(line, &payment.id)) {
        return repeated(bill, line, payment).map(|()| None);
    }
    if is_finer(&payment.amount) {
        return Err(Error::Finer { amount: written(&payment.amount) });
    }
    let open = Open::read(bill)?;
    if payment.amount.currency != open.remaining.currency {
        return Err(Error::Currency { bill: open.id, currency: open.remaining.currency });
    }
    let (paid, remaining) = (payment.amount.amount, open.remaining.amount);
    let fits = !paid.is_zero()
        && paid.is_sign_negative() == remaining.is_sign_negative()
        && paid.abs() <= remaining.abs();
    if !fits {
        let (remaining, amount) = (written(&open.remaining), written(&payment.amount));
        return Err(Error::Amount { bill: open.id, remaining, amount });
    }
    let left = Money { amount: remaining - paid, ..open.remaining };
    let line = json!({
        "appliedAmount": payment.amount.to_tmf(),
        "payment": { "id": payment.id, "@referredType": "Payment" },
    });
    Ok(Some(reduced(bill, &left, payment.at, Some(line))))
}

/// Gives up what is left to pay of a bill: the bill as it is then, and how much that is.
pub fn write_off(bill: &Value, at: Timestamp) -> Result<(Value, Money), Error> {
    let open = Open::read(bill)?;
    let left = Money { amount: rust_decimal::Decimal::ZERO, ..open.remaining.clone() };
    Ok((reduced(bill, &left, at, None), open.remaining))
}

/// Checks a payment that was noted before, by its line of the bill.
fn repeated(bill: &Value, line: &Value, payment: &Payment) -> Result<(), Error> {
    let noted = Field::root(line).need("appliedAmount").and_then(|amount| amount.money());
    let noted = noted.map_err(Error::Malformed)?;
    if noted == payment.amount {
        return Ok(());
    }
    let bill = bill.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (noted, amount) = (written(&noted), written(&payment.amount));
    Err(Error::Repeated { bill, payment: payment.id.clone(), noted, amount })
}

/// A bill that can be paid.
struct Open {
    id: String,
    remaining: Money,
}

impl Open {
    fn read(bill: &Value) -> Result<Self, Error> {
        let root = Field::root(bill);
        let read = || {
            let id = root.need("id")?.text()?.to_owned();
            let state = root.need("state")?.text()?.to_owned();
            Ok((id, state, root.need("remainingAmount")?.money()?))
        };
        let (id, state, remaining) = read().map_err(Error::Malformed)?;
        if !BillState::of(bill).is_ok_and(BillState::is_out) {
            return Err(Error::NotPayable { bill: id, state });
        }
        Ok(Self { id, remaining })
    }
}

fn is(applied: &Value, payment: &str) -> bool {
    applied.pointer("/payment/id").and_then(Value::as_str) == Some(payment)
}

fn reduced(bill: &Value, left: &Money, at: Timestamp, line: Option<Value>) -> Value {
    let mut bill = bill.clone();
    let state = if left.amount.is_zero() { "settled" } else { "partiallyPaid" };
    if let Some(fields) = bill.as_object_mut() {
        fields.insert("remainingAmount".into(), left.to_tmf());
        fields.insert("state".into(), json!(state));
        fields.insert("lastUpdate".into(), json!(at.to_string()));
        if let Some(line) = line {
            let payments = fields.entry("appliedPayment").or_insert_with(|| json!([]));
            if let Some(payments) = payments.as_array_mut() {
                payments.push(line);
            }
        }
    }
    bill
}

#[cfg(test)]
mod tests;
