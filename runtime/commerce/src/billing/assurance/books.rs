//! Whether the books have every change of money, and no other entries.

use super::fault::{Fault, FaultKind};
use crate::billing::payment::Payment;
use model::pricing::amount::written;
use model::pricing::ledger::{self, Entry, Line};
use model::pricing::rate::{self, Rate};
use model::pricing::tax;
use rust_decimal::Decimal;
use tmf::document::customer_bill::CustomerBill;
use tmf::document::id_of;
use tmf::malformed::Malformed;
use tmf::money::Money;
use tmf::time::Timestamp;

/// The subject of an entry in the books, by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause<'a> {
    /// A rate; or the reversal of the one whose id ends before `-reversal`.
    Rate(&'a str),
    /// A payment of a bill.
    Payment {
        payment: &'a str,
        bill: &'a str,
    },
    WriteOff(&'a str),
    Unknown,
}

impl<'a> Cause<'a> {
    /// The subject of the entry of an id.
    pub fn of(entry: &'a str) -> Self {
        if let Some(rate) = entry.strip_prefix("rate-") {
            return Self::Rate(rate);
        }
        if let Some(bill) = entry.strip_prefix("writeOff-") {
            return Self::WriteOff(bill);
        }
        match entry.strip_prefix("payment-").and_then(|rest| rest.rsplit_once('/')) {
            Some((payment, bill)) => Self::Payment { payment, bill },
            None => Self::Unknown,
        }
    }
}

/// Compares a rate with its entry.
pub fn entry_of_rate(rate: &Rate, entry: Option<&Entry>) -> Option<Fault> {
    match Entry::of_rate(rate) {
        Ok(expected) => compared(rate::RESOURCE, &rate.id, &expected, entry),
        Err(wrong) => Some(FaultKind::EntryDiffers.of(rate::RESOURCE, &rate.id, wrong)),
    }
}

/// Compares an entry with the one that reverses it.
pub fn reversal(entry: &Entry, reversal: &Entry) -> Option<Fault> {
    let is_back = |(line, back): (&Line, &Line)| {
        line.account == back.account && line.amount.with(-line.amount.amount) == back.amount
    };
    let (lines, backs) = (entry.lines(), reversal.lines());
    let is_reversed = lines.len() == backs.len() && lines.iter().zip(backs).all(is_back);
    (!is_reversed).then(|| {
        let reason = format!("does not reverse `{}`", entry.id());
        FaultKind::EntryDiffers.of(ledger::RESOURCE, reversal.id(), reason)
    })
}

/// A bill, as far as it is in the books.
#[derive(Clone, Debug, PartialEq)]
pub struct Booked {
    bill: CustomerBill,
    taxes: Vec<tax::AppliedTax>,
}

impl Booked {
    /// Reads a bill.
    pub fn read(bill: CustomerBill) -> Result<Self, Malformed> {
        for (index, payment) in bill.applied_payment.iter().enumerate() {
            id_of(Some(&payment.payment), &format!("appliedPayment[{index}].payment"))?;
        }
        let currency = bill.tax_included_amount.0.currency;
        Ok(Self { taxes: rate::taxes_of(&bill.tax_item, "taxItem", currency)?, bill })
    }

    fn paid(&self) -> impl Iterator<Item = (&str, Money)> {
        let payments = self.bill.applied_payment.iter();
        payments.filter_map(|one| Some((one.payment.id.as_deref()?, one.applied_amount.0)))
    }

    /// The id of the entry of each payment.
    pub fn payments(&self) -> impl Iterator<Item = (usize, String)> {
        let payments = self.paid().enumerate();
        payments.map(|(index, (payment, _))| (index, ledger::payment_id(payment, &self.bill.id)))
    }

    /// Whether a payment is on the bill.
    pub fn has_payment(&self, payment: &str) -> bool {
        self.paid().any(|(id, _)| id == payment)
    }

    /// Compares a payment with its entry.
    pub fn entry_of_payment(&self, index: usize, entry: Option<&Entry>) -> Option<Fault> {
        let (id, amount) = self.paid().nth(index)?;
        let payment = Payment { id: id.to_owned(), amount, at: Timestamp(0) };
        let expected = Entry::of_payment(&payment, &self.bill.id, self.bill.account()).ok()?;
        compared("customerBill", &self.bill.id, &expected, entry)
    }

    /// Compares the amount left to pay with the payments and write-offs, and the amounts with the
    /// lines of the bill.
    pub fn sums(&self, lines: &[Rate], written_off: Option<&Entry>) -> Vec<Fault> {
        let Self { bill, taxes: told_taxes } = self;
        let due = &bill.tax_included_amount.0;
        let mut faults = Vec::new();
        let mut differs = |what: &str, told: &Money, amount: Decimal| {
            let expected = told.with(amount);
            if told.amount != amount {
                let reason = format!("{what} is {}, not {}", written(told), written(&expected));
                faults.push(FaultKind::WrongSum.of("customerBill", &bill.id, reason));
            }
        };
        let paid: Decimal = self.paid().map(|(_, amount)| amount.amount).sum();
        let given_up: Decimal = written_off
            .into_iter()
            .flat_map(Entry::lines)
            .filter(|line| line.account == ledger::Account::WriteOff)
            .map(|line| line.amount.amount)
            .sum();
        differs("`remainingAmount`", &bill.remaining_amount.0, due.amount - paid - given_up);
        let net = lines.iter().map(|line| line.net.amount).sum();
        differs("`taxExcludedAmount`", &bill.tax_excluded_amount.0, net);
        let gross = lines.iter().map(|line| line.gross().amount).sum();
        differs("`taxIncludedAmount`", due, gross);
        let mut taxes = Vec::new();
        lines.iter().for_each(|line| tax::add(&mut taxes, &line.taxes));
        let is_there = |one: &tax::AppliedTax, all: &[tax::AppliedTax]| {
            let amount: Decimal =
                all.iter().filter(|other| other.is_same(one)).map(|other| other.amount).sum();
            amount == one.amount
        };
        let same = taxes.iter().all(|one| is_there(one, told_taxes))
            && told_taxes.iter().all(|one| is_there(one, &taxes));
        if !same {
            let reason = "`taxItem` is not the taxes of the lines";
            faults.push(FaultKind::WrongSum.of("customerBill", &bill.id, reason));
        }
        let strange = lines.iter().find(|line| {
            line.net.currency != due.currency
                || line.account.as_deref().unwrap_or_default() != bill.account()
        });
        if let Some(line) = strange {
            let reason = format!("is on bill `{}`, of another account or currency", bill.id);
            faults.push(FaultKind::WrongPayer.of(rate::RESOURCE, &line.id, reason));
        }
        faults
    }
}

/// Compares a change of money with its entry, except for the date.
fn compared(
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
