//! Revenue assurance: compares the cost of products with their charges, and every row with its source.
//! A malformed row is a finding, and hides no other.

use commerce::billing::assurance::{self, Fault, Finding};
use commerce::billing::cycle::Cycle;
use commerce::billing::terms::Terms;
use commerce::billing::timeline::Timeline;
use commerce::billing::versions::Versions;
use engine::documents::Document;
use model::pricing::rate;
use serde::Serialize;
use tmf::day::Day;
use tmf::document::Amount;
use tmf::document::product::Product;

use super::Books;
use super::charges::{gone, of_this_life};
use super::faults::{checked, faults};
use super::stored::{
    DOCUMENTS_MAX, Stored, cycle_of, earlier, id_of, rate_of, refused, timeline, values,
    versions_of,
};
use crate::policies::Refusal;

/// The findings before a day.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    until: String,
    finding: Vec<Found>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Found {
    Finding(FoundCharge),
    Fault(FoundFault),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FoundCharge {
    #[serde(rename = "type")]
    kind: &'static str,
    product: ProductId,
    price: String,
    from: String,
    to: String,
    tax_excluded_amount: Amount,
}

#[derive(Debug, Serialize)]
struct FoundFault {
    #[serde(rename = "type")]
    kind: &'static str,
    resource: &'static str,
    id: String,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<ProductId>,
}

#[derive(Debug, Serialize)]
struct ProductId {
    id: String,
}

/// Lists the charges that are missing or not owed, and the other faults, before a day.
pub(crate) fn findings(books: &Books<'_>, until: Day) -> Result<Findings, Refusal> {
    let mut search = Search { until, findings: Vec::new(), faults: Vec::new() };
    books.session.each_document::<Refusal>("product", |product| {
        let id = id_of(&product);
        if id.is_empty() {
            return Ok(());
        }
        let looked = search.look(books, id, &product);
        checked(&mut search.faults, "product", id, looked)?;
        Ok(())
    })?;
    for id in values(books, rate::RESOURCE, "product.id")? {
        if books.session.document("product", &id)?.is_none() {
            let looked = search.look_at_gone(books, &id);
            checked(&mut search.faults, "product", &id, looked)?;
        }
    }
    search.faults.extend(faults(books, until)?);
    let charges = search.findings.into_iter().map(|finding| Found::Finding(finding.into()));
    let faults = search.faults.into_iter().map(|fault| Found::Fault(fault.into()));
    Ok(Findings { until: until.to_string(), finding: charges.chain(faults).collect() })
}

struct Search {
    until: Day,
    findings: Vec<Finding>,
    faults: Vec<Fault>,
}

impl Search {
    fn look(&mut self, books: &Books<'_>, id: &str, product: &Document) -> Result<(), Refusal> {
        let product: Stored<Product> = Stored::read("product", product)?;
        self.faults.extend(assurance::no_account(&product.body));
        let versions = versions_of(books, "product", id, product)?;
        let timeline = timeline(books, &versions)?;
        self.compare(books, id, Some((versions.last(), &timeline)), Some(&versions))
    }

    /// A product that is no longer in the inventory.
    fn look_at_gone(&mut self, books: &Books<'_>, id: &str) -> Result<(), Refusal> {
        let versions = Versions::new(earlier(books, "product", id)?);
        let gone = gone(books, id)?;
        let product = gone.as_ref().map(|sold| (&sold.product, &sold.timeline));
        self.compare(books, id, product, versions.as_ref())
    }

    fn compare(
        &mut self,
        books: &Books<'_>,
        id: &str,
        product: Option<(&Product, &Timeline)>,
        versions: Option<&Versions<Product>>,
    ) -> Result<(), Refusal> {
        let mut known = Vec::new();
        for rate in books.session.documents_by(rate::RESOURCE, "product.id", id, DOCUMENTS_MAX)? {
            match rate_of(&rate) {
                Ok(rate) => known.push(rate),
                // It is reported as a rate; the charges of its product are not known.
                Err(_) => return Ok(()),
            }
        }
        let known = of_this_life(books, id, &known)?;
        let account = product.and_then(|(product, _)| product.account());
        let cycle = account.map_or(Ok(Cycle::default()), |account| cycle_of(books, account))?;
        let terms = match product {
            Some((product, _)) => Terms::of_product(product, &books.rulebooks.current(), cycle),
            None => Terms::general(&books.rulebooks.current(), cycle),
        };
        let wrong = |wrong| refused("product", id, wrong);
        if let Some((product, timeline)) = product {
            let account_at = |at| versions.and_then(|versions| versions.at(at).account());
            let all = assurance::charges::faults(product, timeline, &known, &terms, account_at);
            self.faults.extend(all.map_err(wrong)?);
        }
        let all = assurance::compare(product.as_slice(), &known, self.until, &terms);
        self.findings.extend(all.map_err(wrong)?);
        Ok(())
    }
}

impl From<Finding> for FoundCharge {
    fn from(finding: Finding) -> Self {
        Self {
            kind: finding.kind.as_str(),
            product: ProductId { id: finding.product },
            price: finding.price,
            from: finding.days.from.to_string(),
            to: finding.days.until.before().to_string(),
            tax_excluded_amount: Amount(finding.net),
        }
    }
}

impl From<Fault> for FoundFault {
    fn from(Fault { kind, row, reason }: Fault) -> Self {
        let is_product = row.resource == "product";
        let product = is_product.then(|| ProductId { id: row.id.clone() });
        Self { kind: kind.as_str(), resource: row.resource, id: row.id, reason, product }
    }
}
