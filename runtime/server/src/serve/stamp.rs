//! Stamps of files, by which a change is noticed.

use std::path::Path;
use std::time::SystemTime;

/// The size of a file, and the time of its last write.
pub(super) type Stamp = (u64, Option<SystemTime>);

/// The stamp of a file; `None` if it cannot be inspected.
pub(super) fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}
