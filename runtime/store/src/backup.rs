//! Backups of a store that goes on writing.
//!
//! A backup copies the cells as they lie, page by page. From before its first page on, the writer hands on the cells
//! that each commit changes, and they go into the file behind the page that was read before they came. All of it applied
//! in order is the store after the last commit that was handed on, and no half of another: a cell that a commit changed is
//! in a later page as that commit or a later one left it, or stands behind its page.
//! The tally of that commit is among the cells, so a restored store can be compared with it.
//!
//! Cells of a sealed store are sealed, and its wrapped keys are a cell: a backup has no more in clear than its store.

mod file;
mod reading;
mod writing;

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Weak};

use ::sled::IVec;
use engine::store::{BackedUp, Backup, BackupError, Epoch, Error};

pub use self::file::{Fault, Header};
pub(crate) use self::reading::{Part, Reading};
pub use self::reading::{Whole, check};
use self::writing::Writing;
use crate::cells::Changes;
use crate::feed::{Fed, Follower, feed};
use crate::tree::Tree;
use crate::writer::Command;

/// Cells of one page, for which the writer waits.
const CELLS_AT_ONCE: usize = 256;

/// A backup of an open store.
pub(crate) struct Copier {
    pub(crate) queue: SyncSender<Command>,
    /// It does not keep a store open that is being closed.
    pub(crate) tree: Weak<Tree>,
    pub(crate) epoch: Epoch,
    /// Max bytes written meanwhile that wait for it.
    pub(crate) waiting_bytes_max: u64,
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
        let follower = self.followed()?;
        let mut file = Writing::begin(to, &self.header(taken_ms)?)?;
        self.pages(&follower, &mut file, told)?;
        self.ask(Command::Unfollow)?;
        loop {
            match follower.next()? {
                Fed::Commit(changes) => write_all(&mut file, &changes)?,
                Fed::End { commits } => return file.end(commits),
                Fed::Failed(failure) => return Err(Error::from(failure).into()),
            }
        }
    }
}

impl Copier {
    /// Has the writer hand on what it commits from now on. Earlier commits show in the first page.
    fn followed(&self) -> Result<Follower, BackupError> {
        let (feed, follower) = feed(self.waiting_bytes_max);
        let (answer, answered) = mpsc::channel();
        self.ask(Command::Follow { feed, answer })?;
        answered.recv().unwrap_or(Err(Error::Closed))?;
        Ok(follower)
    }

    fn ask(&self, command: Command) -> Result<(), BackupError> {
        self.queue.send(command).map_err(|_| BackupError::Read(Error::Closed))
    }

    fn tree(&self) -> Result<Arc<Tree>, BackupError> {
        self.tree.upgrade().ok_or(BackupError::Read(Error::Closed))
    }

    fn header(&self, taken_ms: i64) -> Result<Header, BackupError> {
        let tree = self.tree()?;
        let name = tree.store().map_err(Error::from)?.unwrap_or_default();
        let keys = tree.keys().map_err(Error::from)?;
        Ok(Header { store: name, epoch: self.epoch, taken_ms, keys })
    }

    /// Writes all cells, and behind each page what was committed meanwhile.
    fn pages(
        &self,
        follower: &Follower,
        file: &mut Writing<'_>,
        told: &mut dyn FnMut(u64),
    ) -> Result<(), BackupError> {
        let mut after: Option<IVec> = None;
        let mut cells = 0;
        loop {
            let page = self.tree()?.cells_page(after.as_ref(), CELLS_AT_ONCE)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            for (key, cell) in &page {
                file.write(key, Some(cell))?;
            }
            while let Some(mut changes) = follower.waiting()? {
                // The others are in later pages.
                changes.retain(|(key, _)| key <= last);
                write_all(file, &changes)?;
            }
            cells += page.len() as u64;
            told(cells);
            after = Some(last.clone());
        }
    }
}

fn write_all(file: &mut Writing<'_>, changes: &Changes) -> Result<(), BackupError> {
    changes.iter().try_for_each(|(key, cell)| file.write(key, cell.as_deref()))
}
