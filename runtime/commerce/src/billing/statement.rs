//! The bill as a document for people, and where a bill tells that it is found.

mod html;
mod pdf;

use serde_json::{Value, json};

use model::pricing::amount::written;
use model::pricing::rate::Rate;
use tmf::day::Days;
use tmf::field::{Field, Malformed};
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

/// What was charged or given back.
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
    pub fn read(bill: &Value, rates: &[Rate], zone: Zone) -> Result<Self, Malformed> {
        let root = Field::root(bill);
        Ok(Self {
            number: root.need("billNo")?.text()?.to_owned(),
            facts: facts(&root, zone)?,
            lines: rates.iter().map(Line::of).collect(),
            totals: totals(&root)?,
        })
    }

    /// As one HTML file that needs nothing else. What came from elsewhere is escaped.
    pub fn html(&self) -> String {
        html::page(self)
    }

    /// As a PDF document.
    pub fn pdf(&self) -> Vec<u8> {
        pdf::document(self)
    }
}

/// The documents of a bill (TMF678 `billDocument`).
pub fn documents(bill: &str) -> Value {
    let one = |format: &str, media_type: &str, path: &str| {
        json!({
            "id": format!("{bill}-{format}"),
            "name": format!("Bill as {}", format.to_uppercase()),
            "description": "The bill with its lines",
            "attachmentType": format,
            "mimeType": media_type,
            "url": format!("{BILLS}{bill}/{path}"),
            "@type": "Attachment",
        })
    };
    json!([one("html", "text/html", "document"), one("pdf", "application/pdf", "document.pdf"),])
}

impl Line {
    fn of(rate: &Rate) -> Self {
        Self {
            name: rate.name.clone(),
            more: rate.description.clone(),
            days: rate.covers.map(shown).unwrap_or_default(),
            net: written(&rate.net),
            tax: written(&rate.tax()),
        }
    }
}

/// Who and when.
fn facts(bill: &Field<'_>, zone: Zone) -> Result<Vec<(&'static str, String)>, Malformed> {
    let mut facts: Vec<(&'static str, String)> = Vec::new();
    for party in bill.items("relatedParty")? {
        let name = party.get("name").or_else(|| party.get("id"));
        if let Some(name) = name {
            facts.push(("Customer", name.text()?.to_owned()));
        }
    }
    if let Some(account) = bill.reference("billingAccount")? {
        facts.push(("Account", account));
    }
    facts.push(("Date", zone.day_of(bill.need("billDate")?.time()?).to_string()));
    if let Some(period) = bill.get("billingPeriod") {
        let from = period.need("startDateTime")?.day()?;
        let until = period.need("endDateTime")?.day()?;
        facts.extend(Days::new(from, until).map(|days| ("Period", shown(days))));
    }
    if let Some(due) = bill.get("paymentDueDate") {
        facts.push(("To be paid by", due.day()?.to_string()));
    }
    Ok(facts)
}

fn totals(bill: &Field<'_>) -> Result<Vec<Total>, Malformed> {
    let mut totals = Vec::new();
    let mut row = |is_strong, name: &str, money: &Money| {
        totals.push(Total { name: name.into(), amount: written(money), is_strong });
    };
    row(false, "Before tax", &bill.need("taxExcludedAmount")?.money()?);
    for tax in bill.items("taxItem")? {
        let category = tax.text_or("taxCategory", "Tax")?;
        let rate = tax.get("taxRate").map(|rate| rate.decimal()).transpose()?;
        let name = match rate {
            Some(rate) => format!("{category} {} %", rate.normalize()),
            None => category.into(),
        };
        row(false, &name, &tax.need("taxAmount")?.money()?);
    }
    row(true, "Amount due", &bill.need("amountDue")?.money()?);
    for payment in bill.items("appliedPayment")? {
        let paid = payment.need("appliedAmount")?.money()?;
        row(false, "Paid", &Money { amount: -paid.amount, ..paid });
    }
    let remaining = bill.need("remainingAmount")?.money()?;
    row(true, "Left to pay", &remaining);
    Ok(totals)
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
