//! One failure, told to everyone who waited for what failed.

use std::error::Error as StdError;
use std::sync::Arc;

use engine::store::Error;

/// The disk operation that failed and its error: a store error that can be cloned.
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
