//! Makes a store of many cells, in a folder that no other process uses: without a log, so that it is whole only at its
//! end.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use engine::store::Progress;

use crate::database::{OpenError, guarded};
use crate::failure::Failure;
use crate::folder::{self, TABLES};
use crate::layout::{STORE, TALLY};
use crate::logs::{self, Form, Spare};
use crate::private;
use crate::record::Change;
use crate::tables::{RECENT_BYTES_MAX, Tables};
use crate::tally::Tally;
use crate::tree::Tree;

/// Memory for what is read again while files are merged.
const CACHE_BYTES: u64 = 4 << 20;

/// The number of the log that a new store has.
pub(crate) const FIRST_LOG: u64 = 1;

/// A store that is being made.
pub(crate) struct Bulk {
    path: PathBuf,
    tables: Arc<Tables>,
    lock: File,
}

impl Bulk {
    /// Begins one in a folder, and makes the folder.
    pub(crate) fn begin(path: &Path) -> Result<Self, OpenError> {
        private::make_folder(path).map_err(|source| OpenError::of_io(path, source))?;
        let lock = folder::lock(path, Instant::now())?;
        Self::within(path, lock)
    }

    /// Begins one in a folder that is locked.
    pub(crate) fn within(path: &Path, lock: File) -> Result<Self, OpenError> {
        let tables = guarded(path, || {
            let tables = Tables::open(&path.join(TABLES), CACHE_BYTES);
            tables.map_err(|error| OpenError::of_tables(path, error))
        })?;
        Ok(Self { path: path.to_owned(), tables: Arc::new(tables), lock })
    }

    /// Adds cells, in any order.
    pub(crate) fn write(&self, changes: Vec<Change>) -> Result<(), Failure> {
        if self.tables.apply(changes) < RECENT_BYTES_MAX {
            return Ok(());
        }
        self.tables.set_apart();
        self.tables.flush()
    }

    /// What was written up to now.
    pub(crate) fn tree(&self) -> Tree {
        Tree::new(Arc::clone(&self.tables))
    }

    /// Ends it: the store has a name, and was left by this many commits. Returns its lock.
    pub(crate) fn end(self, name: &str, commits: u64) -> Result<File, OpenError> {
        let Self { path, tables, lock } = self;
        let damaged = |failure| OpenError::of_failure(&path, failure);
        let tally = Tally::begun(commits);
        let changes = [(STORE, name.as_bytes()), (TALLY, tally.write().as_slice())]
            .map(|(key, cell)| (key.to_vec(), Some(cell.to_vec())));
        tables.apply(changes);
        tables.set_apart();
        tables.flush().and_then(|()| tables.merge_all()).map_err(damaged)?;
        drop(tables);
        let failed = |source| OpenError::of_io(&path, source);
        let folder = logs::folder(&path, FIRST_LOG);
        // Of one that was being made: it has no commits.
        folder::remove(&folder).map_err(failed)?;
        let log = Spare::made(&folder)?;
        drop(log.begun(name, tally, None, Arc::new(Progress::default()))?);
        Form::of(FIRST_LOG).write(&path).map_err(failed)?;
        folder::sync_folders(&path).map_err(failed)?;
        Ok(lock)
    }
}
