//! The database as sled has it on the disk: its files, opening it, and what may go wrong with that.

use std::any::Any;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use ::sled::{Config, Db};
use engine::store::Error;

use crate::failure::Failure;
use crate::marker::Lack;
use crate::seal::SealError;

/// The file that sled writes its log to, in the data directory.
pub(crate) const LOG: &str = "db";

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
    /// It is sealed and cannot be unsealed, or is not sealed and should be. Nothing was changed.
    #[error("the store in `{path}` cannot be opened with the key that is set")]
    Seal {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: SealError,
    },
    /// A later ferrule wrote it. Nothing was changed.
    #[error(
        "the store in `{path}` has form {version}, which this ferrule does not know: use a later one"
    )]
    Version {
        /// The directory.
        path: PathBuf,
        version: u32,
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

    /// The error of data that cannot be read.
    pub(crate) fn of_failure(path: &Path, failure: Failure) -> Self {
        Self::Damaged { path: path.to_owned(), source: Box::new(Error::from(failure)) }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library may add errors, which tell of damage"
    )]
    pub(crate) fn of_tables(path: &Path, source: lsm_tree::Error) -> Self {
        use lsm_tree::Error as E;
        /// Errors of files that were cut or removed.
        const MISSING: [ErrorKind; 3] =
            [ErrorKind::UnexpectedEof, ErrorKind::NotFound, ErrorKind::InvalidData];
        match source {
            E::Io(source) if !MISSING.contains(&source.kind()) => Self::of_io(path, source),
            lost => {
                let lack = Lack::Tables { reason: lost.to_string() };
                Self::Lost { path: path.to_owned(), lack }
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
