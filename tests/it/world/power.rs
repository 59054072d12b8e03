//! The power of a server: what it synced survives a failure, what it only wrote need not. The shim
//! in `tests/shims/power` keeps the two apart while the server runs; this builds it, and puts
//! together what is left.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

use tokio::sync::OnceCell;

use super::{Dice, repository};

/// The unit, in bytes, that a power failure keeps or loses; within it, sectors.
const PAGE: usize = 4096;
const SECTOR: usize = 512;

/// A folder that forgets.
pub(crate) struct Power {
    root: PathBuf,
    shadow: PathBuf,
    library: PathBuf,
}

/// The unsynced writes that survive.
pub(crate) enum Survivors<'a> {
    None,
    /// Some pages, some parts of pages, some lists of names.
    Some(&'a mut Dice),
}

pub(crate) struct Shim {
    /// What is loaded into a program.
    pub(crate) library: PathBuf,
    /// A program that does to files what it is told.
    pub(crate) script: PathBuf,
}

/// The shim, built once.
pub(crate) async fn shim() -> &'static Shim {
    static BUILT: OnceCell<Shim> = OnceCell::const_new();
    BUILT.get_or_init(|| async { build() }).await
}

fn build() -> Shim {
    let target = Path::new(env!("CARGO_BIN_EXE_ferrule")).ancestors().nth(2).unwrap();
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(repository())
        .args(["build", "--quiet", "-p", "shim-power", "--target-dir"])
        .arg(target)
        .status()
        .unwrap();
    assert!(status.success(), "the shim does not build");
    let folder = target.join("debug");
    Shim { library: folder.join("libshim_power.so"), script: folder.join("shim-power-script") }
}

impl Power {
    /// A new folder of this name that is empty, and is itself durable.
    pub(crate) async fn begin(parent: &Path, name: &str) -> Self {
        // The shim compares with paths as the system has them.
        let parent = parent.canonicalize().unwrap();
        let (root, shadow) = (parent.join(name), parent.join(format!("{name}.shadow")));
        fs::create_dir(&root).unwrap();
        let power = Self { root, shadow, library: shim().await.library.clone() };
        power.remember_all();
        power
    }

    /// What a program has to find in its environment.
    pub(crate) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("LD_PRELOAD", self.library.clone()),
            ("FERRULE_POWER_ROOT", self.root.clone()),
            ("FERRULE_POWER_SHADOW", self.shadow.clone()),
        ]
    }

    /// From now on each sync takes this much longer.
    pub(crate) fn slow_syncs(&self, ms: u64) {
        // At once: a sync that reads it meanwhile must find a number.
        fs::write(self.shadow.join("slow.part"), ms.to_string()).unwrap();
        fs::rename(self.shadow.join("slow.part"), self.shadow.join("slow")).unwrap();
    }

    /// From now on no sync makes anything durable.
    pub(crate) fn ignore_syncs(&self) {
        fs::write(self.shadow.join("deaf"), "").unwrap();
    }

    /// Writes to a new folder what would be left if the power failed now. Nothing may be writing.
    pub(crate) fn left(&self, to: &Path, mut survivors: Survivors<'_>) {
        let real = listed(&self.root);
        self.restore(&id(&self.root), &self.root, to, &real, &mut survivors);
    }

    /// The folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Puts what survives in the place of what is there. Nothing may be writing.
    pub(crate) fn fail(&self, survivors: Survivors<'_>) {
        let left = self.root.with_extension("left");
        self.left(&left, survivors);
        fs::remove_dir_all(&self.root).unwrap();
        fs::rename(&left, &self.root).unwrap();
        fs::remove_dir_all(&self.shadow).unwrap();
        self.remember_all();
    }

    /// Makes one directory as it is after the failure.
    fn restore(
        &self,
        id: &str,
        was: &Path,
        to: &Path,
        real: &BTreeMap<String, PathBuf>,
        survivors: &mut Survivors<'_>,
    ) {
        fs::create_dir(to).unwrap();
        keep_mode(was, to);
        let list = self.shadow.join("dirs").join(id);
        let mut names = fs::read_to_string(list).unwrap_or_default();
        if let Survivors::Some(dice) = survivors {
            let now = real.get(id).map(|folder| names_in(folder));
            // A file system writes the names of a directory as one: all of a rename, or nothing.
            if let Some(now) = now.filter(|now| *now != names && dice.up_to(2) == 1) {
                names = now;
            }
        }
        for line in names.lines() {
            let mut words = line.splitn(3, ' ');
            let (kind, id, name) =
                (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            let was = real.get(id).cloned().unwrap_or_default();
            if kind == "d" {
                self.restore(id, &was, &to.join(name), real, survivors);
                continue;
            }
            let synced = fs::read(self.shadow.join("files").join(id)).unwrap_or_default();
            let left = match survivors {
                Survivors::None => synced,
                Survivors::Some(dice) => match fs::read(&was) {
                    Ok(written) => torn(&synced, &written, dice),
                    Err(_) => synced,
                },
            };
            fs::write(to.join(name), left).unwrap();
            keep_mode(&was, &to.join(name));
        }
    }

    /// Everything that is there is durable.
    fn remember_all(&self) {
        for folder in ["files", "dirs"] {
            fs::create_dir_all(self.shadow.join(folder)).unwrap();
        }
        for (id, path) in listed(&self.root) {
            if path.is_dir() {
                fs::write(self.shadow.join("dirs").join(id), names_in(&path)).unwrap();
            } else {
                fs::copy(&path, self.shadow.join("files").join(id)).unwrap();
            }
        }
    }
}

/// What is left of a file: each page as it was, as it is, or half of each.
fn torn(synced: &[u8], written: &[u8], dice: &mut Dice) -> Vec<u8> {
    let lengths = [synced.len(), written.len()];
    let length = if dice.up_to(2) == 1 { lengths[0] } else { lengths[1] };
    let whole = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes.resize(length, 0);
        bytes
    };
    let (mut left, written) = (whole(synced), whole(written));
    for (left, written) in left.chunks_mut(PAGE).zip(written.chunks(PAGE)) {
        if left == written {
            continue;
        }
        let survives = match dice.up_to(3) {
            1 => 0,
            2 => left.len(),
            _ => usize::try_from(dice.up_to(7)).unwrap() * SECTOR,
        };
        let survives = survives.min(left.len());
        left[..survives].copy_from_slice(&written[..survives]);
    }
    left
}

/// Everything below a folder, itself too, by id.
fn listed(folder: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::from([(id(folder), folder.to_path_buf())]);
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(listed(&entry.path()));
        } else if kind.is_file() {
            found.insert(id(&entry.path()), entry.path());
        }
    }
    found
}

/// The names in a directory as the shim writes them.
fn names_in(folder: &Path) -> String {
    let mut names = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let letter = if path.is_dir() { 'd' } else { 'f' };
        let name = path.file_name().unwrap().to_str().unwrap();
        names.push_str(&format!("{letter} {} {name}\n", id(&path)));
    }
    names
}

/// The id of a file, as the shim has it: the inode and its birth.
fn id(path: &Path) -> String {
    let metadata = fs::symlink_metadata(path).unwrap();
    let born = metadata.created().expect("the file system knows when a file was made");
    let born = born.duration_since(UNIX_EPOCH).unwrap();
    format!("{}-{}-{}", metadata.ino(), born.as_secs(), born.subsec_nanos())
}

fn keep_mode(was: &Path, to: &Path) {
    // What was removed without a sync has no mode any more.
    if let Ok(metadata) = fs::metadata(was) {
        fs::set_permissions(to, metadata.permissions()).unwrap();
    }
}
