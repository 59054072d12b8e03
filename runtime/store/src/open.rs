//! Opening a data directory: what can go wrong is said in the words of whoever has to act.

use std::any::Any;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ::sled::{Config, Db};

use crate::marker::{self, Lack, Marker, MarkerFile};
use crate::private::{self, Depth};
use crate::scan::{self, Look};

/// How a store is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How much memory the store may use to keep what it read or wrote, in bytes. What is not kept
    /// is read from the disk again; open orders should fit.
    pub cache_bytes: u64,
    /// How long to wait for another process that has the directory, as one that was killed and is
    /// still being taken down.
    pub lock_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 256 * 1024 * 1024, lock_wait: Duration::ZERO }
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
pub(crate) const LOG: &str = "db";

/// The folder for copies of what opening the log wipes.
const ASIDE: &str = "before-recovery";

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
    let marker = check(path)?;
    let config = Config::new().path(path).cache_capacity(options.cache_bytes).flush_every_ms(None);
    let db = loop {
        let opened = panic::catch_unwind(AssertUnwindSafe(|| config.open()))
            .map_err(|panic| OpenError::of_panic(path, panic.as_ref()))?
            .map_err(|source| OpenError::of_sled(path, source));
        match opened {
            // One that knows no lock of ours, or is still being taken down.
            Err(OpenError::InUse { .. }) if Instant::now() < until => thread::sleep(LOCK_PAUSE),
            opened => break opened?,
        }
    };
    let log = settle(path).map_err(|source| OpenError::of_io(path, source))?;
    private::tighten(path, Depth::Whole);
    Ok(Opened { db, log, marker, lock })
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

/// Holds the log against what is known of it; what is known.
fn check(path: &Path) -> Result<Option<Marker>, OpenError> {
    let failed = |source| OpenError::of_io(path, source);
    let lost = |lack| OpenError::Lost { path: path.to_owned(), lack };
    let marker = marker::read(path).map_err(failed)?.transpose().map_err(lost)?;
    let log = match File::open(path.join(LOG)) {
        Ok(log) => log,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let is_new = marker.is_none() && noted(path).map_err(failed)?.is_none();
            return if is_new { Ok(None) } else { Err(lost(Lack::Missing)) };
        }
        Err(error) => return Err(failed(error)),
    };
    let noted = noted(path).map_err(failed)?.unwrap_or_default();
    let look = scan::look(&log, noted).map_err(failed)?;
    let Some(marker) = marker else {
        if look.bytes > 0 {
            let path = path.display();
            tracing::warn!(%path, "the store has no marker, as one of an earlier version: \
                its log is taken as it is");
        }
        return Ok(None);
    };
    marker.check(&look).map_err(lost)?;
    let broken = scan::broken(&log, noted, look.end).map_err(failed)?;
    if !broken.is_empty() && marker.is_closed {
        return Err(lost(Lack::Broken { offset: broken[0] }));
    }
    if !broken.is_empty() || look.behind > 0 {
        set_aside(path, &log, &look, &broken).map_err(failed)?;
    }
    // From here on the log may be written to.
    let mut file = MarkerFile::open(path, &marker.store, Some(&marker)).map_err(failed)?;
    file.note(&look, marker.epoch).map_err(failed)?;
    Ok(Some(file.into_last()))
}

/// Keeps what opening the log is going to wipe, in place of what was kept the last time.
fn set_aside(path: &Path, log: &File, look: &Look, broken: &[u64]) -> io::Result<()> {
    let aside = path.join(ASIDE);
    if aside.exists() {
        fs::remove_dir_all(&aside)?;
    }
    private::make_folder(&aside)?;
    let mut offsets = scan::from_end(log, look.end)?;
    offsets.extend(broken);
    for offset in &offsets {
        let file = aside.join(format!("db-at-{offset}"));
        fs::write(&file, scan::segment(log, *offset)?)?;
        File::open(&file)?.sync_all()?;
    }
    File::open(&aside)?.sync_all()?;
    let (path, broken) = (aside.display(), broken.len());
    tracing::warn!(%path, segments = offsets.len(), broken, "the log was torn when the server \
        stopped: what recovery wipes of it was copied");
    Ok(())
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

    fn of_sled(path: &Path, source: ::sled::Error) -> Self {
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

/// Whether someone holds the lock on the log. sled says so only in the text of an error.
pub(crate) fn in_use(path: &Path) -> bool {
    let Ok(log) = File::open(path.join(LOG)) else { return false };
    matches!(log.try_lock(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests;
