//! Customers: the complete view of one, notes on contacts, and the merge of two that are one.

mod duplicates;

use commerce::billing::owed::owed;
use engine::documents::{Change, Document, Error, Expected, Put};
use serde::Serialize;
use tmf::document::customer_bill::CustomerBill;
use tmf::document::party::{Customer, WithParties};
use tmf::document::{Reference, read, write};
use tmf::money::Money;
use tmf::resource::{Owner, Resource};
use tmf::table;

pub(crate) use duplicates::Group;

use super::{Draft, Policy, Refusal, stored};
use crate::access::{Permission, Reader, Verb};
use crate::documents::{Documents, Session};

/// The documents of notes on contacts. Their ids begin with the id of the customer.
pub(crate) const INTERACTIONS: &str = "interaction";

/// Max documents of one kind in the view of a customer.
const SHOWN_MAX: usize = 200;

/// Max documents that refer to a customer who is merged into another.
const MERGED_MAX: usize = 10_000;

/// The documents in the view of a customer, and the attributes by which they are found.
const KINDS: [(&str, &str, &str); 7] = [
    ("billingAccount", "billingAccount", "relatedParty.id"),
    ("product", "product", "relatedParty.id"),
    ("productOrder", "productOrder", "relatedParty.id"),
    ("quote", "quote", "relatedParty.id"),
    ("partyRole", "partyRole", "engagedParty.id"),
    ("customerBill", "customerBill", "billingAccount.id"),
    ("usage", "usage", "relatedParty.id"),
];

/// Everything known about a customer, as it is shown.
pub(crate) struct CustomerView {
    pub(crate) customer: Document,
    pub(crate) party: Option<Document>,
    /// The documents of each kind.
    pub(crate) found: Vec<(&'static str, Vec<Document>)>,
    /// The debt, by currency.
    pub(crate) owes: Vec<Money>,
    /// The notes on contacts, oldest first.
    pub(crate) interactions: Vec<Document>,
}

/// The policy of customers and their parties.
pub(crate) struct Customers;

impl Policy for Customers {
    fn governs(&self, resource: &Resource) -> bool {
        duplicates::is_party(resource.key)
    }

    fn check(&self, _: &Session, draft: &mut Draft) -> Result<(), Refusal> {
        duplicates::index(draft)
    }
}

impl Customers {
    /// The view of a customer, of what a reader may see; `None` if there is none of this id for it.
    pub(crate) async fn view(
        documents: &Documents,
        id: &str,
        reader: Reader,
    ) -> Result<Option<CustomerView>, Refusal> {
        let id = id.to_owned();
        documents.read(move |session| view(session, &id, &reader)).await
    }

    /// The notes on contacts with a customer, oldest first.
    pub(crate) async fn interactions(
        documents: &Documents,
        id: &str,
    ) -> Result<Vec<Document>, Error> {
        let id = id.to_owned();
        documents.read(move |session| interactions(session, &id)).await
    }

    /// Merges two customers: documents that refer to the duplicate refer to the other from now on, in
    /// one commit. Orders stay as they were given, and are found through the customer that is left.
    pub(crate) async fn merge(
        documents: &Documents,
        id: &str,
        duplicate: &str,
    ) -> Result<Merged, Refusal> {
        let (id, duplicate) = (id.to_owned(), duplicate.to_owned());
        documents.drive(async move |session| merge(&session, &id, &duplicate).await).await
    }

    /// A page of groups of customers that are likely one, after a key; with the key after which the
    /// next page begins, if there may be one.
    pub(crate) async fn duplicates(
        documents: &Documents,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Group>, Option<String>), Refusal> {
        let after = after.map(str::to_owned);
        let groups = move |session: &Session| duplicates::groups(session, after.as_deref(), limit);
        documents.read(groups).await
    }

