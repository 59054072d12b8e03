//! Whether the books have what happened to money, and nothing else.

use serde_json::Value;

use super::fault::{Fault, FaultKind};
use crate::billing::payment::Payment;
use model::pricing::amount::written;
use model::pricing::ledger::{self, Entry, Line};
use model::pricing::rate::{self, Rate};
use model::pricing::tax;
use rust_decimal::Decimal;
use tmf::field::{Field, Malformed};
use tmf::money::Money;
use tmf::time::Timestamp;

/// What an entry in the books is about, by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause<'a> {
    /// A rate; or the reversal of the one whose id ends before `-reversal`.
    Rate(&'a str),
    /// A payment of a bill.
    Payment {
        /// The payment.
        payment: &'a str,
        /// The bill.
        bill: &'a str,
    },
    /// A payment, in the form of when it had one entry only.
    FormerPayment(&'a str),
    /// What was given up of a bill.
    WriteOff(&'a str),
    /// Nothing that is known.
    Unknown,
}

impl<'a> Cause<'a> {
    /// What the entry of an id is about.
    pub fn of(entry: &'a str) -> Self {
        if let Some(rate) = entry.strip_prefix("rate-") {
            return Self::Rate(rate);
        }
        if let Some(bill) = entry.strip_prefix("writeOff-") {
            return Self::WriteOff(bill);
        }
        match entry.strip_prefix("payment-") {
            Some(rest) => match rest.rsplit_once('/') {
                Some((payment, bill)) => Self::Payment { payment, bill },
                None => Self::FormerPayment(rest),
            },
            None => Self::Unknown,
        }
    }
}

/// Compares a rate with its entry.
pub fn entry_of_rate(rate: &Rate, entry: Option<&Entry>) -> Option<Fault> {
    match Entry::of_rate(rate) {
        Ok(expected) => held(rate::RESOURCE, &rate.id, &expected, entry),
        Err(wrong) => Some(FaultKind::EntryDiffers.of(rate::RESOURCE, &rate.id, wrong)),
    }
}

/// Compares an entry with the one that reverses it.
pub fn reversal(entry: &Entry, reversal: &Entry) -> Option<Fault> {
    let back = |line: &Line| {
        let amount = Money { amount: -line.amount.amount, ..line.amount.clone() };
        Line { account: line.account.clone(), amount }
    };
    let expected: Vec<Line> = entry.lines().iter().map(back).collect();
    (expected != reversal.lines()).then(|| {
        let reason = format!("does not take back `{}`", entry.id());
        FaultKind::EntryDiffers.of(ledger::RESOURCE, reversal.id(), reason)
    })
}

/// A bill, as far as the books know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    id: String,
    account: String,
    due: Money,
    net: Money,
    remaining: Money,
    payments: Vec<(String, Money)>,
    taxes: Vec<tax::AppliedTax>,
}

impl Booked {
    /// Reads a bill.
    pub fn read(bill: &Value) -> Result<Self, Malformed> {
        let root = Field::root(bill);
        let payment = |field: &Field<'_>| {
            let id = field.need("payment")?.need("id")?.text()?.to_owned();
            Ok((id, field.need("appliedAmount")?.money()?))
        };
        let payments = root.items("appliedPayment")?;
        let due = root.need("taxIncludedAmount")?.money()?;
        Ok(Self {
            id: root.need("id")?.text()?.to_owned(),
            account: root.reference("billingAccount")?.unwrap_or_default(),
            net: root.need("taxExcludedAmount")?.money()?,
            remaining: root.need("remainingAmount")?.money()?,
            payments: payments.iter().map(payment).collect::<Result<_, _>>()?,
            taxes: rate::taxes_of(&root, "taxItem", &due.currency)?,
            due,
        })
    }

    /// The ids of the entries of each payment: as it is now, and as it was formerly.
    pub fn payments(&self) -> impl Iterator<Item = (usize, [String; 2])> {
        self.payments.iter().enumerate().map(|(index, (payment, _))| {
            let ids = [ledger::payment_id(payment, &self.id), ledger::former_payment_id(payment)];
            (index, ids)
        })
    }

    /// Whether a payment is on the bill.
    pub fn has_payment(&self, payment: &str) -> bool {
        self.payments.iter().any(|(id, _)| id == payment)
    }

    /// Compares a payment with its entry.
    pub fn entry_of_payment(&self, index: usize, entry: Option<&Entry>) -> Option<Fault> {
        let (id, amount) = self.payments.get(index)?;
        let payment = Payment { id: id.clone(), amount: amount.clone(), at: Timestamp(0) };
        let expected = Entry::of_payment(&payment, &self.id, &self.account).ok()?;
        held("customerBill", &self.id, &expected, entry)
    }

    /// Compares the amount left to pay with the payments and write-offs, and the amounts with the
    /// lines of the bill.
    pub fn sums(&self, lines: &[Rate], written_off: Option<&Entry>) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut differs = |what: &str, told: &Money, amount: Decimal| {
            let expected = Money { amount, ..told.clone() };
            if told.amount != amount {
                let reason = format!("{what} is {}, not {}", written(told), written(&expected));
                faults.push(FaultKind::WrongSum.of("customerBill", &self.id, reason));
            }
        };
        let paid: Decimal = self.payments.iter().map(|(_, amount)| amount.amount).sum();
        let given_up: Decimal = written_off
            .into_iter()
            .flat_map(Entry::lines)
            .filter(|line| line.account == ledger::Account::WriteOff)
            .map(|line| line.amount.amount)
            .sum();
        differs("`remainingAmount`", &self.remaining, self.due.amount - paid - given_up);
        let net = lines.iter().map(|line| line.net.amount).sum();
        differs("`taxExcludedAmount`", &self.net, net);
        let gross = lines.iter().map(|line| line.gross().amount).sum();
        differs("`taxIncludedAmount`", &self.due, gross);
        let mut taxes = Vec::new();
        lines.iter().for_each(|line| tax::add(&mut taxes, &line.taxes));
        let is_there = |one: &tax::AppliedTax, all: &[tax::AppliedTax]| {
            let amount: Decimal =
                all.iter().filter(|other| other.is_same(one)).map(|other| other.amount).sum();
            amount == one.amount
        };
        let same = taxes.iter().all(|one| is_there(one, &self.taxes))
            && self.taxes.iter().all(|one| is_there(one, &taxes));
        if !same {
            let reason = "`taxItem` is not the taxes of the lines";
            faults.push(FaultKind::WrongSum.of("customerBill", &self.id, reason));
        }
        let strange = lines.iter().find(|line| {
            line.net.currency != self.due.currency
                || line.account.as_deref().unwrap_or_default() != self.account
        });
        if let Some(line) = strange {
            let reason = format!("is on bill `{}`, of another account or currency", self.id);
            faults.push(FaultKind::WrongPayer.of(rate::RESOURCE, &line.id, reason));
        }
        faults
    }
}

/// Compares something that happened with its entry: its date does not matter.
fn held(
    resource: &'static str,
    id: &str,
    expected: &Entry,
    entry: Option<&Entry>,
) -> Option<Fault> {
    match entry {
        None => {
            let reason = format!("the books have no entry `{}`", expected.id());
            Some(FaultKind::EntryMissing.of(resource, id, reason))
        }
        Some(entry) if entry.lines() != expected.lines() => {
            let reason = format!("the entry `{}` has other accounts or amounts", entry.id());
            Some(FaultKind::EntryDiffers.of(resource, id, reason))
        }
        Some(_) => None,
    }
}
