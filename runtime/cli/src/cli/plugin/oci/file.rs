//! Files that others wrote: regular ones, and no larger than they may be.

use std::fs::{File, Metadata};
use std::io::{Error, Read as _, Result, Take};
use std::path::Path;

/// Opens a file. No more than one byte past the limit is read, even if it grows.
pub(super) fn open(path: &Path, bytes_max: u64) -> Result<Take<File>> {
    // To open a pipe would wait for its other end.
    check(&std::fs::metadata(path)?, bytes_max)?;
    let file = File::open(path)?;
    check(&file.metadata()?, bytes_max)?;
    Ok(file.take(bytes_max.saturating_add(1)))
}

pub(super) fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path, bytes_max)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn check(about: &Metadata, bytes_max: u64) -> Result<()> {
    if !about.is_file() {
        return Err(Error::other("it is no regular file"));
    }
    if about.len() > bytes_max {
        let text = format!("it has {} bytes, the limit is {bytes_max}", about.len());
        return Err(Error::other(text));
    }
    Ok(())
}
