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
const WHOLE: u8 = 0;
const CUT: u8 = 1;

/// Where the fact of a key lies.
pub(crate) fn fact(key: &[u8]) -> Vec<u8> {
    [&[FACTS], key].concat()
}

/// Where a part of the value of a key lies. The index has a fixed width, so that no part of one
/// key can be taken for a part of another.
pub(crate) fn part(key: &[u8], index: u32) -> Vec<u8> {
    [&[PARTS], key, &index.to_be_bytes()].concat()
}

/// The cell of a fact: its value, or how many parts its value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    Whole(&'a [u8]),
    Cut { parts: u32 },
}

impl<'a> Cell<'a> {
    /// The cell for a value.
    pub(crate) fn of(value: &'a [u8]) -> Self {
        if value.len() <= CELL_BYTES_MAX {
            return Self::Whole(value);
        }
        let parts = value.len().div_ceil(CELL_BYTES_MAX);
        Self::Cut { parts: u32::try_from(parts).expect("a value is shorter than 16 TiB") }
    }

    /// Reads a cell; `None` if the bytes are not one.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&WHOLE, value) => Some(Self::Whole(value)),
            (&CUT, parts) => Some(Self::Cut { parts: u32::from_be_bytes(parts.try_into().ok()?) }),
            _ => None,
        }
    }

    /// The bytes to store.
    pub(crate) fn write(self) -> Vec<u8> {
        match self {
            Self::Whole(value) => [&[WHOLE], value].concat(),
            Self::Cut { parts } => [&[CUT], parts.to_be_bytes().as_slice()].concat(),
        }
    }
}

/// The first key after all keys with this prefix; `None` if there is none.
pub(crate) fn end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests;
