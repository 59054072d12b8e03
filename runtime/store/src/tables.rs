//! The facts of a store as cells in the order of their keys: recent ones in memory, the others in files that never
//! change. Files are merged in the background, so that what was replaced or removed does not stay.
//!
//! It is a log-structured merge tree without a log: a commit is in the log of the store before it is here, and goes
//! from there when its cells are in files.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fs, io};

use engine::store::Direction;
use lsm_tree::compaction::Leveled;
use lsm_tree::config::CompressionPolicy;
use lsm_tree::{
    AbstractTree as _, AnyTree, Cache, CompressionType, Config, Guard as _, SequenceNumberCounter,
};

use crate::failure::Failure;
use crate::folder::free_bytes;
use crate::private::{self, Depth};
use crate::record::Change;

/// The file that tells of the tables in a folder.
pub(crate) const VERSION: &str = "current";

/// Usual bytes of recent commits in memory.
pub(crate) const RECENT_BYTES_MAX: u64 = 32 << 20;

/// The length of a file, about.
const FILE_BYTES: u64 = 32 << 20;

/// The folder of the files, in that of the tables.
const FILES: &str = "tables";

/// Space that a merge may take until it is done, at most: the library merges 50 files into others.
const MERGE_BYTES_MAX: u64 = 100 * FILE_BYTES;

/// The levels that files are merged through. The library has as many.
const LEVELS: usize = 7;

const READ: &str = "read";

/// The key of a cell and its content.
pub(crate) type Cell = (Vec<u8>, Vec<u8>);

/// Where the cells of a scan begin and end.
pub(crate) type Range = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// The tables of an open store.
pub(crate) struct Tables {
    path: PathBuf,
    tree: AnyTree,
    /// Numbers each commit, and each change of the files.
    numbers: SequenceNumberCounter,
    /// Readers see commits below this number.
    visible: AtomicU64,
    /// The numbers that readers began with, and how many have each: what they see is kept meanwhile.
    readers: Mutex<BTreeMap<u64, usize>>,
    /// Held while the cells of a commit come, so that no reader sees a part of them.
    writing: Mutex<()>,
}

/// A view of the tables after one commit.
pub(crate) struct Reading<'a> {
    tables: &'a Tables,
    number: u64,
}

