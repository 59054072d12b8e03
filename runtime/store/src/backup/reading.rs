//! Reads the file of a backup, and refuses one that is not as it was written.

use std::io::{ErrorKind, Read};

use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use zstd::bulk::Decompressor;

use super::file::{
    BLOCK, BLOCK_HEAD_BYTES, BLOCK_SUMMED_BYTES, CELL_BYTES_MAX, Fault, HEADER_BYTES_MAX, Header,
    KEY_BYTES_MAX, MAGIC, PACKED_BYTES_MAX, RECORDS_BYTES_MAX, TRAILER, VERSION, checksum,
};
use crate::record;
use crate::tables::Cell;

/// A file that is being read.
pub(crate) struct Reading<R> {
    from: R,
    unpacker: Decompressor<'static>,
    header: Header,
    count: u64,
    /// How much was read.
    at: u64,
    sum: Context,
}

/// The totals of a whole backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// How many cells it has.
    pub records: u64,
    /// The number of the commit after which the store was as it is in the backup.
    pub commits: u64,
    /// The length of the file.
    pub bytes: u64,
}

/// A part of a backup.
pub(crate) enum Part {
    /// The next cells.
    Records(Vec<Cell>),
    /// The end: all of it is as it was written.
    End(Whole),
}

/// Reads a backup to its end, and returns its header and its totals.
pub fn check(from: impl Read) -> Result<(Header, Whole), Fault> {
    let mut reading = Reading::begin(from)?;
    loop {
        if let Part::End(whole) = reading.next()? {
            return Ok((reading.header, whole));
        }
    }
}

impl<R: Read> Reading<R> {
    /// Reads the header.
    pub(crate) fn begin(from: R) -> Result<Self, Fault> {
        let unpacker = Decompressor::new().map_err(|source| Fault::Read { at: 0, source })?;
        let header =
            Header { store: String::new(), epoch: Default::default(), taken_ms: 0, keys: None };
        let sum = Context::new(&SHA256);
        let mut reading = Self { from, unpacker, header, count: 0, at: 0, sum };
        reading.header = reading.read_header()?;
        Ok(reading)
    }

    /// The header of the backup.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    fn read_header(&mut self) -> Result<Header, Fault> {
        let mut magic = [0; MAGIC.len()];
        self.take(&mut magic)?;
        if let Some(at) = magic.iter().zip(MAGIC).position(|(found, known)| found != known) {
            return Err(Fault::Foreign { at: at as u64 });
        }
        let mut version = [0; 2];
        let at = self.at;
        self.take(&mut version)?;
        let found = u16::from_be_bytes(version);
        if found != VERSION {
            return Err(Fault::Version { at, found });
        }
        let (mut bytes, at) = ([0; 4], self.at);
        self.take(&mut bytes)?;
        let length = bounded((at, "header"), bytes, HEADER_BYTES_MAX)?;
        let mut fields = vec![0; length];
        self.take(&mut fields)?;
        let known = crc32fast::hash(&[&magic[..], &version, &bytes, &fields].concat());
        let mut checksum = [0; 4];
        self.take(&mut checksum)?;
        let is_whole = u32::from_be_bytes(checksum) == known;
        let header = Header::read(&fields).filter(|_| is_whole);
        header.ok_or(Fault::Changed { at: 0, part: "header" })
    }

    /// The next part.
    pub(crate) fn next(&mut self) -> Result<Part, Fault> {
        let (mut kind, at) = ([0], self.at);
        self.take(&mut kind)?;
        match kind[0] {
            BLOCK => self.block(at).map(Part::Records),
            TRAILER => self.trailer(at).map(Part::End),
            _ => Err(Fault::Changed { at, part: "block" }),
        }
    }

    /// Reads the block at a place, behind its first byte.
    fn block(&mut self, at: u64) -> Result<Vec<Cell>, Fault> {
        let changed = || Fault::Changed { at, part: "block" };
        let mut head = [0; BLOCK_HEAD_BYTES];
        head[0] = BLOCK;
        self.take(&mut head[1..])?;
        let [_, a, b, c, d, e, f, g, h, known @ ..] = head;
        let packed_length = bounded((at, "block"), [a, b, c, d], PACKED_BYTES_MAX)?;
        let length = bounded((at, "block"), [e, f, g, h], RECORDS_BYTES_MAX)?;
        let mut packed = vec![0; packed_length];
        self.take(&mut packed)?;
        if checksum(&head[..BLOCK_SUMMED_BYTES], &packed) != u32::from_be_bytes(known) {
            return Err(changed());
        }
        let bytes = self.unpacker.decompress(&packed, length).map_err(|_| changed())?;
        let records = Some(bytes).filter(|bytes| bytes.len() == length);
        let records = records.and_then(|bytes| cells_in(&bytes)).ok_or_else(changed)?;
        self.count += records.len() as u64;
        Ok(records)
    }

    /// Reads the trailer at a place, behind its first byte.
    fn trailer(&mut self, at: u64) -> Result<Whole, Fault> {
        let (mut records, mut commits) = ([0; 8], [0; 8]);
        self.take(&mut records)?;
        self.take(&mut commits)?;
        let known = self.sum.clone().finish();
        let mut sum = [0; SHA256_OUTPUT_LEN];
        self.take(&mut sum)?;
        if sum != known.as_ref() {
            return Err(Fault::Changed { at, part: "sum" });
        }
        if u64::from_be_bytes(records) != self.count {
            return Err(Fault::Changed { at, part: "number of records" });
        }
        let end = self.at;
        match self.take(&mut [0]) {
            Err(Fault::Cut { .. }) => {}
            Err(fault) => return Err(fault),
            Ok(()) => return Err(Fault::Longer { at: end }),
        }
        Ok(Whole { records: self.count, commits: u64::from_be_bytes(commits), bytes: end })
    }

    /// Reads exactly this much.
    fn take(&mut self, mut bytes: &mut [u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            match self.from.read(bytes) {
                Ok(0) => return Err(Fault::Cut { at: self.at }),
                Ok(read) => {
                    let (new, rest) = bytes.split_at_mut(read);
                    self.sum.update(new);
                    self.at += read as u64;
                    bytes = rest;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(Fault::Read { at: self.at, source }),
            }
        }
        Ok(())
    }
}

/// A length that a file has at a place, if it is allowed.
fn bounded(
    (at, part): (u64, &'static str),
    bytes: [u8; 4],
    bytes_max: usize,
) -> Result<usize, Fault> {
    let bytes = u32::from_be_bytes(bytes);
    let length = usize::try_from(bytes).ok().filter(|length| *length <= bytes_max);
    let (bytes, bytes_max) = (bytes.into(), bytes_max as u64);
    length.ok_or(Fault::TooLong { at, part, bytes, bytes_max })
}

/// The cells in the records of a block; `None` if the bytes are anything else.
fn cells_in(bytes: &[u8]) -> Option<Vec<Cell>> {
    let cells = record::read(bytes)?.into_iter().map(|(key, cell)| {
        let cell = cell.filter(|cell| cell.len() <= CELL_BYTES_MAX)?;
        (key.len() <= KEY_BYTES_MAX).then_some((key, cell))
    });
    cells.collect()
}
