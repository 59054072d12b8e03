//! The documents for work on a thread that may wait for the disk.

use engine::SetAside;
use engine::documents::{Document, Error, Put, versions};
use engine::keys;
use engine::store::{Fact, Scan, Store, pages};
use model::FulfilmentId;
use tmf::time::Timestamp;

use super::{Documents, Ids};

/// Documents and index entries read from the store at once.
const ENTRIES_AT_ONCE: usize = 256;

/// Reads documents at once, and writes them. [`Documents`] makes it on threads that may wait for
/// the disk; it is not handed to asynchronous code.
pub struct Session(Documents);

impl Session {
    pub(super) fn new(documents: Documents) -> Self {
        Self(documents)
    }

    /// The facts beneath the documents.
    pub fn store(&self) -> &dyn Store {
        &**self.0.0.engine.store()
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.store().get(key)?)
    }

    /// The facts under a prefix.
    pub(crate) fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, Error> {
        Ok(self.store().scan(scan)?)
    }

    /// The document of a resource, as it was last written.
    pub fn document(&self, resource: &str, id: &str) -> Result<Option<Document>, Error> {
        let key = keys::document(resource, id);
        let document = self.get(&key)?.map(|bytes| Document::read_at(&key, &bytes)).transpose();
        let unreadable = &self.0.0.engine.counters().unreadable;
        document.inspect_err(|error| unreadable.note(&key, error))
    }

    /// The document of a resource; `None` also if it is unreadable.
    pub fn readable(&self, resource: &str, id: &str) -> Result<Option<Document>, Error> {
        match self.document(resource, id) {
            Err(Error::Unreadable { .. }) => Ok(None),
            other => other,
        }
    }

    /// The facts of the documents below another, whose ids are its id, a `/` and a name of their own. The id of
    /// another document may begin with both, so a name has no `/`.
    pub(crate) fn below(
        &self,
        resource: &str,
        above: &str,
    ) -> impl Iterator<Item = Result<Fact, Error>> + use<'_> {
        let prefix = keys::document(resource, &format!("{above}/"));
        let length = prefix.len();
        let pages = pages(self.store(), Scan::prefix(prefix, ENTRIES_AT_ONCE));
        let facts = pages.flat_map(|page| match page {
            Ok(facts) => facts.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error.into())],
        });
        facts.filter(move |fact| match fact {
            Ok((key, _)) => key.get(length..).is_some_and(|name| !name.contains(&b'/')),
            Err(_) => true,
        })
    }

    /// The documents among some facts. Unreadable ones are skipped.
    pub(crate) fn read_all<'a>(
        &'a self,
        facts: &'a [Fact],
    ) -> impl Iterator<Item = Document> + use<'a> {
        let unreadable = &self.0.0.engine.counters().unreadable;
        facts.iter().filter_map(|(key, bytes)| unreadable.pass_over(key, bytes))
    }

    /// The document of a fact; `None` if it is unreadable.
    pub(crate) fn read_one(&self, (key, bytes): &Fact) -> Option<Document> {
        self.0.0.engine.counters().unreadable.pass_over(key, bytes)
    }

    /// The documents of a resource with a value of an indexed attribute, in the order of their ids,
    /// at most `limit`.
    pub fn documents_by(
        &self,
        resource: &str,
        path: &str,
        value: &str,
        limit: usize,
    ) -> Result<Vec<Document>, Error> {
        self.documents_where(resource, (path, value), limit, |_| true)
    }

    /// The same, of those that are wanted.
    pub(crate) fn documents_where(
        &self,
        resource: &str,
        (path, value): (&str, &str),
        limit: usize,
        is_wanted: impl Fn(&Document) -> bool,
    ) -> Result<Vec<Document>, Error> {
        let mut found = Vec::new();
        let mut ids = Ids::new(resource, path, value);
        while found.len() < limit {
            let Some(id) = ids.next(self.store())? else { break };
            found.extend(self.readable(resource, &id)?.filter(&is_wanted));
        }
        Ok(found)
    }

    /// The first document of a resource with a value of an indexed attribute for which `is_it` is
    /// true.
    pub(crate) fn first_by(
        &self,
        resource: &str,
        path: &str,
        value: &str,
        is_it: impl Fn(&Document) -> bool,
    ) -> Result<Option<Document>, Error> {
        let mut ids = Ids::new(resource, path, value);
        while let Some(id) = ids.next(self.store())? {
            let found = self.readable(resource, &id)?;
            if let Some(document) = found.filter(&is_it) {
                return Ok(Some(document));
            }
        }
        Ok(None)
    }

    /// All documents of a resource in the order of their ids, page by page; stops at an error.
    pub fn each_document<E: From<Error>>(
        &self,
        resource: &str,
        mut take: impl FnMut(Document) -> Result<(), E>,
    ) -> Result<(), E> {
        for page in pages(self.store(), Scan::prefix(keys::documents(resource), ENTRIES_AT_ONCE)) {
            for document in self.read_all(&page.map_err(Error::from)?) {
                take(document)?;
            }
        }
        Ok(())
    }

    /// The earlier versions of a document, oldest first, at most `limit`.
    pub(crate) fn versions(
        &self,
        resource: &str,
        id: &str,
        limit: usize,
    ) -> Result<Vec<Document>, Error> {
        versions(self.store(), resource, id, limit)
    }

    /// The keys of documents that were found unreadable, and still are.
    pub(crate) fn unreadable(&self) -> Result<Vec<String>, Error> {
        self.0.0.engine.counters().unreadable.current(self.store())
    }

    /// The fulfilments that are quarantined or given up, with the reasons that can be read.
    pub(crate) fn quarantine(&self) -> Result<Vec<(FulfilmentId, Option<SetAside>)>, Error> {
        Ok(self.0.0.engine.quarantine()?)
    }

    /// Writes documents together or not at all; on disk when it returns.
    pub(crate) async fn write(&self, documents: Vec<Put>) -> Result<(), Error> {
        self.0.write(documents).await
    }

    /// What time the engine has.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.0.engine.now()
    }
}
