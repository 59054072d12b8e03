//! The documents of all resources: read, found by an attribute, and written.

use engine::documents::{Document, Error, Put};
use engine::keys;
use engine::store::{Fact, Scan};
use tmf::index;

use super::{App, aside, aside_of_bytes};

/// So many ways to documents are read from the store at once.
const ENTRIES_AT_ONCE: usize = 256;

impl App {
    /// The document of a resource, as it was last written.
    pub fn document(&self, resource: &str, id: &str) -> Result<Option<Document>, Error> {
        let key = keys::document(resource, id);
        let bytes = self.engine.store().get(&key)?;
        let read = |bytes: Vec<u8>| aside_of_bytes(&bytes, |bytes| Document::read_at(&key, bytes));
        let document = bytes.map(read).transpose();
        document.inspect_err(|error| self.engine.counters().unreadable.note(&key, error))
    }

    /// The same for whoever looks at many: what cannot be read is passed over.
    pub(crate) fn readable(&self, resource: &str, id: &str) -> Result<Option<Document>, Error> {
        match self.document(resource, id) {
            Err(Error::Unreadable { .. }) => Ok(None),
            other => other,
        }
    }

    /// The documents among some facts. What cannot be read is passed over.
    pub(crate) fn read_all<'a>(
        &'a self,
        facts: &'a [Fact],
    ) -> impl Iterator<Item = Document> + use<'a> {
        let unreadable = &self.engine.counters().unreadable;
        facts.iter().filter_map(|(key, bytes)| unreadable.pass_over(key, bytes))
    }

    /// The documents of a resource that have this value of an indexed attribute, in the order of
    /// their ids; at the most so many.
    pub fn documents_by(
        &self,
        resource: &str,
        path: &str,
        value: &str,
        limit: usize,
    ) -> Result<Vec<Document>, Error> {
        aside(|| {
            let mut found = Vec::new();
            let mut ids = Ids::new(resource, path, value);
            while found.len() < limit {
                let Some(id) = ids.next(&**self.engine.store())? else { break };
                found.extend(self.readable(resource, &id)?);
            }
            Ok(found)
        })
    }

    /// The first document of a resource that has this value of an indexed attribute and is what is
    /// looked for.
    pub(crate) fn first_by(
        &self,
        resource: &str,
        path: &str,
        value: &str,
        is_it: impl Fn(&Document) -> bool,
    ) -> Result<Option<Document>, Error> {
        aside(|| {
            let mut ids = Ids::new(resource, path, value);
            while let Some(id) = ids.next(&**self.engine.store())? {
                let found = self.readable(resource, &id)?;
                if let Some(document) = found.filter(&is_it) {
                    return Ok(Some(document));
                }
            }
            Ok(None)
        })
    }

    /// All documents of a resource in the order of their ids, page by page; stops at an error.
    pub fn each_document<E: From<Error>>(
        &self,
        resource: &str,
        mut take: impl FnMut(Document) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut scan = Scan::prefix(keys::documents(resource), ENTRIES_AT_ONCE);
        aside(|| {
            loop {
                let page = self.engine.store().scan(&scan).map_err(Error::from)?;
                scan.after = page.last().map(|(key, _)| key.clone());
                for document in self.read_all(&page) {
                    take(document)?;
                }
                if page.len() < ENTRIES_AT_ONCE {
                    return Ok(());
                }
            }
        })
    }

    /// Writes documents together or not at all; on disk when it returns. After a conflict a read
    /// shows what the batch conflicted with: that may have been on its way to the disk.
    pub async fn write(&self, documents: Vec<Put>) -> Result<(), Error> {
        let written = self.engine.write(documents).await;
        if matches!(written, Err(Error::Conflict { .. })) {
            self.engine.append(Vec::new(), Vec::new()).await?;
        }
        written
    }
}

/// The ids of the documents that have a value of an indexed attribute, in order, read as needed.
pub(crate) struct Ids {
    scan: Scan,
    page: std::vec::IntoIter<String>,
    is_last: bool,
}

impl Ids {
    /// Nothing is read yet. The value is as it stands in a document.
    pub(crate) fn new(resource: &str, path: &str, value: &str) -> Self {
        let prefix = keys::entries(resource, path, &index::value(value));
        let scan = Scan::prefix(prefix, ENTRIES_AT_ONCE);
        Self { scan, page: Vec::new().into_iter(), is_last: false }
    }

    /// Begins after an id.
    pub(crate) fn begin_after(&mut self, id: &str) {
        let after = [self.scan.prefix.as_slice(), id.as_bytes()].concat();
        self.scan.after = Some(after);
        self.page = Vec::new().into_iter();
        self.is_last = false;
    }

    /// The next id; nothing where there is no more.
    pub(crate) fn next(
        &mut self,
        store: &dyn engine::store::Store,
    ) -> Result<Option<String>, Error> {
        if let Some(id) = self.page.next() {
            return Ok(Some(id));
        }
        if self.is_last {
            return Ok(None);
        }
        let page = store.scan(&self.scan)?;
        self.is_last = page.len() < ENTRIES_AT_ONCE;
        self.scan.after = page.last().map(|(key, _)| key.clone());
        let begin = self.scan.prefix.len();
        let id = |(key, _): (Vec<u8>, Vec<u8>)| {
            String::from_utf8_lossy(key.get(begin..).unwrap_or_default()).into_owned()
        };
        self.page = page.into_iter().map(id).collect::<Vec<_>>().into_iter();
        Ok(self.page.next())
    }
}
