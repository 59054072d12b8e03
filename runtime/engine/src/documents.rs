//! Documents above a store of bytes: facts with a revision that are found by their attributes, counted,
//! kept in earlier versions, and reported to subscribers.
//!
//! A batch of changes becomes a [`Transaction`], which the store runs at the batch's place in the order.
//! So each change is expanded over the changes before it, and its precondition is checked in the same
//! step that writes it.

mod ended;
mod error;
mod expand;
mod noted;
mod pieced;
mod put;
pub mod search;
mod unreadable;
pub mod verify;

use serde_json::Value;
use tmf::time::Timestamp;

use self::ended::Ended;
pub use self::error::{Damaged, Error, Written};
use self::noted::Noted;
pub use self::pieced::{Pieced, piece};
pub use self::put::{Audience, Change, Expected, Put};
pub use self::unreadable::Unreadable;
use crate::audit::Audited;
use crate::keys;
use crate::store::{Batch, Epoch, Scan, Store, Transaction, Write};

/// The bytes before a document's JSON: its revision, and the time of its last change.
const HEAD_BYTES: usize = 16;

/// A stored document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Counts its changes, from 1.
    pub revision: u64,
    /// When it was last changed.
    pub since: Timestamp,
    /// The document itself, of any resource.
    pub body: Value,
}

/// A batch that writes facts and changes documents, together or not at all.
pub fn batch(epoch: Epoch, at: Timestamp, writes: Vec<Write>, puts: Vec<Put>) -> Batch {
    audited_batch(epoch, at, (writes, puts), None)
}

/// The same with an entry of the audit, unless nothing is written.
pub fn audited_batch(
    epoch: Epoch,
    at: Timestamp,
    (writes, puts): (Vec<Write>, Vec<Put>),
    audited: Option<Audited>,
) -> Batch {
    let batch = Batch::of(epoch, writes);
    let has_writes = !batch.writes.is_empty();
    let audited = audited.filter(|_| has_writes || !puts.is_empty());
    if puts.is_empty() && audited.is_none() {
        return batch;
    }
    let expand = Transaction::new(move |read| {
        let noted = audited.as_ref().and_then(Noted::of);
        let (mut writes, noted) = expand::expand(puts, at, noted, read).map_err(Error::refusal)?;
        if let Some(audited) = audited
            && (has_writes || !writes.is_empty())
        {
            writes.extend(noted.unwrap_or_default().listed_in(audited).seal(read)?);
        }
        Ok(writes)
    });
    Batch { transaction: Some(expand), ..batch }
}

impl Document {
    /// Reads the value of a document's key.
    pub fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        let (revision, rest) = bytes.split_first_chunk().ok_or(Damaged::CutOff)?;
        let (since, json) = rest.split_first_chunk().ok_or(Damaged::CutOff)?;
        Ok(Self {
            revision: u64::from_be_bytes(*revision),
            since: Timestamp(i64::from_be_bytes(*since)),
            body: serde_json::from_slice(json).map_err(Damaged::Body)?,
        })
    }

    /// Reads the value of this key, which an error names.
    pub fn read_at(key: &[u8], bytes: &[u8]) -> Result<Self, Error> {
        Self::read(bytes).map_err(|source| Error::unreadable(key, source))
    }

    /// The revision of a document that cannot be read, as far as it can be known.
    fn revision_of(bytes: &[u8]) -> u64 {
        bytes.first_chunk().map_or(1, |revision| u64::from_be_bytes(*revision))
    }

    /// The JSON of a document, unread.
    pub fn json(bytes: &[u8]) -> Result<&[u8], Damaged> {
        bytes.get(HEAD_BYTES..).ok_or(Damaged::CutOff)
    }

    /// The value to store under its key.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        bytes.extend(self.revision.to_be_bytes());
        bytes.extend(self.since.0.to_be_bytes());
        serde_json::to_writer(&mut bytes, &self.body).expect("a value can be written to memory");
        bytes
    }
}

/// The earlier versions of a document, oldest first, at most `limit`: those since it was last
/// created. If it is removed, those from its last creation to its removal.
pub fn versions(
    store: &dyn Store,
    resource: &str,
    id: &str,
    limit: usize,
) -> Result<Vec<Document>, Error> {
    let ended = Ended::read(store.get(&keys::ended(resource, id))?.as_deref());
    let is_there = store.get(&keys::document(resource, id))?.is_some();
    let begun = if is_there { ended.revision } else { ended.before };
    let after = Some(keys::version(resource, id, begun));
    let scan = Scan { after, ..Scan::prefix(keys::versions(resource, id), limit) };
    store.scan(&scan)?.iter().map(|(key, bytes)| Document::read_at(key, bytes)).collect()
}

/// A stored number; 0 if there is none.
pub fn number(bytes: Option<&[u8]>) -> u64 {
    bytes.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes)
}

/// A key for people to read, with `|` between its parts, and names for the code of an index entry.
fn named(key: &[u8]) -> String {
    match keys::entry_of(key) {
        Some(parts) => format!("I/{}", parts.join("|")),
        None => String::from_utf8_lossy(key).replace('\0', "|"),
    }
}

#[cfg(test)]
mod tests;
