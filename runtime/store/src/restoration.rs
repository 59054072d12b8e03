//! Restoration: makes a store of a backup beside a directory, and puts it in its place in one step.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use engine::store::Error;

use crate::backup::{Fault, Header, Part, Reading, Whole};
use crate::bulk::Bulk;
use crate::database::{OpenError, in_use};
use crate::folder::{self, LOCK, copy_of, exchange};
use crate::open::Options;
use crate::private;
use crate::seal::{Seal, SealError};
use crate::tree::Tree;

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
    /// It has not what its header and its end tell.
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

/// Restores a backup into a directory that no process has open; tells after each block how many cells are written.
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
    folder::remove(&copy).map_err(failed)?;
    let made = made(&mut reading, &copy, told).and_then(|made| {
        File::open(&copy).and_then(|copy| copy.sync_all()).map_err(failed)?;
        exchange(path, &copy).map_err(failed)?;
        Ok(made)
    });
    // It is the old store now, or the new one, which is not whole.
    let removed = folder::remove(&copy);
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

/// Makes a store of a backup; it stays locked for as long as the file is kept.
fn made(
    reading: &mut Reading<impl Read>,
    path: &Path,
    told: impl FnMut(u64),
) -> Result<(Restored, File), RestoreError> {
    let bulk = Bulk::begin(path)?;
    let whole = fill(&bulk, reading, told)?;
    let header = reading.header().clone();
    let facts = checked(&bulk.tree(), &header, whole)?;
    let lock = bulk.end(&header.store, whole.commits)?;
    Ok((Restored { header, whole, facts }, lock))
}

/// Writes all cells of a backup.
fn fill(
    bulk: &Bulk,
    reading: &mut Reading<impl Read>,
    mut told: impl FnMut(u64),
) -> Result<Whole, RestoreError> {
    let mut records = 0;
    loop {
        let cells = match reading.next()? {
            Part::Records(cells) => cells,
            Part::End(whole) => return Ok(whole),
        };
        records += cells.len() as u64;
        let changes = cells.into_iter().map(|(key, cell)| (key, Some(cell)));
        bulk.write(changes.collect()).map_err(Error::from)?;
        told(records);
    }
}

/// Compares a restored store with the totals of its backup; returns the number of its facts.
fn checked(tree: &Tree, header: &Header, whole: Whole) -> Result<u64, RestoreError> {
    let name = tree.store().map_err(Error::from)?;
    let parts = [
        ("name", name.as_deref() == Some(&header.store)),
        ("epoch", tree.owner().map_err(Error::from)? >= header.epoch),
        ("number of commits", tree.tally().map_err(Error::from)?.commits == whole.commits),
        ("keys", tree.keys().map_err(Error::from)? == header.keys),
    ];
    match parts.into_iter().find(|(_, is_same)| !is_same) {
        Some((part, _)) => Err(RestoreError::Inconsistent { part }),
        None => Ok(tree.count().map_err(Error::from)?),
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
        let lock = folder::lock(path, Instant::now() + options.lock_wait)?;
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
