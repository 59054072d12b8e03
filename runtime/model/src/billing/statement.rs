//! The bill as a document for people: one HTML file that needs nothing else.

use std::fmt::Write as _;

use serde_json::Value;

use super::amount::written;
use super::day::Days;
use super::field::{Field, Malformed};
use super::rate::Rate;
use super::zone::Zone;
use crate::money::Money;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;\
padding:0 1rem;color:#1a1a1a}table{width:100%;border-collapse:collapse;margin:1.5rem 0}\
th,td{text-align:left;padding:.4rem .6rem .4rem 0;border-bottom:1px solid #ddd;vertical-align:top}\
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\
small{color:#666}tfoot td{border:0}tfoot .t td{border-top:2px solid #1a1a1a;font-weight:600}\
@media print{body{margin:0}}";

/// Writes a bill with its lines. Everything in it that came from elsewhere is escaped.
pub fn html(bill: &Value, rates: &[Rate], zone: Zone) -> Result<String, Malformed> {
    let root = Field::root(bill);
    let number = root.need("billNo")?.text()?;
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Bill {}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>Bill {}</h1>\n",
        escaped(number),
        escaped(number),
    );
    facts(&mut page, &root, zone)?;
    page.push_str(
        "<table>\n<thead><tr><th>What</th><th>For</th><th class=\"n\">Before tax</th>\
         <th class=\"n\">Tax</th></tr></thead>\n<tbody>\n",
    );
    for rate in rates {
        line(&mut page, rate);
    }
    page.push_str("</tbody>\n<tfoot>\n");
    totals(&mut page, &root)?;
    page.push_str("</tfoot>\n</table>\n</body>\n</html>\n");
    Ok(page)
}

/// Who and when.
fn facts(page: &mut String, bill: &Field<'_>, zone: Zone) -> Result<(), Malformed> {
    let mut facts: Vec<(&str, String)> = Vec::new();
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
    page.push_str("<p>");
    for (name, value) in facts {
        let _ = write!(page, "{name}: <strong>{}</strong><br>", escaped(&value));
    }
    page.push_str("</p>\n");
    Ok(())
}

fn line(page: &mut String, rate: &Rate) {
    let days = rate.covers.map(shown).unwrap_or_default();
    let more = match rate.description.as_str() {
        "" => String::new(),
        text => format!("<br><small>{}</small>", escaped(text)),
    };
    let _ = writeln!(
        page,
        "<tr><td>{}{more}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
        escaped(&rate.name),
        escaped(&days),
        escaped(&written(&rate.net)),
        escaped(&written(&rate.tax())),
    );
}

fn totals(page: &mut String, bill: &Field<'_>) -> Result<(), Malformed> {
    let mut row = |class: &str, name: &str, money: &Money| {
        let _ = writeln!(
            page,
            "<tr{class}><td colspan=\"3\">{}</td><td class=\"n\">{}</td></tr>",
            escaped(name),
            escaped(&written(money)),
        );
    };
    row("", "Before tax", &bill.need("taxExcludedAmount")?.money()?);
    for tax in bill.items("taxItem")? {
        let category = tax.text_or("taxCategory", "Tax")?;
        let rate = tax.get("taxRate").map(|rate| rate.decimal()).transpose()?;
        let name = match rate {
            Some(rate) => format!("{category} {} %", rate.normalize()),
            None => category.into(),
        };
        row("", &name, &tax.need("taxAmount")?.money()?);
    }
    row(" class=\"t\"", "Amount due", &bill.need("amountDue")?.money()?);
    for payment in bill.items("appliedPayment")? {
        let paid = payment.need("appliedAmount")?.money()?;
        row("", "Paid", &Money { amount: -paid.amount, ..paid });
    }
    let remaining = bill.need("remainingAmount")?.money()?;
    row(" class=\"t\"", "Left to pay", &remaining);
    Ok(())
}

/// Days as people count them: the first and the last.
fn shown(days: Days) -> String {
    if days.count() == 1 {
        return days.from.to_string();
    }
    format!("{} to {}", days.from, days.until.before())
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests;
