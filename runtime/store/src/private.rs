//! Keeps the files of the store readable by their owner alone.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
const MODE_BITS: u32 = 0o777;

/// Makes a folder, with its parents, that only its owner may enter, whatever the umask is. One that
/// is there stays as it is.
pub fn make_folder(path: &Path) -> io::Result<()> {
    let new: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)?;
    // A power loss must not take the name of a new folder from its parent.
    for parent in new.into_iter().filter_map(Path::parent) {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// How much of a folder is made private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The folder: no other user may enter it, so the modes of its files do not matter.
    Folder,
    /// All that is in it too.
    Whole,
}

/// Takes from others what they may do with a folder. What may not be changed stays as it is, and is
/// logged.
pub fn tighten(path: &Path, depth: Depth) {
    let (mut changed, mut failed) = (0_usize, 0_usize);
    let was_open = fs::symlink_metadata(path).is_ok_and(|metadata| is_open(&metadata, FOLDER_MODE));
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let mode = match (metadata.is_dir(), metadata.is_file()) {
            (true, _) => FOLDER_MODE,
            (_, true) => FILE_MODE,
            // The target of a link is not ours to change.
            (false, false) => continue,
        };
        if is_open(&metadata, mode) {
            let mode = metadata.permissions().mode() & mode;
            match fs::set_permissions(&path, Permissions::from_mode(mode)) {
                Ok(()) => changed += 1,
                Err(_) => failed += 1,
            }
        }
        if metadata.is_dir() && depth == Depth::Whole {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            waiting.extend(entries.map(|entry| entry.path()));
        }
    }
    let path = path.display();
    // In a folder that only its owner can enter the modes of files mean little.
    if changed > 0 && was_open {
        tracing::warn!(%path, changed, "others could read what is kept here; they cannot any more");
    }
    if failed > 0 {
        tracing::warn!(%path, failed, "others may read what is kept here: it is not ours to change");
    }
}

/// Whether a mode lets anyone do more than this.
fn is_open(metadata: &Metadata, mode: u32) -> bool {
    metadata.permissions().mode() & MODE_BITS & !mode != 0
}

#[cfg(test)]
mod tests;
