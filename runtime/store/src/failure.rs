//! One failure, told to everyone who waited for what failed.

use std::error::Error as StdError;
use std::sync::Arc;

use engine::store::{Epoch, Error};

/// A store error that can be cloned.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The operation that failed, and its error.
    Of { action: &'static str, source: Arc<dyn StdError + Send + Sync> },
    /// Another process owns the store.
    Fenced { owner: Epoch, batch: Epoch },
}

impl Failure {
    /// For `map_err`: a failure of this action.
    pub(crate) fn of<E: StdError + Send + Sync + 'static>(
        action: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::Of { action, source: Arc::new(source) }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Of { action, source } => Self::Failed { action, source: Box::new(source) },
            Failure::Fenced { owner, batch } => Self::Fenced { owner, batch },
        }
    }
}
