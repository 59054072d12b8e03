//! The logs of a store, each in a folder of its own. Commits go to the last one; the others go once the tables have what
//! is in them.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ::sled::Db;
use engine::store::Progress;
use serde::{Deserialize, Serialize};

use crate::closing::{Closing, Noted, is_unlocked};
use crate::database::{OpenError, guarded, open_db};
use crate::failure::Failure;
use crate::folder::sync_all;
use crate::log::{self, Log, Record};
use crate::marker::{Lack, MARKER, Marker, MarkerFile};
use crate::private::{self, Depth};
use crate::rehearsal::Reader;
use crate::tally::Tally;

/// How the folders of logs are named, before their number.
const FOLDER: &str = "log.";

/// The end of the name of a folder that is being removed.
const GONE: &str = ".gone";

/// The file that tells which folders there are.
pub(crate) const FORM: &str = "form";

/// The version of the form: tables and logs. The first form had one sled database.
const VERSION: u32 = 2;

/// Memory of sled for a log, in bytes. It is written, and read once when the store is opened.
const CACHE_BYTES: u64 = 4 << 20;

pub(crate) const READER: Reader = Reader { contents: log::contents, counted: log::walked };

/// What is in the folder of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Form {
    version: u32,
    /// The number of the last log that was made.
    pub(crate) log: u64,
}

impl Form {
    pub(crate) fn of(log: u64) -> Self {
        Self { version: VERSION, log }
    }

    /// Reads it; `None` if the store is new.
    pub(crate) fn read(store: &Path) -> Result<Option<Self>, OpenError> {
        let bytes = match fs::read(store.join(FORM)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(OpenError::of_io(store, error)),
        };
        let lost = || OpenError::Lost { path: store.to_owned(), lack: Lack::Form(FORM) };
        let text = std::str::from_utf8(&bytes).map_err(|_| lost())?;
        let (checksum, json) = text.trim_end().split_once(' ').ok_or_else(lost)?;
        if u32::from_str_radix(checksum, 16).ok() != Some(crc32fast::hash(json.as_bytes())) {
            return Err(lost());
        }
        let form: Self = serde_json::from_str(json).map_err(|_| lost())?;
        match form.version {
            VERSION => Ok(Some(form)),
            version => Err(OpenError::Version { path: store.to_owned(), version }),
        }
    }

    /// Writes it, in one step and durably.
    pub(crate) fn write(&self, store: &Path) -> io::Result<()> {
        let json = serde_json::to_string(self)?;
        let draft = store.join(FORM).with_extension("new");
        let mut options = File::options();
        let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
        writeln!(file, "{:08x} {json}", crc32fast::hash(json.as_bytes()))?;
        file.sync_all()?;
        fs::rename(&draft, store.join(FORM))?;
        // Where an earlier version has its marker: it refuses to begin a store of its own there.
        let foreign = store.join(MARKER);
        if !foreign.exists() {
            fs::write(foreign, "This store has tables and logs: a later ferrule wrote it.\n")?;
        }
        File::open(store)?.sync_all()
    }
}

/// The folder of a log.
pub(crate) fn folder(store: &Path, number: u64) -> PathBuf {
    store.join(format!("{FOLDER}{number}"))
}

/// The numbers of the logs of a store, in order.
pub(crate) fn found(store: &Path) -> io::Result<Vec<u64>> {
    let mut numbers: Vec<u64> = Vec::new();
    for entry in fs::read_dir(store)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(FOLDER));
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Whether the log of a folder has its marker. One that was made ahead has none.
pub(crate) fn is_marked(folder: &Path) -> bool {
    folder.join(MARKER).exists()
}

/// Removes what is left of logs that were being removed.
pub(crate) fn sweep(store: &Path) -> io::Result<()> {
    for entry in fs::read_dir(store)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| name.ends_with(GONE)) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Removes a log that is closed: in one step, so that none is left with a part of its files.
