//! The states of a bill (TMF678), and what may follow what.
//!
//! A run makes bills that are `new`. One that adds up is `validated`, by a person or by the run, and
//! `sent`: from then on it is to be paid, and its due date counts. What is paid of it settles it;
//! that follows from payments, and nobody says it.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::cycle::Cycle;
use model::pricing::amount::written;
use model::pricing::rate::Rate;
use tmf::field::{Field, Malformed};
use tmf::money::Money;
use tmf::time::Timestamp;
use tmf::zone::Zone;

/// Where a bill stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BillState {
    /// It was drawn.
    New,
    /// Somebody looks into it.
    OnHold,
    /// It adds up, and may be sent.
    Validated,
    /// It is to be paid.
    Sent,
    /// Some of it is paid.
    PartiallyPaid,
    /// Nothing is left to pay.
    Settled,
}

/// How far a run takes its bills at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Release {
    /// Somebody is to look at them.
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
    /// The bill, or a line of it, cannot be read.
    #[error("the bill cannot be read")]
    Malformed(#[source] Malformed),
    /// The table does not have it.
    #[error("bill `{bill}` is `{}` and cannot become `{}`", .from.as_str(), .to.as_str())]
    Illegal {
        /// The bill.
        bill: String,
        /// Its state.
        from: BillState,
        /// The state that was asked for.
        to: BillState,
    },
    /// Payments say it.
    #[error("bill `{bill}` becomes `{}` by payments and write-offs only", .to.as_str())]
    Paid {
        /// The bill.
        bill: String,
        /// The state that was asked for.
        to: BillState,
    },
    /// It is not the sum of its lines.
    #[error("bill `{bill}` says {says} {what}, and its lines come to {lines}")]
    Sum {
        /// The bill.
        bill: String,
        /// Which amount.
        what: &'static str,
        /// What the bill says.
        says: String,
        /// What its lines say.
        lines: String,
    },
}

impl BillState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::New, Self::OnHold, Self::Validated, Self::Sent, Self::PartiallyPaid, Self::Settled];

    /// How documents spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::OnHold => "onHold",
            Self::Validated => "validated",
            Self::Sent => "sent",
            Self::PartiallyPaid => "partiallyPaid",
            Self::Settled => "settled",
        }
    }

    /// The state of a bill.
    pub fn of(bill: &Value) -> Result<Self, Malformed> {
        let state = Field::root(bill).need("state")?;
        let text = state.text()?;
        let found = Self::ALL.into_iter().find(|one| one.as_str() == text);
        found.ok_or_else(|| state.wrong("is not the state of a bill"))
    }

    /// Whether it is to be paid.
    pub fn is_out(self) -> bool {
        matches!(self, Self::Sent | Self::PartiallyPaid)
    }

    /// Whether somebody may say that a bill goes from this state to another.
    fn may_become(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::New, Self::OnHold | Self::Validated | Self::Sent)
                | (Self::OnHold, Self::New | Self::Validated)
                | (Self::Validated, Self::OnHold | Self::Sent)
        )
    }
}

impl Release {
    /// The state of a bill of so much after tax, as the run leaves it.
    pub(super) fn state(self, gross: Decimal) -> BillState {
        match self {
            Self::New => BillState::New,
            Self::Validated => BillState::Validated,
            Self::Sent => sent(gross),
        }
    }
}

/// A bill in another state, as somebody wants it. `lines` are the rates that are on it: before it
/// is sent it must be their sum. From the day on which it is sent the days to pay it count.
pub fn moved(
    bill: &Value,
    to: BillState,
    lines: &[Rate],
    cycle: Cycle,
    zone: Zone,
    at: Timestamp,
) -> Result<Value, NotMoved> {
    let root = Field::root(bill);
    let id = root.need("id").and_then(|id| id.text()).map_err(NotMoved::Malformed)?.to_owned();
    let from = BillState::of(bill).map_err(NotMoved::Malformed)?;
    if from == to {
        return Ok(bill.clone());
    }
    if matches!(to, BillState::PartiallyPaid | BillState::Settled) {
        return Err(NotMoved::Paid { bill: id, to });
    }
    if !from.may_become(to) {
        return Err(NotMoved::Illegal { bill: id, from, to });
    }
    let remaining = root.need("remainingAmount").and_then(|one| one.money());
    let remaining = remaining.map_err(NotMoved::Malformed)?;
    let is_sent = to == BillState::Sent;
    let state = if is_sent { sent(remaining.amount) } else { to };
    if matches!(to, BillState::Validated | BillState::Sent) {
        check(&id, &root, lines)?;
    }
    let mut bill = bill.clone();
    if let Some(fields) = bill.as_object_mut() {
        fields.insert("state".into(), json!(state.as_str()));
        fields.insert("lastUpdate".into(), json!(at.to_string()));
        if is_sent {
            let due = cycle.due(zone.day_of(at));
            fields.insert("paymentDueDate".into(), json!(zone.written(due)));
        }
    }
    Ok(bill)
}

/// A bill that comes to nothing needs no payment.
fn sent(gross: Decimal) -> BillState {
    if gross.is_zero() { BillState::Settled } else { BillState::Sent }
}

fn check(id: &str, bill: &Field<'_>, lines: &[Rate]) -> Result<(), NotMoved> {
    let net = |line: &Rate| line.net.amount;
    let gross = |line: &Rate| line.gross().amount;
    let sums: [(&'static str, &str, Decimal); 2] = [
        ("before tax", "taxExcludedAmount", lines.iter().map(net).sum()),
        ("with tax", "taxIncludedAmount", lines.iter().map(gross).sum()),
    ];
    for (what, name, sum) in sums {
        let says = bill.need(name).and_then(|one| one.money()).map_err(NotMoved::Malformed)?;
        let same = lines.iter().all(|line| line.net.currency == says.currency);
        if says.amount != sum || !same {
            let lines = written(&Money { amount: sum, ..says.clone() });
            return Err(NotMoved::Sum { bill: id.into(), what, says: written(&says), lines });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
