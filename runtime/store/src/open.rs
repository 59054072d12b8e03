//! Opening a data directory: what can go wrong is said in the words of whoever has to act.

use std::any::Any;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use ::sled::{Config, Db};

/// How a store is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How much memory the store may use to keep what it read or wrote, in bytes. What is not kept
    /// is read from the disk again; open orders should fit.
    pub cache_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 256 * 1024 * 1024 }
    }
}

/// Why a data directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Someone else has it.
    #[error("`{path}` is in use: is another ferrule running on this data directory?")]
    InUse {
        /// The directory.
        path: PathBuf,
        /// What sled said.
        #[source]
        source: ::sled::Error,
    },
    /// The path names something else.
    #[error("`{path}` is not a directory")]
    NotDirectory {
        /// The path.
        path: PathBuf,
    },
    /// We may not write there.
    #[error("`{path}` is not writable")]
    NotWritable {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The files are not what we wrote. Restore a backup; nothing was repaired or removed.
    #[error("the data in `{path}` is damaged")]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// What was found.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The disk failed in another way.
    #[error("`{path}` could not be opened")]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// sled gave up in the middle of reading its files.
#[derive(Debug, thiserror::Error)]
#[error("reading it ended with `{0}`")]
struct Panicked(String);

/// The file that sled writes its log to, in the data directory.
const LOG: &str = "db";

/// Opens the database of a directory, and its log file for us to sync. Everything in it is durable
/// then: what a killed process wrote but never synced must not be acted on before it is.
pub(crate) fn open(path: &Path, options: &Options) -> Result<(Db, File), OpenError> {
    if path.exists() && !path.is_dir() {
        return Err(OpenError::NotDirectory { path: path.to_owned() });
    }
    fs::create_dir_all(path).map_err(|source| OpenError::of_io(path, source))?;
    let config = Config::new().path(path).cache_capacity(options.cache_bytes).flush_every_ms(None);
    let db = panic::catch_unwind(AssertUnwindSafe(|| config.open()))
        .map_err(|panic| OpenError::of_panic(path, panic.as_ref()))?
        .map_err(|source| OpenError::of_sled(path, source))?;
    let log = settle(path).map_err(|source| OpenError::of_io(path, source))?;
    Ok((db, log))
}

/// Syncs all files of the directory, itself, and its name in its parent; gives the log.
fn settle(path: &Path) -> io::Result<File> {
    for entry in fs::read_dir(path)? {
        File::open(entry?.path())?.sync_all()?;
    }
    File::open(path)?.sync_all()?;
    if let Some(parent) = path.canonicalize()?.parent() {
        File::open(parent)?.sync_all()?;
    }
    File::options().read(true).write(true).open(path.join(LOG))
}

impl OpenError {
    fn of_io(path: &Path, source: io::Error) -> Self {
        const DENIED: [ErrorKind; 2] = [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem];
        let path = path.to_owned();
        if source.kind() == ErrorKind::NotADirectory {
            return Self::NotDirectory { path };
        }
        if DENIED.contains(&source.kind()) {
            return Self::NotWritable { path, source };
        }
        Self::Io { path, source }
    }

    fn of_sled(path: &Path, source: ::sled::Error) -> Self {
        use ::sled::Error as E;
        match source {
            E::Io(_) if in_use(path) => Self::InUse { path: path.to_owned(), source },
            E::Io(source) if source.kind() != ErrorKind::UnexpectedEof => Self::of_io(path, source),
            E::Io(_)
            | E::Corruption { .. }
            | E::Unsupported(_)
            | E::ReportableBug(_)
            | E::CollectionNotFound(_) => {
                Self::Damaged { path: path.to_owned(), source: Box::new(source) }
            }
        }
    }

    fn of_panic(path: &Path, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
        Self::Damaged { path: path.to_owned(), source: Box::new(Panicked(text.to_owned())) }
    }
}

/// sled's lock on the directory. sled ends its tasks in the background after it was dropped and
/// unlocks the log then, so whoever opens the directory at once would find it in use. Dropping this
/// waits for that.
pub(crate) struct Lock(PathBuf);

/// How often the lock is looked at, and how long each time is waited for it.
const UNLOCK_ATTEMPTS_MAX: u32 = 1000;
const UNLOCK_WAIT: Duration = Duration::from_millis(1);

impl Lock {
    /// The lock of this directory, which is open.
    pub(crate) fn of(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        for _ in 0..UNLOCK_ATTEMPTS_MAX {
            if !in_use(&self.0) {
                return;
            }
            thread::sleep(UNLOCK_WAIT);
        }
        // Someone else may have opened it meanwhile.
        tracing::warn!(path = %self.0.display(), "the store is closed, but still locked");
    }
}

/// Whether someone holds the lock on the log. sled says so only in the text of an error.
fn in_use(path: &Path) -> bool {
    let Ok(log) = File::open(path.join(LOG)) else { return false };
    matches!(log.try_lock(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests;
