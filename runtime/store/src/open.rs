//! Opens a data directory; error messages tell the operator what to do.

use std::any::Any;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ::sled::{Config, Db};

use crate::check::{self, Known};
use crate::marker::{Lack, Marker};
use crate::private::{self, Depth};

/// How a store is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Memory for the cache of the store, in bytes. Everything else
    /// is read from the disk again; open orders should fit.
    pub cache_bytes: u64,
    /// How long to wait for another process that has the directory, as one that was killed and is
    /// still being taken down.
    pub lock_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 32 * 1024 * 1024, lock_wait: Duration::ZERO }
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
    },
    /// The log lacks what was acknowledged. Nothing was changed.
    #[error(
        "the store in `{path}` lacks data that was acknowledged, so it is not opened, and nothing \
         in it was changed: restore the folder from a backup, or move it away to begin with an \
         empty one"
    )]
    Lost {
        /// The directory.
        path: PathBuf,
        /// What was found.
        #[source]
        lack: Lack,
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
    /// The files are not what we wrote. Nothing was repaired or removed.
    #[error("the data of the store in `{path}` is damaged: restore the folder from a backup")]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// What was found.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Any other error of the disk.
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
pub(crate) const LOG: &str = "db";

/// The file that is locked while the store is open, from before sled opens its files until after it
/// has closed them.
const LOCK: &str = "lock";

/// How often a lock is tried.
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// An open database.
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
    let log = settle(path).map_err(|source| OpenError::of_io(path, source))?;
    private::tighten(path, Depth::Whole);
    Ok(Opened { db, log, marker, lock, is_counted })
}

/// Has sled open its files.
pub(crate) fn open_db(path: &Path, cache_bytes: u64) -> Result<Db, OpenError> {
    let config = Config::new().path(path).cache_capacity(cache_bytes).flush_every_ms(None);
    config.open().map_err(|source| OpenError::of_sled(path, source))
}

/// Runs what may panic where files are damaged.
pub(crate) fn guarded<T>(
    path: &Path,
    run: impl FnOnce() -> Result<T, OpenError>,
) -> Result<T, OpenError> {
    panic::catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Err(OpenError::of_panic(path, panic.as_ref())))
}

fn lock(path: &Path, until: Instant) -> Result<File, OpenError> {
    let failed = |source| OpenError::of_io(path, source);
    let options = File::options().create(true).truncate(false).write(true).clone();
    let file = options.open(path.join(LOCK)).map_err(failed)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { path: path.to_owned() });
            }
        }
    }
}

/// Up to where sled noted what is in its log; it does when it is opened.
pub(crate) fn noted(path: &Path) -> io::Result<Option<u64>> {
    let mut noted = None;
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        let place = name.to_str().and_then(|name| name.strip_prefix("snap."));
        if let Some(place) = place.and_then(|place| u64::from_str_radix(place, 16).ok()) {
            noted = noted.max(Some(place));
        }
    }
    Ok(noted)
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
    pub(crate) fn of_io(path: &Path, source: io::Error) -> Self {
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

    pub(crate) fn of_sled(path: &Path, source: ::sled::Error) -> Self {
        use ::sled::Error as E;
        match source {
            E::Io(_) if in_use(path) => Self::InUse { path: path.to_owned() },
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

/// Whether another process holds the lock on the log. sled reports it only in the text of an error.
pub(crate) fn in_use(path: &Path) -> bool {
    let Ok(log) = File::open(path.join(LOG)) else { return false };
    matches!(log.try_lock(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests;
