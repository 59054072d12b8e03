//! Reads packs from their folders.

mod serving;

use engine::documents::{Document, Put};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use host::regular;
use model::pack::{Code, Diagnostic, FILE_BYTES_MAX, FILES, PackFiles, Plugins, Severity};
use model::rulebook::RulebookError;
use model::{Digest, Pack, Rulebook};
use serde_json::json;
use tmf::time::Timestamp;

pub use self::serving::{Serving, serving};

/// Why packs cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PacksError {
    /// A folder or a file cannot be read.
    #[error("cannot read `{}`", .path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("there is no folder of packs `{}`: make it, or name another as `workflows-dir`", .0.display())]
    NoFolder(PathBuf),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"))]
    Mistakes(Vec<Mistakes>),
    /// The packs contradict each other.
    #[error("the packs do not go together:\n{}", lines(.0))]
    Together(Vec<RulebookError>),
}

/// The mistakes of a pack.
#[derive(Debug, thiserror::Error)]
#[error("the pack in `{}` has mistakes:\n{}", .path.display(), lines(.diagnostics))]
pub struct Mistakes {
    /// The folder of the pack.
    pub path: PathBuf,
    pub diagnostics: Vec<Diagnostic>,
}

/// A pack in a folder, with its errors.
#[derive(Clone, Debug)]
pub struct Found {
    pub path: PathBuf,
    pub files: PackFiles,
    /// The pack; `None` if it has an error of its own.
    pub pack: Option<Pack>,
    /// Its errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads every pack in a folder, see [`folders`].
pub fn read_all(folder: &Path) -> Result<Rulebook, PacksError> {
    put_together(checked(folder, None)?)
}

/// Merges valid packs; else returns the errors of all of them.
pub fn put_together(found: Vec<Found>) -> Result<Rulebook, PacksError> {
    let is_wrong = |found: &Found| found.diagnostics.iter().any(Diagnostic::is_error);
    let (wrong, right): (Vec<Found>, Vec<Found>) = found.into_iter().partition(is_wrong);
    if wrong.is_empty() {
        let packs = right.into_iter().filter_map(|found| found.pack);
        return Rulebook::new(packs).map_err(PacksError::Together);
    }
    let wrong = wrong.into_iter();
    let wrong = wrong.map(|Found { path, diagnostics, .. }| Mistakes { path, diagnostics });
    Err(PacksError::Mistakes(wrong.collect()))
}

/// Reads every pack in a folder and checks it, with the plugins that the packs are used with if
/// these are given. References between packs are checked when each is valid by itself.
pub fn checked(folder: &Path, plugins: Option<&Plugins>) -> Result<Vec<Found>, PacksError> {
    let mut found = look(folder)?;
    let packs: Vec<&Pack> = found.iter().filter_map(|found| found.pack.as_ref()).collect();
    if packs.len() == found.len() {
        let together = model::pack::mistakes(&packs, plugins, &BTreeMap::new());
        for (found, diagnostics) in found.iter_mut().zip(together) {
            found.diagnostics.extend(diagnostics);
            found.diagnostics.sort();
        }
    }
    Ok(found)
}

/// Reads every pack in a folder, each by itself.
pub fn look(folder: &Path) -> Result<Vec<Found>, PacksError> {
    Ok(folders(folder)?.iter().map(|path| read_one(path)).collect())
}

/// The folders of packs: the folder itself, or each subfolder with a file of a pack. One without a
/// `pack.yaml` is included, and wrong.
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
fn read_one(folder: &Path) -> Found {
    let (mut files, mut unreadable) = (PackFiles::default(), Vec::new());
    for name in FILES {
        let path = folder.join(name);
        if !path.exists() {
            continue;
        }
        match read_file(&path) {
            Ok(text) => {
                files.0.insert(name.into(), text);
            }
            Err(error) => unreadable.push(Diagnostic {
                file: name.into(),
                line: 1,
                column: 1,
                severity: Severity::Error,
                code: Code::FileUnreadable,
                message: format!("the file cannot be read: {error}"),
                help: None,
                text: String::new(),
            }),
        }
    }
    let path = folder.to_path_buf();
    if !unreadable.is_empty() {
        return Found { path, files, pack: None, diagnostics: unreadable };
    }
    match Pack::parse(&files) {
        Ok(pack) => {
            let diagnostics = pack.warnings.clone();
            Found { path, files, pack: Some(pack), diagnostics }
        }
        Err(diagnostics) => Found { path, files, pack: None, diagnostics },
    }
}

fn read_file(path: &Path) -> std::io::Result<String> {
    regular::read_text(path, FILE_BYTES_MAX as usize)
}

/// The documents of packs that were put into the store, as documents: the digest of each in its
/// pack. A client's later change stays until the pack has a new version of the document.
const SEEDS: &str = "packDocument";

/// The documents of the packs' catalogs for the store: `kept` reads the stored ones, and
/// documents that were written already are left out.
pub fn documents<E>(
    rulebook: &Rulebook,
    at: Timestamp,
    kept: impl Fn(&str, &str) -> Result<Option<Document>, E>,
) -> Result<Vec<Put>, E> {
    let mut puts = Vec::new();
    for (key, documents) in &rulebook.catalog().documents {
        let Some((_, resource)) = tmf::table::of_key(key) else { continue };
        for (id, document) in documents {
            let seed = json!({ "digest": Digest::of(document.to_string().as_bytes()) });
            let name = format!("{key}/{id}");
            if kept(SEEDS, &name)?.is_some_and(|before| before.body == seed) {
                continue;
            }
            puts.push(Put::set(SEEDS, name, seed).quiet());
            let href = format!("{}/{id}", tmf::table::path(key));
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
