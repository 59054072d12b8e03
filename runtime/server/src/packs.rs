//! Reads packs from their folders.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use engine::store::{Document, Put};
use model::pack::{Diagnostic, FILE_BYTES_MAX, FILES, PACK, PackFiles};
use model::rulebook::RulebookError;
use model::{Digest, Pack, Rulebook, Timestamp, resource};
use serde_json::json;

/// Why packs cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PacksError {
    /// A folder or a file cannot be read.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A pack has mistakes.
    #[error("the pack in `{}` has mistakes:\n{}", .path.display(), lines(.diagnostics))]
    Mistakes {
        /// The folder of the pack.
        path: PathBuf,
        /// The mistakes.
        diagnostics: Vec<Diagnostic>,
    },
    /// The packs do not go together.
    #[error("the packs do not go together:\n{}", lines(.0))]
    Together(Vec<RulebookError>),
}

/// Reads every pack in a folder: each folder in it that has a `pack.yaml`.
pub fn read_all(folder: &Path) -> Result<Rulebook, PacksError> {
    let read = |source| PacksError::Read { path: folder.into(), source };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(read)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(read)?;
    paths.retain(|path| path.join(PACK).is_file());
    paths.sort();
    let packs = paths.iter().map(|path| read_one(path)).collect::<Result<Vec<_>, _>>()?;
    Rulebook::new(packs).map_err(PacksError::Together)
}

/// Reads the pack in a folder.
pub fn read_one(folder: &Path) -> Result<Pack, PacksError> {
    let mut files = PackFiles::default();
    for name in FILES {
        let path = folder.join(name);
        if !path.exists() {
            continue;
        }
        let read = |source| PacksError::Read { path: path.clone(), source };
        let mut text = String::new();
        let file = std::fs::File::open(&path).map_err(read)?;
        file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(read)?;
        if text.len() as u64 > FILE_BYTES_MAX {
            let message = format!("a file of a pack may have {FILE_BYTES_MAX} bytes");
            return Err(read(std::io::Error::other(message)));
        }
        files.0.insert(name.into(), text);
    }
    Pack::parse(&files)
        .map_err(|diagnostics| PacksError::Mistakes { path: folder.into(), diagnostics })
}

/// Which documents of packs were put into the store, as documents: the digest of each as it stood
/// in its pack. What somebody changed since then stays so until the pack says something new.
const SEEDS: &str = "packDocument";

/// The documents of the packs' catalogs as they stand in the store: `kept` reads what is there, and
/// what was put there already is left out.
pub fn documents<E>(
    rulebook: &Rulebook,
    at: Timestamp,
    kept: impl Fn(&str, &str) -> Result<Option<Document>, E>,
) -> Result<Vec<Put>, E> {
    let mut puts = Vec::new();
    for (key, documents) in &rulebook.catalog().documents {
        let Some((_, resource)) = resource::of_key(key) else { continue };
        for (id, document) in documents {
            let seed = json!({ "digest": Digest::of(document.to_string().as_bytes()) });
            let name = format!("{key}/{id}");
            if kept(SEEDS, &name)?.is_some_and(|before| before.body == seed) {
                continue;
            }
            puts.push(Put::set(SEEDS, name, seed).quiet());
            let href = format!("{}/{id}", resource::path(key));
            let mut document = resource.new_document(document.clone(), id, at, &href);
            let before = kept(key, id)?;
            let stamp =
                resource.stamp.and_then(|stamp| Some((stamp, before.as_ref()?.body.get(stamp)?)));
            if let Some((name, value)) = stamp {
                document[name] = value.clone();
            }
            if before.as_ref().is_none_or(|before| before.body != document) {
                resource.stamp(&mut document, at);
                puts.push(Put::set(key.as_str(), id.as_str(), document).quiet());
            }
        }
    }
    Ok(puts)
}

fn lines<T: ToString>(entries: &[T]) -> String {
    entries.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
