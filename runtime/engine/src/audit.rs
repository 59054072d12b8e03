//! The audit: who changed what, when, from where and why, as a chain of entries. An entry is a write of the
//! batch that carries the change, made by the store's transaction at the batch's place in the order, so
//! there is no change without its entry, no entry without its change, and two writers cannot fork the chain.
//!
//! The act that a piece of work belongs to travels with the task that carries it out ([`within`]); the
//! engine's handle reads it. Work without an act, such as the progress of tasks, is not audited: its
//! journal is.

mod chain;
mod entry;
mod line;
mod verify;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use chain::{Anchor, Audited, Hash, Head, Stored, beside, read, removal};
pub(crate) use chain::{DIFFERENCES_BYTES_MAX, DOCUMENTS_MAX};
pub use entry::{Actor, Changed, Digested, Entry, Outcome, Recorded, Subject};
pub use line::{Line, NotALine};
pub use verify::{Finding, Verifier, verify};

/// The action of the entry that tells of a removal of the first entries, with the hash of the last of them.
pub const PRUNED: &str = "audit.pruned";

tokio::task_local! {
    /// The act that the running work belongs to.
    static CURRENT: Option<Arc<Act>>;
}

/// What an actor does: a request, or a job of the server. All entries of its batches name it.
#[derive(Debug, Default)]
pub struct Act {
    pub actor: Actor,
    /// The address of the client.
    pub address: Option<String>,
    /// The id of the request.
    pub request: Option<String>,
    /// The trace that it belongs to.
    pub trace: Option<String>,
    /// The method and the name of the route, or a name such as `login`.
    pub action: String,
    /// What it is about, as far as the request names it.
    pub subject: Option<Subject>,
    /// The reason that the client gave.
    pub why: Option<String>,
    /// The entries that were made of it.
    pub entries: Entries,
}

/// Counts the entries of an act, but those that tell that it is about to be done.
#[derive(Debug, Default)]
pub struct Entries(AtomicU64);

impl Entries {
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}

/// Carries out work of an act: the entries of what it writes name the act. `None` is work that is not
/// audited.
pub async fn within<T>(act: Option<Arc<Act>>, work: impl Future<Output = T>) -> T {
    CURRENT.scope(act, work).await
}

/// The act that the running work belongs to. Work that goes on in another task or thread takes it there,
/// by [`within`].
pub fn current() -> Option<Arc<Act>> {
    CURRENT.try_with(Option::clone).ok().flatten()
}

#[cfg(test)]
mod tests;
