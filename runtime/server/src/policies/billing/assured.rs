//! Revenue assurance: compares the cost of products with their charges, and every row with its
//! source. A row that cannot be read is a finding, and hides no other.

use commerce::billing::assurance::{self, Fault, Finding};
use commerce::billing::cycle::Cycle;
use commerce::billing::terms::Terms;
use commerce::billing::timeline::Timeline;
use engine::documents::Document;
use model::pricing::rate;
use serde_json::{Value, json};
use tmf::day::Day;
use tmf::time::Timestamp;

use super::charges::{cycle_of, gone, of_this_life};
use super::faults::{faults, told};
use super::run::values;
use super::{Books, past, rates, read_rate, refused, timeline};
use crate::policies::Refusal;

/// Lists what is owed and not charged, charged and not owed, and wrong otherwise, before a day.
pub(crate) fn findings(books: &Books<'_>, until: Day) -> Result<Value, Refusal> {
    let mut found = Found { until, findings: Vec::new(), faults: Vec::new() };
    books.session.each_document::<Refusal>("product", |product| {
        let Some(id) = product.body.get("id").and_then(Value::as_str) else { return Ok(()) };
        found.faults.extend(assurance::no_account(&product.body));
        let looked = found.look(books, id, &product);
        told(&mut found.faults, "product", id, looked)?;
        Ok(())
    })?;
    for id in values(books, rate::RESOURCE, "product.id")? {
        if books.session.document("product", &id)?.is_none() {
            let looked = found.look_at_gone(books, &id);
            told(&mut found.faults, "product", &id, looked)?;
        }
    }
    found.faults.extend(faults(books, until)?);
    let findings = found.findings.iter().map(finding).chain(found.faults.iter().map(fault));
    Ok(json!({ "until": until.to_string(), "finding": findings.collect::<Vec<_>>() }))
}

struct Found {
    until: Day,
    findings: Vec<Finding>,
    faults: Vec<Fault>,
}

impl Found {
    fn look(&mut self, books: &Books<'_>, id: &str, product: &Document) -> Result<(), Refusal> {
        let mut versions = past(books, id)?;
        versions.push((product.since, product.body.clone()));
        let timeline = timeline(books, product)?;
        self.compare(books, id, Some((&product.body, timeline)), &versions)
    }

    /// A product that the inventory does not have any more.
    fn look_at_gone(&mut self, books: &Books<'_>, id: &str) -> Result<(), Refusal> {
        let versions = past(books, id)?;
        let gone = gone(books, id)?;
        let product = gone.as_ref().map(|(product, timeline)| (product, timeline.clone()));
        self.compare(books, id, product, &versions)
    }

    fn compare(
        &mut self,
        books: &Books<'_>,
        id: &str,
        product: Option<(&Value, Timeline)>,
        versions: &[(Timestamp, Value)],
    ) -> Result<(), Refusal> {
        let mut known = Vec::new();
        for rate in rates(books, "product.id", id)? {
            match read_rate(&rate) {
                Ok(rate) => known.push(rate),
                // It is reported as a rate; the charges of its product are not known.
                Err(_) => return Ok(()),
            }
        }
        let known = of_this_life(books, id, &known)?;
        let account = product.as_ref().and_then(|(product, _)| account_of(product));
        let cycle = account.map_or(Ok(Cycle::default()), |account| cycle_of(books, &account))?;
        let document = product.as_ref().map_or(&Value::Null, |(product, _)| product);
        let terms = Terms::of_product(document, &books.rulebooks.current(), cycle);
        let wrong = |wrong| refused("product", id, &wrong);
        if let Some((product, timeline)) = &product {
            let account_at = |at| {
                let then = versions.iter().rev().find(|(since, _)| *since <= at);
                account_of(&then.or_else(|| versions.first())?.1)
            };
            let all = assurance::charges::faults(product, timeline, &known, &terms, account_at);
            self.faults.extend(all.map_err(wrong)?);
        }
        let products: Vec<(Value, Timeline)> =
            product.into_iter().map(|(product, timeline)| (product.clone(), timeline)).collect();
        let all = assurance::compare(&products, &known, self.until, &terms).map_err(wrong)?;
        self.findings.extend(all);
        Ok(())
    }
}

fn account_of(product: &Value) -> Option<String> {
    Some(product.pointer("/billingAccount/id")?.as_str()?.to_owned())
}

fn finding(finding: &Finding) -> Value {
    json!({
        "type": finding.kind.as_str(),
        "product": { "id": finding.product },
        "price": finding.price,
        "from": finding.days.from.to_string(),
        "to": finding.days.until.before().to_string(),
        "taxExcludedAmount": finding.net.to_tmf(),
    })
}

fn fault(fault: &Fault) -> Value {
    let Fault { kind, row, reason } = fault;
    let mut told =
        json!({ "type": kind.as_str(), "resource": row.resource, "id": row.id, "reason": reason });
    if row.resource == "product" {
        told["product"] = json!({ "id": row.id });
    }
    told
}
