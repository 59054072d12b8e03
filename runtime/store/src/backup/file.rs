//! The form of a backup. All numbers are big-endian.
//!
//! ```text
//! header   magic (16) · version (2) · length (4) · [store · epoch · time · wrapped keys] · CRC-32 of the header (4)
//! block    1 (1) · length packed (4) · length (4) · CRC-32 of the block (4) · records, packed by zstd
//! trailer  2 (1) · number of records (8) · number of the commit (8) · SHA-256 of everything before (32)
//! record   1 (1) · length of the key (2) · length of the cell (4) · key · cell
//! ```

use std::io;

use engine::store::Epoch;

use crate::record::HEAD_BYTES_MAX;

pub(super) const MAGIC: &[u8; 16] = b"ferrule backup\n\0";

pub(super) const VERSION: u16 = 2;

/// What blocks and the trailer begin with.
pub(super) const BLOCK: u8 = 1;
pub(super) const TRAILER: u8 = 2;

/// Bytes of a block before what is packed, and of its part before the checksum.
pub(super) const BLOCK_HEAD_BYTES: usize = 13;
pub(super) const BLOCK_SUMMED_BYTES: usize = 9;

/// A block is ended when its records have this many bytes.
pub(super) const BLOCK_BYTES: usize = 256 * 1024;

/// Max bytes of the header's own part. The wrapped keys are most of it, and another is added by each new master key.
pub(super) const HEADER_BYTES_MAX: usize = 128 * 1024;

/// Max bytes of a key and of a cell. Those of facts are far below.
pub(super) const KEY_BYTES_MAX: usize = 1024;
pub(super) const CELL_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Max bytes of a block's records: the last of them may pass the length at which it is ended.
pub(super) const RECORDS_BYTES_MAX: usize =
    BLOCK_BYTES + HEAD_BYTES_MAX + KEY_BYTES_MAX + CELL_BYTES_MAX;

/// Max bytes of a block's records when they are packed; zstd adds little to what cannot be packed.
pub(super) const PACKED_BYTES_MAX: usize = RECORDS_BYTES_MAX + RECORDS_BYTES_MAX / 128 + 1024;

/// The beginning of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The name of the store.
    pub store: String,
    /// The epoch of its owner.
    pub epoch: Epoch,
    /// When it was begun, in milliseconds since 1970.
    pub taken_ms: i64,
    /// The wrapped keys; `None` if the store is not sealed.
    pub keys: Option<Vec<u8>>,
}

/// A file that is no whole backup.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("it is no backup: byte {at} is not as a backup begins")]
    Foreign { at: u64 },
    #[error("it has version {found}, in byte {at}, and this ferrule reads version {VERSION}")]
    Version { at: u64, found: u16 },
    /// The end is missing.
    #[error("it is cut off: it ends at byte {at}")]
    Cut { at: u64 },
    #[error("it was changed: its {part} at byte {at} is not as it was written")]
    Changed {
        at: u64,
        /// The part that does not match its checksum, or has no meaning.
        part: &'static str,
    },
    #[error(
        "it was changed: its {part} at byte {at} has {bytes} bytes, at most {bytes_max} are allowed"
    )]
    TooLong { at: u64, part: &'static str, bytes: u64, bytes_max: u64 },
    #[error("it goes on behind its end, at byte {at}")]
    Longer { at: u64 },
    #[error("it cannot be read at byte {at}")]
    Read {
        at: u64,
        #[source]
        source: io::Error,
    },
}

impl Header {
    /// All bytes of the header.
    pub(super) fn write(&self) -> Vec<u8> {
        let keys = self.keys.as_deref().unwrap_or_default();
        let fields = [
            &length(self.store.len())[..],
            self.store.as_bytes(),
            &self.epoch.0.to_be_bytes(),
            &self.taken_ms.to_be_bytes(),
            &[u8::from(self.keys.is_some())],
            keys,
        ]
        .concat();
        let before = [&MAGIC[..], &VERSION.to_be_bytes(), &length(fields.len())].concat();
        let bytes = [before, fields].concat();
        let checksum = crc32fast::hash(&bytes).to_be_bytes();
        [bytes.as_slice(), &checksum].concat()
    }

    /// Reads the header's own part.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (name, rest) = bytes.split_first_chunk()?;
        let (store, rest) = rest.split_at_checked(u32::from_be_bytes(*name).try_into().ok()?)?;
        let (epoch, rest) = rest.split_first_chunk()?;
        let (taken_ms, rest) = rest.split_first_chunk()?;
        let (is_sealed, keys) = rest.split_first()?;
        Some(Self {
            store: String::from_utf8(store.to_vec()).ok()?,
            epoch: Epoch(u64::from_be_bytes(*epoch)),
            taken_ms: i64::from_be_bytes(*taken_ms),
            keys: (*is_sealed == 1).then(|| keys.to_vec()),
        })
    }
}

/// The checksum of a block.
pub(super) fn checksum(head: &[u8], packed: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(packed);
    hasher.finalize()
}

/// A length as four bytes.
pub(super) fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("keys, cells and blocks are shorter than 4 GiB").to_be_bytes()
}