    /// The likely duplicates of a new customer or party that a reader may see: the path of each, and
    /// why.
    pub(crate) async fn likely(
        documents: &Documents,
        (resource, id): (&'static str, &str),
        reader: Reader,
    ) -> Result<Vec<(String, String)>, Refusal> {
        if !duplicates::is_party(resource) && resource != "customer" {
            return Ok(Vec::new());
        }
        let id = id.to_owned();
        documents.read(move |session| duplicates::likely(session, (resource, &id), &reader)).await
    }
}

fn view(session: &Session, id: &str, reader: &Reader) -> Result<Option<CustomerView>, Refusal> {
    let document = reader.seen("customer", session.document("customer", id)?);
    let Some(document) = document else { return Ok(None) };
    let customer: Customer = stored("customer", &document)?;
    let party = match customer.party() {
        Some(party) => {
            engaged(session, party)?.and_then(|(key, party)| reader.seen(key, Some(party)))
        }
        None => None,
    };
    let mut names = vec![id.to_owned()];
    names.extend(customer.party().map(str::to_owned));
    names.extend(customer.merged().map(str::to_owned));
    let (mut accounts, mut all, mut owes) = (Vec::new(), Vec::new(), Vec::new());
    for (name, key, path) in KINDS {
        let wanted = if path == "billingAccount.id" { &accounts } else { &names };
        let mut found = Vec::new();
        for value in wanted.iter().filter(|value| !value.is_empty()) {
            let is_seen = |document: &Document| reader.sees(key, &document.body);
            found.extend(session.documents_where(key, (path, value), SHOWN_MAX, is_seen)?);
        }
        found.dedup_by(|one, other| one.body.get("id") == other.body.get("id"));
        if key == "billingAccount" {
            accounts = found.iter().filter_map(id_of).collect();
        }
        if key == "customerBill" {
            // A bill that cannot be read is a finding of revenue assurance, and hides no other.
            let bills: Vec<CustomerBill> =
                found.iter().filter_map(|bill| read(&bill.body).ok()).collect();
            owes = owed(&bills);
        }
        all.push((name, found));
    }
    let may_listen = reader.may(&Permission::own("/customers/interactions", Verb::Read));
    let interactions = if may_listen.is_all() { interactions(session, id)? } else { Vec::new() };
    Ok(Some(CustomerView { customer: document, party, found: all, owes, interactions }))
}

/// A party with its resource: an individual or an organization.
fn engaged(session: &Session, id: &str) -> Result<Option<(&'static str, Document)>, Error> {
    for resource in ["individual", "organization"] {
        if let Some(found) = session.document(resource, id)? {
            return Ok(Some((resource, found)));
        }
    }
    Ok(None)
}

fn interactions(session: &Session, customer: &str) -> Result<Vec<Document>, Error> {
    let facts = session.below(INTERACTIONS, customer).take(SHOWN_MAX);
    let facts = facts.collect::<Result<Vec<_>, Error>>()?;
    Ok(session.read_all(&facts).collect())
}

/// The result of a merge.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Merged {
    id: String,
    merged: String,
    documents_moved: usize,
}

async fn merge(session: &Session, id: &str, duplicate: &str) -> Result<Merged, Refusal> {
    if id == duplicate {
        return Err(Refusal::unprocessable("duplicate", "a customer is no duplicate of itself"));
    }
    let missing =
        |path: &str, id: &str| Refusal::unprocessable(path, format!("there is no customer `{id}`"));
    let found = session.document("customer", id)?.ok_or_else(|| missing("id", id))?;
    let other = session.document("customer", duplicate)?;
    let other = other.ok_or_else(|| missing("duplicate", duplicate))?;
    let mut puts = Vec::new();
    let resources = table::APIS.iter().flat_map(|api| api.resources);
    for resource in resources.filter(|resource| is_moved(resource)) {
        let left = MERGED_MAX - puts.len().min(MERGED_MAX);
        for document in session.documents_by(resource.key, "relatedParty.id", duplicate, left)? {
            puts.extend(referred(resource, &document, duplicate, id)?);
        }
    }
    if puts.len() >= MERGED_MAX {
        let message = format!("more than {MERGED_MAX} documents refer to it");
        return Err(Refusal::conflict("duplicate", message));
    }
    let documents_moved = puts.len();
    let mut customer: Customer = stored("customer", &found)?;
    let gone: Customer = stored("customer", &other)?;
    customer.merged_customer.extend(gone.merged_customer);
    customer.merged_customer.push(Reference::of("Customer", duplicate));
    let expected = Expected::Revision(found.revision);
    puts.push(Put::new("customer", id, Change::Set(write(&customer)), expected));
    let expected = Expected::Revision(other.revision);
    puts.push(Put::new("customer", duplicate, Change::Remove, expected));
    session.write(puts).await?;
    Ok(Merged { id: id.into(), merged: duplicate.into(), documents_moved })
}

/// Whether documents of a resource are changed by a merge: clients own them, and they have an index
/// of their parties. Only the first of several resources with the same documents counts.
fn is_moved(resource: &Resource) -> bool {
    let first = table::of_key(resource.key);
    resource.owner == Owner::Client
        && first.is_some_and(|(_, first)| std::ptr::eq(first, resource))
        && resource.indexed.contains(&"relatedParty.id")
}

/// The change of a document that refers to another customer from now on; `None` if it has no id.
fn referred(
    resource: &'static Resource,
    document: &Document,
    from: &str,
    to: &str,
) -> Result<Option<Put>, Refusal> {
    let mut body: WithParties = stored(resource.key, document)?;
    for party in body.related_party.iter_mut().filter(|party| party.is_to(from)) {
        party.id = Some(to.into());
        party.href = None;
    }
    let change = Change::Set(write(&body));
    let Some(id) = body.id else { return Ok(None) };
    Ok(Some(Put::new(resource.key, id, change, Expected::Revision(document.revision))))
}

fn id_of(document: &Document) -> Option<String> {
    Some(document.body.get("id")?.as_str()?.to_string())
}
