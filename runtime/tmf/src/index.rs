//! How documents are found: which attributes of a document lead to it, and which of them are
//! counted.

use serde_json::Value;

use crate::resource::Resource;

/// Max bytes of a value in an index. A longer value is found by its beginning, and the
/// caller compares each document with the whole value.
pub const VALUE_BYTES_MAX: usize = 96;

/// That an attribute of a document has a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The dotted path.
    pub path: &'static str,
    /// The value, as it stands in the index.
    pub value: String,
    /// Whether the documents with this value are counted.
    pub counted: bool,
}

/// A value as it stands in an index.
pub fn value(text: &str) -> String {
    let mut end = text.len().min(VALUE_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // What separates the parts of a key cannot be in one.
    text[..end].replace('\0', " ")
}

impl Resource {
    /// The attributes by which documents are found: those that are listed, and the state.
    pub fn indexes(&self) -> impl Iterator<Item = &'static str> + use<> {
        let state = self.lifecycle.map(|lifecycle| lifecycle.attribute);
        state.into_iter().chain(self.indexed.iter().copied())
    }

    /// What leads to a document, all of it: what an index leaves out is not on any list. Bodies are
    /// bounded, and so the entries are. In order, each once.
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

/// Whether a dotted path leads to one of some texts in a document.
pub fn leads_to(document: &Value, path: &str, texts: &[String]) -> bool {
    let pieces: Vec<&str> = path.split('.').collect();
    let mut leads = false;
    values(document, &pieces, &mut |text| leads |= texts.iter().any(|wanted| wanted == text));
    leads
}

/// Every text that a path leads to; through arrays it leads to each of their elements.
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
