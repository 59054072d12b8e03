//! Reads sled's log without opening it, which would write: where does it end, and is it whole up to
//! there? The form is that of sled 0.34: segments of 512 KiB, each with a header, then messages with
//! a checksum each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// sled's `segment_size`, which we leave as it is.
pub(crate) const SEGMENT_BYTES: u64 = 512 * 1024;

/// The header of a segment: its checksum, the place of its first byte in the log, and up to which
/// place the log was on the disk when the segment was begun.
const HEADER_BYTES: usize = 20;

/// No message begins where less than this is left of a segment.
const MESSAGE_HEADER_BYTES_MAX: u64 = 32;

/// Kinds of messages that mean something here.
const CORRUPTED: u8 = 0;
const CAP: u8 = 2;
const BATCH: u8 = 3;

/// What a look at a log found. Places are sled's: they count all bytes that were ever written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// The place after the last whole message, or after the last whole batch.
    pub(crate) end: u64,
    /// The length of the file.
    pub(crate) bytes: u64,
    /// A checksum over the headers of all segments.
    pub(crate) headers: u32,
    /// What lies in each segment of the file, from its first on.
    pub(crate) slots: Vec<Slot>,
    /// How many segments lie behind the end. Opening the log wipes them.
    pub(crate) behind: u64,
}

/// What lies in one segment of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The part of the log that begins at this place.
    Begins(u64),
    /// Nothing yet, or nothing any more.
    Blank,
    /// Something that is no header.
    Unknown,
}

impl Look {
    /// The places at which the segments of the file begin; the file has each of them once.
    pub(crate) fn begins(&self) -> BTreeSet<u64> {
        let begin = |slot: &Slot| match slot {
            Slot::Begins(begin) => Some(*begin),
            Slot::Blank | Slot::Unknown => None,
        };
        self.slots.iter().filter_map(begin).collect()
    }
}

#[derive(Clone, Copy)]
struct Header {
    begin: u64,
    stable: u64,
}

/// The offsets of segments below the end that end in the middle of a message, among those of a
/// range of the log. The last segment ends so and is none.
pub(crate) fn broken(log: &File, look: &Look, from: u64) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for (offset, slot) in (0..).step_by(SEGMENT_BYTES as usize).zip(&look.slots) {
        let Slot::Begins(begin) = *slot else { continue };
        let end = begin + SEGMENT_BYTES;
        let is_full = end > from && end <= look.end;
        if is_full && !Segment::read(log, begin, offset)?.walk(&mut None).1 {
            found.push(offset);
        }
    }
    Ok(found)
}

/// Whether these bytes stand in a whole message of a range of the log. Looks from the end on.
pub(crate) fn has(log: &File, look: &Look, from: u64, bytes: &[u8]) -> io::Result<bool> {
    let begin = |(offset, slot): (u64, &Slot)| match slot {
        Slot::Begins(begin) if (from..look.end).contains(begin) => Some((*begin, offset)),
        Slot::Begins(_) | Slot::Blank | Slot::Unknown => None,
    };
    let offsets = (0..).step_by(SEGMENT_BYTES as usize);
    let segments: BTreeMap<u64, u64> = offsets.zip(&look.slots).filter_map(begin).collect();
    for (begin, offset) in segments.into_iter().rev() {
        let mut segment = Segment::read(log, begin, offset)?;
        // All messages below the end are whole.
        segment.bytes.truncate(usize::try_from(look.end - begin).unwrap_or(usize::MAX));
        if segment.bytes.windows(bytes.len()).any(|window| window == bytes) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The place at which the segment of a place begins.
pub(crate) fn floor(place: u64) -> u64 {
    place / SEGMENT_BYTES * SEGMENT_BYTES
}

/// Looks at a log as sled does when it opens it, from the last place on that sled noted: what lies
/// before may have been freed. Reads all headers, and the messages of the last segments.
pub(crate) fn look(log: &File, noted: u64) -> io::Result<Look> {
    let bytes = log.metadata()?.len();
    let mut hasher = crc32fast::Hasher::new();
    let mut segments = BTreeMap::new();
    let noted = floor(noted);
    let mut stable = noted;
    let mut slots = Vec::new();
    for index in 0..bytes.div_ceil(SEGMENT_BYTES) {
        let offset = index * SEGMENT_BYTES;
        let mut header = [0; HEADER_BYTES];
        let read = read_at(log, &mut header, offset)?;
        hasher.update(&header[..read]);
        let is_blank = header[..read].iter().all(|byte| *byte == 0);
        let header = Header::read(&header[..read]);
        slots.push(match header {
            Some(header) => Slot::Begins(header.begin),
            None if is_blank => Slot::Blank,
            None => Slot::Unknown,
        });
        if let Some(header) = header.filter(|header| header.begin >= noted) {
            segments.insert(header.begin, offset);
            stable = stable.max(header.stable);
        }
    }
    let first = floor(stable);
    let mut end = first;
    let mut expected = first;
    // A batch counts when all of it is there.
    let mut batch: Option<(u64, u64)> = None;
    for (begin, offset) in segments.range(first..) {
        if *begin != expected {
            break;
        }
        let segment = Segment::read(log, *begin, *offset)?;
        let (reached, is_full) = segment.walk(&mut batch);
        end = reached;
        if !is_full {
            break;
        }
        expected += SEGMENT_BYTES;
    }
    if let Some((begun, last)) = batch
        && last >= end
    {
        end = begun;
    }
    let behind = segments.range(expected + 1..).count() as u64;
    Ok(Look { end, bytes, headers: hasher.finalize(), slots, behind })
}

impl Header {
    /// Reads a header; `None` if it is not one.
    fn read(bytes: &[u8]) -> Option<Self> {
        let checksum = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) ^ u32::MAX;
        let rest: &[u8] = bytes.get(4..HEADER_BYTES)?;
        if crc32fast::hash(rest) != checksum {
            return None;
        }
        let place = |bytes: &[u8]| {
            let place = i64::from_le_bytes(bytes.try_into().ok()?) ^ i64::MAX;
            // -1 means that nothing was on the disk yet.
            u64::try_from(place.max(0)).ok()
        };
        Some(Self { begin: place(&rest[..8])?, stable: place(&rest[8..])? })
    }
}

/// The bytes of a segment.
struct Segment {
    begin: u64,
    bytes: Vec<u8>,
}

/// One message: its kind, its length with its header, and its content.
struct Message<'a> {
    kind: u8,
    bytes: u64,
    content: &'a [u8],
}

