//! Opens a data directory; error messages tell the operator what to do.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ::sled::Db;

use crate::check::{self, Known};
use crate::database::{LOG, OpenError, guarded, open_db};
use crate::marker::Marker;
use crate::private::{self, Depth};
use crate::seal::MasterKeys;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Memory for the cache of the store, in bytes. Everything else
    /// is read from the disk again; open orders should fit.
    pub cache_bytes: u64,
    /// How long to wait for another process that has the directory, as one that was killed and is
    /// still being taken down.
    pub lock_wait: Duration,
    /// The keys that its values are sealed under; `None` if they are not sealed.
    pub keys: Option<MasterKeys>,
    /// Max bytes written meanwhile that wait for a backup; with more it is given up.
    pub backup_waiting_bytes_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 32 * 1024 * 1024,
            lock_wait: Duration::ZERO,
            keys: None,
            backup_waiting_bytes_max: 256 * 1024 * 1024,
        }
    }
}

/// The file that is locked while the store is open, from before sled opens its files until after it
/// has closed them.
pub(crate) const LOCK: &str = "lock";

/// What the name of a copy ends with, that a compaction makes beside the directory.
const COPY: &str = "compact";

/// How often a lock is tried.
const LOCK_PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Opened {
    pub(crate) db: Db,
    /// The file that sled writes its log to, for us to sync.
    pub(crate) log: File,
    /// What was known of the log before.
    pub(crate) marker: Option<Marker>,
    /// Keeps other processes out.
    pub(crate) lock: File,
    /// Whether every commit up to now counted what it wrote.
    pub(crate) is_counted: bool,
}

/// Opens the database of a directory. Everything in it is durable then: what a killed process wrote
/// but never synced must not be acted on before it is. A log that lacks what was acknowledged is not
/// opened, since opening it would write.
pub(crate) fn open(path: &Path, options: &Options) -> Result<Opened, OpenError> {
    if path.exists() && !path.is_dir() {
        return Err(OpenError::NotDirectory { path: path.to_owned() });
    }
    private::make_folder(path).map_err(|source| OpenError::of_io(path, source))?;
    let until = Instant::now() + options.lock_wait;
    let lock = lock(path, until)?;
    let Known { marker, is_counted } = check::check(path)?;
    let db = loop {
        match guarded(path, || open_db(path, options.cache_bytes)) {
            // One that knows no lock of ours, or is still being taken down.
            Err(OpenError::InUse { .. }) if Instant::now() < until => thread::sleep(LOCK_PAUSE),
            opened => break opened?,
        }
    };
    let log = sync_all(path).map_err(|source| OpenError::of_io(path, source))?;
    private::tighten(path, Depth::Whole);
    Ok(Opened { db, log, marker, lock, is_counted })
}

/// The path of the copy that a compaction of a directory makes.
pub(crate) fn copy_of(path: &Path) -> PathBuf {
    path.with_extension(COPY)
}

/// Removes what a compaction left beside a directory that is open: the copy that it had not finished, or
/// the old store, which may be in clear.
pub(crate) fn sweep(path: &Path) {
    let copy = copy_of(path);
    if copy == path || !copy.exists() {
        return;
    }
    let path = copy.display();
    match fs::remove_dir_all(&copy) {
        Ok(()) => tracing::info!(%path, "the rest of an interrupted compaction is removed"),
        Err(error) => {
            tracing::error!(%path, %error, "the rest of an interrupted compaction cannot be removed");
        }
    }
}

pub(crate) fn lock(path: &Path, until: Instant) -> Result<File, OpenError> {
    let failed = |source| OpenError::of_io(path, source);
    let mut options = File::options();
    let options = options.create(true).truncate(false).write(true);
    loop {
        let file = options.open(path.join(LOCK)).map_err(failed)?;
        match file.try_lock() {
            // A compaction may have replaced the directory meanwhile, with its lock.
            Ok(()) if !is_at(&file, &path.join(LOCK)).map_err(failed)? => {}
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { path: path.to_owned() });
            }
        }
    }
}

/// Whether a file that is open is the one at a path.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let (own, there) = (file.metadata()?, fs::metadata(path)?);
    Ok((own.dev(), own.ino()) == (there.dev(), there.ino()))
}

/// Syncs all files of the directory, itself, and its name in its parent; gives the log.
fn sync_all(path: &Path) -> io::Result<File> {
    for entry in fs::read_dir(path)? {
        File::open(entry?.path())?.sync_all()?;
    }
    File::open(path)?.sync_all()?;
    if let Some(parent) = path.canonicalize()?.parent() {
        File::open(parent)?.sync_all()?;
    }
    File::options().read(true).write(true).open(path.join(LOG))
}

#[cfg(test)]
mod tests;