impl Tables {
    /// Opens those of a folder, or makes them. `cache_bytes` is the max of read blocks that stay in memory.
    pub(crate) fn open(path: &Path, cache_bytes: u64) -> lsm_tree::Result<Self> {
        private::make_folder(path).map_err(lsm_tree::Error::Io)?;
        let numbers = SequenceNumberCounter::default();
        // The library raises its second counter while a commit is half there. Ours is in `visible`.
        let config = Config::new(path, numbers.clone(), SequenceNumberCounter::default())
            .use_cache(Arc::new(Cache::with_capacity_bytes(cache_bytes)))
            .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4));
        let tree = config.open()?;
        private::tighten(path, Depth::Whole);
        let next = tree.get_highest_persisted_seqno().map_or(0, |number| number + 1);
        numbers.set(next.max(1));
        let visible = AtomicU64::new(numbers.get());
        let (readers, writing) = (Mutex::default(), Mutex::default());
        Ok(Self { path: path.to_owned(), tree, numbers, visible, readers, writing })
    }

    /// Whether a folder has tables.
    pub(crate) fn are_in(path: &Path) -> bool {
        path.join(VERSION).exists()
    }

    /// Makes the cells of a commit visible, all at once; returns the bytes of the recent ones.
    pub(crate) fn apply(&self, changes: impl IntoIterator<Item = Change>) -> u64 {
        let _writing = lock(&self.writing);
        let number = self.numbers.next();
        let mut recent_bytes = 0;
        for (key, cell) in changes {
            (_, recent_bytes) = match cell {
                Some(cell) => self.tree.insert(key, cell, number),
                None => self.tree.remove(key, number),
            };
        }
        self.visible.store(number + 1, Ordering::Release);
        recent_bytes
    }

    /// Sets the recent cells apart, to be written to a file. No commit is being applied meanwhile.
    pub(crate) fn set_apart(&self) {
        drop(self.tree.rotate_memtable());
    }

    /// Writes to files what was set apart. It is durable when this returns.
    pub(crate) fn flush(&self) -> Result<(), Failure> {
        let lock = self.tree.get_flush_lock();
        self.whole_or_nothing("write a table", || {
            self.tree.flush(&lock, self.seen_by_all()).map(drop)
        })?;
        drop(lock);
        self.show_files()
    }

    /// Merges some files, if there is need, and space for it; whether there was.
    pub(crate) fn merge_some(&self) -> Result<bool, Failure> {
        if !self.has_space() {
            return Ok(false);
        }
        let strategy = Arc::new(Leveled::default().with_table_target_size(FILE_BYTES));
        let before = self.form();
        self.whole_or_nothing("merge tables", || self.tree.compact(strategy, self.seen_by_all()))?;
        self.show_files()?;
        Ok(self.form() != before)
    }

    /// Merges all files: only what is visible is in them.
    pub(crate) fn merge_all(&self) -> Result<(), Failure> {
        self.whole_or_nothing("merge tables", || {
            self.tree.major_compact(FILE_BYTES, self.seen_by_all())
        })?;
        self.show_files()
    }

    /// Writes files. After an error those that are of no use are removed: the library leaves them.
    fn whole_or_nothing(
        &self,
        action: &'static str,
        write: impl FnOnce() -> lsm_tree::Result<()>,
    ) -> Result<(), Failure> {
        let first = self.tree.next_table_id();
        let written = write();
        if written.is_err() {
            let version = self.tree.current_version();
            let used: BTreeSet<u64> = version.iter_tables().map(|table| table.id()).collect();
            for id in (first..self.tree.next_table_id()).filter(|id| !used.contains(id)) {
                match fs::remove_file(self.path.join(FILES).join(id.to_string())) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        tracing::warn!(%error, id, "half a table cannot be removed");
                    }
                    Ok(()) | Err(_) => {}
                }
            }
        }
        written.map_err(Failure::of(action))
    }

    /// Whether files can be merged without taking the space that commits need.
    fn has_space(&self) -> bool {
        let needed = MERGE_BYTES_MAX.min(2 * self.tree.disk_space());
        free_bytes(&self.path).is_ok_and(|free| free >= needed)
    }

    /// The number of files in each level, and their bytes.
    fn form(&self) -> (Vec<Option<usize>>, u64) {
        let levels = (0..LEVELS).map(|level| self.tree.level_table_count(level));
        (levels.collect(), self.tree.disk_space())
    }

    /// The view after the last commit.
    pub(crate) fn reading(&self) -> Reading<'_> {
        Reading { tables: self, number: self.begin() }
    }

    /// Lets later readers see files that were changed after the last commit, and lets go of what no reader sees.
    fn show_files(&self) -> Result<(), Failure> {
        let writing = lock(&self.writing);
        self.visible.store(self.numbers.get(), Ordering::Release);
        drop(writing);
        let mut versions = self.tree.get_version_history_lock();
        let ended = versions.maintenance(&self.path, self.seen_by_all());
        drop(versions);
        private::tighten(&self.path, Depth::Whole);
        ended.map_err(Failure::of("remove a table"))
    }

    /// The cells that a reader of a number sees.
    fn cells_at(
        &self,
        number: u64,
        range: Range,
        direction: Direction,
    ) -> impl Iterator<Item = Result<Cell, Failure>> + Send + use<> {
        let mut cells = self.tree.range(range, number, None);
        std::iter::from_fn(move || {
            let cell = match direction {
                Direction::Forward => cells.next()?,
                Direction::Backward => cells.next_back()?,
            };
            let cell = cell.into_inner().map_err(Failure::of(READ));
            Some(cell.map(|(key, cell)| (key.to_vec(), cell.to_vec())))
        })
    }

    /// What is not visible to any reader from this number on may go.
    fn seen_by_all(&self) -> u64 {
        let readers = lock(&self.readers);
        let visible = self.visible.load(Ordering::Acquire);
        readers.keys().next().map_or(visible, |first| visible.min(*first))
    }

    fn begin(&self) -> u64 {
        let mut readers = lock(&self.readers);
        let number = self.visible.load(Ordering::Acquire);
        *readers.entry(number).or_default() += 1;
        number
    }

    fn end(&self, number: u64) {
        let mut readers = lock(&self.readers);
        if let Some(count) = readers.get_mut(&number) {
            *count -= 1;
            if *count == 0 {
                readers.remove(&number);
            }
        }
    }
}

impl Reading<'_> {
    /// The cell of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let cell = self.tables.tree.get(key, self.number).map_err(Failure::of(READ))?;
        Ok(cell.map(|cell| cell.to_vec()))
    }

    /// The cells of a range, from one of its ends on. They stay as they are for as long as the iterator is there,
    /// with the files and the memory that they lie in.
    pub(crate) fn cells(
        &self,
        range: Range,
        direction: Direction,
    ) -> impl Iterator<Item = Result<Cell, Failure>> + Send + use<> {
        self.tables.cells_at(self.number, range, direction)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.tables.end(self.number);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic leaves a count too high at worst, which keeps cells for longer.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
