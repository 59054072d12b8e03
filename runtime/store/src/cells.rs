//! The cells that one commit changes: as the batch that sled applies, and for a backup that follows.

use ::sled::{Batch, IVec};

/// Cells in the order in which they change; `None` for one that goes.
pub(crate) type Changes = Vec<(IVec, Option<IVec>)>;

/// Gathers the changes of a commit.
pub(crate) struct Cells {
    batch: Batch,
    /// The same once more; `None` if no backup follows.
    changes: Option<Changes>,
}

impl Cells {
    /// For sled alone.
    pub(crate) fn unfollowed() -> Self {
        Self { batch: Batch::default(), changes: None }
    }

    /// For a backup too. It shares the bytes of the batch.
    pub(crate) fn followed() -> Self {
        Self { batch: Batch::default(), changes: Some(Vec::new()) }
    }

    pub(crate) fn insert(&mut self, key: impl Into<IVec>, cell: impl Into<IVec>) {
        let (key, cell) = (key.into(), cell.into());
        if let Some(changes) = &mut self.changes {
            changes.push((key.clone(), Some(cell.clone())));
        }
        self.batch.insert(key, cell);
    }

    pub(crate) fn remove(&mut self, key: impl Into<IVec>) {
        let key = key.into();
        if let Some(changes) = &mut self.changes {
            changes.push((key.clone(), None));
        }
        self.batch.remove(key);
    }

    pub(crate) fn split(self) -> (Batch, Option<Changes>) {
        (self.batch, self.changes)
    }
}
