//! What is known of the log, beside it: a log that was cut, removed or replaced by an older one must
//! not be taken for a young or an empty one. It is written now and then, so it records a minimum
//! length of the log; after a close the length is exact.
//!
//! Two slots are written in turns, so that a power loss in the middle of a write leaves the other.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::scan::{Look, Slot};

/// Its file in the directory of the store.
pub(crate) const MARKER: &str = "marker";

/// Its files with what lies in each segment of the log, in turns as well.
const SEGMENTS: &str = "segments";

const SLOT_BYTES: usize = 512;
const SLOTS: u64 = 2;

/// No segment begins there: they begin at multiples of their length.
const BLANK: u64 = u64::MAX;
const UNKNOWN: u64 = u64::MAX - 1;

/// What is known of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// Counts the writes of the marker.
    number: u64,
    /// The name of the store, which stands in its log too.
    pub(crate) store: String,
    /// The log reaches this far: all up to it is durable.
    pub(crate) end: u64,
    /// The store was closed, so this is all there is.
    pub(crate) is_closed: bool,
    /// The checksum of the segments' headers when it was closed.
    headers: u32,
    /// How many commits were durable.
    #[serde(default)]
    pub(crate) commits: u64,
    /// The length of the file.
    #[serde(default)]
    pub(crate) bytes: u64,
    /// The checksum of what is noted of the segments, in a file of its own.
    #[serde(default)]
    segments: u32,
}

/// A log that does not match its marker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lack {
    /// There is no log.
    #[error("the log is missing")]
    Missing,
    /// The log ends before what was acknowledged.
    #[error("the log ends at {end}, and reached at least {known} once")]
    Short {
        end: u64,
        /// How far it reached.
        known: u64,
    },
    /// There is no whole message in the middle of the log.
    #[error("the log is damaged in the segment at byte {offset}")]
    Broken {
        /// Where the segment begins in the file.
        offset: u64,
    },
    #[error("the log has {found} commits, and had at least {known} once")]
    Commits {
        /// How many there are.
        found: u64,
        /// How many there were.
        known: u64,
    },
    /// Not all is there that the last commit left.
    #[error("the log lacks a part of what was written before its end")]
    Facts,
    /// A copy of the log cannot be opened, or not be read to its end.
    #[error("the log cannot be read: {reason}")]
    Unreadable { reason: String },
    /// The log was changed after it was closed.
    #[error("the log is not as it was when the store was closed")]
    Changed,
    /// The log is that of another store.
    #[error("the log belongs to the store `{found}`, and what is beside it to `{known}`")]
    Foreign {
        /// The store of the log.
        found: String,
        /// The store of the marker or of the tables.
        known: String,
    },
    /// The marker is none.
    #[error("the file `marker` beside the log is damaged")]
    Marker,
    /// A folder of the store is gone.
    #[error("its folder `{0}` is missing, or has lost its files")]
    Folder(String),
    /// The file that tells of the folders is none.
    #[error("its file `{0}` is missing or damaged")]
    Form(&'static str),
    /// An earlier version was started on it, and began another store.
    #[error(
        "an earlier version began another store in it: move `db`, `conf`, `snap.*` and `blobs` away"
    )]
    Both,
    /// A log does not belong to the tables.
    #[error("commit {commit} of a log is not the one that the tables have")]
    Fork { commit: u64 },
    /// The commits of the logs do not follow from those of the tables, or from each other.
    #[error("commits are missing after {after}: the next one that is there follows {found}")]
    Gap { after: u64, found: u64 },
    /// The tables cannot be read.
    #[error("the tables cannot be read: {reason}")]
    Tables { reason: String },
}

impl Marker {
    /// Validates a log with its marker before anything is written.
    pub(crate) fn check(&self, look: &Look) -> Result<(), Lack> {
        if look.end < self.end {
            return Err(Lack::Short { end: look.end, known: self.end });
        }
        if self.is_closed && !self.is_outgrown(look) && look.headers != self.headers {
            return Err(Lack::Changed);
        }
        Ok(())
    }

    /// Whether a version that knew no marker wrote to the log after it was closed.
    pub(crate) fn is_outgrown(&self, look: &Look) -> bool {
        self.is_closed && look.end > self.end
    }

    /// Holds the number of commits against what is known.
    pub(crate) fn check_commits(&self, found: u64) -> Result<(), Lack> {
        let known = self.commits;
        if found < known { Err(Lack::Commits { found, known }) } else { Ok(()) }
    }

