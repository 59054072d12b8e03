//! Applied billing rates (TMF678): what is charged or credited, before and after it is billed.

use super::tax::AppliedTax;
use tmf::day::Days;
use tmf::document::customer_bill::{AppliedRate, RateCharacteristic, TaxItem};
use tmf::document::{Amount, DayPeriod, Number, Reference, Rest, id_of};
use tmf::malformed::Malformed;
use tmf::money::{Currency, Money, TAX_CATEGORY};
use tmf::table::path;
use tmf::time::Timestamp;
use tmf::zone::Zone;

pub use tmf::document::customer_bill::RateKind;

/// The resource of rates.
pub const RESOURCE: &str = "appliedCustomerBillingRate";

/// Something charged or credited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    pub id: String,
    /// Its name on the bill.
    pub name: String,
    /// More about it on the bill.
    pub description: String,
    pub kind: RateKind,
    pub date: Timestamp,
    /// The billing account that it goes to.
    pub account: Option<String>,
    /// The product that it is for.
    pub product: Option<String>,
    /// The id of the price that it comes from.
    pub price: Option<String>,
    /// The rate that it refunds.
    pub credits: Option<String>,
    /// The days that it covers.
    pub covers: Option<Days>,
    /// Before tax.
    pub net: Money,
    /// The taxes on it.
    pub taxes: Vec<AppliedTax>,
    /// The bill that it is on, once it is billed.
    pub bill: Option<String>,
}

impl Rate {
    /// The sum of its taxes.
    pub fn tax(&self) -> Money {
        self.net.with(self.taxes.iter().map(|tax| tax.amount).sum())
    }

    /// After tax.
    pub fn gross(&self) -> Money {
        self.net.with(self.net.amount + self.tax().amount)
    }

    /// Reads a rate from its document.
    pub fn read(document: &AppliedRate) -> Result<Self, Malformed> {
        let id = |reference: &Option<Reference>, name: &str| {
            id_of(reference.as_ref(), name).map(|id| id.map(str::to_owned))
        };
        let Amount(net) = document.tax_excluded_amount;
        Ok(Self {
            id: document.id.clone(),
            name: document.name.clone().unwrap_or_default(),
            description: document.description.clone().unwrap_or_default(),
            kind: document.rate_type,
            date: document.date.at(),
            account: id(&document.billing_account, "billingAccount")?,
            product: id(&document.product, "product")?,
            price: characteristic(document, "price"),
            credits: characteristic(document, "credits"),
            covers: document.period_coverage.as_ref().and_then(DayPeriod::days),
            taxes: taxes_of(&document.applied_tax, "appliedTax", net.currency)?,
            net,
            bill: id(&document.bill, "bill")?,
        })
    }

    /// Writes its document, with days of a zone.
    pub fn document(&self, zone: Zone) -> AppliedRate {
        let to = |resource: &str, id: &Option<String>| {
            id.as_deref().map(|id| Reference::to(resource, id))
        };
        AppliedRate {
            id: self.id.clone(),
            href: Some(href(RESOURCE, &self.id)),
            name: Some(self.name.clone()),
            description: Some(self.description.clone()).filter(|text| !text.is_empty()),
            date: self.date.into(),
            rate_type: self.kind,
            is_billed: Some(self.bill.is_some()),
            billing_account: to("billingAccount", &self.account),
            product: to("product", &self.product),
            bill: to("customerBill", &self.bill),
            bill_run: None,
            period_coverage: self.covers.map(|days| zone.time_period(days)),
            tax_excluded_amount: Amount(self.net),
            tax_included_amount: Some(Amount(self.gross())),
            applied_tax: self.taxes.iter().map(|tax| tax_item(tax, self.net.currency)).collect(),
            characteristic: self.characteristics(),
            kind: Some("AppliedCustomerBillingRate".into()),
            rest: Rest::new(),
        }
    }

    fn characteristics(&self) -> Vec<RateCharacteristic> {
        let values = [("price", &self.price), ("credits", &self.credits)];
        let known = values.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        let characteristic = |(name, value): (&str, &String)| RateCharacteristic {
            name: name.into(),
            value_type: Some("string".into()),
            value: value.clone(),
            rest: Rest::new(),
        };
        known.map(characteristic).collect()
    }
}

/// Whether an id has the form of the ids of charges and credits. An adjustment must not have such an
/// id: the charge that gets it later could not be written.
pub fn is_of_charges(id: &str) -> bool {
    let of_run = id.rsplit_once("-b").is_some_and(|(_, rest)| is_numbers(rest));
    of_run || is_of_order(id)
}

/// Whether an id has the form of the ids of charges and refunds of orders.
pub fn is_of_order(id: &str) -> bool {
    let charge = id.strip_suffix("-back").unwrap_or(id);
    charge.rsplit_once("-c").is_some_and(|(_, rest)| {
        rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains('-') && is_numbers(rest)
    })
}

fn is_numbers(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte))
}

/// The address of a document.
pub fn href(resource: &str, id: &str) -> String {
    format!("{}/{id}", path(resource))
}

/// Writes a tax of a rate or a bill.
pub fn tax_item(tax: &AppliedTax, currency: Currency) -> TaxItem {
    TaxItem {
        tax_category: Some(tax.category.clone()),
        tax_rate: tax.rate.map(Number),
        tax_amount: Amount::new(tax.amount, currency),
        rest: Rest::new(),
    }
}

/// Reads the taxes of a rate or a bill, which are an attribute of it.
pub fn taxes_of(
    items: &[TaxItem],
    attribute: &str,
    currency: Currency,
) -> Result<Vec<AppliedTax>, Malformed> {
    let one = |(index, item): (usize, &TaxItem)| {
        let Amount(amount) = item.tax_amount;
        if amount.currency != currency {
            let attribute = format!("{attribute}[{index}]");
            return Err(Malformed::new(attribute, "is in another currency than the rate"));
        }
        Ok(AppliedTax {
            category: item.tax_category.as_deref().unwrap_or(TAX_CATEGORY).to_owned(),
            rate: item.tax_rate.map(|Number(rate)| rate),
            amount: amount.amount,
        })
    };
    items.iter().enumerate().map(one).collect()
}

fn characteristic(document: &AppliedRate, name: &str) -> Option<String> {
    let found = document.characteristic.iter().find(|one| one.name == name);
    found.map(|one| one.value.clone())
}

#[cfg(test)]
mod tests;
