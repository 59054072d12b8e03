//! A person in the data: everything about them is gathered, exported and erased.
//!
//! A person is a party (an individual or an organization), with the customers and roles that it plays.
//! Erasing keeps every document with its id, amounts, dates and states, so books and references hold; it
//! takes away what [`tmf::personal`] lists, the earlier versions, the journals of ended orders with what
//! plugins logged and exchanged, and the copies in the outbox. It is refused while the person has
//! something that is in use or open.

mod removed;

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::documents::{Change, Document, Error, Expected, Put};
use engine::keys;
use engine::store::{Scan, Write, pages};
use model::FulfilmentId;
use serde::Serialize;
use serde_json::Value;
use tmf::erasure::Extent;
use tmf::resource::Resource;
use tmf::subscription::{About, OutboxEvent};
use tmf::table;
use tmf::uses::USES;

use crate::documents::{Documents, Ids, Session};
use crate::events::dead_letters::DeadLetter;
use crate::policies::crm::{Customers, INTERACTIONS};
use crate::policies::{Draft, Policy as _, Refusal};
use crate::retention::{self, RetentionError};

/// The paths by which documents refer to a party or its roles.
const PATHS: [&str; 4] = [
    "relatedParty.id",
    "engagedParty.id",
    "relatedParty.partyOrPartyRole.id",
    "organizationParentRelationship.organization.id",
];

/// The path by which roles refer to their party.
const ENGAGED: &str = "engagedParty.id";

/// The path by which documents refer to the account of a person.
const ACCOUNT: &str = "billingAccount.id";

/// The resources that are the person, and those that it plays.
const PARTIES: [&str; 2] = ["individual", "organization"];
const ROLES: [&str; 2] = ["customer", "partyRole"];

const BILLED: &str = "billingAccount";

const ORDERS: [&str; 3] = ["productOrder", "serviceOrder", "resourceOrder"];

/// Max documents about one person.
pub(crate) const DOCUMENTS_MAX: usize = 20_000;

/// Documents changed in one commit.
const CHANGED_AT_ONCE: usize = 200;

/// Facts read at once.
const FACTS_AT_ONCE: usize = 256;

/// Earlier versions that are read of one document.
const VERSIONS_MAX: usize = 1_000;

/// A document by the key of its resource, and its id.
type Place = (String, String);

/// Everything about a person.
#[derive(Debug, Default)]
pub(crate) struct Person {
    /// The id of the party.
    party: String,
    /// The ids of the party and of its roles.
    names: BTreeSet<String>,
    /// The ids of their billing accounts.
    accounts: BTreeSet<String>,
    places: BTreeSet<Place>,
}

/// One document about a person, as it is exported.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    resource: String,
    revision: u64,
    document: Value,
}

/// What an erasure did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Erased {
    /// Documents that were changed.
    pub(crate) documents: usize,
    /// Earlier versions that were removed.
    pub(crate) versions: usize,
    /// Ended orders whose journals were removed.
    pub(crate) journals: usize,
    /// Events in the outbox that were changed.
    pub(crate) events: usize,
}

/// Why a person is not exported or erased.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PersonError {
    #[error("there is no individual or organization `{0}`")]
    Unknown(String),
    #[error("more than {DOCUMENTS_MAX} documents are about this person")]
    TooMany,
    /// Something of theirs is open or in use.
    #[error("the {resource} `{id}` is not over: end or close it first")]
    InUse { resource: String, id: String },
    #[error("the entries by which duplicates are found cannot be read")]
    Entries(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] Error),
    #[error(transparent)]
    Retention(#[from] RetentionError),
}

/// Reads everything about a person: current documents, and earlier versions, also of removed documents.
pub(crate) async fn export(documents: &Documents, id: &str) -> Result<Vec<Line>, PersonError> {
    let person = Person::gather(documents, id).await?;
    let read = documents.slice(move |session| {
        let mut lines = Vec::new();
        for (resource, id) in &person.places {
            let versions = session.versions(resource, id, VERSIONS_MAX)?;
            for document in versions.into_iter().chain(session.readable(resource, id)?) {
                let Document { revision, body, .. } = document;
                lines.push(Line { resource: resource.into(), revision, document: body });
            }
        }
        Ok::<_, PersonError>(lines)
    });
    read.await
}

