//! Removed documents about a person. No index leads to them, but their earlier versions and their events in the
//! outbox tell of the person as long as they are kept. All removals and events are looked at, slice by slice:
//! erasures are rare, and an index of removed documents would keep what an erasure takes away.

use std::collections::BTreeSet;

use engine::documents::{Document, Error};
use engine::keys;
use engine::store::{Fact, Scan, pages};
use tmf::references::{ids, refers_by};
use tmf::resource::Resource;
use tmf::subscription::{About, OutboxEvent};

use super::{ACCOUNT, FACTS_AT_ONCE, PATHS, Person, PersonError};
use crate::documents::{Documents, Session};

/// Removed documents whose versions are read in one slice.
const REMOVED_AT_ONCE: usize = 32;

/// Looks at a fact, and adds the removed document that it tells of.
type Look = fn(&mut Person, &Session, &Fact) -> Result<(), PersonError>;

impl Person {
    /// Adds the removed documents that refer to one of the names, or to one of their accounts.
    pub(super) async fn with_removed(mut self, documents: &Documents) -> Result<Self, PersonError> {
        // The table has accounts after roles, and an account is created after its role: mostly, each is known
        // when another refers to it.
        for resource in with_versions() {
            let scan = Scan::prefix(keys::all_ended(resource.key), REMOVED_AT_ONCE);
            self = self.looked(documents, scan, Self::look_at_versions).await?;
        }
        let scan = Scan::prefix(keys::OUTBOX, FACTS_AT_ONCE);
        self.looked(documents, scan, Self::look_at_event).await
    }

    async fn looked(
        mut self,
        documents: &Documents,
        mut scan: Scan,
        look: Look,
    ) -> Result<Self, PersonError> {
        loop {
            let slice = scan.clone();
            let looked = documents.slice(move |session| {
                let facts = session.scan(&slice)?;
                for fact in &facts {
                    look(&mut self, session, fact)?;
                }
                let last = facts.into_iter().next_back().map(|(key, _)| key);
                Ok::<_, PersonError>((self, last))
            });
            (self, scan.after) = looked.await?;
            if scan.after.is_none() {
                return Ok(self);
            }
        }
    }

    fn look_at_versions(&mut self, session: &Session, (key, _): &Fact) -> Result<(), PersonError> {
        let Some((resource, id)) = keys::ended_of(key) else { return Ok(()) };
        if self.has(resource, id) || is_there(session, resource, id)? {
            return Ok(());
        }
        let scan = Scan::prefix(keys::versions(resource, id), FACTS_AT_ONCE);
        for page in pages(session.store(), scan) {
            for (_, bytes) in page.map_err(Error::from)? {
                // A damaged version is removed with the others, or not found.
                let Ok(version) = Document::read(&bytes) else { continue };
                if self.are_named(|path, wanted| refers_by(&version.body, path, wanted)) {
                    let engaged = ids(&version.body, "engagedParty");
                    return self.link(resource, id, &engaged);
                }
            }
        }
        Ok(())
    }

    fn look_at_event(&mut self, session: &Session, (_, bytes): &Fact) -> Result<(), PersonError> {
        let Some(event) = OutboxEvent::read(0, bytes) else { return Ok(()) };
        let About::Documents { key, id } = &event.about else { return Ok(()) };
        let mut shown = event.body().into_iter().chain(event.before());
        let names = |body| self.are_named(|path, wanted| refers_by(body, path, wanted));
        let Some(body) = shown.find(|body| names(body)) else { return Ok(()) };
        if self.has(key, id) || is_there(session, key, id)? {
            return Ok(());
        }
        self.link(key, id, &ids(body, "engagedParty"))
    }

    /// Whether a document leads to one of the names or accounts by one of the paths that do.
    fn are_named(&self, leads_to: impl Fn(&str, &BTreeSet<String>) -> bool) -> bool {
        PATHS.iter().any(|path| leads_to(path, &self.names)) || leads_to(ACCOUNT, &self.accounts)
    }
}

/// The resources whose removed documents have versions, and that refer to parties or accounts.
fn with_versions() -> impl Iterator<Item = &'static Resource> {
    let resources = super::resources().filter(|resource| resource.history);
    resources.filter(|resource| {
        let mut paths = PATHS.iter().chain([&ACCOUNT]);
        paths.any(|path| resource.indexed.contains(path))
    })
}

/// Whether there is a document of this id. If it refers to the person, an index leads to it.
fn is_there(session: &Session, resource: &str, id: &str) -> Result<bool, PersonError> {
    Ok(session.get(&keys::document(resource, id))?.is_some())
}
