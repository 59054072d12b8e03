//! Compaction: copies the facts of a store into a new directory and puts it in the place of the old
//! one, in one step. Overwritten and removed facts stay in files until these are merged: a copy has none of them.
//! It is sealed with the keys that are given for it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use engine::store::Error;

use crate::bulk::Bulk;
use crate::database::OpenError;
use crate::folder::{copy_of, exchange, new_name};
use crate::form::Form;
use crate::layout::{KEYS, OWNER};
use crate::open::Options;
use crate::seal::{MasterKeys, Seal};
use crate::sled::Sled;
use crate::tree::change;

/// Facts of one batch of the copy.
const FACTS_AT_ONCE: usize = 1_024;

/// What a compaction did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// The number of facts.
    pub facts: u64,
    /// The size of the directory before, in bytes.
    pub bytes_before: u64,
    pub bytes_after: u64,
}

/// Why a store was not compacted. Its directory is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CompactError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the copy cannot be written")]
    Copy(#[from] Error),
    #[error("`{}` cannot be replaced", .path.display())]
    Replace {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the copy has {copied} facts of {facts}: a bug of ours")]
    Incomplete { facts: u64, copied: u64 },
}

/// Copies a store that no server has open, and puts the copy in its place; tells after each batch how
/// many facts are copied. The copy is sealed with `keys`, or not at all. Killed at any point it leaves
/// the old store or the new one, and maybe a folder beside it that is removed when the store is opened next.
/// Both stay locked until all is done.
pub fn compact(
    path: &Path,
    options: &Options,
    keys: Option<&MasterKeys>,
    told: impl FnMut(u64),
) -> Result<Compacted, CompactError> {
    // It removes what an earlier compaction left, once no other is at work.
    let old = Sled::open(path, options)?;
    let copy = copy_of(path);
    let lock = old.lock().map_err(|source| CompactError::Replace { path: path.into(), source })?;
    let compacted = replaced(path, old, keys, told);
    // A copy that is not whole has taken its place from the disk, which may be full.
    if compacted.is_err()
        && let Err(error) = fs::remove_dir_all(&copy)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %copy.display(), %error, "the copy cannot be removed");
    }
    drop(lock);
    compacted
}

/// Copies a store, and puts the copy in its place.
fn replaced(
    path: &Path,
    old: Sled,
    keys: Option<&MasterKeys>,
    mut told: impl FnMut(u64),
) -> Result<Compacted, CompactError> {
    let replace = |source| CompactError::Replace { path: path.into(), source };
    let of_store = |failure| CompactError::Copy(Error::from(failure));
    let copy = copy_of(path);
    let bytes_before = size(path).map_err(replace)?;
    let bulk = Bulk::begin(&copy)?;
    let mut changes = vec![(OWNER.to_vec(), Some(old.owner().0.to_be_bytes().to_vec()))];
    let mut form = Form::default();
    if let Some(masters) = keys {
        let sealed = |source| OpenError::Seal { path: path.into(), source };
        let (seal, keys) = Seal::open(None, masters).map_err(sealed)?;
        changes.push((KEYS.to_vec(), Some(keys)));
        form = Form::sealed(seal);
    }
    bulk.write(changes).map_err(of_store)?;
    let (mut after, mut facts) = (None, 0);
    loop {
        let page = old.kept_page(after.as_deref(), FACTS_AT_ONCE)?;
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        facts += page.len() as u64;
        let changes = page.iter().map(|(key, value)| change(&form, key, Some(value)));
        bulk.write(changes.collect()).map_err(of_store)?;
        told(facts);
    }
    let copied = bulk.tree().count().map_err(of_store)?;
    if copied != facts {
        return Err(CompactError::Incomplete { facts, copied });
    }
    let name = old.tree().store().map_err(of_store)?.unwrap_or_else(new_name);
    let commits = old.tree().tally().map_err(of_store)?.commits;
    let _lock = bulk.end(&name, commits)?;
    // It is closed before it is moved, since closing writes to it.
    drop(old);
    exchange(path, &copy).map_err(replace)?;
    fs::remove_dir_all(&copy).map_err(replace)?;
    let bytes_after = size(path).map_err(replace)?;
    Ok(Compacted { facts, bytes_before, bytes_after })
}

/// The bytes of the files of a directory.
fn size(path: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
