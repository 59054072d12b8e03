//! The rest of a removed document.

use super::number;

/// The revisions at which documents of an id were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ended {
    /// The revision of the last removal. No document has it.
    pub(super) revision: u64,
    /// The same of the removal before.
    pub(super) before: u64,
}

impl Ended {
    pub(super) fn read(bytes: Option<&[u8]>) -> Self {
        let Some((revision, before)) = bytes.and_then(|bytes| bytes.split_first_chunk()) else {
            return Self::default();
        };
        Self { revision: u64::from_be_bytes(*revision), before: number(Some(before)) }
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        [self.revision.to_be_bytes(), self.before.to_be_bytes()].concat()
    }
}
