//! A slice of a long read: it ends after a number of documents, or after a moment. A query on a document may take long, and
//! others wait for their turn meanwhile.

use std::time::{Duration, Instant};

/// Max time of a slice, but for the document that is looked at then.
const TIME_MAX: Duration = Duration::from_millis(20);

/// A slice that goes on.
pub(crate) struct Turn {
    left: usize,
    /// Set when it begins.
    until: Option<Instant>,
}

impl Turn {
    /// Begins a slice of at most this many documents.
    pub(crate) fn of(documents: usize) -> Self {
        Self { left: documents, until: None }
    }

    /// Whether another document belongs to it; the first one always does.
    pub(crate) fn goes_on(&mut self) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        let now = Instant::now();
        now < *self.until.get_or_insert(now + TIME_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_ends_after_its_documents_or_its_time() {
        let mut turn = Turn::of(3);
        let count = std::iter::from_fn(|| turn.goes_on().then_some(())).count();
        assert_eq!(count, 3);
        let mut late = Turn { left: 3, until: Some(Instant::now()) };
        assert!(!late.goes_on());
    }
}
