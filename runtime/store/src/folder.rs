//! The folder of a store: its lock, the copy of it that takes its place, and syncing what is in it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, RenameFlags, renameat_with, statvfs};

use crate::database::{LOG, OpenError};

/// The folder of the tables.
pub(crate) const TABLES: &str = "tables";

/// The file that is locked while the store is open, from before sled opens its files until after it
/// has closed them.
pub(crate) const LOCK: &str = "lock";

/// What the name of a copy ends with, that a compaction makes beside the directory.
const COPY: &str = "compact";

/// How often a lock is tried.
pub(crate) const LOCK_PAUSE: Duration = Duration::from_millis(50);

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
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let (own, there) = (file.metadata()?, fs::metadata(path)?);
    Ok((own.dev(), own.ino()) == (there.dev(), there.ino()))
}

/// Exchanges two directories in one step. After an error they are as they were.
pub(crate) fn exchange(path: &Path, copy: &Path) -> io::Result<()> {
    renameat_with(CWD, path, CWD, copy, RenameFlags::EXCHANGE)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or_else(|| Path::new("."));
    if let Err(error) = File::open(parent).and_then(|parent| parent.sync_all()) {
        tracing::warn!(%error, "a power loss may bring back the store that was replaced");
    }
    Ok(())
}

/// A name for a new store.
pub(crate) fn new_name() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

/// Removes a directory, if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Syncs a directory and its name in its parent.
pub(crate) fn sync_folders(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    match path.canonicalize()?.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

/// Syncs all files of the directory of a sled database, itself, and its name in its parent; gives the log.
pub(crate) fn sync_all(path: &Path) -> io::Result<File> {
    for entry in fs::read_dir(path)? {
        File::open(entry?.path())?.sync_all()?;
    }
    sync_folders(path)?;
    File::options().read(true).write(true).open(path.join(LOG))
}

/// The bytes that are free, for us, on the disk of a folder.
///
/// # Errors
/// The folder cannot be looked at.
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
