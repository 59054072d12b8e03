//! Errors of the engine, one variant for each thing that a caller would do differently.

use model::FulfilmentId;
use model::fulfilment::{NotGivenUp, PatchError};
use model::journal::Refusal;

use crate::core::{Denied, RecoverError};

/// The engine has stopped: its store failed, or it was shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine has stopped")]
pub struct Stopped;

/// Why the engine did not answer a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The engine has stopped.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// It refuses the request.
    #[error(transparent)]
    Denied(Denied),
}

/// Why a fulfilment cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The engine has stopped, or set it aside.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The journal is damaged, or the store cannot be read.
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
    /// The fulfilment cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why an operator's decision is refused.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// There is none.
    #[error("there is no fulfilment `{0}`")]
    Unknown(FulfilmentId),
    /// Its state does not allow it.
    #[error(transparent)]
    Refused(NotGivenUp),
    /// The fulfilment cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why attributes of an order are not changed.
#[derive(Debug, thiserror::Error)]
pub enum AmendError {
    /// There is none.
    #[error("there is no order `{0}`")]
    Unknown(FulfilmentId),
    /// They may not be changed.
    #[error(transparent)]
    Refused(PatchError),
    /// The order was changed since the client read it.
    #[error("the order was changed since it was read")]
    Changed,
    /// The fulfilment cannot be read.
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