    /// What was in each segment of the log; `None` if that cannot be told.
    pub(crate) fn slots(&self, directory: &Path) -> io::Result<Option<Vec<Slot>>> {
        let bytes = match std::fs::read(segments(directory, self.number)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let is_whole = crc32fast::hash(&bytes) == self.segments;
        Ok(is_whole.then(|| bytes.chunks_exact(8).map(slot).collect()))
    }

    /// Compares the name that stands in the log with the one in the marker.
    pub(crate) fn check_name(&self, found: &str) -> Result<(), Lack> {
        if found == self.store {
            return Ok(());
        }
        Err(Lack::Foreign { found: found.to_owned(), known: self.store.clone() })
    }
}

/// Reads the marker of a directory; `None` if there is none, as in an older data folder.
pub(crate) fn read(directory: &Path) -> io::Result<Option<Result<Marker, Lack>>> {
    let bytes = match std::fs::read(directory.join(MARKER)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if bytes.iter().all(|byte| *byte == 0) {
        // A power loss came before its first write.
        return Ok(None);
    }
    let markers = bytes.chunks(SLOT_BYTES).filter_map(parse);
    let last = markers.max_by_key(|marker| marker.number);
    Ok(Some(last.ok_or(Lack::Marker)))
}

/// Where the segments are noted with the marker of this number.
fn segments(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{SEGMENTS}.{}", number % SLOTS))
}

/// What is noted of a segment: where it begins, or what cannot be such a place.
fn place(slot: Slot) -> u64 {
    match slot {
        Slot::Begins(begin) => begin,
        Slot::Blank => BLANK,
        Slot::Unknown => UNKNOWN,
    }
}

fn slot(place: &[u8]) -> Slot {
    match place.try_into().map_or(UNKNOWN, u64::from_be_bytes) {
        BLANK => Slot::Blank,
        UNKNOWN => Slot::Unknown,
        begin => Slot::Begins(begin),
    }
}

fn parse(slot: &[u8]) -> Option<Marker> {
    let text = std::str::from_utf8(slot).ok()?.trim_end_matches(['\0', '\n', ' ']);
    let (checksum, json) = text.split_once(' ')?;
    let is_whole = u32::from_str_radix(checksum, 16).ok()? == crc32fast::hash(json.as_bytes());
    is_whole.then(|| serde_json::from_str(json).ok())?
}

/// Writes the marker of an open store.
#[derive(Debug)]
pub(crate) struct MarkerFile {
    directory: PathBuf,
    file: File,
    last: Marker,
}

impl MarkerFile {
    /// Goes on from what was read, or begins.
    pub(crate) fn open(directory: &Path, store: &str, before: Option<&Marker>) -> io::Result<Self> {
        let path: PathBuf = directory.join(MARKER);
        let file =
            File::options().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        let last = Marker {
            number: before.map_or(0, |before| before.number),
            store: store.to_owned(),
            end: before.map_or(0, |before| before.end),
            is_closed: false,
            headers: 0,
            commits: before.map_or(0, |before| before.commits),
            bytes: 0,
            segments: 0,
        };
        Ok(Self { directory: directory.to_owned(), file, last })
    }

    /// Notes how far the log reaches, which is durable.
    pub(crate) fn note(&mut self, look: &Look, commits: u64) -> io::Result<()> {
        self.write(look, commits, false)
    }

    /// Notes the final state of the log when the store closes.
    pub(crate) fn close(&mut self, look: &Look, commits: u64) -> io::Result<()> {
        self.write(look, commits, true)
    }

    /// What was written last.
    pub(crate) fn into_last(self) -> Marker {
        self.last
    }

    fn write(&mut self, look: &Look, commits: u64, is_closed: bool) -> io::Result<()> {
        let number = self.last.number + 1;
        let slots: Vec<u8> =
            look.slots.iter().flat_map(|slot| place(*slot).to_be_bytes()).collect();
        let path = segments(&self.directory, number);
        let file =
            File::options().create(true).truncate(true).write(true).mode(0o600).open(path)?;
        file.write_all_at(&slots, 0)?;
        file.sync_all()?;
        let marker = Marker {
            number,
            store: self.last.store.clone(),
            end: look.end.max(self.last.end),
            is_closed,
            headers: look.headers,
            commits: commits.max(self.last.commits),
            bytes: look.bytes,
            segments: crc32fast::hash(&slots),
        };
        let json = serde_json::to_string(&marker)?;
        let mut slot = format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())).into_bytes();
        slot.resize(SLOT_BYTES, b' ');
        let offset = (marker.number % SLOTS) * SLOT_BYTES as u64;
        self.file.write_all_at(&slot, offset)?;
        self.file.sync_data()?;
        self.last = marker;
        Ok(())
    }
}
