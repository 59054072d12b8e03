//! The one tree of facts: what readers see, and how a batch gets into it.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use ::sled::{Db, IVec};
use engine::store::{Direction, Epoch, Error, Fact, Scan, pieces};

use crate::cells::{Cells, Changes};
use crate::failure::Failure;
use crate::form::{Form, Misread, Written};
use crate::layout::{self, CELL_BYTES_MAX, Cell, KEYS, Lies, OWNER, STORE, TALLY};
use crate::range::range as places;
use crate::seal::Seal;
use crate::tally::Tally;

/// The writes of one commit: for each key the last value that was asked for.
pub(crate) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Where the facts of a scan begin and end.
type Range = (Bound<Vec<u8>>, Bound<Vec<u8>>);

const READ: &str = "read";
const APPLY: &str = "apply a batch";

/// A sled database, all in its default tree.
pub(crate) struct Tree {
    db: Db,
    form: Form,
    /// sled applies a batch at once for a `get`, but lets it in between two steps of an iteration.
    /// With this lock a scan sees all of a batch or nothing, and so does the read of a cut value.
    whole: RwLock<()>,
    /// Counts of the tree after the last commit.
    tally: Mutex<Tally>,
}

/// Totals of a store.
pub(crate) struct Contents {
    /// Its name; `None` if it was made before stores had one.
    pub(crate) name: Option<String>,
    /// The epoch of its owner.
    pub(crate) owner: Epoch,
    /// What it must hold; `None` if it was made before stores had a tally.
    pub(crate) tally: Option<Tally>,
}

impl Contents {
    /// Reads it, and takes up the tally.
    pub(crate) fn of(tree: &Tree) -> Result<Self, Failure> {
        Ok(Self { name: tree.store()?, owner: tree.owner()?, tally: tree.resume()? })
    }
}

/// The disk holds data that this store did not write.
#[derive(Debug, thiserror::Error)]
enum Damage {
    #[error("the value of a key has an unknown form")]
    Cell,
    #[error("a part of a value is missing")]
    Part,
    #[error("the owner's epoch is not a number")]
    Owner,
    #[error("the tally is not one")]
    Tally,
    #[error(transparent)]
    Misread(#[from] Misread),
}

/// A value as it lies in its cell or its parts.
struct Lying {
    bytes: Vec<u8>,
    is_packed: bool,
}

impl Tree {
    pub(crate) fn new(db: Db) -> Self {
        let (form, whole, tally) = (Form::default(), RwLock::new(()), Mutex::default());
        Self { db, form, whole, tally }
    }

    /// The wrapped keys of the store; `None` if it is not sealed.
    pub(crate) fn keys(&self) -> Result<Option<Vec<u8>>, Failure> {
        let keys = self.db.get(KEYS).map_err(Failure::of(READ))?;
        Ok(keys.map(|keys| keys.to_vec()))
    }

    /// Seals values from now on. Its keys are written, and must be synced before a value is.
    pub(crate) fn sealed(self, seal: Seal, keys: &[u8]) -> Result<Self, Failure> {
        self.db.insert(KEYS, keys).map_err(Failure::of("write the keys of the store"))?;
        Ok(Self { form: Form::sealed(seal), ..self })
    }

    /// Whether it has no fact.
    pub(crate) fn is_empty(&self) -> Result<bool, Failure> {
        let first = self.db.scan_prefix([layout::FACTS]).next();
        Ok(first.transpose().map_err(Failure::of(READ))?.is_none())
    }

    /// The key and the value of what lies at a place.
    fn opened(&self, place: Vec<u8>, value: Lying) -> Result<Fact, Failure> {
        let opened = self.form.opened(place, value.is_packed, value.bytes);
        opened.map_err(|error| Failure::of(READ)(Damage::Misread(error)))
    }

    /// Takes up the tally that the store has; `None` if it has none, as one of an earlier version.
    fn resume(&self) -> Result<Option<Tally>, Failure> {
        let Some(bytes) = self.db.get(TALLY).map_err(Failure::of(READ))? else { return Ok(None) };
        let tally = Tally::read(&bytes).ok_or_else(|| Failure::of(READ)(Damage::Tally))?;
        *self.tally() = tally;
        Ok(Some(tally))
    }

    /// Counts all cells, which reads all that there is, and writes the tally; it is not durable yet.
    pub(crate) fn recount(&self) -> Result<(), Failure> {
        let counted = self.counted()?;
        let mut tally = self.tally();
        tally.adopt(&counted);
        self.db.insert(TALLY, &tally.write()).map(drop).map_err(Failure::of("write the tally"))
    }

