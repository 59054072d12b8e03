//! TMF678: bills, and the rates that are on them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Amount, Date, DateTime, DayPeriod, Number, Reference};
use crate::table::{BillState, OnDemandState};

crate::document! {
    /// A bill.
    pub struct CustomerBill {
        id: String,
        href?: String,
        bill_no?: String,
        bill_date?: DateTime,
        last_update?: DateTime,
        category?: String,
        run_type?: String,
        billing_period?: DayPeriod,
        payment_due_date?: Date,
        next_bill_date?: Date,
        amount_due?: Amount,
        remaining_amount: Amount,
        tax_excluded_amount: Amount,
        tax_included_amount: Amount,
        #[serde(default, deserialize_with = "super::list")]
        tax_item: Vec<TaxItem>,
        #[serde(default, deserialize_with = "super::list")]
        applied_payment: Vec<AppliedPayment>,
        bill_document*: Attachment,
        billing_account?: Reference,
        financial_account?: Reference,
        payment_method?: Reference,
        #[serde(default, deserialize_with = "super::list")]
        related_party: Vec<Reference>,
        state: BillState,
        bill_run?: Reference,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

impl CustomerBill {
    /// The id of its billing account; empty if it has none.
    pub fn account(&self) -> &str {
        self.billing_account.as_ref().and_then(|one| one.id.as_deref()).unwrap_or_default()
    }
}

impl BillState {
    /// Whether it is to be paid.
    pub fn is_payable(self) -> bool {
        matches!(self, Self::Sent | Self::PartiallyPaid)
    }
}

crate::document! {
    /// A tax of a bill or a rate (`TaxItem`, `AppliedBillingTaxRate`).
    pub struct TaxItem {
        tax_category?: String,
        tax_rate?: Number,
        tax_amount: Amount,
    }
}

crate::document! {
    /// A payment of a bill.
    pub struct AppliedPayment {
        applied_amount: Amount,
        payment: Reference,
    }
}

crate::document! {
    /// A document that a bill can be read as.
    pub struct Attachment {
        id?: String,
        name?: String,
        description?: String,
        attachment_type?: String,
        mime_type?: String,
        url?: String,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

crate::document! {
    /// A request for a bill.
    pub struct CustomerBillOnDemand {
        billing_account?: Reference,
        customer_bill?: Reference,
        /// All bills if there are several, which the standard has no attribute for.
        customer_bills*: Reference,
        state?: OnDemandState,
    }
}

crate::document! {
    /// An applied billing rate: something charged or credited.
    pub struct AppliedRate {
        id: String,
        href?: String,
        name?: String,
        description?: String,
        date: DateTime,
        #[serde(rename = "type")]
        rate_type: RateKind,
        is_billed?: bool,
        billing_account?: Reference,
        product?: Reference,
        bill?: Reference,
        bill_run?: Reference,
        period_coverage?: DayPeriod,
        tax_excluded_amount: Amount,
        tax_included_amount?: Amount,
        #[serde(default, deserialize_with = "super::list")]
        applied_tax: Vec<TaxItem>,
        #[serde(default, deserialize_with = "super::list")]
        characteristic: Vec<RateCharacteristic>,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

impl AppliedRate {
    /// Puts it on a bill.
    pub fn mark_billed(&mut self, bill: &str) {
        self.is_billed = Some(true);
        self.bill = Some(Reference::to("customerBill", bill));
    }

    /// Takes it off its bill.
    pub fn mark_unbilled(&mut self) {
        self.is_billed = Some(false);
        self.bill = None;
    }
}

crate::document! {
    /// An attribute that the standard has no name for: the price of a rate, or the rate it credits.
    pub struct RateCharacteristic {
        name: String,
        value_type?: String,
        value: String,
    }
}

/// The type of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RateKind {
    /// Charged for days.
    Recurring,
    /// Charged once.
    OneOff,
    /// Charged for usage.
    Usage,
    /// A refund of days that were charged and not delivered.
    Credit,
    /// A refund of what should not have been charged.
    Adjustment,
}

impl RateKind {
    /// The type as documents spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recurring => "recurringCharge",
            Self::OneOff => "oneTimeCharge",
            Self::Usage => "usageCharge",
            Self::Credit => "credit",
            Self::Adjustment => "adjustment",
        }
    }

    /// Whether it charges, and refunds nothing.
    pub fn is_charge(self) -> bool {
        match self {
            Self::Recurring | Self::OneOff | Self::Usage => true,
            Self::Credit | Self::Adjustment => false,
        }
    }

    /// Reads a type as documents or raters spell it.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "recurringCharge" | "recurring" => Self::Recurring,
            "oneTimeCharge" | "oneOff" | "oneTime" => Self::OneOff,
            "usageCharge" | "usage" => Self::Usage,
            "credit" => Self::Credit,
            "adjustment" => Self::Adjustment,
            _ => return None,
        })
    }
}

impl Serialize for RateKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RateKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("is no type of rate"))
    }
}
