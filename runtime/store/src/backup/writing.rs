//! Writes the file of a backup.

use std::io::{self, Write};

use engine::store::{BackedUp, BackupError};
use ring::digest::{Context, SHA256};
use zstd::bulk::Compressor;

use super::file::{
    BLOCK, BLOCK_BYTES, CELL_BYTES_MAX, Header, KEY_BYTES_MAX, TRAILER, checksum, length,
};
use crate::record;

/// The level of zstd: most values are packed already.
const LEVEL: i32 = 1;

/// A file that is being written.
pub(super) struct Writing<'a> {
    to: &'a mut dyn Write,
    packer: Compressor<'static>,
    /// Records that are in no block yet.
    records: Vec<u8>,
    count: u64,
    bytes: u64,
    sum: Context,
}

impl<'a> Writing<'a> {
    pub(super) fn begin(to: &'a mut dyn Write, header: &Header) -> Result<Self, BackupError> {
        let packer = Compressor::new(LEVEL).map_err(BackupError::Write)?;
        let (records, sum) = (Vec::new(), Context::new(&SHA256));
        let mut writing = Self { to, packer, records, count: 0, bytes: 0, sum };
        writing.put(&header.write())?;
        Ok(writing)
    }

    /// Adds the record of a cell.
    pub(super) fn write(&mut self, key: &[u8], cell: &[u8]) -> Result<(), BackupError> {
        if key.len() > KEY_BYTES_MAX {
            return Err(too_long("a key"));
        }
        if cell.len() > CELL_BYTES_MAX {
            return Err(too_long("a cell"));
        }
        record::write(&mut self.records, key, Some(cell));
        self.count += 1;
        if self.records.len() >= BLOCK_BYTES {
            self.end_block()?;
        }
        Ok(())
    }

    /// Ends the file.
    pub(super) fn end(mut self, commits: u64) -> Result<BackedUp, BackupError> {
        if !self.records.is_empty() {
            self.end_block()?;
        }
        let numbers = [self.count.to_be_bytes(), commits.to_be_bytes()].concat();
        self.put(&[TRAILER])?;
        self.put(&numbers)?;
        let sum = self.sum.clone().finish();
        self.put(sum.as_ref())?;
        self.to.flush().map_err(BackupError::Write)?;
        Ok(BackedUp { records: self.count, commits, bytes: self.bytes })
    }

    fn end_block(&mut self) -> Result<(), BackupError> {
        let packed = self.packer.compress(&self.records).map_err(BackupError::Write)?;
        let lengths = [length(packed.len()), length(self.records.len())].concat();
        let head = [&[BLOCK], lengths.as_slice()].concat();
        let checksum = checksum(&head, &packed).to_be_bytes();
        self.records.clear();
        self.put(&[head.as_slice(), &checksum, &packed].concat())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        self.sum.update(bytes);
        self.bytes += bytes.len() as u64;
        self.to.write_all(bytes).map_err(BackupError::Write)
    }
}

fn too_long(part: &'static str) -> BackupError {
    BackupError::Write(io::Error::other(format!("{part} of the store is too long: a bug of ours")))
}
