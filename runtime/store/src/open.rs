//! Opens a data directory; error messages tell the operator what to do.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::store::Progress;

use crate::acknowledged;
use crate::bulk::{Bulk, FIRST_LOG};
use crate::check;
use crate::database::{OpenError, guarded};
use crate::first;
use crate::folder::{TABLES, lock, new_name};
use crate::logs::{self, FORM, Form, OpenLog, READER, Spare};
use crate::manifest;
use crate::marker::{Lack, MARKER, Marker};
use crate::private::{self, Depth};
use crate::replay::{Replay, Replayed};
use crate::seal::MasterKeys;
use crate::tables::{RECENT_BYTES_MAX, Tables};
use crate::tally::Tally;
use crate::tree::Tree;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Memory for what was read of the tables, in bytes. Everything else is read from the disk again; open orders
    /// should fit.
    pub cache_bytes: u64,
    /// Bytes of recent commits in memory; with more they are written to a file, and up to four times as many are in
    /// memory until they are. A store that is opened reads as many from its logs.
    pub recent_bytes: u64,
    /// How long to wait for another process that has the directory, as one that was killed and is
    /// still being taken down.
    pub lock_wait: Duration,
    /// The keys that its values are sealed under; `None` if they are not sealed.
    pub keys: Option<MasterKeys>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 32 << 20,
            recent_bytes: RECENT_BYTES_MAX,
            lock_wait: Duration::ZERO,
            keys: None,
        }
    }
}

/// A store that is open, with all that is in its logs.
pub(crate) struct Opened {
    pub(crate) tree: Tree,
    pub(crate) name: String,
    /// The log that commits go to.
    pub(crate) log: OpenLog,
    /// Its number.
    pub(crate) log_number: u64,
    /// Keeps other processes out.
    pub(crate) lock: File,
}

/// Opens the store of a directory, and makes it where there is none. Everything in it is durable then: what a killed
/// process wrote but never synced must not be acted on before it is. A store that lacks what was acknowledged is
/// not opened, since opening it would write.
pub(crate) fn open(
    path: &Path,
    options: &Options,
    progress: &Arc<Progress>,
) -> Result<Opened, OpenError> {
    if path.exists() && !path.is_dir() {
        return Err(OpenError::NotDirectory { path: path.to_owned() });
    }
    private::make_folder(path).map_err(|source| OpenError::of_io(path, source))?;
    let mut lock = lock(path, Instant::now() + options.lock_wait)?;
    let mut form = Form::read(path)?;
    match (&form, first::is_in(path)) {
        (Some(_), true) => return Err(OpenError::Lost { path: path.into(), lack: Lack::Both }),
        (None, true) => {
            lock = first::moved(path, options.lock_wait)?;
            form = Form::read(path)?;
        }
        (_, false) => {}
    }
    let form = match form {
        Some(form) => form,
        None => {
            lock = begun(path, lock)?;
            Form::of(FIRST_LOG)
        }
    };
    let found = Found::in_folder(path, form)?;
    let markers = found.checked(path)?;
    let (tree, replayed) = guarded(path, || {
        let tables = Tables::open(&path.join(TABLES), options.cache_bytes);
        let tables = tables.map_err(|error| OpenError::of_tables(path, error))?;
        let tree = Tree::new(Arc::new(tables));
        let replay = Replay::begin(path, &tree, options.recent_bytes, progress)?;
        Ok((tree, replay.all(markers, found.acknowledged, form)?))
    })?;
    let Replayed { name, log, number: log_number } = replayed;
    private::tighten(path, Depth::Whole);
    Ok(Opened { tree, name, log, log_number, lock })
}

/// Makes a store in a folder that has none, or only what is left of making one; returns its lock.
fn begun(path: &Path, lock: File) -> Result<File, OpenError> {
    let lost = |lack| OpenError::Lost { path: path.to_owned(), lack };
    let failed = |source| OpenError::of_io(path, source);
    // A store of the first form had its marker there.
    if path.join(MARKER).exists() {
        return Err(lost(Lack::Missing));
    }
    // Nothing is acknowledged before there is a form.
    let acknowledged = acknowledged::read(path).map_err(failed)?;
    let logs = logs::found(path).map_err(failed)?;
    let is_new = acknowledged.is_none()
        && logs.iter().all(|number| *number == FIRST_LOG)
        && logs.iter().all(|number| !has_commits(&logs::folder(path, *number)));
    if !is_new {
        return Err(lost(Lack::Form(FORM)));
    }
    let bulk = Bulk::within(path, lock)?;
    let damaged = |failure| OpenError::of_failure(path, failure);
    let tree = bulk.tree();
    if !tree.is_empty().map_err(damaged)? || tree.tally().map_err(damaged)?.commits > 0 {
        return Err(lost(Lack::Form(FORM)));
    }
    let name = tree.store().map_err(damaged)?;
    drop(tree);
    bulk.end(&name.unwrap_or_else(new_name), 0)
}

/// Whether a log may have commits. One that is marked and cannot be read may.
fn has_commits(folder: &Path) -> bool {
    if !logs::is_marked(folder) {
        return false;
    }
    let records = || {
        check::check(folder, None, READER)?;
        let spare = Spare::made(folder)?;
        spare.has_records().map_err(|failure| OpenError::of_failure(folder, failure))
    };
    records().unwrap_or(true)
}

/// What lies in the folder of a store.
struct Found {
    form: Form,
    logs: Vec<u64>,
    acknowledged: Option<Tally>,
}

impl Found {
    fn in_folder(path: &Path, form: Form) -> Result<Self, OpenError> {
        let failed = |source| OpenError::of_io(path, source);
        let lost = |lack| OpenError::Lost { path: path.to_owned(), lack };
        let logs = logs::found(path).map_err(failed)?;
        let acknowledged = acknowledged::read(path).map_err(failed)?;
        if !Tables::are_in(&path.join(TABLES)) {
            return Err(lost(Lack::Folder(TABLES.to_owned())));
        }
        if !logs.contains(&form.log) {
            let folder = logs::folder(Path::new(""), form.log);
            return Err(lost(Lack::Folder(folder.display().to_string())));
        }
        manifest::check(&path.join(TABLES)).map_err(|reason| lost(Lack::Tables { reason }))?;
        Ok(Self { form, logs, acknowledged })
    }

    /// Validates each log before anything is written; returns the markers of those that have one.
    fn checked(&self, path: &Path) -> Result<Vec<(u64, Option<Marker>)>, OpenError> {
        let folder = |number: u64| logs::folder(path, number);
        let last = self.logs.iter().rev().copied().find(|number| logs::is_marked(&folder(*number)));
        let mut checked = Vec::new();
        for number in &self.logs {
            // One that is not in the form yet has no commits, and maybe not all of its files.
            let is_half = *number > self.form.log && !logs::is_marked(&folder(*number));
            let acknowledged = self.acknowledged.filter(|_| Some(*number) == last);
            let found = match is_half {
                true => None,
                false => check::check(&folder(*number), acknowledged, READER)?,
            };
            checked.push((*number, found));
        }
        let noted = checked.into_iter().map(|(number, found)| {
            let marker = found.map(|found| found.note(&folder(number))).transpose()?;
            Ok((number, marker))
        });
        noted.collect()
    }
}

#[cfg(test)]
mod tests;
