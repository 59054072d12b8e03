//! Holds what follows from documents against the documents: each is readable, each leads to itself
//! through its indexes, nothing else does, and the counts are right. What is wrong can be rebuilt.
//!
//! Only for a store that nobody writes to meanwhile.

use std::collections::BTreeMap;

use tmf::resource::Resource;

use super::{Document, Error, named, number};
use crate::keys;
use crate::store::{Scan, Store, Write};

/// The most facts that are read from the store at once.
const FACTS_AT_ONCE: usize = 1_024;

/// One thing that is wrong. Keys have `|` between their parts.
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
    /// An attribute does not lead to its document, so lists miss it.
    #[error("the index entry `{key}` is missing")]
    Missing {
        /// Its key.
        key: String,
    },
    /// An entry leads to a document that has no such attribute, or is not there.
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
        /// What is kept.
        kept: u64,
        /// What there is.
        found: u64,
    },
}

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// How many documents there are.
    pub documents: u64,
    /// How many index entries they have.
    pub entries: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What makes indexes and counts right. Documents that cannot be read stay as they are.
    pub repairs: Vec<Write>,
}

/// Looks at all documents, indexes and counts.
pub fn verify(store: &dyn Store) -> Result<Report, Error> {
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
            if store.get(&place)?.is_none() {
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
    each(store, keys::ENTRIES, |_, _| {
        kept += 1;
        Ok(())
    })?;
    if kept + missing != report.entries {
        report.strays(store)?;
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

    /// Looks where each entry leads.
    fn strays(&mut self, store: &dyn Store) -> Result<(), Error> {
        each(store, keys::ENTRIES, |key, _| {
            if !leads(store, key)? {
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

/// Whether the document that an index entry leads to has what the entry is for.
fn leads(store: &dyn Store, key: &[u8]) -> Result<bool, Error> {
    let Some([resource, path, value, id]) = keys::entry_of(key) else { return Ok(false) };
    let Some((_, table)) = tmf::table::of_key(resource) else { return Ok(false) };
    let Some(bytes) = store.get(&keys::document(resource, id))? else { return Ok(false) };
    let Ok(document) = Document::read(&bytes) else { return Ok(false) };
    Ok(has(table, &document, path, value))
}

fn has(table: &Resource, document: &Document, path: &str, value: &str) -> bool {
    let entries = table.entries(&document.body);
    entries.iter().any(|entry| entry.path == path && entry.value == value)
}

/// Reads every fact under a prefix, page by page.
fn each(
    store: &dyn Store,
    prefix: &[u8],
    mut read: impl FnMut(&[u8], &[u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut scan = Scan::prefix(prefix, FACTS_AT_ONCE);
    loop {
        let page = store.scan(&scan)?;
        for (key, value) in &page {
            read(key, value)?;
        }
        match page.last() {
            Some((key, _)) if page.len() == FACTS_AT_ONCE => scan.after = Some(key.clone()),
            _ => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
