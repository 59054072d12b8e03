//! Validates a log with its marker before anything is written: sled wipes what it takes for
//! free when it opens its files.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use crate::database::{LOG, OpenError, noted};
use crate::marker::{self, Lack, Marker, MarkerFile};
use crate::rehearsal::{self, Reader};
use crate::scan::{self, Look, SEGMENT_BYTES, Slot};
use crate::tally::Tally;

/// Why a log may be whole and may as well not be: a copy of it has to be opened to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Doubt {
    #[error("it has no marker, as one that was never used, or of an earlier version")]
    Unmarked,
    #[error("an earlier version wrote to it")]
    Outgrown,
    #[error("it is not noted what its segments were")]
    Unnoted,
    #[error("its file is shorter than it was once")]
    Shorter,
    #[error("the segment at byte {0} is not what it was")]
    Changed(u64),
    #[error("a segment is missing before its end")]
    Gap,
    #[error("there are segments behind its end")]
    Behind,
    #[error("the segment at byte {0} is torn")]
    Torn(u64),
    #[error("what was acknowledged last is not seen in it")]
    Unseen,
}

/// Validates the log in a folder with its marker, and with what was acknowledged if the last commits must be in it;
/// returns what was noted last, or `None` if nothing ever was. Nothing is written.
pub(crate) fn check(
    path: &Path,
    acknowledged: Option<Tally>,
    reader: Reader,
) -> Result<Option<Checked>, OpenError> {
    let failed = |source| OpenError::of_io(path, source);
    let lost = |lack| OpenError::Lost { path: path.to_owned(), lack };
    let mut marker = marker::read(path).map_err(failed)?.transpose().map_err(lost)?;
    let noted = noted(path).map_err(failed)?;
    let log = match File::open(path.join(LOG)) {
        Ok(log) => log,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let is_new = marker.is_none() && noted.is_none();
            return if is_new { Ok(None) } else { Err(lost(Lack::Missing)) };
        }
        Err(error) => return Err(failed(error)),
    };
    let noted = noted.unwrap_or_default();
    let look = scan::look(&log, noted).map_err(failed)?;
    if marker.is_none() && look.bytes == 0 {
        return Ok(None);
    }
    if let Some(marker) = &marker {
        marker.check(&look).map_err(lost)?;
    }
    let doubt = match &marker {
        Some(marker) if marker.is_closed && !marker.is_outgrown(&look) => {
            let broken = scan::broken(&log, &look, noted).map_err(failed)?;
            if let Some(offset) = broken.first() {
                return Err(lost(Lack::Broken { offset: *offset }));
            }
            None
        }
        Some(marker) if marker.is_closed => Some(Doubt::Outgrown),
        Some(marker) => doubt(path, marker, &log, &look, acknowledged).map_err(failed)?,
        None => Some(Doubt::Unmarked),
    };
    let is_counted = !matches!(doubt, Some(Doubt::Outgrown | Doubt::Unmarked));
    if let (Some(marker), Some(acknowledged)) = (&mut marker, acknowledged) {
        marker.commits = marker.commits.max(acknowledged.commits);
    }
    if let Some(doubt) = doubt {
        let folder = path.display();
        tracing::warn!(path = %folder, %doubt, bytes = look.bytes, "the log was not closed as it \
            is now: a copy of it is opened first, and all of it read");
        rehearsal::rehearse(path, marker.as_ref(), is_counted, reader)?;
    }
    Ok(marker.map(|marker| Checked { marker, look }))
}

/// A log that is whole.
pub(crate) struct Checked {
    marker: Marker,
    look: Look,
}

impl Checked {
    /// Notes how far it reaches, before it is written to; returns what was noted.
    pub(crate) fn note(self, path: &Path) -> Result<Marker, OpenError> {
        let Self { marker, look } = self;
        let noted = || {
            rehearsal::clear(path)?;
            let mut file = MarkerFile::open(path, &marker.store, Some(&marker))?;
            file.note(&look, marker.commits)?;
            Ok(file.into_last())
        };
        noted().map_err(|source| OpenError::of_io(path, source))
    }
}

/// Looks for damage in a log that was not closed. It is whole if the noted parts are there, or newer
/// parts of the log are in their place, and they join up to the end. Reads all of it.
fn doubt(
    path: &Path,
    marker: &Marker,
    log: &File,
    look: &Look,
    acknowledged: Option<Tally>,
) -> io::Result<Option<Doubt>> {
    let Some(known) = marker.slots(path)? else { return Ok(Some(Doubt::Unnoted)) };
    if look.bytes < marker.bytes || look.slots.len() < known.len() {
        return Ok(Some(Doubt::Shorter));
    }
    let new = scan::floor(marker.end);
    let before = known.into_iter().chain(std::iter::repeat(Slot::Blank));
    for (index, (slot, before)) in (0_u64..).zip(look.slots.iter().zip(before)) {
        let is_new = matches!(slot, Slot::Begins(begin) if *begin >= new);
        if *slot == Slot::Unknown || *slot != before && !is_new {
            return Ok(Some(Doubt::Changed(index * SEGMENT_BYTES)));
        }
    }
    if look.behind > 0 {
        return Ok(Some(Doubt::Behind));
    }
    let begins = look.begins();
    let mut expected =
        (new..look.end).step_by(usize::try_from(SEGMENT_BYTES).unwrap_or(usize::MAX));
    if !expected.all(|begin| begins.contains(&begin)) {
        return Ok(Some(Doubt::Gap));
    }
    if let Some(offset) = scan::broken(log, look, 0)?.first() {
        return Ok(Some(Doubt::Torn(*offset)));
    }
    // Every commit writes its tally, as it is.
    let newer = acknowledged.filter(|acknowledged| acknowledged.commits > marker.commits);
    let is_seen = match newer {
        Some(tally) => scan::has(log, look, new, &tally.write())?,
        None => true,
    };
    Ok((!is_seen).then_some(Doubt::Unseen))
}
