//! Why documents were not read or not written.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::store::{self, Appended};

/// Why documents were not read or not written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A document is not as its change expects; nothing of the batch was written.
    #[error("the {resource} `{id}` is not as it was expected")]
    Conflict {
        /// The key of its resource.
        resource: String,
        /// Its id.
        id: String,
        /// The revision of the existing document; `None` if there is none.
        found: Option<u64>,
    },
    /// A stored document cannot be read.
    #[error("the document `{key}` cannot be read")]
    Unreadable {
        /// Its key, with `|` between parts.
        key: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error(transparent)]
    Store(store::Error),
}

/// Why bytes are not a document.
#[derive(Debug, thiserror::Error)]
pub enum Damaged {
    /// They end before its body.
    #[error("the document is cut off")]
    CutOff,
    /// Its body is not JSON.
    #[error("its body is not JSON")]
    Body(#[source] serde_json::Error),
}

impl Error {
    pub(super) fn unreadable(key: &[u8], source: Damaged) -> Self {
        Self::Unreadable { key: super::named(key), source: Box::new(source) }
    }

    /// This error as a store passes it on that runs our transaction.
    pub(super) fn refusal(self) -> store::Error {
        match self {
            Self::Store(error) => error,
            Self::Conflict { .. } | Self::Unreadable { .. } => {
                store::Error::Refused(Box::new(self))
            }
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        let store::Error::Refused(refusal) = error else { return Self::Store(error) };
        match refusal.downcast::<Self>() {
            Ok(own) => *own,
            Err(other) => Self::Store(store::Error::Refused(other)),
        }
    }
}

/// Resolves when a batch of documents is durable, or is refused.
#[derive(Debug)]
pub struct Written(Appended);

impl From<Appended> for Written {
    fn from(appended: Appended) -> Self {
        Self(appended)
    }
}

impl Future for Written {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(Error::from)
    }
}
