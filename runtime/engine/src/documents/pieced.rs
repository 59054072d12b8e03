//! Documents with a list that is too long for one commit: the list is written before them, in pieces.

use model::documents::Piece;
use serde_json::{Map, Value};

use super::Document;
use crate::keys;
use crate::store::Write;
use crate::store::pieces::Pieces;

/// A document with a long list.
#[derive(Clone, Debug, PartialEq)]
pub struct Pieced {
    /// The document without the list.
    pub body: Value,
    /// The attribute that holds the list.
    pub list: &'static str,
    /// The prefix of the keys of the pieces.
    pub prefix: Vec<u8>,
    /// The number of pieces.
    pub count: u32,
}

impl Pieced {
    /// Removes the list from a document.
    pub(super) fn leave_out(&self, document: &mut Document) {
        if let Some(fields) = document.body.as_object_mut() {
            fields.remove(self.list);
        }
    }

    /// The value to store for the document; `head` is the one that it would have without the list.
    pub(super) fn kept(&self, mut head: Vec<u8>) -> Vec<u8> {
        head.pop();
        if head.last() != Some(&b'{') {
            head.push(b',');
        }
        head.extend(format!("\"{}\":[", self.list).bytes());
        let (prefix, count) = (self.prefix.clone(), self.count);
        Pieces { prefix, count, head, tail: b"]}".to_vec() }.to_bytes()
    }
}

/// The writes of a piece of a list that a record left, for a [`Pieced`] to put together: its entries,
/// and the index entries that lead to the document by them.
pub fn piece(piece: Piece, record: u32) -> Vec<Write> {
    let Piece { resource, id, list, index, entries } = piece;
    let mut bytes = serde_json::to_vec(&entries).expect("a value can be written to memory");
    bytes.pop();
    // The brackets are before the first piece and after the last.
    match index {
        0 => drop(bytes.remove(0)),
        _ => bytes[0] = b',',
    }
    let prefix = keys::document_pieces(resource, &id, record);
    let key = Pieces::key(&prefix, u32::try_from(index).unwrap_or(u32::MAX));
    let mut writes = vec![(key, Some(bytes))];
    let list = Value::Object(Map::from_iter([(list.to_string(), entries.into())]));
    let found = tmf::table::of_key(resource).map(|(_, table)| table.entries(&list));
    writes.extend(
        found
            .into_iter()
            .flatten()
            .map(|entry| (keys::entry(resource, entry.path, &entry.value, &id), Some(Vec::new()))),
    );
    writes
}

#[cfg(test)]
mod tests;
