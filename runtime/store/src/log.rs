//! A log of commits: a sled database with each commit as one record. Its commits are in memory
//! too, and it goes once they are in the tables.
//!
//! A record is cut into cells of [`CELL_BYTES_MAX`], since sled writes longer ones to files that it does not sync. Each
//! record has the tally after its commit, which depends on all records before it: none can be missing, or be another.

use std::fs::File;

use ::sled::{Batch, Db, IVec};

use crate::failure::Failure;
use crate::layout::{CELL_BYTES_MAX, FACTS, STORE, TALLY};
use crate::tally::Tally;

/// Where the cells of records lie. The number of the commit and that of the cell follow.
const RECORDS: u8 = FACTS;

/// The tally and the length of the record, in its first cell.
const HEAD_BYTES: usize = 20;

const READ: &str = "read";

/// An open log.
pub(crate) struct Log {
    db: Db,
    /// The file of sled's own log, for us to sync.
    file: File,
    last: Tally,
}

/// A record, and the tally after its commit.
pub(crate) type Record = (Tally, Vec<u8>);

/// The totals of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    /// The name of its store; `None` if it was never used.
    pub(crate) name: Option<String>,
    /// The tally after its last commit, or the one that it began with.
    pub(crate) tally: Option<Tally>,
}

/// sled holds what no log has.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("a cell of the log is none")]
    Cell,
    #[error("the tally of the log is none")]
    Tally,
    #[error("the record of commit {0} is not the one that was written")]
    Record(u64),
}

impl Log {
    /// The log in a database that is open. It begins after a commit of the store if it is new.
    pub(crate) fn of(db: Db, file: File, name: &str, begun: Tally) -> Result<Self, Failure> {
        if db.get(TALLY).map_err(Failure::of(READ))?.is_none() {
            let mut batch = Batch::default();
            batch.insert(STORE, name);
            batch.insert(TALLY, begun.write().as_slice());
            db.apply_batch(batch).map_err(Failure::of("begin a log"))?;
        }
        let last = contents(&db)?.tally.ok_or_else(|| Failure::of(READ)(Broken::Tally))?;
        let log = Self { db, file, last };
        log.sync()?;
        Ok(log)
    }

    /// The tally after its last commit.
    pub(crate) fn last(&self) -> Tally {
        self.last
    }

    /// Adds the record of a commit. It is durable when this returns the tally after it.
    pub(crate) fn append(&mut self, record: &[u8]) -> Result<Tally, Failure> {
        let tally = self.last.after(record);
        let length = u32::try_from(record.len()).expect("a commit is shorter than 4 GiB");
        let head = [tally.write().as_slice(), &length.to_be_bytes()].concat();
        let first = record.len().min(CELL_BYTES_MAX - HEAD_BYTES);
        let (first, rest) = record.split_at(first);
        let mut batch = Batch::default();
        batch.insert(&place(tally.commits, 0), [&head, first].concat());
        for (index, cell) in (1..).zip(rest.chunks(CELL_BYTES_MAX)) {
            batch.insert(&place(tally.commits, index), cell);
        }
        self.db.apply_batch(batch).map_err(Failure::of("write a commit"))?;
        self.sync()?;
        self.last = tally;
        Ok(tally)
    }

    /// All records, in the order of their commits.
    pub(crate) fn records(&self) -> impl Iterator<Item = Result<Record, Failure>> + use<> {
        records(&self.db)
    }

    /// Makes durable what was written: sled's own flush does not outlast a power loss.
    fn sync(&self) -> Result<(), Failure> {
        self.db.flush().map_err(Failure::of("flush"))?;
        self.file.sync_data().map_err(Failure::of("sync"))
    }
}

/// The totals of the log in a database.
pub(crate) fn contents(db: &Db) -> Result<Contents, Failure> {
    let name = db.get(STORE).map_err(Failure::of(READ))?;
    let name = name.map(|name| String::from_utf8_lossy(&name).into_owned());
    let last = db.get_lt([RECORDS + 1]).map_err(Failure::of(READ))?;
    let Some((key, _)) = last.filter(|(key, _)| key[0] == RECORDS) else {
        return Ok(Contents { name, tally: begun(db)? });
    };
    let number = commit_at(&key).ok_or_else(|| Failure::of(READ)(Broken::Cell))?;
    let first = db.get(place(number, 0)).map_err(Failure::of(READ))?;
    let first = first.as_deref().and_then(head);
    let (tally, ..) = first.ok_or_else(|| Failure::of(READ)(Broken::Record(number)))?;
    Ok(Contents { name, tally: Some(tally) })
}

/// The tally that a log began with; `None` if it has not begun.
fn begun(db: &Db) -> Result<Option<Tally>, Failure> {
    let begun = db.get(TALLY).map_err(Failure::of(READ))?;
    let tally = begun.map(|begun| Tally::read(&begun).ok_or(Broken::Tally));
    tally.transpose().map_err(Failure::of(READ))
}

/// Reads all records, each of which must follow from the one before; returns the tally after the last.
pub(crate) fn walked(db: &Db) -> Result<Tally, Failure> {
    let mut last = begun(db)?.unwrap_or_default();
    for record in records(db) {
        (last, _) = record?;
    }
    Ok(last)
}

/// The records in a database, each checked with the one before. Nothing follows an error.
pub(crate) fn records(db: &Db) -> impl Iterator<Item = Result<Record, Failure>> + use<> {
    let mut cells = db.scan_prefix([RECORDS]);
    let mut before = begun(db).map(Option::unwrap_or_default);
    std::iter::from_fn(move || {
        let cell = cells.next()?;
        let record = before.clone().and_then(|before| record(before, cell, &mut cells));
        before = record.as_ref().map(|(tally, _)| *tally).map_err(Clone::clone);
        Some(record)
    })
}

/// The record that begins with a cell.
fn record(
    before: Tally,
    first: ::sled::Result<(IVec, IVec)>,
    rest: &mut ::sled::Iter,
) -> Result<Record, Failure> {
    let (_, first) = first.map_err(Failure::of(READ))?;
    let broken = || Failure::of(READ)(Broken::Record(before.commits + 1));
    let (tally, length, first) = head(&first).ok_or_else(broken)?;
    let mut record = first.to_vec();
    while record.len() < length {
        let (_, cell) = rest.next().ok_or_else(broken)?.map_err(Failure::of(READ))?;
        record.extend_from_slice(&cell);
    }
    let is_whole = record.len() == length && tally == before.after(&record);
    if is_whole { Ok((tally, record)) } else { Err(broken()) }
}

/// The tally, the length of the record, and its first bytes.
fn head(cell: &[u8]) -> Option<(Tally, usize, &[u8])> {
    let (tally, rest) = cell.split_at_checked(HEAD_BYTES - 4)?;
    let (length, rest) = rest.split_first_chunk()?;
    Some((Tally::read(tally)?, usize::try_from(u32::from_be_bytes(*length)).ok()?, rest))
}

/// Where a cell of the record of a commit lies.
fn place(commit: u64, index: u32) -> [u8; 13] {
    let mut place = [RECORDS; 13];
    place[1..9].copy_from_slice(&commit.to_be_bytes());
    place[9..].copy_from_slice(&index.to_be_bytes());
    place
}

/// The number of the commit of which a cell lies at a place; its own number follows, in four bytes.
fn commit_at(place: &[u8]) -> Option<u64> {
    let (commit, index) = place.get(1..)?.split_first_chunk()?;
    (index.len() == 4).then(|| u64::from_be_bytes(*commit))
}

#[cfg(test)]
mod tests;