/// Erases a person. It is done in several commits: after a crash, or an error, it is continued by doing
/// it again.
pub(crate) async fn erase_person(documents: &Documents, id: &str) -> Result<Erased, PersonError> {
    let person = Arc::new(Person::gather(documents, id).await?);
    let own = Arc::clone(&person);
    documents.slice(move |session| own.must_be_over(session)).await?;
    let mut erased = Erased::default();
    for (_, order) in person.places.iter().filter(|(key, _)| ORDERS.contains(&key.as_str())) {
        let id = FulfilmentId::new(order);
        let journal = keys::journal_prefix(&id);
        let has_journal = documents.read(move |session| {
            Ok::<_, Error>(!session.scan(&Scan::prefix(journal, 1))?.is_empty())
        });
        if has_journal.await? {
            retention::remove(documents, &id).await?;
            erased.journals += 1;
        }
    }
    // Versions of roles and accounts are the last to go: after a crash they lead to the rest again, if the
    // documents are removed. Accounts go before the roles that lead to them.
    let (trail, others): (Vec<Place>, Vec<Place>) =
        person.places.iter().cloned().partition(|(key, _)| leads_on(key));
    for some in trail.chunks(CHANGED_AT_ONCE).chain(others.chunks(CHANGED_AT_ONCE)) {
        let (own, all) = (some.to_vec(), Arc::clone(&person));
        let puts = documents.read(move |session| changes(session, &all, &own)).await?;
        erased.documents += puts.len();
        documents.write(puts).await?;
    }
    // A change keeps the version before it, so versions are removed after it.
    erased.versions += erase_versions(documents, others).await?;
    erased.events = erase_events(documents, &person).await?;
    erased.versions += erase_versions(documents, trail).await?;
    Ok(erased)
}

/// Whether documents of a resource lead to others that are about the person.
fn leads_on(resource: &str) -> bool {
    resource == BILLED || ROLES.contains(&resource)
}

impl Person {
    async fn gather(documents: &Documents, id: &str) -> Result<Self, PersonError> {
        let id = id.to_owned();
        let mut person = documents.slice(move |session| Self::of_party(session, id)).await?;
        loop {
            let current = documents.slice(move |session| {
                person.add_roles(session)?;
                person.add_referring(session)?;
                Ok::<_, PersonError>(person)
            });
            person = current.await?;
            let known = person.names.len() + person.accounts.len();
            person = person.with_removed(documents).await?;
            if person.names.len() + person.accounts.len() == known {
                return Ok(person);
            }
        }
    }

    /// The party alone, which may be removed.
    fn of_party(session: &Session, id: String) -> Result<Self, PersonError> {
        let mut person = Self::default();
        for key in PARTIES {
            let is_known = session.document(key, &id)?.is_some();
            if is_known || session.get(&keys::ended(key, &id))?.is_some() {
                person.add(key, &id)?;
            }
        }
        if person.places.is_empty() {
            return Err(PersonError::Unknown(id));
        }
        person.names.insert(id.clone());
        Ok(Self { party: id, ..person })
    }

    /// Adds the roles of the party, and the notes on contacts with them.
    fn add_roles(&mut self, session: &Session) -> Result<(), PersonError> {
        for key in ROLES {
            for found in ids_by(session, key, ENGAGED, &self.party)? {
                self.add(key, &found)?;
                self.names.insert(found);
            }
        }
        for name in self.names.clone() {
            for fact in session.below(INTERACTIONS, &name) {
                if let Some((resource, id)) = keys::document_of(&fact?.0) {
                    self.add(resource, id)?;
                }
            }
        }
        Ok(())
    }

