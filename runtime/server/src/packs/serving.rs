//! The packs that a server uses: the valid ones. One with an error is left out, and the others
//! are served; of packs that contradict each other, the last one is left out.
//!
//! The last used version of each pack is kept beside the store. If a pack is removed, that
//! version still bills and rates its products, and defines its pools; new
//! orders about it are held.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::pack::{Diagnostic, Names, PackFiles};
use model::rulebook::LeftOut;
use model::{Pack, Rulebook, SpecId};

use super::{Found, PacksError, look};

/// The folder beside the store with the last used versions.
const KEPT: &str = "packs";

/// The packs that a server uses.
pub struct Serving {
    /// All of them merged.
    pub rulebook: Rulebook,
    /// Versions to be written: files of used packs that differ from the kept ones.
    fresh: Vec<(PathBuf, PackFiles)>,
    /// Kept versions of removed packs.
    gone: Vec<PathBuf>,
}

/// A pack, and whether it is used.
struct Candidate {
    found: Found,
    kept: Option<Pack>,
    kept_names: Names,
    file: PathBuf,
}

/// Decides which packs of a folder are used. `data` is the folder of the store.
pub fn serving(folder: &Path, data: &Path) -> Result<Serving, PacksError> {
    if !folder.is_dir() {
        return Err(PacksError::NoFolder(folder.into()));
    }
    let mut candidates: Vec<Candidate> =
        look(folder)?.into_iter().map(|found| Candidate::new(found, data)).collect();
    // Versions in use come first.
    candidates.sort_by_key(|candidate| !candidate.was_in_use());
    while leave_out(&mut candidates) {}
    let gone = kept_files(data).into_iter();
    let gone = gone.filter(|path| !candidates.iter().any(|one| one.file == *path)).collect();
    for candidate in &candidates {
        for warning in &candidate.found.diagnostics {
            if !warning.is_error() {
                let pack = candidate.name();
                tracing::warn!(pack, "{warning}");
            }
        }
    }
    put_together(candidates, gone)
}

/// Leaves out packs that contradict others; returns whether there were any.
fn leave_out(candidates: &mut [Candidate]) -> bool {
    let mut elsewhere: BTreeMap<SpecId, String> = BTreeMap::new();
    let (mut packs, mut of) = (Vec::new(), Vec::new());
    for (index, candidate) in candidates.iter().enumerate() {
        if let Some(pack) = &candidate.found.pack {
            packs.push(pack);
            of.push(index);
        } else if candidate.kept.is_none() {
            let names = candidate.names().entities.into_iter();
            elsewhere.extend(names.map(|id| (id, candidate.name())));
        }
    }
    for (index, candidate) in candidates.iter().enumerate() {
        if candidate.found.pack.is_none()
            && let Some(kept) = &candidate.kept
        {
            packs.push(kept);
            of.push(index);
        }
    }
    let found = model::pack::mistakes(&packs, None, &elsewhere);
    let mut any = false;
    for (index, diagnostics) in of.into_iter().zip(found) {
        let is_wrong = diagnostics.iter().any(Diagnostic::is_error);
        let Some(candidate) = candidates.get_mut(index) else { continue };
        any |= is_wrong;
        match (&candidate.found.pack, is_wrong) {
            (Some(_), true) => {
                candidate.found.pack = None;
                candidate.found.diagnostics = diagnostics;
            }
            (Some(pack), false) => {
                candidate.found.diagnostics = pack.warnings.clone();
                candidate.found.diagnostics.extend(diagnostics);
            }
            (None, true) => candidate.kept = None,
            (None, false) => {}
        }
    }
    any
}

fn put_together(candidates: Vec<Candidate>, gone: Vec<PathBuf>) -> Result<Serving, PacksError> {
    let (mut packs, mut left_out, mut fresh) = (Vec::new(), Vec::new(), Vec::new());
    for candidate in candidates {
        let (name, names) = (candidate.name(), candidate.names());
        let was_in_use = candidate.was_in_use();
        let Candidate { found, kept, file, .. } = candidate;
        if let Some(pack) = found.pack {
            packs.push(pack);
            if !was_in_use {
                fresh.push((file, found.files));
            }
            continue;
        }
        let told: Vec<String> = found.diagnostics.iter().map(ToString::to_string).collect();
        let folder = found.path.display().to_string();
        tracing::error!(pack = name, folder, "a pack is left out:\n{}", told.join("\n"));
        let digest = kept.as_ref().map(|pack| pack.digest.clone());
        let diagnostics = found.diagnostics;
        left_out.push((LeftOut { name, folder, diagnostics, kept: digest }, names));
        packs.extend(kept);
    }
    if packs.is_empty() && !left_out.is_empty() {
        tracing::error!("no pack can be used: orders are held until one is mended");
    }
    let rulebook = Rulebook::new(packs).map_err(PacksError::Together)?;
    Ok(Serving { rulebook: rulebook.without(left_out), fresh, gone })
}

impl Candidate {
    fn new(found: Found, data: &Path) -> Self {
        let folder = found.path.file_name().unwrap_or_default();
        let mut name = folder.to_os_string();
        name.push(".json");
        let file = data.join(KEPT).join(name);
        let files = std::fs::read(&file).ok();
        let files: Option<PackFiles> = files.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let kept_names = files.as_ref().map(PackFiles::names).unwrap_or_default();
        let kept = files.and_then(|files| Pack::parse(&files).ok());
        Self { found, kept, kept_names, file }
    }

    /// Whether this version was the last used one.
    fn was_in_use(&self) -> bool {
        let digests = (self.found.pack.as_ref(), self.kept.as_ref());
        matches!(digests, (Some(pack), Some(kept)) if pack.digest == kept.digest)
    }

    fn name(&self) -> String {
        let kept = self.kept.as_ref().filter(|_| self.found.pack.is_none());
        let kept = kept.map(|kept| kept.name.clone());
        let folder = || self.found.path.file_name().unwrap_or_default().display().to_string();
        kept.or_else(|| self.found.files.name()).unwrap_or_else(folder)
    }

    fn names(&self) -> Names {
        self.found.files.names().and(self.kept_names.clone())
    }
}

impl Serving {
    /// Writes the used versions, once the store is ours. Without them the packs are served
    /// all the same, so a failure is only logged.
    pub fn keep(&self) {
        for (file, files) in &self.fresh {
            if let Err(error) = write(file, files) {
                let file = file.display();
                tracing::warn!(%error, "cannot keep a version of a pack in `{file}`");
            }
        }
        for file in &self.gone {
            std::fs::remove_file(file).ok();
        }
    }
}

fn kept_files(data: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data.join(KEPT)).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn write(file: &Path, files: &PackFiles) -> std::io::Result<()> {
    use std::io::Write as _;
    let folder = file.parent().unwrap_or(file);
    store::private::make_folder(folder)?;
    let new = file.with_extension("new");
    let mut out = std::fs::File::create(&new)?;
    out.write_all(&serde_json::to_vec(files)?)?;
    out.sync_all()?;
    std::fs::rename(&new, file)
}
