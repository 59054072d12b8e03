//! Validates indexes and counts against the documents: each document is readable and has exactly its
//! index entries, and the counts are right. Wrong indexes and counts can be rebuilt.
//!
//! Only for a store that is not written meanwhile.

use std::collections::BTreeMap;

use tmf::resource::Resource;

use super::{Document, Error, named, number};
use crate::keys;
use crate::store::{Scan, Store, Write, pages};

/// Facts that are read from the store at once.
const FACTS_AT_ONCE: usize = 1_024;

/// An error in the store. Keys have `|` between their parts, and those of index entries have names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// A document cannot be read.
    #[error("the document `{key}` cannot be read: {reason}")]
    Unreadable {
        /// Its key.
        key: String,
        /// Why.
        reason: String,
    },
    /// An index entry of a document is missing, so lists miss the document.
    #[error("the index entry `{key}` is missing")]
    Missing {
        /// Its key.
        key: String,
    },
    /// The document of an index entry does not exist, or has no such attribute.
    #[error("the index entry `{key}` leads to nothing")]
    Stray {
        /// Its key.
        key: String,
    },
    /// A count is wrong.
    #[error("the count `{key}` is {kept}, and there are {found}")]
    Count {
        /// Its key.
        key: String,
        /// The stored count.
        kept: u64,
        /// The real count.
        found: u64,
    },
}

/// The last version of the indexes whose entries have the first form.
const FIRST_FORM: u64 = 2;

/// The forms of the entries that lists may rely on.
#[derive(Clone, Copy)]
enum Forms {
    /// Only that of today.
    Today,
    /// The first one too: the next start of the server moves what is left of it.
    Both,
}

impl Forms {
    fn of(store: &dyn Store) -> Result<Self, Error> {
        let is_first = |version| number(Some(version)) <= FIRST_FORM;
        let is_first = store.get(keys::INDEXED)?.as_deref().is_some_and(is_first);
        Ok(if is_first { Self::Both } else { Self::Today })
    }

    /// The parts of the key of an entry.
    fn parts(self, key: &[u8]) -> Option<[&str; 4]> {
        match self {
            Self::Today => keys::entry_of(key),
            Self::Both => keys::entry_of(key).or_else(|| keys::first_entry_of(key)),
        }
    }

    /// Whether a document has an entry.
    fn has(self, store: &dyn Store, place: &[u8]) -> Result<bool, Error> {
        let is_there = store.get(place)?.is_some();
        match (self, keys::entry_of(place)) {
            (Self::Both, Some([resource, path, value, id])) if !is_there => {
                Ok(store.get(&keys::first_entry(resource, path, value, id))?.is_some())
            }
            (Self::Both | Self::Today, _) => Ok(is_there),
        }
    }
}

/// The result.
#[derive(Debug, Default)]
pub struct Report {
    /// The number of documents.
    pub documents: u64,
    /// The number of their index entries.
    pub entries: u64,
    /// The errors.
    pub findings: Vec<Finding>,
    /// The writes that mend indexes and counts. Unreadable documents stay as they are.
    pub repairs: Vec<Write>,
}

/// Reads all documents, index entries and counts.
pub fn verify(store: &dyn Store) -> Result<Report, Error> {
    let forms = Forms::of(store)?;
    let mut report = Report::default();
    let mut counts: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    let mut missing = 0;
    each(store, keys::DOCUMENTS, |key, bytes| {
        report.documents += 1;
        let Some((resource, id)) = keys::document_of(key) else { return Ok(()) };
        *counts.entry(keys::total(resource)).or_default() += 1;
        let document = match Document::read_at(key, bytes) {
            Ok(document) => document,
            Err(error) => {
                report.unreadable(key, &error);
                return Ok(());
            }
        };
        let Some((_, table)) = tmf::table::of_key(resource) else { return Ok(()) };
        for entry in table.entries(&document.body) {
            report.entries += 1;
            let place = keys::entry(table.key, entry.path, &entry.value, id);
            if !forms.has(store, &place)? {
                missing += 1;
                report.findings.push(Finding::Missing { key: named(&place) });
                report.repairs.push((place, Some(Vec::new())));
            }
            if entry.counted {
                *counts.entry(keys::count(table.key, entry.path, &entry.value)).or_default() += 1;
            }
        }
        Ok(())
    })?;
    let mut kept = 0;
    each_entry(store, |_| {
        kept += 1;
        Ok(())
    })?;
    if kept + missing != report.entries {
        report.strays(store, forms)?;
    }
    report.counts(store, counts)?;
    Ok(report)
}

impl Report {
    fn unreadable(&mut self, key: &[u8], error: &Error) {
        let mut reason = String::new();
        let mut cause = std::error::Error::source(error);
        while let Some(source) = cause {
            reason = source.to_string();
            cause = source.source();
        }
        self.findings.push(Finding::Unreadable { key: named(key), reason });
    }

    /// Finds the entries whose document does not have their attribute.
    fn strays(&mut self, store: &dyn Store, forms: Forms) -> Result<(), Error> {
        each_entry(store, |key| {
            if !leads(store, forms.parts(key))? {
                self.findings.push(Finding::Stray { key: named(key) });
                self.repairs.push((key.to_vec(), None));
            }
            Ok(())
        })
    }

    fn counts(
        &mut self,
        store: &dyn Store,
        mut counted: BTreeMap<Vec<u8>, u64>,
    ) -> Result<(), Error> {
        each(store, keys::COUNTS, |key, bytes| {
            let (kept, found) = (number(Some(bytes)), counted.remove(key).unwrap_or_default());
            self.count(key, kept, found);
            Ok(())
        })?;
        for (key, found) in counted {
            self.count(&key, 0, found);
        }
        Ok(())
    }

    fn count(&mut self, key: &[u8], kept: u64, found: u64) {
        if kept != found {
            self.findings.push(Finding::Count { key: named(key), kept, found });
            let value = (found > 0).then(|| found.to_be_bytes().to_vec());
            self.repairs.push((key.to_vec(), value));
        }
    }
}

/// Whether the document of an index entry with these parts has the attribute of the entry.
fn leads(store: &dyn Store, parts: Option<[&str; 4]>) -> Result<bool, Error> {
    let Some([resource, path, value, id]) = parts else { return Ok(false) };
    let Some((_, table)) = tmf::table::of_key(resource) else { return Ok(false) };
    let Some(bytes) = store.get(&keys::document(resource, id))? else { return Ok(false) };
    let Ok(document) = Document::read(&bytes) else { return Ok(false) };
    Ok(has(table, &document, path, value))
}

fn has(table: &Resource, document: &Document, path: &str, value: &str) -> bool {
    let entries = table.entries(&document.body);
    entries.iter().any(|entry| entry.path == path && entry.value == value)
}

/// Reads the key of every index entry, of any form.
fn each_entry(
    store: &dyn Store,
    mut read: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    each(store, keys::ENTRIES, |key, _| read(key))?;
    each(store, keys::FIRST_ENTRIES, |key, _| read(key))
}

/// Reads every fact under a prefix, page by page.
fn each(
    store: &dyn Store,
    prefix: &[u8],
    mut read: impl FnMut(&[u8], &[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    for page in pages(store, Scan::prefix(prefix, FACTS_AT_ONCE)) {
        for (key, value) in page? {
            read(&key, &value)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
