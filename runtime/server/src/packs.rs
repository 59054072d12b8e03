//! Reads packs from their folders.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use engine::store::{Document, Put};
use model::pack::{Diagnostic, FILE_BYTES_MAX, FILES, PackFiles, Plugins};
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
    /// Packs have mistakes.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"))]
    Mistakes(Vec<Mistakes>),
    /// The packs do not go together.
    #[error("the packs do not go together:\n{}", lines(.0))]
    Together(Vec<RulebookError>),
}

/// The mistakes of a pack.
#[derive(Debug, thiserror::Error)]
#[error("the pack in `{}` has mistakes:\n{}", .path.display(), lines(.diagnostics))]
pub struct Mistakes {
    /// The folder of the pack.
    pub path: PathBuf,
    /// The mistakes.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads every pack in a folder, see [`folders`].
pub fn read_all(folder: &Path) -> Result<Rulebook, PacksError> {
    read_with(folder, None)
}

/// The same, checked against the plugins that the packs are used with. The mistakes of all packs are
/// reported together; what packs name of each other is looked at when each is right by itself.
pub fn read_with(folder: &Path, plugins: Option<&Plugins>) -> Result<Rulebook, PacksError> {
    let (mut packs, mut paths, mut wrong) = (Vec::new(), BTreeMap::new(), Vec::new());
    for path in folders(folder)? {
        match read_one(&path) {
            Ok(pack) => {
                paths.insert(pack.name.clone(), path);
                packs.push(pack);
            }
            Err(PacksError::Mistakes(mistakes)) => wrong.extend(mistakes),
            Err(error) => return Err(error),
        }
    }
    if wrong.is_empty() {
        let found = model::pack::mistakes(&packs, plugins).into_iter();
        wrong.extend(found.filter_map(|(name, diagnostics)| {
            Some(Mistakes { path: paths.get(&name)?.clone(), diagnostics })
        }));
    }
    if wrong.is_empty() {
        Rulebook::new(packs).map_err(PacksError::Together)
    } else {
        Err(PacksError::Mistakes(wrong))
    }
}

/// The folders of packs: the folder itself, or each in it that has a file of a pack. One without a
/// `pack.yaml` is among them, and wrong.
pub fn folders(folder: &Path) -> Result<Vec<PathBuf>, PacksError> {
    let is_pack = |path: &Path| FILES.iter().any(|file| path.join(file).is_file());
    if is_pack(folder) {
        return Ok(vec![folder.into()]);
    }
    let read = |source| PacksError::Read { path: folder.into(), source };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(read)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(read)?;
    paths.retain(|path| is_pack(path));
    paths.sort();
    Ok(paths)
}

/// Reads the pack in a folder.
fn read_one(folder: &Path) -> Result<Pack, PacksError> {
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
    Pack::parse(&files).map_err(|diagnostics| {
        PacksError::Mistakes(vec![Mistakes { path: folder.into(), diagnostics }])
    })
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
