//! Files that others wrote: regular ones, and no larger than they may be.

use std::fs::File;
use std::io::{Error, Read as _, Result, Take};
use std::path::Path;

use host::regular;

/// Opens a file. No more than one byte past the limit is read, even if it grows.
pub(super) fn open(path: &Path, bytes_max: u64) -> Result<Take<File>> {
    let file = regular::open(path)?;
    let bytes = file.metadata()?.len();
    if bytes > bytes_max {
        return Err(Error::other(format!("it has {bytes} bytes, the limit is {bytes_max}")));
    }
    Ok(file.take(bytes_max.saturating_add(1)))
}

pub(super) fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path, bytes_max)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
