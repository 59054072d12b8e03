//! Takes what is in the logs into the tables, when a store is opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::store::Progress;

use crate::database::OpenError;
use crate::failure::Failure;
use crate::layout::TALLY;
use crate::log::Broken;
use crate::logs::{self, Form, OpenLog, Spare};
use crate::marker::{Lack, Marker};
use crate::record;
use crate::tables::Tables;
use crate::tally::Tally;
use crate::tree::Tree;

/// A store with all that its logs have.
pub(crate) struct Replayed {
    pub(crate) name: String,
    /// The log that commits go to, and its number.
    pub(crate) log: OpenLog,
    pub(crate) number: u64,
}

/// What has been taken in.
pub(crate) struct Replay {
    path: PathBuf,
    tables: Arc<Tables>,
    name: String,
    /// The tally after the last commit that is in the tables.
    last: Tally,
    recent_bytes: u64,
    progress: Arc<Progress>,
}

impl Replay {
    /// Begins with what the tables have.
    pub(crate) fn begin(
        path: &Path,
        tree: &Tree,
        recent_bytes: u64,
        progress: &Arc<Progress>,
    ) -> Result<Self, OpenError> {
        let damaged = |failure| OpenError::of_failure(path, failure);
        let name = tree.store().map_err(damaged)?;
        let lack = || Lack::Tables { reason: "they have no name".to_owned() };
        let lost = || OpenError::Lost { path: path.to_owned(), lack: lack() };
        Ok(Self {
            path: path.to_owned(),
            tables: Arc::clone(tree.tables()),
            name: name.ok_or_else(lost)?,
            last: tree.tally().map_err(damaged)?,
            recent_bytes,
            progress: Arc::clone(progress),
        })
    }

    /// Takes in all logs.
    pub(crate) fn all(
        mut self,
        logs: Vec<(u64, Option<Marker>)>,
        acknowledged: Option<Tally>,
        form: Form,
    ) -> Result<Replayed, OpenError> {
        let last_log = logs.last().map_or(form.log, |(number, _)| form.log.max(*number));
        let (mut open, mut unused) = (Vec::new(), Vec::new());
        for (number, marker) in logs {
            let folder = logs::folder(&self.path, number);
            // One that is not in the form yet, and has no marker, may lack files.
            let is_half = marker.is_none() && number > form.log;
            match if is_half { None } else { self.log(&folder, marker.as_ref())? } {
                Some(log) => open.push((number, log)),
                None => unused.push(folder),
            }
        }
        let known = acknowledged.map_or(0, |tally| tally.commits);
        if self.last.commits < known {
            return Err(self.lost(Lack::Commits { found: self.last.commits, known }));
        }
        let failed = |source| OpenError::of_io(&self.path, source);
        let goes_on = open.pop_if(|(_, log)| log.last() == self.last);
        let (number, log) = match goes_on {
            Some(log) => log,
            None => (last_log + 1, self.new_log(last_log + 1)?),
        };
        // Before others are removed: one that it names must be there.
        if form != Form::of(number) {
            Form::of(number).write(&self.path).map_err(failed)?;
        }
        if !open.is_empty() {
            self.flush()?;
        }
        for (_, log) in open {
            log.discard(&self.path).map_err(failed)?;
        }
        for folder in unused {
            logs::discard(&self.path, &folder).map_err(failed)?;
        }
        logs::sweep(&self.path).map_err(failed)?;
        Ok(Replayed { name: self.name, log, number })
    }

    /// Takes in the commits of a log that are not in the tables; `None` if it has not begun.
    fn log(
        &mut self,
        folder: &Path,
        marker: Option<&Marker>,
    ) -> Result<Option<OpenLog>, OpenError> {
        if let Some(marker) = marker {
            marker.check_name(&self.name).map_err(|lack| self.lost(lack))?;
        }
        let damaged = |failure| OpenError::of_failure(folder, failure);
        let spare = Spare::made(folder)?;
        if !spare.has_begun().map_err(damaged)? {
            return Ok(None);
        }
        let log = spare.begun(&self.name, self.last, marker, Arc::clone(&self.progress))?;
        for record in log.records() {
            let (tally, record) = record.map_err(damaged)?;
            if tally.commits == self.last.commits && tally != self.last {
                return Err(self.lost(Lack::Fork { commit: tally.commits }));
            }
            if tally.commits <= self.last.commits {
                continue;
            }
            if tally != self.last.after(&record) {
                let lack = Lack::Gap { after: self.last.commits, found: tally.commits - 1 };
                return Err(self.lost(lack));
            }
            let changes = record::read(&record);
            let broken = || damaged(Failure::of("read")(Broken::Record(tally.commits)));
            let mut changes = changes.ok_or_else(broken)?;
            changes.push((TALLY.to_vec(), Some(tally.write().to_vec())));
            self.last = tally;
            if self.tables.apply(changes) >= self.recent_bytes {
                self.flush()?;
            }
        }
        let found = log.last().commits;
        match found > self.last.commits {
            true => Err(self.lost(Lack::Gap { after: self.last.commits, found })),
            false => Ok(Some(log)),
        }
    }

    fn new_log(&self, number: u64) -> Result<OpenLog, OpenError> {
        let spare = Spare::made(&logs::folder(&self.path, number))?;
        spare.begun(&self.name, self.last, None, Arc::clone(&self.progress))
    }

    fn flush(&self) -> Result<(), OpenError> {
        self.tables.set_apart();
        self.tables.flush().map_err(|failure| OpenError::of_failure(&self.path, failure))
    }

    fn lost(&self, lack: Lack) -> OpenError {
        OpenError::Lost { path: self.path.clone(), lack }
    }
}
