//! The states of a bill (TMF678), and what may follow what.
//!
//! A run makes bills that are `new`. One that adds up is `validated`, by an operator or by the run, and
//! `sent`: from then on it is to be paid, and its due date counts. Payments settle it; no client can.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::cycle::Cycle;
use model::pricing::amount::written;
use model::pricing::rate::Rate;
use tmf::document::customer_bill::CustomerBill;
use tmf::document::{Amount, Date};
use tmf::time::Timestamp;
use tmf::zone::Zone;

pub use tmf::BillState;

/// How far a run takes its bills at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Release {
    /// An operator is to look at them.
    #[default]
    New,
    /// They add up, as they were just made.
    Validated,
    /// They are to be paid.
    Sent,
}

/// Why a bill does not get another state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMoved {
    /// The table does not have it.
    #[error("bill `{bill}` is `{}` and cannot become `{}`", .from.as_str(), .to.as_str())]
    Illegal { bill: String, from: BillState, to: BillState },
    /// The state follows from payments.
    #[error("bill `{bill}` becomes `{}` by payments and write-offs only", .to.as_str())]
    Paid { bill: String, to: BillState },
    /// It is not the sum of its lines.
    #[error("bill `{bill}` has {told} {what}, and its lines come to {lines}")]
    Sum {
        bill: String,
        what: &'static str,
        /// The amount of the bill.
        told: String,
        /// The sum of its lines.
        lines: String,
    },
}

/// Whether a client may move a bill: the table's way, or straight to `sent`.
fn may_become(from: BillState, to: BillState) -> bool {
    from.may_become(to) || (from, to) == (BillState::New, BillState::Sent)
}

impl Release {
    /// The state in which the run leaves a bill of an amount after tax.
    pub(super) fn state(self, gross: Decimal) -> BillState {
        match self {
            Self::New => BillState::New,
            Self::Validated => BillState::Validated,
            Self::Sent => sent(gross),
        }
    }
}

/// Moves a bill to a state that a client wants. `lines` are the rates that are on it: before it is sent
/// it must be their sum. The days to pay it count from the day on which it is sent.
pub fn moved(
    mut bill: CustomerBill,
    to: BillState,
    lines: &[Rate],
    cycle: Cycle,
    zone: Zone,
    at: Timestamp,
) -> Result<CustomerBill, NotMoved> {
    let from = bill.state;
    if from == to {
        return Ok(bill);
    }
    if matches!(to, BillState::PartiallyPaid | BillState::Settled) {
        return Err(NotMoved::Paid { bill: bill.id, to });
    }
    if !may_become(from, to) {
        return Err(NotMoved::Illegal { bill: bill.id, from, to });
    }
    if matches!(to, BillState::Validated | BillState::Sent) {
        bill = adding_up(bill, lines)?;
    }
    bill.state = to;
    bill.last_update = Some(at.into());
    if to == BillState::Sent {
        bill.state = sent(bill.remaining_amount.0.amount);
        bill.payment_due_date = Date::parse(&zone.written(cycle.due(zone.day_of(at))));
    }
    Ok(bill)
}

/// A bill of zero needs no payment.
fn sent(gross: Decimal) -> BillState {
    if gross.is_zero() { BillState::Settled } else { BillState::Sent }
}

/// A bill, if it is the sum of its lines.
fn adding_up(bill: CustomerBill, lines: &[Rate]) -> Result<CustomerBill, NotMoved> {
    let net = |line: &Rate| line.net.amount;
    let gross = |line: &Rate| line.gross().amount;
    let sums: [(&'static str, &Amount, Decimal); 2] = [
        ("before tax", &bill.tax_excluded_amount, lines.iter().map(net).sum()),
        ("with tax", &bill.tax_included_amount, lines.iter().map(gross).sum()),
    ];
    for (what, Amount(told), sum) in sums {
        let same = lines.iter().all(|line| line.net.currency == told.currency);
        if told.amount != sum || !same {
            let (told, lines) = (written(told), written(&told.with(sum)));
            return Err(NotMoved::Sum { bill: bill.id, what, told, lines });
        }
    }
    Ok(bill)
}

#[cfg(test)]
mod tests;
