//! Whether something was hidden from a client while its request was carried out. The client gets the answer
//! of what is not there; the audit tells the difference.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The note of one request. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Hidden(Arc<AtomicBool>);

impl Hidden {
    /// Notes a document that its client may not know of.
    pub fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether there was one.
    pub fn is_noted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
