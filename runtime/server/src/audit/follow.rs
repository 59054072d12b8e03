//! Sends the entries of the audit to a receiver of syslog as they come. Nothing waits for it: it reads the
//! store behind the commits. How far it is, is a fact of its own, written behind, so that after a restart or a
//! lost connection the last entries may come twice, with the same numbers.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use engine::audit::{Head, Stored, read};
use engine::documents::{Error, number};
use engine::keys;

use super::syslog::{Connection, framed, host_name, message};
use crate::config::Receiver;
use crate::documents::Documents;

/// Max entries that are sent before their position is written.
const ENTRIES_AT_ONCE: usize = 256;

/// How long a connection must stand after a write until the entries count as sent: what a receiver that is
/// gone does not take is noticed by then.
const SETTLES_IN: Duration = Duration::from_millis(500);

/// The first pause after a failure; it doubles.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// What became of the entries.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Whether they are sent anywhere.
    pub(crate) is_on: AtomicBool,
    /// The number of the last entry, as it was seen last: at each attempt, and while entries are sent.
    pub(crate) head: AtomicU64,
    /// The number of the last entry that was sent.
    pub(crate) sent: AtomicU64,
    /// Connections that failed.
    pub(crate) failures: AtomicU64,
}

/// Sends entries.
pub(crate) struct Follower {
    pub(crate) documents: Documents,
    pub(crate) receiver: Receiver,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) progress: Arc<Progress>,
}

/// Why sending stopped.
enum Stopped {
    /// The connection failed.
    Connection(String),
    Store(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl Follower {
    /// Sends until `stopped` ends.
    pub(crate) async fn run(self, stopped: impl Future<Output = ()>) {
        self.progress.is_on.store(true, Ordering::Relaxed);
        let mut stopped = std::pin::pin!(stopped);
        let mut pause = PAUSE_MIN;
        loop {
            let before = self.progress.sent.load(Ordering::Relaxed);
            let ended = tokio::select! {
                () = &mut stopped => return,
                ended = Box::pin(self.send()) => ended,
            };
            if self.progress.sent.load(Ordering::Relaxed) > before {
                pause = PAUSE_MIN;
            }
            self.progress.failures.fetch_add(1, Ordering::Relaxed);
            let Receiver { host, port } = &self.receiver;
            match ended {
                Stopped::Connection(error) => {
                    tracing::warn!(host, port, error, "the audit is not sent; it is tried again");
                }
                Stopped::Store(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(
                        error,
                        "the audit cannot be read to be sent; it is tried again"
                    );
                }
            }
            tokio::select! {
                () = &mut stopped => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = PAUSE_MAX.min(pause * 2);
        }
    }

    /// Sends over one connection, until it fails.
    async fn send(&self) -> Stopped {
        match self.send_all().await {
            Ok(never) => match never {},
            Err(stopped) => stopped,
        }
    }

    async fn send_all(&self) -> Result<Infallible, Stopped> {
        let at = self.documents.read(|session| {
            let sent = number(session.get(keys::AUDIT_SENT)?.as_deref());
            let store = session.store();
            Ok::<_, Error>((sent.max(Head::anchor(store)?.sequence), Head::of(store)?.sequence))
        });
        let (mut position, head) = at.await?;
        self.progress.head.store(head, Ordering::Relaxed);
        self.progress.sent.store(position, Ordering::Relaxed);
        let mut changed = self.documents.engine().store().changed();
        let opened =
            Connection::open(&self.receiver, ("[audit]", "syslog-ca"), self.ca.as_deref()).await;
        let mut connection = opened.map_err(Stopped::Connection)?;
        let host = host_name();
        let mut settling = VecDeque::new();
        loop {
            changed.borrow_and_update();
            let entries = self.documents.read(move |session| {
                let store = session.store();
                Ok::<_, Error>((read(store, position, ENTRIES_AT_ONCE)?, Head::of(store)?.sequence))
            });
            let (entries, head) = entries.await?;
            self.progress.head.store(head, Ordering::Relaxed);
            // What the store shows may not be on disk yet.
            self.documents.settled().await?;
            let pause = match last(&entries, position) {
                Some(last) => {
                    let bytes: Vec<u8> =
                        entries.iter().flat_map(|entry| framed(&message(entry, &host))).collect();
                    connection.send(&bytes).await.map_err(Stopped::Connection)?;
                    position = last;
                    settling.push_back((Instant::now() + SETTLES_IN, last));
                    Duration::ZERO
                }
                None => match settling.front() {
                    Some((until, _)) => until.saturating_duration_since(Instant::now()),
                    None => Duration::MAX,
                },
            };
            tokio::select! {
                biased;
                () = connection.closed() => return Err(gone()),
                // An error means that the store is gone, and the server with it.
                _ = changed.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
            self.settle(&mut settling).await?;
        }
    }

    /// Writes the position of what has been sent for long enough.
    async fn settle(&self, settling: &mut VecDeque<(Instant, u64)>) -> Result<(), Error> {
        let mut settled = None;
        while let Some((_, last)) = settling.pop_front_if(|(until, _)| *until <= Instant::now()) {
            settled = Some(last);
        }
        let Some(last) = settled else { return Ok(()) };
        let sent = (keys::AUDIT_SENT.to_vec(), Some(last.to_be_bytes().to_vec()));
        self.documents.engine().append(vec![sent], Vec::new()).await?;
        self.progress.sent.store(last, Ordering::Relaxed);
        Ok(())
    }
}

/// The number of the last of some entries, which follow each other from a position.
fn last(entries: &[Stored], position: u64) -> Option<u64> {
    let last = entries.last()?;
    // One that cannot be read is passed on like the others.
    let sequence = last.entry().map(|entry| entry.sequence);
    Some(sequence.unwrap_or(position + entries.len() as u64))
}

fn gone() -> Stopped {
    Stopped::Connection("the receiver closed the connection".into())
}
