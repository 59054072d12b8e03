//! One failure, told to everyone who waited for what failed.

use std::error::Error as StdError;
use std::sync::Arc;

use engine::store::Error;

/// What the disk was asked to do, and what went wrong: a store error that can be told twice.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    action: &'static str,
    source: Arc<dyn StdError + Send + Sync>,
}

impl Failure {
    /// For `map_err`: a failure of this action.
    pub(crate) fn of<E: StdError + Send + Sync + 'static>(
        action: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self { action, source: Arc::new(source) }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failed { action: failure.action, source: Box::new(failure.source) }
    }
}
