//! Stamps of files, by which a change is noticed.

use std::fs::Metadata;
use std::path::Path;
use std::time::SystemTime;

/// The size of a file, the time of its last write, and that of the last change of its owner or mode too: it may be
/// readable since then.
pub(crate) type Stamp = (u64, Option<SystemTime>, (i64, i64));

/// The stamp of a file; `None` if it cannot be inspected.
pub(crate) fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok(), changed(&metadata)))
}

fn changed(metadata: &Metadata) -> (i64, i64) {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(test)]
mod tests;
