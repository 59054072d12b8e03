//! How facts lie in the tree.
//!
//! sled writes whatever does not fit into a quarter of its 512 KiB segments into a file of its own,
//! which it never syncs and which `sync_data` on its log does not reach: after a power loss the log
//! would refer to a file without content. So nothing that large is ever given to it. A tree node is
//! split at 16 entries, and a merge adds a few: with keys of 388 bytes and cells of 4 KiB a node
//! stays below 100 KiB, and an index node of at most 320 keys below 128 KiB. A value that is
//! longer than a cell is cut into parts, each under a key of its own.

/// The longest piece of a value that is stored in one cell.
pub(crate) const CELL_BYTES_MAX: usize = 4096;

/// Where the epoch of the owner lies. It is outside of the keys of facts and parts.
pub(crate) const OWNER: &[u8] = b"e";

/// Where the name of the store lies, which its marker has too.
pub(crate) const STORE: &[u8] = b"s";

/// Where the tally of all cells lies.
pub(crate) const TALLY: &[u8] = b"t";

/// Where the wrapped keys of a sealed store lie.
pub(crate) const KEYS: &[u8] = b"k";

/// What the keys of all facts begin with.
pub(crate) const FACTS: u8 = b'f';

/// What the keys of all parts begin with.
pub(crate) const PARTS: u8 = b'p';

/// Bits of the first byte of a cell: its value lies in parts; its value is packed with the first dictionary.
const CUT: u8 = 1;
const PACKED: u8 = 2;

/// Where the fact of a key lies.
pub(crate) fn fact(key: &[u8]) -> Vec<u8> {
    [&[FACTS], key].concat()
}

/// Where a part of the value of a key lies. The index has a fixed width, so that no part of one
/// key can be taken for a part of another.
pub(crate) fn part(key: &[u8], index: u32) -> Vec<u8> {
    [&[PARTS], key, &index.to_be_bytes()].concat()
}

/// The cell of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell<'a> {
    /// Whether the value is packed.
    pub(crate) is_packed: bool,
    pub(crate) lies: Lies<'a>,
}

/// The place of a value: its cell, or a number of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lies<'a> {
    Whole(&'a [u8]),
    Cut { parts: u32 },
}

impl<'a> Cell<'a> {
    /// The cell for a value, which may be packed.
    pub(crate) fn of(value: &'a [u8], is_packed: bool) -> Self {
        let lies = if value.len() <= CELL_BYTES_MAX {
            Lies::Whole(value)
        } else {
            let parts = value.len().div_ceil(CELL_BYTES_MAX);
            Lies::Cut { parts: u32::try_from(parts).expect("a value is shorter than 16 TiB") }
        };
        Self { is_packed, lies }
    }

    /// Reads a cell; `None` if the bytes are not one.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (form, rest) = bytes.split_first()?;
        let lies = match form & !PACKED {
            0 => Lies::Whole(rest),
            CUT => Lies::Cut { parts: u32::from_be_bytes(rest.try_into().ok()?) },
            _ => return None,
        };
        Some(Self { is_packed: form & PACKED != 0, lies })
    }

    /// The bytes to store.
    pub(crate) fn write(self) -> Vec<u8> {
        let packed = if self.is_packed { PACKED } else { 0 };
        match self.lies {
            Lies::Whole(value) => [&[packed], value].concat(),
            Lies::Cut { parts } => [&[packed | CUT], parts.to_be_bytes().as_slice()].concat(),
        }
    }

    /// The number of parts that its value lies in.
    pub(crate) fn parts(self) -> u32 {
        match self.lies {
            Lies::Cut { parts } => parts,
            Lies::Whole(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests;
