//! A backup of a store that goes on writing: the store as it is after one commit.

use std::io::{self, Write};

use super::Error;

/// A backup that is about to be written. There is one at a time for each store: the place is free again when this
/// is dropped.
pub trait Backup: Send {
    /// Writes the store as it is after one commit, with all that was acknowledged before this call. Blocks for as
    /// long as `to` does, and keeps no other caller of the store waiting. `told` hears of the cells that were
    /// written. After an error `to` has no whole backup.
    fn write(
        self: Box<Self>,
        taken_ms: i64,
        to: &mut dyn Write,
        told: &mut dyn FnMut(u64),
    ) -> Result<BackedUp, BackupError>;
}

/// The size of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// How many cells it has.
    pub records: u64,
    /// The number of the commit after which the store was as it is in the backup.
    pub commits: u64,
    /// The length of the backup.
    pub bytes: u64,
}

/// Why a store was not backed up.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(
        "this store cannot be backed up: it has no files, or it is the part of one tenant. A database is backed up by its \
         own means, such as `pg_basebackup`"
    )]
    Unsupported,
    #[error("another backup of the store is being written, and there is one at a time")]
    Busy,
    #[error("the backup cannot be written")]
    Write(#[source] io::Error),
    #[error("the store cannot be read")]
    Read(#[from] Error),
}
