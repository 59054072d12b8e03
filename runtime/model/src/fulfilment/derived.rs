//! What follows from the plan alone, and is worked out when it is first asked for: most fulfilments
//! never ask.

use std::sync::{Arc, OnceLock};

/// A value that is derived from the plan once. Two of them are equal, since it adds nothing to the plan.
#[derive(Debug)]
pub(super) struct Derived<T>(OnceLock<Arc<T>>);

impl<T> Derived<T> {
    /// The value, derived by the first call.
    pub(super) fn get(&self, derive: impl FnOnce() -> T) -> Arc<T> {
        Arc::clone(self.0.get_or_init(|| Arc::new(derive())))
    }
}

impl<T> Clone for Derived<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Derived<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> PartialEq for Derived<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
