//! Works behind the writer of a store: writes recent cells to files, removes the logs that are not needed then, and
//! merges files. Commits go on meanwhile.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::database::OpenError;
use crate::logs::{self, Form, OpenLog, Spare};
use crate::tables::Tables;

/// How long it waits before it tries again what failed, as on a full disk.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// How long the writer waits for it at last, before the store fails.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// What the writer asks for.
enum Order {
    /// Make a log for later commits.
    Spare,
    /// Write to files what was set apart, and remove the log that has it too.
    Flush(Box<OpenLog>),
    Stop,
}

/// The end of the writer.
pub(crate) struct Link {
    orders: Sender<Order>,
    spares: Receiver<Spare>,
    /// Whether a log was asked for that was not taken.
    is_asked: bool,
    /// Whether the store is being closed.
    is_stopping: Arc<AtomicBool>,
}

/// Files cannot be written, and no more commits are taken into memory.
#[derive(Debug, thiserror::Error)]
#[error("files were not written for {} s, so that commits wait for them", WAIT_MAX.as_secs())]
pub(crate) struct Behind;

/// The thread, for as long as this is not dropped.
pub(crate) struct Keeper {
    orders: Sender<Order>,
    is_stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread works on.
struct Work {
    path: PathBuf,
    tables: Arc<Tables>,
    last_log: u64,
    orders: Receiver<Order>,
    /// Orders that came while it tried something again.
    waiting: VecDeque<Order>,
    spares: Sender<Spare>,
}

/// The thread is to end.
struct Stopped;

impl Keeper {
    pub(crate) fn start(
        path: PathBuf,
        tables: Arc<Tables>,
        last_log: u64,
    ) -> io::Result<(Self, Link)> {
        let (orders, received) = mpsc::channel();
        let (sender, spares) = mpsc::channel();
        let waiting = VecDeque::new();
        let work = Work { path, tables, last_log, orders: received, waiting, spares: sender };
        let thread = Builder::new().name("store keeper".to_owned());
        let thread = thread.spawn(move || work.run())?;
        let is_stopping = Arc::<AtomicBool>::default();
        let stopping = Arc::clone(&is_stopping);
        let link = Link { orders: orders.clone(), spares, is_asked: false, is_stopping: stopping };
        Ok((Self { orders, is_stopping, thread: Some(thread) }, link))
    }

    /// Has it end. Cells that are in no file then are in logs.
    pub(crate) fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
        drop(self.orders.send(Order::Stop));
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop();
        let Some(thread) = self.thread.take() else { return };
        if thread.join().is_err() {
            tracing::error!("the keeper of the store had panicked");
        }
    }
}

impl Link {
    /// Asks for a log for later commits, unless one was.
    pub(crate) fn ask(&mut self) {
        if !std::mem::replace(&mut self.is_asked, true) {
            drop(self.orders.send(Order::Spare));
        }
    }

    /// The log that was asked for, if it is made.
    pub(crate) fn made(&mut self) -> Option<Spare> {
        let spare = self.spares.try_recv().ok();
        self.is_asked &= spare.is_none();
        spare
    }

    /// The log that was asked for; waits for it. `None` if the store is being closed, so that it is not needed.
    pub(crate) fn awaited(&mut self) -> Result<Option<Spare>, Behind> {
        let spare = self.spares.recv_timeout(WAIT_MAX).ok();
        self.is_asked &= spare.is_none();
        match spare.is_some() || self.is_stopping.load(Ordering::SeqCst) {
            true => Ok(spare),
            false => Err(Behind),
        }
    }

    /// Hands on a log whose commits were set apart.
    pub(crate) fn flush(&self, log: OpenLog) {
        // Where the keeper is gone the log is closed, and is read when the store is opened again.
        drop(self.orders.send(Order::Flush(Box::new(log))));
    }
}

impl Work {
    fn run(mut self) {
        let mut may_merge = false;
        loop {
            let waiting = self.waiting.pop_front();
            let order = match may_merge {
                // An order comes before the next merge.
                true => waiting.or_else(|| self.orders.try_recv().ok()),
                false => waiting.or_else(|| self.orders.recv().ok()),
            };
            let done = match order {
                Some(Order::Spare) => self.until_done(Self::make_spare),
                Some(Order::Flush(log)) => self.flush(*log),
                None if may_merge => {
                    may_merge = self.merged();
                    continue;
                }
                Some(Order::Stop) | None => Err(Stopped),
            };
            if done.is_err() {
                return;
            }
            may_merge = true;
        }
    }

    fn make_spare(&mut self) -> Result<(), OpenError> {
        let number = self.last_log + 1;
        let spare = Spare::made(&logs::folder(&self.path, number))?;
        Form::of(number).write(&self.path).map_err(|error| OpenError::of_io(&self.path, error))?;
        self.last_log = number;
        // A writer that is gone needs none.
        drop(self.spares.send(spare));
        Ok(())
    }

    fn flush(&mut self, log: OpenLog) -> Result<(), Stopped> {
        self.until_done(|work| {
            let flushed = work.tables.flush();
            flushed.map_err(|failure| OpenError::of_failure(&work.path, failure))
        })?;
        if let Err(error) = log.discard(&self.path) {
            // It is read when the store is opened next, and removed then.
            tracing::warn!(%error, "a log of the store that is not needed cannot be removed");
        }
        Ok(())
    }

    /// Tries until it succeeds: commits wait for it at last, and go on when there is space.
    fn until_done(
        &mut self,
        mut run: impl FnMut(&mut Self) -> Result<(), OpenError>,
    ) -> Result<(), Stopped> {
        while let Err(error) = run(self) {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "the store cannot write its tables: it tries again");
            match self.orders.recv_timeout(RETRY_PAUSE) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return Err(Stopped),
                Ok(other) => self.waiting.push_back(other),
            }
        }
        Ok(())
    }

    /// Merges some files; whether there may be more to merge.
    fn merged(&self) -> bool {
        self.tables.merge_some().unwrap_or_else(|failure| {
            let error = engine::store::Error::from(failure);
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "files of the store cannot be merged");
            false
        })
    }
}
