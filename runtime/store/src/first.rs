//! Stores of the first form, in which a sled database has all facts. They are moved into tables when they are opened.

use std::fs::File;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use ::sled::{Db, IVec};

use crate::acknowledged;
use crate::bulk::Bulk;
use crate::check;
use crate::closing::is_unlocked;
use crate::database::{LOG, OpenError, guarded, open_db};
use crate::failure::Failure;
use crate::folder::{LOCK_PAUSE, copy_of, exchange, new_name, remove};
use crate::layout::{self, FACTS, KEYS, OWNER, PARTS, STORE, TALLY};
use crate::log::Contents;
use crate::rehearsal::Reader;
use crate::tally::Tally;

/// Memory for what is read of one.
const CACHE_BYTES: u64 = 64 << 20;

/// Cells that are moved together.
const CELLS_AT_ONCE: usize = 1_024;

const READER: Reader = Reader { contents, counted };

/// It has what this store did not write.
#[derive(Debug, thiserror::Error)]
enum Damage {
    #[error("the value of a key has an unknown form")]
    Cell,
    #[error("a part of a value is missing")]
    Part,
    #[error("the tally is not one")]
    Tally,
}

/// Whether a folder has a store of the first form.
pub(crate) fn is_in(path: &Path) -> bool {
    path.join(LOG).exists()
}

/// Moves a store, which is locked, into a new one in the same place, and returns the lock of that one. Killed at any
/// point it leaves one of the two.
pub(crate) fn moved(path: &Path, lock_wait: Duration) -> Result<File, OpenError> {
    let failed = |source| OpenError::of_io(path, source);
    let acknowledged = acknowledged::read(path).map_err(failed)?;
    let checked = check::check(path, acknowledged, READER)?;
    let marker = checked.map(|checked| checked.note(path)).transpose()?;
    tracing::info!(path = %path.display(), "the store has its first form, and is moved into tables");
    let copy = copy_of(path);
    remove(&copy).map_err(failed)?;
    let made = guarded(path, || {
        let db = opened(path, Instant::now() + lock_wait)?;
        let found = contents(&db).map_err(|failure| OpenError::of_failure(path, failure))?;
        let lost = |lack| OpenError::Lost { path: path.to_owned(), lack };
        if let Some(marker) = &marker {
            marker.check_name(found.name.as_deref().unwrap_or_default()).map_err(lost)?;
            marker.check_commits(found.tally.unwrap_or_default().commits).map_err(lost)?;
        }
        fill(&db, &copy, &found)
    });
    let replaced = made.and_then(|lock| {
        if !is_unlocked(path) {
            return Err(OpenError::InUse { path: path.to_owned() });
        }
        exchange(path, &copy).map_err(failed)?;
        Ok(lock)
    });
    remove(&copy).map_err(failed)?;
    replaced
}

/// Opens the database, which a process may have that knows no lock of ours, or is still being taken down.
fn opened(path: &Path, until: Instant) -> Result<Db, OpenError> {
    loop {
        match open_db(path, CACHE_BYTES) {
            Err(OpenError::InUse { .. }) if Instant::now() < until => thread::sleep(LOCK_PAUSE),
            opened => return opened,
        }
    }
}

/// Makes a store of all cells.
fn fill(db: &Db, copy: &Path, found: &Contents) -> Result<File, OpenError> {
    let damaged = |failure| OpenError::of_failure(copy, failure);
    let bulk = Bulk::begin(copy)?;
    let mut changes = Vec::new();
    let read = || Failure::of("read");
    for key in [OWNER, KEYS] {
        if let Some(cell) = db.get(key).map_err(read()).map_err(damaged)? {
            changes.push((key.to_vec(), Some(cell.to_vec())));
        }
    }
    for cell in db.scan_prefix([FACTS]) {
        let (key, cell) = cell.map_err(read()).map_err(damaged)?;
        changes.push((key.to_vec(), Some(joined(db, &key, &cell).map_err(damaged)?)));
        if changes.len() >= CELLS_AT_ONCE {
            bulk.write(std::mem::take(&mut changes)).map_err(damaged)?;
        }
    }
    bulk.write(changes).map_err(damaged)?;
    let name = found.name.clone().unwrap_or_else(new_name);
    bulk.end(&name, found.tally.unwrap_or_default().commits)
}

/// The cell of a fact with all of its value.
fn joined(db: &Db, key: &IVec, cell: &IVec) -> Result<Vec<u8>, Failure> {
    let Some((is_packed, parts)) = layout::cut(cell) else {
        let whole = layout::whole(cell).is_some();
        return whole.then(|| cell.to_vec()).ok_or_else(|| Failure::of("read")(Damage::Cell));
    };
    let mut value = Vec::new();
    for index in 0..parts {
        let part = db.get(layout::part(&key[1..], index)).map_err(Failure::of("read"))?;
        value.extend_from_slice(&part.ok_or_else(|| Failure::of("read")(Damage::Part))?);
    }
    Ok(layout::cell(&value, is_packed))
}

fn contents(db: &Db) -> Result<Contents, Failure> {
    let get = |key: &[u8]| db.get(key).map_err(Failure::of("read"));
    let name = get(STORE)?.map(|name| String::from_utf8_lossy(&name).into_owned());
    let tally = get(TALLY)?
        .map(|tally| Tally::read(&tally).ok_or_else(|| Failure::of("read")(Damage::Tally)));
    Ok(Contents { name, tally: tally.transpose()? })
}

/// The tally of what a store holds, but for the number of commits. Reads all that there is.
fn counted(db: &Db) -> Result<Tally, Failure> {
    let mut counted = Tally::default();
    for first in [FACTS, PARTS] {
        for cell in db.scan_prefix([first]) {
            let (key, cell) = cell.map_err(Failure::of("read"))?;
            counted.add(&key, &cell);
        }
    }
    Ok(counted)
}

#[cfg(test)]
mod tests;
