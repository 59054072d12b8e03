//! The one thread that writes. Commands that arrive during a commit go into the next one
//! together: one batch, one sync, then all answers.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{Builder, JoinHandle};

use engine::store::{Appended, Batch, Epoch, Error, Progress, Write};
use tokio::sync::{oneshot, watch};

use crate::failure::Failure;
use crate::tree::Writes;

/// Max commands in the queue; a caller with one more waits.
pub(crate) const QUEUE_COMMANDS_MAX: usize = 1024;

/// How many batches are committed together.
pub(crate) const COMMIT_BATCHES_MAX: usize = 256;

/// Max bytes of keys and values in one commit, unless a single batch is larger.
pub(crate) const COMMIT_BYTES_MAX: usize = 1024 * 1024;

/// Where the answer to a batch goes.
pub(crate) type Answer = oneshot::Sender<Result<(), Error>>;

/// Commands to the writer, in the order of arrival.
#[derive(Debug)]
pub(crate) enum Command {
    Append { batch: Batch, answer: Answer },
    Claim { answer: mpsc::Sender<Result<Epoch, Error>> },
    Close,
}

/// Where commits go. `Ok` means durable.
pub(crate) trait Disk {
    /// The value of a key as it is kept, as everything that was committed left it.
    fn kept(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;
    /// Writes what owners of this epoch asked for.
    fn commit(&mut self, epoch: Epoch, writes: Writes) -> Result<(), Failure>;
    /// Raises the epoch of the owner above the one that was known.
    fn raise(&mut self, known: Epoch) -> Result<Epoch, Failure>;
}

/// The queue to a writer, and its end of it.
pub(crate) fn queue() -> (SyncSender<Command>, Receiver<Command>) {
    mpsc::sync_channel(QUEUE_COMMANDS_MAX)
}

/// The queue to a writer, and its thread.
pub(crate) struct Handle {
    queue: SyncSender<Command>,
    thread: Option<JoinHandle<()>>,
}

impl Handle {
    pub(crate) fn start<D: Disk + Send + 'static>(writer: Writer<D>) -> io::Result<Self> {
        let (queue, commands) = queue();
        let thread = Builder::new().name("store writer".to_owned());
        let thread = thread.spawn(move || writer.run(&commands))?;
        Ok(Self { queue, thread: Some(thread) })
    }

    pub(crate) fn append(&self, batch: Batch) -> Appended {
        let (answer, appended) = Appended::pending();
        // Where the writer is gone the answer is dropped, which reads as `Closed`.
        drop(self.queue.send(Command::Append { batch, answer }));
        appended
    }

    pub(crate) fn claim(&self) -> Result<Epoch, Error> {
        let (answer, claimed) = mpsc::channel();
        drop(self.queue.send(Command::Claim { answer }));
        claimed.recv().unwrap_or(Err(Error::Closed))
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

/// Carries out commands one after the other.
pub(crate) struct Writer<D> {
    disk: D,
    owner: Epoch,
    group: Group,
    /// After a failure it is unknown which writes are durable: the system may have dropped some, and
    /// a later sync would succeed without them. So nothing is written any more.
    failure: Option<Failure>,
    /// Told when batches with transactions are durable.
    changed: watch::Sender<u64>,
    /// Told what shows and what is durable.
    progress: Arc<Progress>,
}

/// What is committed together.
#[derive(Default)]
struct Group {
    writes: Writes,
    bytes: usize,
    has_transaction: bool,
    answers: Vec<Answer>,
}

impl<D: Disk> Writer<D> {
    pub(crate) fn new(
        disk: D,
        owner: Epoch,
        changed: watch::Sender<u64>,
        progress: Arc<Progress>,
    ) -> Self {
        Self { disk, owner, group: Group::default(), failure: None, changed, progress }
    }

    /// Works until it is told to close, or until every sender is dropped.
    pub(crate) fn run(mut self, queue: &Receiver<Command>) {
        let mut next = queue.recv().ok();
        while let Some(command) = next {
            match command {
                Command::Append { batch, answer } => self.append(batch, answer),
                Command::Claim { answer } => self.claim(&answer),
                Command::Close => break,
            }
            next = if self.group.is_full() { None } else { queue.try_recv().ok() };
            if next.is_none() {
                self.commit();
                next = queue.recv().ok();
            }
        }
        self.commit();
    }

    fn append(&mut self, batch: Batch, answer: Answer) {
        self.group.has_transaction |= batch.transaction.is_some();
        match self.resolved(batch) {
            Ok(writes) => self.group.add(writes, answer),
            Err(error) => tell(answer, Err(error)),
        }
    }

    /// All writes of a batch, or why it is refused. The writes of the group count as written.
    fn resolved(&self, batch: Batch) -> Result<Vec<Write>, Error> {
        self.healthy()?;
        batch.resolve(self.owner, &|key| match self.group.writes.get(key) {
            Some(written) => Ok(written.clone()),
            None => self.disk.kept(key),
        })
    }

    fn claim(&mut self, answer: &mpsc::Sender<Result<Epoch, Error>>) {
        self.commit();
        // A claimant that is gone claimed nevertheless.
        drop(answer.send(self.raise()));
    }

    fn raise(&mut self) -> Result<Epoch, Error> {
        self.healthy()?;
        let raised = self.disk.raise(self.owner).map_err(|failure| self.poison(failure))?;
        self.owner = raised;
        Ok(raised)
    }

    fn commit(&mut self) {
        let group = std::mem::take(&mut self.group);
        let Group { writes, bytes: _, has_transaction, answers } = group;
        if answers.is_empty() {
            return;
        }
        self.progress.begin();
        let result = self.disk.commit(self.owner, writes).map_err(|failure| self.poison(failure));
        if result.is_ok() {
            self.progress.finish();
        }
        if has_transaction && result.is_ok() {
            self.changed.send_modify(|count| *count += 1);
        }
        for answer in answers {
            match result {
                Ok(()) => tell(answer, Ok(())),
                Err(_) => tell(answer, self.healthy()),
            }
        }
    }

    fn poison(&mut self, failure: Failure) -> Error {
        self.failure = Some(failure.clone());
        self.progress.fail();
        failure.into()
    }

    fn healthy(&self) -> Result<(), Error> {
        self.failure.clone().map_or(Ok(()), |failure| Err(failure.into()))
    }
}

/// If the writer ends in the middle of a commit, as by a panic, no caller waits for it for ever.
impl<D> Drop for Writer<D> {
    fn drop(&mut self) {
        if self.progress.is_under_way() {
            self.progress.fail();
        }
    }
}

impl Group {
    fn add(&mut self, writes: Vec<Write>, answer: Answer) {
        for (key, value) in writes {
            self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
            self.writes.insert(key, value);
        }
        self.answers.push(answer);
    }

    fn is_full(&self) -> bool {
        self.answers.len() >= COMMIT_BATCHES_MAX || self.bytes >= COMMIT_BYTES_MAX
    }
}

/// Answers; who has stopped waiting is not told.
fn tell(answer: Answer, result: Result<(), Error>) {
    drop(answer.send(result));
}

#[cfg(test)]
mod tests;
