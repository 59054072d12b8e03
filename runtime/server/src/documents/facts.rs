//! The facts under a prefix.

use engine::documents::Error;
use engine::store::{Fact, Scan, Store};

/// Facts read from the store at once.
const FACTS_AT_ONCE: usize = 256;

/// The facts under a prefix, in order, read as needed.
pub(crate) struct Facts {
    scan: Scan,
    page: std::vec::IntoIter<Fact>,
    is_last: bool,
}

impl Facts {
    /// Begins with the first fact.
    pub(crate) fn new(prefix: Vec<u8>) -> Self {
        let scan = Scan::prefix(prefix, FACTS_AT_ONCE);
        Self { scan, page: Vec::new().into_iter(), is_last: false }
    }

    /// Begins after a key, which goes on after the prefix.
    pub(crate) fn begin_after(&mut self, rest: &str) {
        self.scan.after = Some([self.scan.prefix.as_slice(), rest.as_bytes()].concat());
        self.page = Vec::new().into_iter();
        self.is_last = false;
    }

    /// The next fact; `None` at the end.
    pub(crate) fn next(&mut self, store: &dyn Store) -> Result<Option<Fact>, Error> {
        if self.page.as_slice().is_empty() && !self.is_last {
            let page = store.scan(&self.scan)?;
            self.is_last = page.len() < FACTS_AT_ONCE;
            self.scan.after = page.last().map(|(key, _)| key.clone());
            self.page = page.into_iter();
        }
        Ok(self.page.next())
    }

    /// A key without the prefix.
    pub(crate) fn rest<'a>(&self, key: &'a [u8]) -> &'a [u8] {
        key.get(self.scan.prefix.len()..).unwrap_or_default()
    }
}
