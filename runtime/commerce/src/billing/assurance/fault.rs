//! What revenue assurance finds wrong with one row.

use std::fmt;

/// Something that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    /// The document that has it.
    pub row: Row,
    /// The wrong value, and the right one.
    pub reason: String,
}

/// A document by its resource and its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Such as `product`.
    pub resource: &'static str,
    /// Its id.
    pub id: String,
}

/// The faults that a document can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// It cannot be read.
    Unreadable,
    /// A product is active and has prices, and no account pays for it.
    NoAccount,
    /// A charge is not what its price costs for its days.
    WrongAmount,
    /// A tax is not that of its charge.
    WrongTax,
    /// A charge goes to an account that does not pay for it.
    WrongPayer,
    /// Days, or a one-off price, are charged twice.
    ChargedTwice,
    /// A credit or an adjustment refunds more than there is.
    WrongCredit,
    /// A rate names a bill that does not exist.
    WrongBill,
    /// Something that happened to money has no entry in the books.
    EntryMissing,
    /// An entry in the books is not what happened.
    EntryDiffers,
    /// An entry in the books is about nothing that happened.
    EntryUnfounded,
    /// A bill is not the sum of its lines, or the amount left to pay not that less the payments.
    WrongSum,
    /// Usage is rated and not billed.
    UsageNotBilled,
    /// Usage is billed and is in no charge, or a charge of usage is not the sum of it.
    UsageNotCharged,
}

impl FaultKind {
    /// How reports spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NoAccount => "noAccount",
            Self::WrongAmount => "wrongAmount",
            Self::WrongTax => "wrongTax",
            Self::WrongPayer => "wrongPayer",
            Self::ChargedTwice => "chargedTwice",
            Self::WrongCredit => "wrongCredit",
            Self::WrongBill => "wrongBill",
            Self::EntryMissing => "entryMissing",
            Self::EntryDiffers => "entryDiffers",
            Self::EntryUnfounded => "entryUnfounded",
            Self::WrongSum => "wrongSum",
            Self::UsageNotBilled => "usageNotBilled",
            Self::UsageNotCharged => "usageNotCharged",
        }
    }

    /// It, of a document.
    pub fn of(self, resource: &'static str, id: &str, reason: impl fmt::Display) -> Fault {
        let row = Row { resource, id: id.to_owned() };
        Fault { kind: self, row, reason: reason.to_string() }
    }
}
