//! Reading the store off the async threads: what may take long waits its turn for one of few threads,
//! and gives it up after each slice.

use std::num::NonZero;
use std::sync::Arc;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;
use tokio::task::JoinError;

use super::App;

/// The threads that read at one time: half of the processors, so that answers, the engine and
/// deliveries keep the other half.
#[derive(Clone, Debug)]
pub(super) struct Readers(Arc<Semaphore>);

impl Default for Readers {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self(Arc::new(Semaphore::new((processors / 2).max(1))))
    }
}

impl App {
    /// Runs a slice of a read on a thread that may wait for the disk. Who comes first is first; a
    /// long read asks for slice after slice, so that a short one waits for one slice of each.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        // The semaphore is never closed.
        let turn = Arc::clone(&self.readers.0).acquire_owned().await.ok();
        tokio::task::spawn_blocking(move || {
            let read = read();
            drop(turn);
            read
        })
        .await
    }
}

/// Reads many facts, or computes for long, in the middle of a decision. Other tasks of this thread go on elsewhere
/// meanwhile, where the runtime has threads.
pub(crate) fn aside<T>(read: impl FnOnce() -> T) -> T {
    let has_threads = Handle::try_current()
        .is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if has_threads { tokio::task::block_in_place(read) } else { read() }
}

/// Max bytes of a body, and max lines of an order, that are worked on where they are.
const BYTES_MAX: usize = 64 << 10;
const LINES_MAX: usize = 64;

/// Works on the bytes of a body, aside if they are many.
pub(crate) fn aside_of_bytes<T>(bytes: &[u8], work: impl FnOnce(&[u8]) -> T) -> T {
    if bytes.len() > BYTES_MAX { aside(|| work(bytes)) } else { work(bytes) }
}

/// Works on an order, aside if it has many lines.
pub(crate) fn aside_of_lines<T>(lines: usize, work: impl FnOnce() -> T) -> T {
    if lines > LINES_MAX { aside(work) } else { work() }
}
