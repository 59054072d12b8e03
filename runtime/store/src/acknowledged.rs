//! What was acknowledged last, written after each commit and never synced. A power loss may leave an
//! older one; a process that is killed leaves the last one, which the marker is too dear for.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::tally::Tally;

/// Its file in the directory of the store.
const ACKNOWLEDGED: &str = "acknowledged";

const TALLY_BYTES: usize = 16;

/// The file of an open store.
#[derive(Debug)]
pub(crate) struct Acknowledged(File);

impl Acknowledged {
    pub(crate) fn open(directory: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.create(true).truncate(false).write(true).mode(0o600);
        Ok(Self(options.open(directory.join(ACKNOWLEDGED))?))
    }

    /// Notes what is durable.
    pub(crate) fn note(&self, tally: Tally) -> io::Result<()> {
        let tally = tally.write();
        let checksum = crc32fast::hash(&tally).to_be_bytes();
        self.0.write_all_at(&[tally.as_slice(), &checksum].concat(), 0)
    }
}

/// What was noted last; `None` if nothing was, or it cannot be told.
pub(crate) fn read(directory: &Path) -> io::Result<Option<Tally>> {
    let bytes = match std::fs::read(directory.join(ACKNOWLEDGED)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some((tally, checksum)) = bytes.split_at_checked(TALLY_BYTES) else { return Ok(None) };
    let is_whole = checksum == crc32fast::hash(tally).to_be_bytes().as_slice();
    Ok(Tally::read(tally).filter(|_| is_whole))
}
