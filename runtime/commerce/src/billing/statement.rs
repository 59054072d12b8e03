//! The bill as a document for people, and its address for the bill.

mod html;
mod pdf;

use model::pricing::amount::written;
use model::pricing::rate::Rate;
use tmf::day::Days;
use tmf::document::customer_bill::{Attachment, CustomerBill};
use tmf::document::{DayPeriod, Rest, id_of};
use tmf::malformed::Malformed;
use tmf::money::Money;
use tmf::zone::Zone;

/// Where the documents of bills are served.
pub const BILLS: &str = "/orchestration/v1/billing/bills/";

/// A bill and its lines, as texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    number: String,
    facts: Vec<(&'static str, String)>,
    lines: Vec<Line>,
    totals: Vec<Total>,
}

/// A charge or a credit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    name: String,
    more: String,
    days: String,
    net: String,
    tax: String,
}

/// A sum at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Total {
    name: String,
    amount: String,
    is_strong: bool,
}

impl Statement {
    /// Reads a bill; `rates` are on it.
    pub fn read(mut bill: CustomerBill, rates: Vec<Rate>, zone: Zone) -> Result<Self, Malformed> {
        Ok(Self {
            number: needed(bill.bill_no.take(), "billNo")?,
            facts: facts(&bill, zone)?,
            lines: rates.into_iter().map(Line::of).collect(),
            totals: totals(&bill)?,
        })
    }

    /// As one self-contained HTML file. All texts are escaped.
    pub fn html(&self) -> String {
        html::page(self)
    }

    /// As a PDF document.
    pub fn pdf(&self) -> Vec<u8> {
        pdf::document(self)
    }
}

/// The documents of a bill (TMF678 `billDocument`).
pub fn documents(bill: &str) -> Vec<Attachment> {
    let one = |format: &str, media_type: &str, path: &str| Attachment {
        id: Some(format!("{bill}-{format}")),
        name: Some(format!("Bill as {}", format.to_uppercase())),
        description: Some("The bill with its lines".into()),
        attachment_type: Some(format.into()),
        mime_type: Some(media_type.into()),
        url: Some(format!("{BILLS}{bill}/{path}")),
        kind: Some("Attachment".into()),
        rest: Rest::new(),
    };
    vec![one("html", "text/html", "document"), one("pdf", "application/pdf", "document.pdf")]
}

impl Line {
    fn of(rate: Rate) -> Self {
        Self {
            days: rate.covers.map(shown).unwrap_or_default(),
            net: written(&rate.net),
            tax: written(&rate.tax()),
            name: rate.name,
            more: rate.description,
        }
    }
}

/// Who and when.
fn facts(bill: &CustomerBill, zone: Zone) -> Result<Vec<(&'static str, String)>, Malformed> {
    let mut facts: Vec<(&'static str, String)> = Vec::new();
    let names = bill.related_party.iter().filter_map(|one| one.name.as_ref().or(one.id.as_ref()));
    facts.extend(names.map(|name| ("Customer", name.clone())));
    if let Some(account) = id_of(bill.billing_account.as_ref(), "billingAccount")? {
        facts.push(("Account", account.to_owned()));
    }
    let date = needed(bill.bill_date.as_ref(), "billDate")?;
    facts.push(("Date", zone.day_of(date.at()).to_string()));
    let period = bill.billing_period.as_ref().and_then(DayPeriod::days);
    facts.extend(period.map(|days| ("Period", shown(days))));
    if let Some(due) = &bill.payment_due_date {
        facts.push(("To be paid by", due.day().to_string()));
    }
    Ok(facts)
}

fn totals(bill: &CustomerBill) -> Result<Vec<Total>, Malformed> {
    let mut totals = Vec::new();
    let mut row = |is_strong, name: &str, money: &Money| {
        totals.push(Total { name: name.into(), amount: written(money), is_strong });
    };
    row(false, "Before tax", &bill.tax_excluded_amount.0);
    for tax in &bill.tax_item {
        let category = tax.tax_category.as_deref().unwrap_or("Tax");
        let name = match tax.tax_rate {
            Some(rate) => format!("{category} {} %", rate.0.normalize()),
            None => category.into(),
        };
        row(false, &name, &tax.tax_amount.0);
    }
    row(true, "Amount due", &needed(bill.amount_due.as_ref(), "amountDue")?.0);
    for payment in &bill.applied_payment {
        let amount = &payment.applied_amount.0;
        row(false, "Paid", &amount.with(-amount.amount));
    }
    row(true, "Left to pay", &bill.remaining_amount.0);
    Ok(totals)
}

fn needed<T>(attribute: Option<T>, name: &str) -> Result<T, Malformed> {
    attribute.ok_or_else(|| Malformed::new(name, "is missing"))
}

/// Days as people count them: the first and the last.
fn shown(days: Days) -> String {
    if days.count() == 1 {
        return days.from.to_string();
    }
    format!("{} to {}", days.from, days.until.before())
}

#[cfg(test)]
mod tests;
