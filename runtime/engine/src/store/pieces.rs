//! Values that are written in pieces. A value of many megabytes would hold everyone up who writes
//! after it, so its pieces are facts of their own, written before, and under its key stands only how
//! it is put together. Who reads the key is given all of it: each store does so with [`whole`].

use serde_json::{Map, Value};

use super::Write;
use crate::keys;

/// What a value in pieces begins with. No other value does: texts have no such byte, and no revision
/// of a document is so high.
const MAGIC: &[u8; 16] = b"\xff in pieces v1 \n";

/// How a value is put together: what stands before its pieces, the pieces, what stands after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pieces {
    /// What the keys of the pieces begin with.
    pub prefix: Vec<u8>,
    /// How many there are.
    pub count: u32,
    /// What comes before them.
    pub head: Vec<u8>,
    /// What comes after them.
    pub tail: Vec<u8>,
}

impl Pieces {
    /// The key of a piece.
    pub fn key(prefix: &[u8], index: u32) -> Vec<u8> {
        [prefix, format!("{index:08x}").as_bytes()].concat()
    }

    /// The keys of all of them.
    pub fn keys(&self) -> impl Iterator<Item = Vec<u8>> + use<'_> {
        (0..self.count).map(|index| Self::key(&self.prefix, index))
    }

    /// What is kept under the key of the value.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for part in [&self.prefix, &self.head] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes.extend(self.count.to_be_bytes());
        bytes.extend_from_slice(&self.tail);
        bytes
    }

    /// Reads what is kept under a key; `None` where it is a value as it is.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (prefix, rest) = part(rest)?;
        let (head, rest) = part(rest)?;
        let (count, tail) = rest.split_first_chunk()?;
        let count = u32::from_be_bytes(*count);
        Some(Self { prefix: prefix.into(), count, head: head.into(), tail: tail.into() })
    }

    /// The value without its pieces.
    pub fn hollow(&self) -> Vec<u8> {
        [self.head.as_slice(), &self.tail].concat()
    }
}

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)
}

/// A document with a long list.
#[derive(Clone, Debug, PartialEq)]
pub struct Pieced {
    /// The document without the list.
    pub body: Value,
    /// The attribute that the list is.
    pub list: &'static str,
    /// What the keys of the pieces begin with.
    pub prefix: Vec<u8>,
    /// How many pieces there are.
    pub count: u32,
}

impl Pieced {
    /// Takes the list out of a document.
    pub(super) fn leave_out(&self, body: &mut Value) {
        if let Some(fields) = body.as_object_mut() {
            fields.remove(self.list);
        }
    }

    /// What is kept of the document; the `head` is what would be kept of it without the list.
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

/// What is written of a piece of a list, to be put together by a [`Pieced`]: its entries, and what
/// leads to the document by them.
pub fn entries_of(
    (resource, id): (&str, &str),
    prefix: &[u8],
    list: &str,
    index: usize,
    entries: Vec<Value>,
) -> Vec<Write> {
    let mut bytes = serde_json::to_vec(&entries).expect("a value can be written to memory");
    bytes.pop();
    // The brackets are before the first piece and after the last.
    match index {
        0 => drop(bytes.remove(0)),
        _ => bytes[0] = b',',
    }
    let key = Pieces::key(prefix, u32::try_from(index).unwrap_or(u32::MAX));
    let mut writes = vec![(key, Some(bytes))];
    let list = Value::Object(Map::from_iter([(list.to_string(), entries.into())]));
    let found = tmf::table::of_key(resource).map(|(_, table)| table.entries(&list));
    writes.extend(
        found
            .into_iter()
            .flatten()
            .map(|entry| (keys::entry(resource, entry.path, &entry.value, id), Some(Vec::new()))),
    );
    writes
}

/// All of a value, whose pieces `get` reads. A value that lacks a piece is returned as it is stored: it
/// cannot be decoded, and the values beside it can.
pub fn whole<E>(
    bytes: Vec<u8>,
    get: impl Fn(&[u8]) -> Result<Option<Vec<u8>>, E>,
) -> Result<Vec<u8>, E> {
    let Some(pieces) = Pieces::read(&bytes) else { return Ok(bytes) };
    let mut value = pieces.head.clone();
    for key in pieces.keys() {
        let Some(piece) = get(&key)? else { return Ok(bytes) };
        value.extend_from_slice(&piece);
    }
    value.extend_from_slice(&pieces.tail);
    Ok(value)
}

#[cfg(test)]
mod tests;
