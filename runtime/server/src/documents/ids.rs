//! The ids of the documents with a value of an indexed attribute.

use engine::documents::Error;
use engine::keys;
use engine::store::Store;
use tmf::index;

use super::Facts;

/// The ids of the documents with a value of an indexed attribute, in order, read as needed.
pub(crate) struct Ids(Facts);

impl Ids {
    /// Begins with the first id. The value is as in a document.
    pub(crate) fn new(resource: &str, path: &str, value: &str) -> Self {
        Self(Facts::new(keys::entries(resource, path, &index::value(value))))
    }

    /// Begins after an id.
    pub(crate) fn begin_after(&mut self, id: &str) {
        self.0.begin_after(id);
    }

    /// The next id; `None` at the end.
    pub(crate) fn next(&mut self, store: &dyn Store) -> Result<Option<String>, Error> {
        let fact = self.0.next(store)?;
        Ok(fact.map(|(key, _)| String::from_utf8_lossy(self.0.rest(&key)).into_owned()))
    }
}
