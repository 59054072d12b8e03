//! Rebuilds the indexes of documents after a change of what they hold.

use super::Engine;
use crate::documents::verify::verify;
use crate::documents::{Error, number};
use crate::keys;
use crate::store::{Scan, pages};

/// The version of the indexes, raised whenever they hold something else.
const INDEX_VERSION: u64 = 3;

/// Max repairs that are written together.
const WRITES_AT_ONCE: usize = 4_096;

/// Max entries that get another key together.
const MOVED_AT_ONCE: usize = WRITES_AT_ONCE / 2;

impl Engine {
    /// Rebuilds the indexes if another version of the program wrote them. Call it before anyone writes
    /// documents.
    pub async fn rebuild_indexes(&self) -> Result<(), Error> {
        let store = &**self.store();
        if number(store.get(keys::INDEXED)?.as_deref()) == INDEX_VERSION {
            return Ok(());
        }
        self.move_first_entries().await?;
        let mut report = verify(store)?;
        if !report.repairs.is_empty() {
            let (documents, repairs) = (report.documents, report.repairs.len());
            tracing::warn!(documents, repairs, "the indexes had gaps, and are rebuilt");
        }
        while !report.repairs.is_empty() {
            let at = report.repairs.len().saturating_sub(WRITES_AT_ONCE);
            self.append(report.repairs.split_off(at), Vec::new()).await?;
        }
        let version = (keys::INDEXED.to_vec(), Some(INDEX_VERSION.to_be_bytes().to_vec()));
        self.append(vec![version], Vec::new()).await
    }

    /// Gives the entries of the first form the keys of today. They are moved page by page, since those
    /// of a large store have no room in memory; after a crash the next start moves the rest.
    async fn move_first_entries(&self) -> Result<(), Error> {
        let mut moved = 0;
        for page in pages(&**self.store(), Scan::prefix(keys::FIRST_ENTRIES, MOVED_AT_ONCE)) {
            let page = page?;
            moved += page.len();
            let of_today = page.iter().filter_map(|(key, _)| keys::entry_of_first(key));
            let mut writes: Vec<_> = of_today.map(|key| (key, Some(Vec::new()))).collect();
            writes.extend(page.into_iter().map(|(key, _)| (key, None)));
            self.append(writes, Vec::new()).await?;
        }
        if moved > 0 {
            tracing::info!(entries = moved, "the index entries have shorter keys now");
        }
        Ok(())
    }
}