    /// Adds the documents that refer to one of the names, or to one of their accounts.
    fn add_referring(&mut self, session: &Session) -> Result<(), PersonError> {
        for (resource, path) in indexed(&PATHS) {
            for name in self.names.clone() {
                for id in ids_by(session, resource.key, path, &name)? {
                    self.add(resource.key, &id)?;
                    if resource.key == BILLED {
                        self.accounts.insert(id);
                    }
                }
            }
        }
        for (resource, path) in indexed(&[ACCOUNT]) {
            for account in self.accounts.clone() {
                for id in ids_by(session, resource.key, path, &account)? {
                    self.add(resource.key, &id)?;
                }
            }
        }
        Ok(())
    }

    /// Adds a document that refers to one of the names or accounts, with the parties that it is a role of.
    fn link(&mut self, resource: &str, id: &str, engaged: &[&str]) -> Result<(), PersonError> {
        self.add(resource, id)?;
        if resource == BILLED {
            self.accounts.insert(id.into());
        }
        if ROLES.contains(&resource) && engaged.contains(&self.party.as_str()) {
            self.names.insert(id.into());
        }
        Ok(())
    }

    fn has(&self, resource: &str, id: &str) -> bool {
        self.places.contains(&(resource.into(), id.into()))
    }

    fn add(&mut self, resource: &str, id: &str) -> Result<(), PersonError> {
        self.places.insert((resource.into(), id.into()));
        if self.places.len() > DOCUMENTS_MAX { Err(PersonError::TooMany) } else { Ok(()) }
    }

    /// Refuses while a document that uses one of the parties is not over.
    fn must_be_over(&self, session: &Session) -> Result<(), PersonError> {
        let own = self.places.iter().filter(|(key, id)| is_party(key) && self.names.contains(id));
        for (key, id) in own {
            let Some((_, resource)) = table::of_key(key) else { continue };
            for found in USES.iter().filter(|found| found.of.contains(&key.as_str())) {
                let by = session.first_by(found.by, &found.indexed(), id, |document| {
                    found.keeps(&document.body, resource, id)
                })?;
                if let Some(id) = by.and_then(|by| by.body.get("id")?.as_str().map(str::to_owned)) {
                    return Err(PersonError::InUse { resource: found.by.into(), id });
                }
            }
        }
        for (_, id) in self.places.iter().filter(|(key, _)| ORDERS.contains(&key.as_str())) {
            if session.get(&keys::open(&FulfilmentId::new(id)))?.is_some() {
                return Err(PersonError::InUse { resource: "order".into(), id: id.into() });
            }
        }
        Ok(())
    }

    /// How the person is erased in a document. Another party, or its role, keeps its own values, and loses those of
    /// the references to the person.
    fn extent(&self, resource: &str, id: &str) -> Extent<impl Fn(&str) -> bool> {
        match is_party(resource) && !self.names.contains(id) {
            true => Extent::References(|id: &str| self.names.contains(id)),
            false => Extent::All(resource.into()),
        }
    }

    /// A copy of a document without the person: of the outbox, or a dead letter; `None` if nothing of it is
    /// about the person.
    fn erased(&self, key: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
        if key.starts_with(keys::DEAD_LETTERS) {
            let mut letter = DeadLetter::read(bytes)?;
            let extent = |id: &str| {
                let place = self.places.iter().find(|(_, own)| own == id);
                place.map(|(resource, id)| self.extent(resource, id))
            };
            return letter.erase(extent).then(|| letter.to_bytes());
        }
        let mut event = OutboxEvent::read(0, bytes)?;
        let (key, id) = match &event.about {
            About::Documents { key, id } => (key.to_owned(), id.to_owned()),
            About::Topic { .. } => return None,
        };
        let is_shown = self.has(&key, &id);
        let is_erased = is_shown && event.erase(|body| self.extent(&key, &id).erase(body));
        is_erased.then(|| event.to_bytes())
    }
}

