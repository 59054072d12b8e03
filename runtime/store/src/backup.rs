//! Backups of a store that goes on writing: its cells as they are after one commit, which later commits and merges leave
//! as they are for as long as the backup is written.
//!
//! Cells of a sealed store are sealed, and its wrapped keys are a cell: a backup has no more in clear than its store.

mod file;
mod reading;
mod writing;

use std::fs::File;
use std::io::Write;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use engine::store::{BackedUp, Backup, BackupError, Direction, Error};

pub use self::file::{Fault, Header};
pub(crate) use self::reading::{Part, Reading};
pub use self::reading::{Whole, check};
use self::writing::Writing;
use crate::failure::Failure;
use crate::layout::KEYS;
use crate::tables::Cell;
use crate::tree::{Tree, owner_in, store_in, tally_in};

/// Cells that are written before it is looked whether the store is still open.
const CELLS_AT_ONCE: usize = 1_024;

/// A backup of an open store.
pub(crate) struct Copier {
    /// It does not keep a store open that is being closed.
    pub(crate) tree: Weak<Tree>,
    /// The lock of its directory: no other process changes files that are still read.
    pub(crate) _lock: File,
    pub(crate) _place: Place,
}

/// The one place for a backup of a store, until it is dropped.
pub(crate) struct Place(Arc<AtomicBool>);

impl Place {
    /// Takes the place, if it is free.
    pub(crate) fn take(is_taken: &Arc<AtomicBool>) -> Option<Self> {
        let was_taken = is_taken.swap(true, Ordering::SeqCst);
        (!was_taken).then(|| Self(Arc::clone(is_taken)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Backup for Copier {
    fn write(
        self: Box<Self>,
        taken_ms: i64,
        to: &mut dyn Write,
        told: &mut dyn FnMut(u64),
    ) -> Result<BackedUp, BackupError> {
        let Begun { header, commits, mut cells } = self.begun(taken_ms)?;
        let mut file = Writing::begin(to, &header)?;
        let mut count = 0;
        loop {
            if self.tree.strong_count() == 0 {
                return Err(BackupError::Read(Error::Closed));
            }
            let before = count;
            for cell in cells.by_ref().take(CELLS_AT_ONCE) {
                let (key, cell) = cell.map_err(Error::from)?;
                file.write(&key, &cell)?;
                count += 1;
            }
            if count == before {
                return file.end(commits);
            }
            told(count);
        }
    }
}

/// The store as it is when a backup begins.
struct Begun<I> {
    header: Header,
    commits: u64,
    cells: I,
}

impl Copier {
    fn begun(
        &self,
        taken_ms: i64,
    ) -> Result<Begun<impl Iterator<Item = Result<Cell, Failure>> + use<>>, BackupError> {
        let tree = self.tree.upgrade().ok_or(BackupError::Read(Error::Closed))?;
        let reading = tree.reading();
        let store = store_in(&reading).map_err(Error::from)?.unwrap_or_default();
        let keys = reading.get(KEYS).map_err(Error::from)?;
        let epoch = owner_in(&reading).map_err(Error::from)?;
        let commits = tally_in(&reading).map_err(Error::from)?.commits;
        let cells = reading.cells((Bound::Unbounded, Bound::Unbounded), Direction::Forward);
        Ok(Begun { header: Header { store, epoch, taken_ms, keys }, commits, cells })
    }
}
