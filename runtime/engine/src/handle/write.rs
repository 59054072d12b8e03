//! Writes of documents that no fulfilment owns.

use model::FulfilmentId;

use super::{AskError, Engine, unexpected};
use crate::core::{Answer, Input, Release, Unless};
use crate::documents::Put;

/// Why documents were not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWritten {
    /// The engine has stopped, or refuses.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// An open order uses them.
    #[error("the order `{0}` is about it")]
    Locked(FulfilmentId),
    /// One of them was changed since it was read: read it again.
    #[error("it was changed since it was read")]
    Stale,
}

#[expect(clippy::wildcard_enum_match_arm, reason = "any other answer is a bug of ours")]
impl Engine {
    /// Writes documents that no fulfilment owns, together or not at all, unless an open one uses them.
    /// No submission comes between that check and the write. When this returns they are on disk.
    pub async fn write_unless(
        &self,
        unless: Unless,
        documents: Vec<Put>,
    ) -> Result<(), NotWritten> {
        self.release_unless(unless, None, documents).await
    }

    /// The same, and releases a value of a pool. Stale if another holds it by now.
    pub async fn release_unless(
        &self,
        unless: Unless,
        release: Option<Release>,
        documents: Vec<Put>,
    ) -> Result<(), NotWritten> {
        match self.ask(|reply| Input::Write { unless, release, documents, reply }).await? {
            Answer::Done => Ok(()),
            Answer::Locked(by) => Err(NotWritten::Locked(by)),
            Answer::Stale => Err(NotWritten::Stale),
            other => Err(unexpected(&other).into()),
        }
    }
}
