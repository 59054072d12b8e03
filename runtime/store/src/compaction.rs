//! Compaction: copies the facts of a store into a new directory and puts it in the place of the old
//! one, in one step. sled gives no space back, and keeps what was overwritten or removed in its log for
//! a long time: a copy has neither. It is sealed with the keys that are given for it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use engine::store::{Batch, Error, Store as _};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::database::OpenError;
use crate::open::{Options, copy_of};
use crate::seal::MasterKeys;
use crate::sled::Sled;

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
pub async fn compact(
    path: &Path,
    options: &Options,
    keys: Option<MasterKeys>,
    told: impl FnMut(u64),
) -> Result<Compacted, CompactError> {
    // It removes what an earlier compaction left, once no other is at work.
    let old = Sled::open(path, options)?;
    let copy = copy_of(path);
    let lock = old.lock().map_err(|source| CompactError::Replace { path: path.into(), source })?;
    let compacted = replaced(path, old, &Options { keys, ..options.clone() }, told).await;
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
async fn replaced(
    path: &Path,
    old: Sled,
    options: &Options,
    mut told: impl FnMut(u64),
) -> Result<Compacted, CompactError> {
    let replace = |source| CompactError::Replace { path: path.into(), source };
    let copy = copy_of(path);
    let bytes_before = size(path).map_err(replace)?;
    let new = Sled::open(&copy, options)?;
    let mut epoch = new.claim()?;
    while epoch < old.owner() {
        epoch = new.claim()?;
    }
    let (mut after, mut facts) = (None, 0);
    loop {
        let page = old.kept_page(after.as_deref(), FACTS_AT_ONCE)?;
        let Some((last, _)) = page.last() else { break };
        after = Some(last.clone());
        facts += page.len() as u64;
        let writes = page.into_iter().map(|(key, value)| (key, Some(value))).collect();
        new.append(Batch::of(epoch, writes)).await?;
        told(facts);
    }
    let copied = new.facts()?;
    if copied != facts {
        return Err(CompactError::Incomplete { facts, copied });
    }
    // They are closed before they are moved, since closing writes to them.
    let _lock = new.lock().map_err(replace)?;
    drop(new);
    drop(old);
    exchange(path, &copy).map_err(replace)?;
    fs::remove_dir_all(&copy).map_err(replace)?;
    let bytes_after = size(path).map_err(replace)?;
    Ok(Compacted { facts, bytes_before, bytes_after })
}

/// Exchanges two directories in one step, durably.
pub(crate) fn exchange(path: &Path, copy: &Path) -> io::Result<()> {
    renameat_with(CWD, path, CWD, copy, RenameFlags::EXCHANGE)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()
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