pub(crate) fn discard(store: &Path, folder: &Path) -> io::Result<()> {
    let mut gone = folder.as_os_str().to_owned();
    gone.push(GONE);
    fs::rename(folder, &gone)?;
    File::open(store)?.sync_all()?;
    fs::remove_dir_all(gone)
}

/// A log that was made ahead, for commits of later.
pub(crate) struct Spare {
    /// `None` once it has begun.
    db: Option<Db>,
    file: File,
    folder: PathBuf,
}

impl Spare {
    /// Makes a log, or opens one that is there.
    pub(crate) fn made(folder: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::of_io(folder, source);
        private::make_folder(folder).map_err(failed)?;
        let db = guarded(folder, || open_db(folder, CACHE_BYTES))?;
        let file = sync_all(folder).map_err(failed)?;
        private::tighten(folder, Depth::Whole);
        Ok(Self { db: Some(db), file, folder: folder.to_owned() })
    }

    /// Whether it has begun: then it may have commits.
    pub(crate) fn has_begun(&self) -> Result<bool, Failure> {
        let contents = self.db.as_ref().map(log::contents).transpose()?;
        Ok(contents.is_some_and(|contents| contents.tally.is_some()))
    }

    /// Whether it has commits.
    pub(crate) fn has_records(&self) -> Result<bool, Failure> {
        let mut records = self.db.iter().flat_map(log::records);
        Ok(records.next().transpose()?.is_some())
    }

    /// The log, which begins after a commit if it has none.
    pub(crate) fn begun(
        mut self,
        name: &str,
        after: Tally,
        marker: Option<&Marker>,
        progress: Arc<Progress>,
    ) -> Result<OpenLog, OpenError> {
        let folder = self.folder.clone();
        let failed = |source| OpenError::of_io(&folder, source);
        let lost = |lack| OpenError::Lost { path: folder.clone(), lack };
        let damaged = |failure| OpenError::of_failure(&folder, failure);
        let file = self.file.try_clone().map_err(failed)?;
        let db = self.db.take().expect("a spare begins once, since it is consumed");
        let log = Log::of(db, file, name, after).map_err(damaged)?;
        if let Some(marker) = marker {
            marker.check_commits(log.last().commits).map_err(lost)?;
        }
        let commits = Arc::new(AtomicU64::new(log.last().commits));
        let marker = MarkerFile::open(&folder, name, marker).map_err(failed)?;
        let marker = Arc::new(Mutex::new(marker));
        let noted = Noted { path: folder.clone(), marker, commits, progress };
        noted.note().and_then(|()| File::open(&folder)?.sync_all()).map_err(failed)?;
        Ok(OpenLog { log, closing: Closing::of(noted), folder })
    }
}

/// sled closes its files in the background: who opens them next must not meet it.
impl Drop for Spare {
    fn drop(&mut self) {
        if let Some(db) = self.db.take() {
            drop(db);
            if !is_unlocked(&self.folder) {
                tracing::warn!(path = %self.folder.display(), "a log is closed, but still locked");
            }
        }
    }
}

/// A log that is open. Its marker is written when it is dropped.
pub(crate) struct OpenLog {
    log: Log,
    closing: Closing,
    folder: PathBuf,
}

impl OpenLog {
    /// Adds the record of a commit. It is durable when this returns the tally after it.
    pub(crate) fn append(&mut self, record: &[u8]) -> Result<Tally, Failure> {
        let tally = self.log.append(record)?;
        self.noted().commits.store(tally.commits, Ordering::SeqCst);
        Ok(tally)
    }

    /// The tally after its last commit.
    pub(crate) fn last(&self) -> Tally {
        self.log.last()
    }

    /// All records, in the order of their commits.
    pub(crate) fn records(&self) -> impl Iterator<Item = Result<Record, Failure>> + use<> {
        self.log.records()
    }

    /// What is noted of it.
    pub(crate) fn noted(&self) -> &Noted {
        self.closing.noted()
    }

    /// Closes it, and removes it.
    pub(crate) fn discard(self, store: &Path) -> io::Result<()> {
        let folder = self.folder.clone();
        drop(self);
        discard(store, &folder)
    }
}