    /// The tally of what the tree holds, but for the number of commits. Reads all that there is.
    pub(crate) fn counted(&self) -> Result<Tally, Failure> {
        let mut counted = Tally::default();
        for first in [layout::FACTS, layout::PARTS] {
            for cell in self.db.scan_prefix([first]) {
                let (key, cell) = cell.map_err(Failure::of(READ))?;
                counted.add(&key, &cell);
            }
        }
        Ok(counted)
    }

    /// How many commits were applied.
    pub(crate) fn commits(&self) -> u64 {
        self.tally().commits
    }

    /// Counts of the tree after the last commit.
    pub(crate) fn applied(&self) -> Tally {
        *self.tally()
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        // It is replaced as a whole.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of a key, all of it where it was written in pieces.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let _whole = self.reading()?;
        let value = self.raw(key)?;
        Ok(value.map(|value| self.joined(value)).transpose()?)
    }

    /// The value of a key as it is kept.
    pub(crate) fn kept(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let _whole = self.reading()?;
        Ok(self.raw(key)?)
    }

    fn raw(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let place = self.form.place(key);
        let cell = self.db.get(layout::fact(&place)).map_err(Failure::of(READ))?;
        let Some(cell) = cell else { return Ok(None) };
        let value = self.value(&place, &cell)?;
        Ok(Some(self.opened(place.into_owned(), value)?.1))
    }

    fn joined(&self, value: Vec<u8>) -> Result<Vec<u8>, Failure> {
        pieces::whole(value, |key| self.raw(key))
    }

    /// The facts of a range of keys.
    pub(crate) fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, Error> {
        let prefix = self.form.place(&scan.prefix);
        let after = scan.after.as_deref().map(|after| self.form.place(after));
        let Some(range) = range(&prefix, after.as_deref(), scan.direction) else {
            return Ok(Vec::new());
        };
        let _whole = self.reading()?;
        let cells = self.db.range(range);
        Ok(match scan.direction {
            Direction::Forward => self.facts(cells.take(scan.limit)),
            Direction::Backward => self.facts(cells.rev().take(scan.limit)),
        }?)
    }

    /// The facts after a key in the order of their places, with their values as they are kept.
    pub(crate) fn kept_page(&self, after: Option<&[u8]>, limit: usize) -> Result<Vec<Fact>, Error> {
        let after = after.map(|after| self.form.place(after));
        let Some(range) = range(b"", after.as_deref(), Direction::Forward) else {
            return Ok(Vec::new());
        };
        let _whole = self.reading()?;
        let facts = self.db.range(range).take(limit).map(|cell| {
            let (key, cell) = cell.map_err(Failure::of(READ))?;
            let place = key[1..].to_vec();
            let value = self.value(&place, &cell)?;
            self.opened(place, value)
        });
        Ok(facts.collect::<Result<_, Failure>>()?)
    }

    /// The number of facts.
    pub(crate) fn count(&self) -> Result<u64, Error> {
        let _whole = self.reading()?;
        let mut count = 0;
        for cell in self.db.scan_prefix([layout::FACTS]) {
            cell.map_err(Failure::of(READ))?;
            count += 1;
        }
        Ok(count)
    }

    /// All cells after one, as they lie, with those that are of no fact.
    pub(crate) fn cells_page(
        &self,
        after: Option<&IVec>,
        limit: usize,
    ) -> Result<Vec<(IVec, IVec)>, Error> {
        let begin = after.map_or(Bound::Unbounded, Bound::Excluded);
        let _whole = self.reading()?;
        let cells = self.db.range::<&IVec, _>((begin, Bound::Unbounded)).take(limit);
        Ok(cells.collect::<::sled::Result<_>>().map_err(Failure::of(READ))?)
    }

    /// Makes the writes visible, at once and whole. They are not durable yet. `cells` is empty before; returns what it
    /// gathers.
    pub(crate) fn apply(
        &self,
        writes: Writes,
        mut cells: Cells,
    ) -> Result<Option<Changes>, Failure> {
        let mut tally = *self.tally();
        tally.commits += 1;
        for (key, value) in writes {
            self.replace(&mut cells, &mut tally, &key, value.as_deref())?;
        }
        cells.insert(TALLY, tally.write().as_slice());
        let (batch, changes) = cells.split();
        // Only a panic of sled below poisons the lock; the writer ends with it, and readers fail.
        let _whole = self.whole.write().unwrap_or_else(PoisonError::into_inner);
        self.db.apply_batch(batch).map_err(Failure::of(APPLY))?;
        *self.tally() = tally;
        Ok(changes)
    }

