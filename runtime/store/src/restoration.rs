//! Restoration: makes a store of a backup beside a directory, and puts it in its place in one step.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use ::sled::{Batch, Db};
use engine::store::{Error, Write};

use crate::backup::{Fault, Header, Part, Reading, Whole};
use crate::compaction::exchange;
use crate::database::{OpenError, in_use};
use crate::failure::Failure;
use crate::open::{self, LOCK, Options, copy_of};
use crate::private;
use crate::seal::{Seal, SealError};
use crate::sled::Sled;
use crate::tree::{Contents, Tree};

/// Blocks of a backup that are written before they are flushed.
const BLOCKS_AT_ONCE: usize = 16;

/// The choice for a store that is in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and nothing is restored.
    Refuse,
    /// It is removed when the restored one is in its place.
    Replace,
}

/// A store that was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    pub header: Header,
    pub whole: Whole,
    /// The number of its facts.
    pub facts: u64,
}

/// Why a backup was not restored. The directory is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("`{}` holds a store", .path.display())]
    Exists { path: PathBuf },
    #[error("the file is no whole backup")]
    Fault(#[from] Fault),
    #[error("the backup is sealed under another key")]
    Seal(#[source] SealError),
    #[error(
        "the backup is not sealed, and a key is set: restore it without `[encryption] key`, then seal it with \
         `ferrule store compact --seal`"
    )]
    Plain,
    /// It has not what the tally of its last commit counts.
    #[error("the backup is whole, and its {part} is not that of its store: a bug of ours")]
    Inconsistent { part: &'static str },
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the restored store cannot be written")]
    Write(#[from] Error),
    #[error("`{}` cannot be put in its place", .path.display())]
    Replace {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Restores a backup into a directory that no process has open; tells after each block how many writes are done.
/// Killed at any point it leaves the old store or the new one, and maybe a folder beside it that is removed when the
/// store is opened next.
pub fn restore(
    from: impl Read,
    path: &Path,
    existing: Existing,
    options: &Options,
    told: impl FnMut(u64),
) -> Result<Restored, RestoreError> {
    let mut reading = Reading::begin(from)?;
    check_keys(reading.header(), options)?;
    let _target = Target::locked(path, existing, options)?;
    let failed = |source| RestoreError::Replace { path: path.into(), source };
    let copy = copy_of(path);
    remove(&copy).map_err(failed)?;
    let made = made(&mut reading, &copy, options, told).and_then(|made| {
        File::open(&copy).and_then(|copy| copy.sync_all()).map_err(failed)?;
        exchange(path, &copy).map_err(failed)?;
        Ok(made)
    });
    // It is the old store now, or the new one, which is not whole.
    let removed = remove(&copy);
    let (restored, _lock) = made?;
    removed.map_err(failed)?;
    Ok(restored)
}

/// Refuses a backup that cannot be opened with the keys, before anything is written.
fn check_keys(header: &Header, options: &Options) -> Result<(), RestoreError> {
    match (&header.keys, &options.keys) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(RestoreError::Plain),
        (Some(_), None) => Err(RestoreError::Seal(SealError::NoKey)),
        (Some(keys), Some(masters)) => {
            Seal::open(Some(keys), masters).map(drop).map_err(RestoreError::Seal)
        }
    }
}

/// Makes a store of a backup; it is closed, and stays locked for as long as the file is kept.
fn made(
    reading: &mut Reading<impl Read>,
    path: &Path,
    options: &Options,
    told: impl FnMut(u64),
) -> Result<(Restored, File), RestoreError> {
    let opened = open::open(path, options)?;
    let whole = fill(&opened.db, reading, told)?;
    let header = reading.header().clone();
    let facts = checked(&Tree::new(opened.db.clone()), &header, whole)?;
    let store = Sled::of(path, opened, options)?;
    let lock = store.lock();
    let lock = lock.map_err(|source| RestoreError::Replace { path: path.into(), source })?;
    Ok((Restored { header, whole, facts }, lock))
}

/// Writes all cells of a backup.
fn fill(
    db: &Db,
    reading: &mut Reading<impl Read>,
    mut told: impl FnMut(u64),
) -> Result<Whole, RestoreError> {
    let (mut blocks, mut records) = (0_usize, 0);
    let failed = |error| RestoreError::Write(Failure::of("write a backup")(error).into());
    loop {
        let writes = match reading.next()? {
            Part::Records(writes) => writes,
            Part::End(whole) => return Ok(whole),
        };
        records += writes.len() as u64;
        db.apply_batch(batch(writes)).map_err(failed)?;
        blocks += 1;
        if blocks.is_multiple_of(BLOCKS_AT_ONCE) {
            db.flush().map_err(failed)?;
        }
        told(records);
    }
}

fn batch(writes: Vec<Write>) -> Batch {
    let mut batch = Batch::default();
    for (key, cell) in writes {
        match cell {
            Some(cell) => batch.insert(key, cell),
            None => batch.remove(key),
        }
    }
    batch
}

/// Compares a restored store with what its last commit counted; returns the number of its facts.
fn checked(tree: &Tree, header: &Header, whole: Whole) -> Result<u64, RestoreError> {
    let contents = Contents::of(tree).map_err(Error::from)?;
    let counted = tree.counted().map_err(Error::from)?;
    let has_cells = contents.tally.is_some_and(|tally| tally.has_cells_of(&counted));
    let parts = [
        ("name", contents.name.as_deref() == Some(&header.store)),
        ("epoch", contents.owner >= header.epoch),
        ("number of commits", tree.commits() == whole.commits),
        ("tally", has_cells),
    ];
    match parts.into_iter().find(|(_, is_same)| !is_same) {
        Some((part, _)) => Err(RestoreError::Inconsistent { part }),
        None => Ok(tree.count()?),
    }
}

/// The directory, locked so that no process opens a store in it meanwhile.
struct Target<'a> {
    path: &'a Path,
    _lock: File,
    /// Whether it was made for this, so that it goes if nothing is restored.
    is_new: bool,
}

impl<'a> Target<'a> {
    fn locked(path: &'a Path, existing: Existing, options: &Options) -> Result<Self, RestoreError> {
        let failed = |source| RestoreError::Replace { path: path.into(), source };
        if path.exists() && !path.is_dir() {
            return Err(OpenError::NotDirectory { path: path.to_owned() }.into());
        }
        let is_new = !path.exists();
        private::make_folder(path).map_err(failed)?;
        let lock = open::lock(path, Instant::now() + options.lock_wait)?;
        let target = Self { path, _lock: lock, is_new };
        // One that knows no lock of ours.
        if in_use(path) {
            return Err(OpenError::InUse { path: path.to_owned() }.into());
        }
        if existing == Existing::Refuse && holds_files(path).map_err(failed)? {
            return Err(RestoreError::Exists { path: path.to_owned() });
        }
        Ok(target)
    }
}

impl Drop for Target<'_> {
    fn drop(&mut self) {
        let is_empty = self.is_new && holds_files(self.path).is_ok_and(|holds| !holds);
        if is_empty && let Err(error) = fs::remove_dir_all(self.path) {
            tracing::warn!(path = %self.path.display(), %error, "an empty folder cannot be removed");
        }
    }
}

/// Whether there is more than a lock in a directory.
fn holds_files(path: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(path)? {
        if entry?.file_name() != LOCK {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes a directory, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
