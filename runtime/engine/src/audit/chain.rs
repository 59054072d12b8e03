//! The chain: each entry holds the hash of the one before, and the head is a fact of the store, written with
//! the last entry.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tmf::time::Timestamp;

use super::entry::Written;
use super::{Act, Changed, Digested, Entry, Outcome, Recorded};
use crate::keys;
use crate::store::{Batch, Epoch, Error, Read, Scan, Store, Transaction, Write};

/// Max documents that an entry lists.
pub(crate) const DOCUMENTS_MAX: usize = 32;

/// Max bytes of all the differences that an entry lists.
pub(crate) const DIFFERENCES_BYTES_MAX: usize = 8 << 10;

/// A SHA-256. That before the first entry is all zeros.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

/// The last entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 before the first.
    pub sequence: u64,
    pub hash: Hash,
}

/// Where the chain begins, after a removal of its first entries: the last entry that is not there.
pub type Anchor = Head;

/// An entry with the hash of the one before, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub previous: Hash,
    /// The entry as JSON.
    pub bytes: Vec<u8>,
}

/// What a batch adds to the audit.
#[derive(Debug)]
pub struct Audited {
    pub act: Arc<Act>,
    pub at: Timestamp,
    pub outcome: Outcome,
    pub code: Option<String>,
    pub fulfilment: Option<Recorded>,
    /// The documents that the batch changed; the transaction lists them.
    pub documents: Vec<Changed>,
    /// The number of those that are not listed.
    pub more: u64,
    pub digests: Vec<Digested>,
    pub count: Option<u64>,
}

impl Audited {
    /// Something that was done.
    pub fn done(act: Arc<Act>, at: Timestamp) -> Self {
        Self {
            act,
            at,
            outcome: Outcome::Done,
            code: None,
            fulfilment: None,
            documents: Vec::new(),
            more: 0,
            digests: Vec::new(),
            count: None,
        }
    }

    /// Something that is about to be done outside the store.
    pub fn begun(act: Arc<Act>, at: Timestamp) -> Self {
        Self { outcome: Outcome::Begun, ..Self::done(act, at) }
    }

    /// The writes that put the entry at the end of the chain, which `read` shows.
    pub(crate) fn seal(self, read: &Read<'_>) -> Result<[Write; 2], Error> {
        let head = Head::read(read(keys::AUDIT_HEAD)?.as_deref());
        let sequence = head.sequence + 1;
        let bytes = Written::new(sequence, &self).to_bytes();
        let stored = Stored { previous: head.hash, bytes };
        let head = Head { sequence, hash: stored.hash() };
        if self.outcome != Outcome::Begun {
            self.act.entries.add_one();
        }
        let entry = (keys::audit(sequence), Some(stored.to_bytes()));
        Ok([entry, (keys::AUDIT_HEAD.to_vec(), Some(head.to_bytes()))])
    }
}

/// A batch of nothing but an entry: of what changes no fact, such as a refusal.
pub fn beside(epoch: Epoch, audited: Audited) -> Batch {
    let seal = Transaction::new(move |read| Ok(audited.seal(read)?.into()));
    Batch { transaction: Some(seal), ..Batch::of(epoch, Vec::new()) }
}

/// The facts that remove the first entries of the chain, and anchor what is left of it: `last` is the last
/// that goes.
pub fn removal(from: u64, last: &Stored, sequence: u64) -> Vec<Write> {
    let anchor = Anchor { sequence, hash: last.hash() };
    let gone = (from..=sequence).map(|sequence| (keys::audit(sequence), None));
    gone.chain([(keys::AUDIT_ANCHOR.to_vec(), Some(anchor.to_bytes()))]).collect()
}

/// The entries after a number, at most `limit`. Those that cannot be read are skipped: [`super::verify`]
/// names them.
pub fn read(store: &dyn Store, after: u64, limit: usize) -> Result<Vec<Stored>, Error> {
    let scan = Scan { after: Some(keys::audit(after)), ..Scan::prefix(keys::AUDIT, limit) };
    let facts = store.scan(&scan)?;
    Ok(facts.into_iter().filter_map(|(_, bytes)| Stored::read(bytes)).collect())
}

impl Head {
    /// Reads a fact; the beginning of the chain if there is none, or it is anything else.
    pub fn read(bytes: Option<&[u8]>) -> Self {
        let read = |bytes: &[u8]| {
            let (sequence, hash) = bytes.split_first_chunk()?;
            Some(Self {
                sequence: u64::from_be_bytes(*sequence),
                hash: Hash(hash.try_into().ok()?),
            })
        };
        bytes.and_then(read).unwrap_or_default()
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        [self.sequence.to_be_bytes().as_slice(), &self.hash.0].concat()
    }

    /// The head of a store.
    pub fn of(store: &dyn Store) -> Result<Self, Error> {
        Ok(Self::read(store.get(keys::AUDIT_HEAD)?.as_deref()))
    }

    /// The anchor of a store.
    pub fn anchor(store: &dyn Store) -> Result<Anchor, Error> {
        Ok(Self::read(store.get(keys::AUDIT_ANCHOR)?.as_deref()))
    }
}

impl Stored {
    /// Reads a fact; `None` if it is too short to be an entry.
    pub fn read(mut bytes: Vec<u8>) -> Option<Self> {
        let previous = Hash(*bytes.first_chunk()?);
        bytes.drain(..previous.0.len());
        Some(Self { previous, bytes })
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        [self.previous.0.as_slice(), &self.bytes].concat()
    }

    /// The hash of the entry, over it and the hash before.
    pub fn hash(&self) -> Hash {
        let hash = Sha256::new().chain_update(self.previous.0).chain_update(&self.bytes);
        Hash(hash.finalize().into())
    }

    /// The entry.
    pub fn entry(&self) -> Result<Entry, serde_json::Error> {
        serde_json::from_slice(&self.bytes)
    }
}

impl Hash {
    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok().map(|()| Self(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