    /// Writes what was applied to the file; without `sync_data` on it that does not outlast a power
    /// loss.
    pub(crate) fn flush(&self) -> Result<(), Failure> {
        self.db.flush().map(drop).map_err(Failure::of("flush"))
    }

    /// The epoch of the owner.
    fn owner(&self) -> Result<Epoch, Failure> {
        let Some(bytes) = self.db.get(OWNER).map_err(Failure::of(READ))? else {
            return Ok(Epoch::default());
        };
        let bytes = bytes.as_ref().try_into().map_err(|_| Failure::of(READ)(Damage::Owner))?;
        Ok(Epoch(u64::from_be_bytes(bytes)))
    }

    /// Writes the epoch of the owner; it is not durable yet.
    pub(crate) fn set_owner(&self, owner: Epoch) -> Result<(), Failure> {
        let bytes = owner.0.to_be_bytes();
        self.db.insert(OWNER, &bytes).map(drop).map_err(Failure::of("write the owner's epoch"))
    }

    /// The name of the store; `None` if it was made before stores had one.
    pub(crate) fn store(&self) -> Result<Option<String>, Failure> {
        let bytes = self.db.get(STORE).map_err(Failure::of(READ))?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Writes the name of the store; it is not durable yet.
    pub(crate) fn set_store(&self, name: &str) -> Result<(), Failure> {
        self.db.insert(STORE, name).map(drop).map_err(Failure::of("write the store's name"))
    }

    fn reading(&self) -> Result<RwLockReadGuard<'_, ()>, Error> {
        self.whole.read().map_err(|_| Error::Closed)
    }

    fn facts(
        &self,
        cells: impl Iterator<Item = ::sled::Result<(IVec, IVec)>>,
    ) -> Result<Vec<Fact>, Failure> {
        cells
            .map(|cell| {
                let (key, cell) = cell.map_err(Failure::of(READ))?;
                let place = key[1..].to_vec();
                let value = self.value(&place, &cell)?;
                let (key, value) = self.opened(place, value)?;
                Ok((key, self.joined(value)?))
            })
            .collect()
    }

    fn value(&self, key: &[u8], cell: &[u8]) -> Result<Lying, Failure> {
        let cell = Cell::read(cell).ok_or_else(|| Failure::of(READ)(Damage::Cell))?;
        let is_packed = cell.is_packed;
        let parts = match cell.lies {
            Lies::Whole(value) => return Ok(Lying { bytes: value.to_vec(), is_packed }),
            Lies::Cut { parts } => parts,
        };
        let mut bytes = Vec::new();
        for index in 0..parts {
            let part = self.db.get(layout::part(key, index)).map_err(Failure::of(READ))?;
            bytes.extend_from_slice(&part.ok_or_else(|| Failure::of(READ)(Damage::Part))?);
        }
        Ok(Lying { bytes, is_packed })
    }

    /// Adds to the cells that a key gets this value, with the parts that come and go.
    fn replace(
        &self,
        cells: &mut Cells,
        tally: &mut Tally,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), Failure> {
        let place = self.form.place(key);
        let written = value.map(|value| self.form.written(key, value));
        let key = place.as_ref();
        let fact = layout::fact(key);
        let old = self.db.get(&fact).map_err(Failure::of(APPLY))?;
        let old_parts = old.as_deref().and_then(Cell::read).map_or(0, Cell::parts);
        for index in 0..old_parts {
            let key = layout::part(key, index);
            if let Some(part) = self.db.get(&key).map_err(Failure::of(APPLY))? {
                tally.take(&key, &part);
            }
            cells.remove(key);
        }
        if let Some(old) = &old {
            tally.take(&fact, old);
        }
        let Some(Written { bytes: value, is_packed }) = written else {
            cells.remove(fact);
            return Ok(());
        };
        let cell = Cell::of(&value, is_packed);
        for (index, part) in (0..cell.parts()).zip(value.chunks(CELL_BYTES_MAX)) {
            let key = layout::part(key, index);
            tally.add(&key, part);
            cells.insert(key, part);
        }
        let cell = cell.write();
        tally.add(&fact, &cell);
        cells.insert(fact, cell);
        Ok(())
    }
}

/// Where the cells of a scan lie; `None` if it is empty.
fn range(prefix: &[u8], after: Option<&[u8]>, direction: Direction) -> Option<Range> {
    let (first, end) = places(prefix, after, direction)?;
    let end = end.map_or_else(|| vec![layout::FACTS + 1], |end| layout::fact(&end));
    Some((Bound::Included(layout::fact(&first)), Bound::Excluded(end)))
}
