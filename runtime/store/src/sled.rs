//! The store on sled.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::thread::{Builder, JoinHandle};

use engine::store::{Appended, Batch, Epoch, Error, Fact, Progress, Scan, Settled, Store};
use tokio::sync::watch;

use crate::failure::Failure;
use crate::open::{self, Lock, OpenError, Options};
use crate::tree::{Tree, Writes};
use crate::writer::{Command, Disk, Writer, queue};

/// Facts in a directory, which is locked against other processes while it is open.
///
/// A batch is acknowledged after sled's log was flushed *and* synced: sled's own flush does not
/// outlast a power loss. Batches that wait together are committed together. `append` makes its
/// caller wait, on the spot, while the queue is full; that is for a commit at the most.
///
/// When a commit fails, every batch in it gets the error, and so does everything that is appended
/// later: whether what failed is durable is unknown until the store is opened again. Reading goes
/// on, and may show it.
///
/// Dropping the store writes what was appended before and closes the directory.
pub struct Sled {
    // They are dropped in this order: the writer finishes, sled closes, its lock is gone.
    writer: Handle,
    tree: Arc<Tree>,
    changed: watch::Receiver<u64>,
    progress: Arc<Progress>,
    _lock: Lock,
}

/// The queue to the writer and its thread.
struct Handle {
    queue: SyncSender<Command>,
    thread: Option<JoinHandle<()>>,
}

/// The tree and the file it lies in.
struct SyncedTree {
    tree: Arc<Tree>,
    log: File,
}

impl Sled {
    /// Opens the store of a directory, and makes it where there is none.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let (db, log) = open::open(path, options)?;
        let tree = Arc::new(Tree::new(db));
        let owner = tree.owner().map_err(|failure| OpenError::Damaged {
            path: path.to_owned(),
            source: Box::new(Error::from(failure)),
        })?;
        let (sender, changed) = watch::channel(0);
        let progress = Arc::new(Progress::default());
        let disk = SyncedTree { tree: Arc::clone(&tree), log };
        let writer = Writer::new(disk, owner, sender, Arc::clone(&progress));
        let writer = Handle::start(writer)
            .map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        Ok(Self { writer, tree, changed, progress, _lock: Lock::of(path) })
    }
}

impl Store for Sled {
    fn append(&self, batch: Batch) -> Appended {
        let (answer, appended) = Appended::pending();
        // Where the writer is gone the answer is dropped, which reads as `Closed`.
        drop(self.writer.queue.send(Command::Append { batch, answer }));
        appended
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.tree.get(key)
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, Error> {
        self.tree.scan(scan)
    }

    fn claim(&self) -> Result<Epoch, Error> {
        let (answer, claimed) = mpsc::channel();
        drop(self.writer.queue.send(Command::Claim { answer }));
        claimed.recv().unwrap_or(Err(Error::Closed))
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.clone()
    }

    fn settled(&self) -> Settled {
        self.progress.settled()
    }
}

impl Handle {
    fn start(writer: Writer<SyncedTree>) -> io::Result<Self> {
        let (queue, commands) = queue();
        let thread = Builder::new().name("store writer".to_owned());
        let thread = thread.spawn(move || writer.run(&commands))?;
        Ok(Self { queue, thread: Some(thread) })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        drop(self.queue.send(Command::Close));
        let Some(thread) = self.thread.take() else { return };
        if thread.join().is_err() {
            tracing::error!("the store's writer had panicked");
        }
    }
}

impl Disk for SyncedTree {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.tree.get(key)
    }

    fn commit(&mut self, writes: Writes) -> Result<(), Failure> {
        self.tree.apply(writes)?;
        self.sync()
    }

    fn set_owner(&mut self, owner: Epoch) -> Result<(), Failure> {
        self.tree.set_owner(owner)?;
        self.sync()
    }
}

impl SyncedTree {
    fn sync(&self) -> Result<(), Failure> {
        self.tree.flush()?;
        self.log.sync_data().map_err(Failure::of("sync"))
    }
}

impl std::fmt::Debug for Sled {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sled").finish_non_exhaustive()
    }
}
