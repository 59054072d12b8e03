//! Copies all facts of a store into another, which may be of another kind, and compares the two.

use std::path::Path;

use engine::store::{Batch, Epoch, Error, Fact, Store};
use ring::digest::{Context, SHA256};

use crate::postgres::Postgres;
use crate::sled::Sled;

/// Facts that are copied together.
const FACTS_AT_ONCE: usize = 4_096;

/// A store of any kind, which no other process writes to.
pub enum Copied {
    Folder(Sled),
    Database(Postgres),
}

/// The facts of a store as one number, whatever their order: that of a sealed store is its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub facts: u64,
    hashes: u128,
}

/// Why a copy is not made, or not to be used.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("a store cannot be read or written")]
    Store(#[from] Error),
    #[error("the store to copy to has facts already")]
    NotEmpty,
    #[error(
        "another node took over the store meanwhile: stop all of its nodes, then copy it again"
    )]
    Changed,
    #[error("the copy has {} facts of {}, or other ones: a bug of ours", .copy.facts, .original.facts)]
    Different { original: Sum, copy: Sum },
}

impl Copied {
    fn store(&self) -> &dyn Store {
        match self {
            Self::Folder(store) => store,
            Self::Database(store) => store,
        }
    }

    /// The facts after a place, with their values as they are kept: not put together, not sealed.
    fn kept_page(&self, after: Option<&[u8]>) -> Result<Vec<Fact>, Error> {
        match self {
            Self::Folder(store) => store.kept_page(after, FACTS_AT_ONCE),
            Self::Database(store) => store.kept_page(after, FACTS_AT_ONCE),
        }
    }

    fn owner(&self) -> Result<Epoch, Error> {
        match self {
            Self::Folder(store) => Ok(store.owner()),
            Self::Database(store) => store.owner(),
        }
    }

    /// All facts, page by page.
    fn pages(&self) -> impl Iterator<Item = Result<Vec<Fact>, Error>> {
        let mut after = None;
        std::iter::from_fn(move || match self.kept_page(after.as_deref()) {
            Ok(page) => {
                after = Some(page.last()?.0.clone());
                Some(Ok(page))
            }
            Err(error) => Some(Err(error)),
        })
    }
}

impl Sum {
    /// The sum of all facts of a store; tells after each page how many there were.
    pub fn of(store: &Copied, mut told: impl FnMut(u64)) -> Result<Self, Error> {
        let mut sum = Self::default();
        for page in store.pages() {
            sum.add(&page?);
            told(sum.facts);
        }
        Ok(sum)
    }

    fn add(&mut self, page: &[Fact]) {
        for (key, value) in page {
            let mut context = Context::new(&SHA256);
            context.update(&(key.len() as u64).to_be_bytes());
            context.update(key);
            context.update(value);
            let hash = context.finish();
            let (first, _) = hash.as_ref().split_first_chunk().expect("a SHA-256 has 32 bytes");
            self.hashes = self.hashes.wrapping_add(u128::from_be_bytes(*first));
            self.facts += 1;
        }
    }
}

/// Copies all facts into an empty store, then reads them there; tells how many are copied, and then how many
/// are compared. Epochs of the copy go on after those of the original.
pub async fn copy(
    from: &Copied,
    to: &Copied,
    mut told: impl FnMut(&'static str, u64),
) -> Result<Sum, CopyError> {
    if !to.kept_page(None)?.is_empty() {
        return Err(CopyError::NotEmpty);
    }
    // From now on no other node can write to it without being seen. A folder is locked.
    if let Copied::Database(store) = from {
        store.claim()?;
    }
    let owner = from.owner()?;
    let mut epoch = to.store().claim()?;
    while epoch < owner {
        epoch = to.store().claim()?;
    }
    let mut original = Sum::default();
    for page in from.pages() {
        let page = page?;
        original.add(&page);
        let writes = page.into_iter().map(|(key, value)| (key, Some(value))).collect();
        to.store().append(Batch::of(epoch, writes)).await?;
        told("copied", original.facts);
    }
    if from.owner()? != owner {
        return Err(CopyError::Changed);
    }
    let copy = Sum::of(to, |facts| told("compared", facts))?;
    match copy == original {
        true => Ok(original),
        false => Err(CopyError::Different { original, copy }),
    }
}

/// Puts a folder with a finished copy in its place, which must be empty or missing.
pub fn put_in_place(copy: &Path, place: &Path) -> std::io::Result<()> {
    std::fs::rename(copy, place)?;
    let parent = place.parent().filter(|parent| !parent.as_os_str().is_empty());
    std::fs::File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()
}