/// Removes the earlier versions of some documents; returns how many there were.
async fn erase_versions(documents: &Documents, places: Vec<Place>) -> Result<usize, PersonError> {
    let mut erased = 0;
    for some in places.chunks(CHANGED_AT_ONCE) {
        let own = some.to_vec();
        let writes = documents.read(move |session| versions(session, &own)).await?;
        erased += writes.len();
        if !writes.is_empty() {
            documents.engine().append(writes, Vec::new()).await?;
        }
    }
    Ok(erased)
}

/// The writes that remove the earlier versions of some documents.
fn versions(session: &Session, places: &[Place]) -> Result<Vec<Write>, Error> {
    let mut writes = Vec::new();
    for (resource, id) in places {
        let scan = Scan::prefix(keys::versions(resource, id), FACTS_AT_ONCE);
        for page in pages(session.store(), scan) {
            writes.extend(page?.into_iter().map(|(key, _)| (key, None)));
        }
    }
    Ok(writes)
}

/// Whether a resource is one of parties or of their roles.
fn is_party(resource: &str) -> bool {
    PARTIES.contains(&resource) || ROLES.contains(&resource)
}

/// The changes that erase the person in some documents.
fn changes(session: &Session, person: &Person, places: &[Place]) -> Result<Vec<Put>, PersonError> {
    let mut puts = Vec::new();
    for (resource, id) in places {
        let Some(before) = session.readable(resource, id)? else { continue };
        let mut after = before.clone();
        if person.extent(resource, id).erase(&mut after.body) == 0 {
            continue;
        }
        let expected = Expected::Revision(before.revision);
        puts.push(Put::new(resource, id, Change::Set(after.body.clone()), expected).quiet());
        if let Some((_, resource)) = table::of_key(resource) {
            let mut draft = Draft::erasing(resource, id, [before, after], session.now());
            Customers.check(session, &mut draft)?;
            puts.append(&mut draft.more);
        }
    }
    Ok(puts)
}

/// Erases the person in the copies that the outbox has, and in dead letters.
async fn erase_events(documents: &Documents, person: &Arc<Person>) -> Result<usize, PersonError> {
    let mut changed = 0;
    for prefix in [keys::OUTBOX, keys::DEAD_LETTERS] {
        let mut after = None;
        loop {
            let person = Arc::clone(person);
            let scan = Scan { after, ..Scan::prefix(prefix, FACTS_AT_ONCE) };
            let page = documents.slice(move |session| {
                let facts = session.scan(&scan)?;
                let last = facts.last().map(|(key, _)| key.clone());
                let writes = facts.into_iter().filter_map(|(key, bytes)| {
                    let bytes = person.erased(&key, &bytes)?;
                    Some((key, Some(bytes)))
                });
                Ok::<_, Error>((writes.collect::<Vec<Write>>(), last))
            });
            let (writes, last) = page.await?;
            changed += writes.len();
            if !writes.is_empty() {
                documents.engine().append(writes, Vec::new()).await?;
            }
            let Some(last) = last else { break };
            after = Some(last);
        }
    }
    Ok(changed)
}

/// The resources with an index of one of some paths, each resource once for each path.
fn indexed(paths: &[&'static str]) -> impl Iterator<Item = (&'static Resource, &'static str)> {
    let all =
        resources().flat_map(|resource| resource.indexed.iter().map(move |path| (resource, *path)));
    all.filter(|(_, path)| paths.contains(path))
}

/// All resources, each key once.
fn resources() -> impl Iterator<Item = &'static Resource> {
    let resources = table::APIS.iter().flat_map(|api| api.resources);
    resources.filter(|resource| {
        table::of_key(resource.key).is_some_and(|(_, first)| std::ptr::eq(first, *resource))
    })
}

/// The ids of the documents of a resource with a value of an indexed attribute.
fn ids_by(
    session: &Session,
    resource: &str,
    path: &str,
    value: &str,
) -> Result<Vec<String>, PersonError> {
    let mut found = Vec::new();
    let mut ids = Ids::new(resource, path, value);
    while let Some(id) = ids.next(session.store())? {
        found.push(id);
        if found.len() > DOCUMENTS_MAX {
            return Err(PersonError::TooMany);
        }
    }
    Ok(found)
}
