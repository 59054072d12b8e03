//! The documents of billing as they are stored, read as their types.

use commerce::billing::cycle::Cycle;
use commerce::billing::timeline::Timeline;
use commerce::billing::versions::Versions;
use engine::documents::Document;
use engine::keys;
use engine::store::{Direction, Scan};
use model::pricing::rate::{self, Rate};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tmf::Malformed;
use tmf::document;
use tmf::document::account::BillingAccount;
use tmf::document::customer_bill::AppliedRate;
use tmf::document::product::Product;
use tmf::document::usage::Usage;
use tmf::time::Timestamp;

use super::Books;
use crate::policies::Refusal;

/// Max documents of one product or one account that are read.
pub(super) const DOCUMENTS_MAX: usize = 100_000;

/// A stored document as its type, with its revision and the time since which it is so.
pub(super) struct Stored<T> {
    pub(super) body: T,
    pub(super) revision: u64,
    pub(super) since: Timestamp,
}

impl<T: DeserializeOwned> Stored<T> {
    pub(super) fn read(resource: &'static str, document: &Document) -> Result<Self, Refusal> {
        let &Document { revision, since, .. } = document;
        Ok(Self { body: read(resource, document)?, revision, since })
    }

    /// The document of an id; `None` if there is none.
    pub(super) fn find(
        books: &Books<'_>,
        resource: &'static str,
        id: &str,
    ) -> Result<Option<Self>, Refusal> {
        books
            .session
            .document(resource, id)?
            .map(|document| Self::read(resource, &document))
            .transpose()
    }

    /// The documents with a value of an indexed attribute.
    pub(super) fn by(
        books: &Books<'_>,
        resource: &'static str,
        path: &'static str,
        value: &str,
    ) -> Result<Vec<Self>, Refusal> {
        let documents = books.session.documents_by(resource, path, value, DOCUMENTS_MAX)?;
        documents.iter().map(|document| Self::read(resource, document)).collect()
    }
}

/// Reads a stored document. The error names the document and the attribute.
pub(super) fn read<T: DeserializeOwned>(
    resource: &'static str,
    document: &Document,
) -> Result<T, Refusal> {
    document::read(&document.body).map_err(|wrong| refused(resource, id_of(document), wrong))
}

/// The id of a stored document, which may be malformed otherwise.
pub(super) fn id_of(document: &Document) -> &str {
    document.body.get("id").and_then(Value::as_str).unwrap_or_default()
}

/// The billing account of a stored document, which may be malformed otherwise.
pub(super) fn account_of(document: &Document) -> Option<&str> {
    document.body.pointer("/billingAccount/id").and_then(Value::as_str)
}

/// A stored document cannot be billed as it is.
pub(super) fn refused(resource: &'static str, id: &str, wrong: Malformed) -> Refusal {
    Refusal::Row { resource, id: id.to_owned(), wrong }
}

/// The product with all its versions. The versions of a removed product of the same id are not among
/// them. An earlier version that cannot be read is passed over.
pub(super) fn versions_of<T: DeserializeOwned>(
    books: &Books<'_>,
    resource: &'static str,
    id: &str,
    present: Stored<T>,
) -> Result<Versions<T>, Refusal> {
    let mut all = earlier(books, resource, id)?;
    all.push((present.since, present.body));
    Ok(Versions::new(all).expect("the present version is one"))
}

/// The earlier versions of a document that can be read.
pub(super) fn earlier<T: DeserializeOwned>(
    books: &Books<'_>,
    resource: &'static str,
    id: &str,
) -> Result<Vec<(Timestamp, T)>, Refusal> {
    let earlier = books.session.versions(resource, id, DOCUMENTS_MAX)?;
    let read = |version: &Document| Some((version.since, document::read(&version.body).ok()?));
    Ok(earlier.iter().filter_map(read).collect())
}

/// The timeline of a product by its versions.
pub(super) fn timeline(
    books: &Books<'_>,
    versions: &Versions<Product>,
) -> Result<Timeline, Refusal> {
    Timeline::of_versions(versions, books.settings.zone)
        .map_err(|wrong| refused("product", &versions.last().id, wrong))
}

/// The rates of a product or an account.
pub(super) fn rates(books: &Books<'_>, path: &'static str, id: &str) -> Result<Vec<Rate>, Refusal> {
    let rates = books.session.documents_by(rate::RESOURCE, path, id, DOCUMENTS_MAX)?;
    rates.iter().map(read_rate).collect()
}

pub(super) fn read_rate(document: &Document) -> Result<Rate, Refusal> {
    rate_of(document).map_err(|wrong| refused(rate::RESOURCE, id_of(document), wrong))
}

pub(super) fn rate_of(document: &Document) -> Result<Rate, Malformed> {
    document::read::<AppliedRate>(&document.body).and_then(|rate| Rate::read(&rate))
}

/// The rates on a bill.
pub(super) fn lines_of(books: &Books<'_>, bill: &str) -> Result<Vec<Rate>, Refusal> {
    rates(books, "bill.id", bill)
}

/// The usage of a product.
pub(super) fn usages_of(books: &Books<'_>, product: &str) -> Result<Vec<Stored<Usage>>, Refusal> {
    Stored::by(books, "usage", "ratedProductUsage.productRef.id", product)
}

/// The cycle of an account.
pub(super) fn cycle_of(books: &Books<'_>, account: &str) -> Result<Cycle, Refusal> {
    let Some(document) = books.session.document("billingAccount", account)? else {
        return Ok(Cycle::default());
    };
    let body: BillingAccount = read("billingAccount", &document)?;
    let id = body.cycle().and_then(|cycle| cycle.id.as_deref());
    let specification = match id {
        Some(id) => books.session.document("billingCycleSpecification", id)?,
        None => None,
    };
    match specification {
        Some(found) => {
            let found = read("billingCycleSpecification", &found)?;
            Cycle::of_account(&body, Some(&found)).map_err(|wrong| {
                refused("billingCycleSpecification", id.unwrap_or_default(), wrong)
            })
        }
        None => Cycle::of_account(&body, None)
            .map_err(|wrong| refused("billingAccount", account, wrong)),
    }
}

/// The distinct values of an indexed attribute: the scan skips the other documents of each value.
pub(super) fn values(
    books: &Books<'_>,
    resource: &str,
    path: &str,
) -> Result<Vec<String>, Refusal> {
    let mut prefix = keys::entries(resource, path, "");
    prefix.pop();
    let mut scan = Scan { prefix, after: None, limit: 1, direction: Direction::Forward };
    let mut found = Vec::new();
    while let Some((key, _)) = books.session.scan(&scan)?.pop() {
        let rest = key.get(scan.prefix.len()..).unwrap_or_default();
        let value = rest.split(|byte| *byte == 0).next().unwrap_or_default();
        // Past all ids of this value, which follow a zero.
        scan.after = Some([scan.prefix.as_slice(), value, &[1]].concat());
        found.push(String::from_utf8_lossy(value).into_owned());
    }
    Ok(found)
}