impl Segment {
    fn read(log: &File, begin: u64, offset: u64) -> io::Result<Self> {
        let mut bytes = vec![0; usize::try_from(SEGMENT_BYTES).unwrap_or(usize::MAX)];
        let read = read_at(log, &mut bytes, offset)?;
        bytes.truncate(read);
        Ok(Self { begin, bytes })
    }

    /// Goes through whole messages; the place after the last one, and whether the log goes on in
    /// the next segment.
    fn walk(&self, batch: &mut Option<(u64, u64)>) -> (u64, bool) {
        let mut at = HEADER_BYTES as u64;
        loop {
            if at > SEGMENT_BYTES - MESSAGE_HEADER_BYTES_MAX {
                return (self.begin + at, true);
            }
            let Some(message) = self.message(at) else { return (self.begin + at, false) };
            match message.kind {
                CAP => return (self.begin + at, true),
                BATCH => {
                    let last = message.content.try_into().map_or(u64::MAX, u64::from_le_bytes);
                    *batch = Some((self.begin + at, last));
                }
                _ => {}
            }
            at += message.bytes;
        }
    }

    fn message(&self, at: u64) -> Option<Message<'_>> {
        let whole = self.bytes.get(usize::try_from(at).ok()?..)?;
        let checksum = u32::from_le_bytes(whole.get(..4)?.try_into().ok()?);
        let kind = *whole.get(4)?;
        let mut rest = whole.get(5..)?;
        let length = usize::try_from(number(&mut rest)?).ok()?;
        let segment = number(&mut rest)?;
        number(&mut rest)?;
        let header = whole.get(4..whole.len() - rest.len())?;
        let content = rest.get(..length)?;
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(content);
        hasher.update(header);
        let is_whole = kind != CORRUPTED
            && hasher.finalize() ^ u32::MAX == checksum
            && segment == self.begin / SEGMENT_BYTES;
        let bytes = u64::try_from(4 + header.len() + length).ok()?;
        is_whole.then_some(Message { kind, bytes, content })
    }
}

/// A number in sled's form of variable length.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let first = *bytes.first()?;
    let (value, length) = match first {
        0..=240 => (u64::from(first), 1),
        241..=248 => (240 + 256 * (u64::from(first) - 241) + u64::from(*bytes.get(1)?), 2),
        249 => (2288 + 256 * u64::from(*bytes.get(1)?) + u64::from(*bytes.get(2)?), 3),
        250.. => {
            let length = usize::from(first) - 247;
            let mut value = [0; 8];
            value.get_mut(..length)?.copy_from_slice(bytes.get(1..=length)?);
            (u64::from_le_bytes(value), length + 1)
        }
    };
    *bytes = bytes.get(length..)?;
    Some(value)
}

/// Reads as much as there is.
fn read_at(log: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match log.read_at(&mut buffer[read..], offset + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
