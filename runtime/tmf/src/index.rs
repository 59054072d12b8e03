//! Indexes of documents: which attributes are indexed, and which of them are
//! counted.

mod codes;

use serde_json::Value;

pub use self::codes::{CODE_BYTES, code, named};
use crate::resource::Resource;

/// Max bytes of a value in an index. A longer value is found by its beginning, and the
/// caller compares each document with the whole value.
pub const VALUE_BYTES_MAX: usize = 96;

/// An indexed value of a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub path: &'static str,
    /// The value in the index, which may be cut.
    pub value: String,
    /// Whether the documents with this value are counted.
    pub counted: bool,
}

/// A value as stored in an index.
pub fn value(text: &str) -> String {
    let mut end = text.len().min(VALUE_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // The separators of keys cannot be in a value.
    text[..end].replace('\0', " ")
}

impl Resource {
    /// The indexed attributes: those in the table, and the state.
    pub fn indexes(&self) -> impl Iterator<Item = &'static str> + use<> {
        let state = self.lifecycle.map(|lifecycle| lifecycle.attribute);
        state.into_iter().chain(self.indexed.iter().copied())
    }

    /// All index entries of a document: a document without an entry would be missing from lists.
    /// Bodies are limited, and so the entries are. Sorted, without duplicates.
    pub fn entries(&self, document: &Value) -> Vec<Entry> {
        let state = self.lifecycle.map(|lifecycle| lifecycle.attribute);
        let mut entries = Vec::new();
        for path in self.indexes() {
            let counted = Some(path) == state;
            let pieces: Vec<&str> = path.split('.').collect();
            values(document, &pieces, &mut |text| {
                entries.push(Entry { path, value: value(text), counted });
            });
        }
        entries.sort();
        entries.dedup();
        entries
    }
}

/// Whether a document has one of some texts at a dotted path.
pub fn leads_to(document: &Value, path: &str, texts: &[String]) -> bool {
    let pieces: Vec<&str> = path.split('.').collect();
    let mut leads = false;
    values(document, &pieces, &mut |text| leads |= texts.iter().any(|wanted| wanted == text));
    leads
}

/// Every text at a path; arrays are searched in each of their elements.
fn values(value: &Value, path: &[&str], take: &mut impl FnMut(&str)) {
    match (value, path.split_first()) {
        (Value::Array(entries), _) => entries.iter().for_each(|entry| values(entry, path, take)),
        (Value::String(text), None) => take(text),
        (Value::Object(fields), Some((name, rest))) => {
            if let Some(value) = fields.get(*name) {
                values(value, rest, take);
            }
        }
        _ => {}
    }
}
