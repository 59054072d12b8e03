//! Keeps the marker of an open log, and closes the log: the marker then describes it exactly.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Builder, JoinHandle};
use std::time::{Duration, Instant};

use engine::store::Progress;

use crate::database::{LOG, in_use, noted};
use crate::marker::MarkerFile;
use crate::scan;

/// How often it is noted how far the log reaches, while something is written.
const NOTE_PAUSE: Duration = Duration::from_secs(1);

/// At most this part of the time goes into noting: a large log has many headers.
const NOTE_SHARE: u32 = 100;

/// How often sled's lock is looked at after it was dropped, and how long each time is waited.
const UNLOCK_ATTEMPTS_MAX: u32 = 10_000;
const UNLOCK_WAIT: Duration = Duration::from_millis(1);

/// The sources of the marker's content.
#[derive(Clone)]
pub(crate) struct Noted {
    pub(crate) path: PathBuf,
    pub(crate) marker: Arc<Mutex<MarkerFile>>,
    /// How many commits of the store are durable after the last one of this log.
    pub(crate) commits: Arc<AtomicU64>,
    pub(crate) progress: Arc<Progress>,
}

impl Noted {
    /// Notes how far the log reaches: what is seen of it is synced before it is noted.
    pub(crate) fn note(&self) -> io::Result<()> {
        let log = self.log()?;
        let commits = self.commits.load(Ordering::SeqCst);
        let look = scan::look(&log, self.place()?)?;
        log.sync_data()?;
        self.with(|marker| marker.note(&look, commits))
    }

    fn close(&self) -> io::Result<()> {
        let log = self.log()?;
        let look = scan::look(&log, self.place()?)?;
        log.sync_all()?;
        let commits = self.commits.load(Ordering::SeqCst);
        self.with(|marker| marker.close(&look, commits))
    }

    fn with(&self, write: impl FnOnce(&mut MarkerFile) -> io::Result<()>) -> io::Result<()> {
        // Nothing panics between two halves of a change.
        write(&mut self.marker.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn place(&self) -> io::Result<u64> {
        Ok(noted(&self.path)?.unwrap_or_default())
    }

    fn log(&self) -> io::Result<File> {
        File::options().read(true).write(true).open(self.path.join(LOG))
    }
}

/// The log that is noted now.
pub(crate) type Current = Arc<Mutex<Noted>>;

/// Notes, in a thread of its own, how far the log reaches, for as long as it is not dropped.
pub(crate) struct Notes {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Notes {
    pub(crate) fn start(current: Current) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = Builder::new().name("store marker".to_owned());
        let thread = thread.spawn(move || {
            let current = || current.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let mut last = current().progress.durable();
            let mut pause = NOTE_PAUSE;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let noted = current();
                let durable = noted.progress.durable();
                if durable == last {
                    continue;
                }
                last = durable;
                let begun = Instant::now();
                // One that was removed meanwhile needs no marker.
                if let Err(error) = noted.note()
                    && error.kind() != io::ErrorKind::NotFound
                {
                    tracing::warn!(%error, "the marker of the store could not be written");
                }
                pause = NOTE_PAUSE.max(begun.elapsed() * NOTE_SHARE);
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        self.stop.take();
        let Some(thread) = self.thread.take() else { return };
        if thread.join().is_err() {
            tracing::error!("what keeps the store's marker had panicked");
        }
    }
}

/// The end of a log, after sled was dropped. sled ends its tasks in the background then and
/// unlocks the log; dropping this waits for that, and writes the marker.
pub(crate) struct Closing {
    noted: Noted,
}

impl Closing {
    pub(crate) fn of(noted: Noted) -> Self {
        Self { noted }
    }

    pub(crate) fn noted(&self) -> &Noted {
        &self.noted
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        if !is_unlocked(&self.noted.path) {
            tracing::warn!(path = %self.noted.path.display(), "the store is closed, but still locked");
            return;
        }
        // After a failure the state of the log is unknown.
        if self.noted.progress.is_under_way() {
            return;
        }
        if let Err(error) = self.noted.close() {
            tracing::warn!(%error, "the marker of the store could not be written");
        }
    }
}

/// Waits until sled has closed the database of a folder; whether it has.
pub(crate) fn is_unlocked(path: &Path) -> bool {
    for _ in 0..UNLOCK_ATTEMPTS_MAX {
        if !in_use(path) {
            return true;
        }
        thread::sleep(UNLOCK_WAIT);
    }
    false
}
