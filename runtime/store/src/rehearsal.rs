//! Opens a copy of a store, to see whether all is there: sled may give up in the middle of opening,
//! or leave out what it cannot read, and it has written to its files by then.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use ::sled::Db;

use crate::database::{OpenError, guarded, in_use, open_db};
use crate::failure::Failure;
use crate::log::Contents;
use crate::marker::{Lack, Marker};
use crate::private;
use crate::tally::Tally;

/// Where the copy lies meanwhile, in the directory of the store.
const COPY: &str = "rehearsal";

/// How much memory the copy may use: it is read once.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// What sled keeps beside its log.
const CONFIG: &str = "conf";
const SNAPSHOTS: &str = "snap.";
const BLOBS: &str = "blobs";

/// How long a copy that was closed is waited for before it is removed.
const CLOSED_ATTEMPTS_MAX: u32 = 5_000;
const CLOSED_WAIT: Duration = Duration::from_millis(1);

/// How what lies in a sled database is read.
#[derive(Clone, Copy)]
pub(crate) struct Reader {
    /// Its totals.
    pub(crate) contents: fn(&Db) -> Result<Contents, Failure>,
    /// The tally of all that it has. Reads all of it.
    pub(crate) counted: fn(&Db) -> Result<Tally, Failure>,
}

/// Opens a copy and reads all of it. With `is_counted`, its tally is trusted.
pub(crate) fn rehearse(
    path: &Path,
    marker: Option<&Marker>,
    is_counted: bool,
    reader: Reader,
) -> Result<(), OpenError> {
    let copy = Copy::of(path).map_err(|source| OpenError::of_io(path, source))?;
    let named = |error| match (error, marker) {
        // It is about the store, not about its copy.
        (OpenError::Damaged { source, .. }, None) => {
            OpenError::Damaged { path: path.to_owned(), source }
        }
        (OpenError::Damaged { source, .. }, Some(_)) => OpenError::Lost {
            path: path.to_owned(),
            lack: Lack::Unreadable { reason: source.to_string() },
        },
        (other, _) => other,
    };
    guarded(path, || read(path, &copy.path, marker, is_counted, reader)).map_err(named)
}

fn read(
    path: &Path,
    copy: &Path,
    marker: Option<&Marker>,
    is_counted: bool,
    reader: Reader,
) -> Result<(), OpenError> {
    let db = open_db(copy, CACHE_BYTES)?;
    let damaged = |failure| OpenError::of_failure(path, failure);
    let lost = |lack| OpenError::Lost { path: path.to_owned(), lack };
    let contents = (reader.contents)(&db).map_err(damaged)?;
    let counted = (reader.counted)(&db).map_err(damaged)?;
    let Some(marker) = marker else { return Ok(()) };
    marker.check_name(contents.name.as_deref().unwrap_or_default()).map_err(lost)?;
    if !is_counted {
        return Ok(());
    }
    let commits = contents.tally.unwrap_or_default().commits;
    marker.check_commits(commits).map_err(lost)?;
    // A marker of before there was a tally knows of no commits.
    let is_whole = contents.tally.map_or(marker.commits == 0, |tally| tally.has_cells_of(&counted));
    if is_whole { Ok(()) } else { Err(lost(Lack::Facts)) }
}

/// Removes what a process that was killed left of a copy.
pub(crate) fn clear(store: &Path) -> io::Result<()> {
    match fs::remove_dir_all(store.join(COPY)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A copy of what sled keeps, for as long as this is not dropped.
struct Copy {
    path: PathBuf,
}

impl Copy {
    fn of(store: &Path) -> io::Result<Self> {
        clear(store)?;
        let copy = Self { path: store.join(COPY) };
        private::make_folder(&copy.path)?;
        for entry in fs::read_dir(store)? {
            let name = entry?.file_name();
            let of_sled = name.to_str().is_some_and(|name| {
                name == crate::database::LOG || name == CONFIG || name.starts_with(SNAPSHOTS)
            });
            if of_sled {
                fs::copy(store.join(&name), copy.path.join(&name))?;
            }
        }
        let blobs = store.join(BLOBS);
        if blobs.exists() {
            fs::create_dir(copy.path.join(BLOBS))?;
            for entry in fs::read_dir(&blobs)? {
                let name = entry?.file_name();
                fs::copy(blobs.join(&name), copy.path.join(BLOBS).join(&name))?;
            }
        }
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        for _ in 0..CLOSED_ATTEMPTS_MAX {
            if !in_use(&self.path) {
                break;
            }
            thread::sleep(CLOSED_WAIT);
        }
        // The rest is removed before the next rehearsal.
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "a copy could not be removed");
        }
    }
}
