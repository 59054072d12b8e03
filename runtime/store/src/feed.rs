//! The commits that the writer hands on to a backup. The writer never waits: if more bytes wait than the limit,
//! the backup is given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};

use engine::store::{BackupError, Error};

use crate::cells::Changes;
use crate::failure::Failure;

/// The memory that a change takes besides its bytes.
const CHANGE_BYTES: usize = 96;

/// What is handed on.
#[derive(Debug)]
pub(crate) enum Fed {
    /// A commit that is durable.
    Commit(Changes),
    /// Nothing more: the store is as it was after this commit.
    End { commits: u64 },
    /// A commit failed.
    Failed(Failure),
}

/// The end of the writer.
#[derive(Debug)]
pub(crate) struct Feed {
    sender: Sender<(Fed, u64)>,
    waiting: Arc<Waiting>,
}

/// The end of the backup.
#[derive(Debug)]
pub(crate) struct Follower {
    receiver: Receiver<(Fed, u64)>,
    waiting: Arc<Waiting>,
}

/// The bytes that were handed on and not taken.
#[derive(Debug)]
struct Waiting {
    bytes: AtomicU64,
    bytes_max: u64,
    /// Whether there were more, so that a commit is missing.
    is_behind: AtomicBool,
}

/// Two ends, between which at most this many bytes wait.
pub(crate) fn feed(bytes_max: u64) -> (Feed, Follower) {
    let (sender, receiver) = mpsc::channel();
    let (bytes, is_behind) = (AtomicU64::new(0), AtomicBool::new(false));
    let waiting = Arc::new(Waiting { bytes, bytes_max, is_behind });
    (Feed { sender, waiting: Arc::clone(&waiting) }, Follower { receiver, waiting })
}

impl Feed {
    /// Hands a commit on; whether later ones are to be handed on too.
    pub(crate) fn commit(&self, changes: Changes) -> bool {
        let bytes = changes.iter().map(|(key, cell)| {
            key.len() + cell.as_ref().map_or(0, |cell| cell.len()) + CHANGE_BYTES
        });
        let bytes = bytes.sum::<usize>() as u64;
        let waiting = self.waiting.bytes.fetch_add(bytes, Ordering::SeqCst) + bytes;
        if waiting > self.waiting.bytes_max {
            self.waiting.is_behind.store(true, Ordering::SeqCst);
            return false;
        }
        // A backup that was given up takes nothing.
        self.sender.send((Fed::Commit(changes), bytes)).is_ok()
    }

    /// Hands on that there is nothing more.
    pub(crate) fn end(self, commits: u64) {
        // A backup that was given up needs no end.
        drop(self.sender.send((Fed::End { commits }, 0)));
    }

    /// Hands on that a commit failed.
    pub(crate) fn fail(self, failure: Failure) {
        drop(self.sender.send((Fed::Failed(failure), 0)));
    }
}

impl Follower {
    /// The next commit, if one waits.
    pub(crate) fn waiting(&self) -> Result<Option<Changes>, BackupError> {
        match self.receiver.try_recv() {
            Ok(fed) => match self.taken(fed)? {
                Fed::Commit(changes) => Ok(Some(changes)),
                Fed::End { .. } | Fed::Failed(_) => Err(BackupError::Read(Error::Closed)),
            },
            Err(TryRecvError::Empty) if self.is_behind() => Err(self.ended()),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(self.ended()),
        }
    }

    /// The next commit or the end; waits for it.
    pub(crate) fn next(&self) -> Result<Fed, BackupError> {
        let fed = self.receiver.recv().map_err(|_| self.ended())?;
        self.taken(fed)
    }

    fn taken(&self, (fed, bytes): (Fed, u64)) -> Result<Fed, BackupError> {
        if self.is_behind() {
            return Err(self.ended());
        }
        self.waiting.bytes.fetch_sub(bytes, Ordering::SeqCst);
        match fed {
            Fed::Failed(failure) => Err(BackupError::Read(failure.into())),
            Fed::Commit(_) | Fed::End { .. } => Ok(fed),
        }
    }

    fn is_behind(&self) -> bool {
        self.waiting.is_behind.load(Ordering::SeqCst)
    }

    /// Why the writer hands nothing on any more.
    fn ended(&self) -> BackupError {
        match self.is_behind() {
            true => BackupError::Behind { bytes_max: self.waiting.bytes_max },
            false => BackupError::Read(Error::Closed),
        }
    }
}

#[cfg(test)]
mod tests;
