//! Rebuilds the indexes of documents after a change of what they hold.

use super::Engine;
use crate::documents::verify::verify;
use crate::documents::{Error, number};
use crate::keys;

/// The version of the indexes, raised whenever they hold something else.
const INDEX_VERSION: u64 = 2;

/// Max repairs that are written together.
const WRITES_AT_ONCE: usize = 4_096;

impl Engine {
    /// Rebuilds the indexes if another version of the program wrote them. Call it before anyone writes
    /// documents.
    pub async fn rebuild_indexes(&self) -> Result<(), Error> {
        let store = &**self.store();
        if number(store.get(keys::INDEXED)?.as_deref()) >= INDEX_VERSION {
            return Ok(());
        }
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
}
