//! What is durable, and what was touched since it last was.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CStr;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Statx, StatxFlags};
use rustix::io::{Errno, Result};

/// The unit, in bytes, that a power failure keeps or loses.
const PAGE: u64 = 4096;

/// What a call did to a file.
#[derive(Clone, Copy)]
pub(crate) enum Touched {
    /// These bytes were written.
    Range { from: u64, to: u64 },
    /// Anything may be different.
    Whole,
}

/// An inode for as long as it lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    inode: u64,
    born: (i64, u32),
}

/// What is in a file and not durable, as far as this process knows.
#[derive(Default)]
struct Dirty {
    /// The file was the same as its shadow once, so that the pages below are all that differ.
    known: bool,
    pages: BTreeSet<u64>,
}

struct Folders {
    root: PathBuf,
    shadow: PathBuf,
}

static DIRTY: Mutex<BTreeMap<Id, Dirty>> = Mutex::new(BTreeMap::new());

fn folders() -> Option<&'static Folders> {
    static FOLDERS: OnceLock<Option<Folders>> = OnceLock::new();
    let folders = FOLDERS.get_or_init(|| {
        let folder = |name| std::env::var_os(name).map(PathBuf::from);
        let (root, shadow) = (folder("FERRULE_POWER_ROOT")?, folder("FERRULE_POWER_SHADOW")?);
        Some(Folders { root, shadow })
    });
    folders.as_ref()
}

/// Notes what a call did. It is called when the call has ended and before the caller hears of it,
/// so that a sync that begins later finds it.
pub(crate) fn touch(file: BorrowedFd<'_>, touched: Touched) {
    let Ok(status) = status(file, c"") else { return };
    if kind(&status) != FileType::RegularFile {
        return;
    }
    let mut files = DIRTY.lock().unwrap_or_else(PoisonError::into_inner);
    let dirty = files.entry(Id::of(&status)).or_default();
    match touched {
        Touched::Range { from, to } => {
            dirty.pages.extend(from / PAGE..to.div_ceil(PAGE));
        }
        Touched::Whole => dirty.known = false,
    }
}

/// Makes a file or a directory durable, if it lies below the root; else hands the sync on.
pub(crate) fn sync(file: BorrowedFd<'_>) -> Result<()> {
    let Some(folders) = folders() else { return rustix::fs::fsync(file) };
    let link = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    let path = rustix::fs::readlink(link.as_str(), Vec::new())?;
    let path = PathBuf::from(std::ffi::OsString::from_vec(path.into_bytes()));
    if !path.starts_with(&folders.root) {
        return rustix::fs::fsync(file);
    }
    if let Some(wait) = slowness(&folders.shadow) {
        std::thread::sleep(wait);
    }
    if folders.shadow.join("deaf").exists() {
        return Ok(());
    }
    // Held until all is copied: who comes second must not be told before the first is done.
    let mut files = DIRTY.lock().unwrap_or_else(PoisonError::into_inner);
    let status = status(file, c"")?;
    let id = Id::of(&status);
    if kind(&status) == FileType::Directory {
        return keep_names(&folders.shadow, file, id);
    }
    let dirty = files.entry(id).or_default();
    keep_bytes(&folders.shadow, &link, id, dirty)?;
    *dirty = Dirty { known: true, pages: BTreeSet::new() };
    Ok(())
}

fn keep_bytes(shadow: &Path, link: &str, id: Id, dirty: &Dirty) -> Result<()> {
    let file = rustix::fs::open(link, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
    let copy = rustix::fs::open(shadow.join(format!("files/{id}")), flags, Mode::RWXU)?;
    let length = status(file.as_fd(), c"")?.stx_size;
    if dirty.known {
        dirty.pages.iter().try_for_each(|page| copy_page(&file, &copy, *page))?;
    } else {
        (0..length.div_ceil(PAGE)).try_for_each(|page| copy_page(&file, &copy, page))?;
    }
    rustix::fs::ftruncate(&copy, length)
}

fn copy_page(from: &OwnedFd, to: &OwnedFd, page: u64) -> Result<()> {
    let mut buffer = [0; PAGE as usize];
    let mut rest: &[u8] = {
        let count = rustix::io::pread(from, &mut buffer, page * PAGE)?;
        &buffer[..count]
    };
    let mut at = page * PAGE;
    while !rest.is_empty() {
        let count = rustix::io::pwrite(to, rest, at)?;
        rest = &rest[count..];
        at += count as u64;
    }
    Ok(())
}

/// Writes the list of a directory's entries: a letter for the kind, the id, the name.
fn keep_names(shadow: &Path, directory: BorrowedFd<'_>, id: Id) -> Result<()> {
    let mut list = String::new();
    for entry in rustix::fs::Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        // A file removed meanwhile is no entry.
        let Ok(status) = status(directory, name) else { continue };
        let letter = match kind(&status) {
            FileType::RegularFile => 'f',
            FileType::Directory => 'd',
            FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => continue,
        };
        list.push_str(&format!("{letter} {} {}\n", Id::of(&status), name.to_string_lossy()));
    }
    let (whole, part) = (shadow.join(format!("dirs/{id}")), shadow.join(format!("dirs/{id}.part")));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
    let file = rustix::fs::open(&part, flags, Mode::RWXU)?;
    let mut rest = list.as_bytes();
    while !rest.is_empty() {
        rest = &rest[rustix::io::write(&file, rest)?..];
    }
    rustix::fs::rename(&part, &whole)
}

/// How much longer a sync takes now.
fn slowness(shadow: &Path) -> Option<Duration> {
    let file = rustix::fs::open(shadow.join("slow"), OFlags::RDONLY, Mode::empty()).ok()?;
    let mut buffer = [0; 20];
    let count = rustix::io::read(&file, &mut buffer).ok()?;
    let text = std::str::from_utf8(&buffer[..count]).ok()?;
    text.trim().parse().ok().map(Duration::from_millis)
}

fn status(file: BorrowedFd<'_>, name: &CStr) -> Result<Statx> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW;
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
    let status = rustix::fs::statx(file, name, flags, wanted)?;
    // Without a time of birth a reused inode looks like the file before it.
    let told = StatxFlags::from_bits_retain(status.stx_mask);
    if told.contains(wanted) { Ok(status) } else { Err(Errno::NOTSUP) }
}

fn kind(status: &Statx) -> FileType {
    FileType::from_raw_mode(status.stx_mode.into())
}

impl Id {
    fn of(status: &Statx) -> Self {
        let born = status.stx_btime;
        Self { inode: status.stx_ino, born: (born.tv_sec, born.tv_nsec) }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.inode, self.born.0, self.born.1)
    }
}
