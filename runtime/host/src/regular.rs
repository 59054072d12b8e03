//! Reads files that an operator names or puts into a folder. Only regular files are opened, and up to a limit: a
//! pipe would be waited for without end, and a device may never end.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// A pipe, a device, a folder, or the like.
#[derive(Debug, thiserror::Error)]
#[error("it is no regular file")]
struct NotRegular;

/// The bits of a mode by which every user of the machine may read or change a file.
const OTHERS: u32 = 0o007;

/// A file with a secret that every user of the machine may read or change.
#[derive(Debug, thiserror::Error)]
#[error("`{}` can be read or changed by every user of this machine: `chmod 600 {}`", .0.display(), .0.display())]
pub struct Exposed(PathBuf);

/// Refuses a file that every user of the machine may read or change. One that is not there fails when it is read.
pub fn check_private(path: &Path) -> Result<(), Exposed> {
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & OTHERS == 0 { Ok(()) } else { Err(Exposed(path.into())) }
}

/// Opens a regular file to read it. It does not block.
pub fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    // To open a device may have an effect.
    check(&fs::metadata(path)?)?;
    // By now it may be another.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    check(&file.metadata()?)?;
    Ok(file)
}

/// The bytes of a regular file, and no more than one past the limit.
pub fn read(path: &Path, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text of a regular file that is not longer than the limit.
pub fn read_text(path: &Path, bytes_max: usize) -> io::Result<String> {
    let bytes = read(path, bytes_max)?;
    if bytes.len() > bytes_max {
        return Err(io::Error::other(format!("it has more than {bytes_max} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Whether a file was not opened because it is no regular one.
pub(crate) fn is_refused(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|error| error.is::<NotRegular>())
}

fn check(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(io::Error::other(NotRegular)) }
}

#[cfg(test)]
mod tests;
