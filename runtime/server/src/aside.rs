//! Long computations in asynchronous code.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Max bytes of a body, and max lines of an order, that are worked on where they are.
const BYTES_MAX: usize = 64 << 10;
const LINES_MAX: usize = 64;

/// Computes for long in the middle of a decision. Other tasks of this thread continue elsewhere
/// meanwhile, if the runtime has threads. It reads no store: that is the work of
/// [`Documents`](crate::documents::Documents).
fn aside<T>(compute: impl FnOnce() -> T) -> T {
    let has_threads = Handle::try_current()
        .is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if has_threads { tokio::task::block_in_place(compute) } else { compute() }
}

/// Works on the bytes of a body, aside if they are many.
pub(crate) fn aside_of_bytes<T>(bytes: &[u8], work: impl FnOnce(&[u8]) -> T) -> T {
    if bytes.len() > BYTES_MAX { aside(|| work(bytes)) } else { work(bytes) }
}

/// Works on an order, aside if it has many lines.
pub(crate) fn aside_of_lines<T>(lines: usize, work: impl FnOnce() -> T) -> T {
    if lines > LINES_MAX { aside(work) } else { work() }
}
