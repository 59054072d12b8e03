//! The ids of the documents with a value of an indexed attribute.

use engine::documents::Error;
use engine::keys;
use engine::store::{Scan, Store};
use tmf::index;

/// Entries of an index read from the store at once.
const ENTRIES_AT_ONCE: usize = 256;

/// The ids of the documents with a value of an indexed attribute, in order, read as needed.
pub(crate) struct Ids {
    scan: Scan,
    page: std::vec::IntoIter<String>,
    is_last: bool,
}

impl Ids {
    /// Begins with the first id. The value is as in a document.
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

    /// The next id; `None` at the end.
    pub(crate) fn next(&mut self, store: &dyn Store) -> Result<Option<String>, Error> {
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
