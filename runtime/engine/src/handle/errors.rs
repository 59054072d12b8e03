//! Why the engine did not do what it was asked, for each thing that an asker would do differently.

use model::FulfilmentId;
use model::fulfilment::{NotGivenUp, PatchError};
use model::journal::Refusal;

use crate::core::{Denied, RecoverError};

/// The engine has stopped: its store failed, or it was shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine has stopped")]
pub struct Stopped;

/// Why the engine does not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The engine has stopped.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// It refuses.
    #[error(transparent)]
    Denied(Denied),
}

/// Why a fulfilment cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The engine has stopped, or does not have it at hand.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The store has something unreadable.
    #[error("the journal cannot be read")]
    Journal(#[source] RecoverError),
}

impl From<Stopped> for ReadError {
    fn from(stopped: Stopped) -> Self {
        Self::Ask(AskError::Stopped(stopped))
    }
}

/// Why an order is not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// There is none.
    #[error("there is no order `{0}`")]
    Unknown(FulfilmentId),
    /// It goes on, or has ended.
    #[error(transparent)]
    Refused(Refusal),
    /// It is not known.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why what an operator wants is not followed.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// There is none.
    #[error("there is no fulfilment `{0}`")]
    Unknown(FulfilmentId),
    /// It is not in a state in which that can be.
    #[error(transparent)]
    Refused(NotGivenUp),
    /// It is not known.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why an order's attributes are not changed.
#[derive(Debug, thiserror::Error)]
pub enum AmendError {
    /// There is none.
    #[error("there is no order `{0}`")]
    Unknown(FulfilmentId),
    /// They may not be changed.
    #[error(transparent)]
    Refused(PatchError),
    /// It is not the order any more that the client read.
    #[error("the order was changed since it was read")]
    Changed,
    /// It is not known.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why a fulfilment is still set aside.
#[derive(Debug, thiserror::Error)]
pub enum QuarantineError {
    /// The engine refuses.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// Its journal still cannot be read.
    #[error("the journal still cannot be read")]
    Journal(#[source] RecoverError),
    /// Its documents cannot be read.
    #[error("the documents of the order cannot be read")]
    Store(#[source] crate::store::Error),
}
