//! How facts lie in the tables: each in a cell, beside a few cells that tell of the store.
//!
//! In a store of the first form the same cells lie in a sled database, and a value that is longer than a cell may be
//! there is cut into parts, each under a key of its own. sled writes whatever does not fit into a quarter of its
//! 512 KiB segments into a file of its own, which it never syncs and which `sync_data` on its log does not reach:
//! after a power loss the log would refer to a file without content. So nothing that large is ever given to it. A
//! tree node is split at 16 entries, and a merge adds a few: with cells of 4 KiB a node stays below 100 KiB.

/// Max bytes of a cell that is given to sled.
pub(crate) const CELL_BYTES_MAX: usize = 4096;

/// Where the epoch of the owner lies. It is outside of the keys of facts and parts.
pub(crate) const OWNER: &[u8] = b"e";

/// Where the name of the store lies, which its marker has too.
pub(crate) const STORE: &[u8] = b"s";

/// Where the tally of all commits lies.
pub(crate) const TALLY: &[u8] = b"t";

/// Where the wrapped keys of a sealed store lie.
pub(crate) const KEYS: &[u8] = b"k";

/// What the keys of all facts begin with.
pub(crate) const FACTS: u8 = b'f';

/// What the keys of all parts begin with, in a store of the first form.
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

/// The cell of a value, which may be packed.
pub(crate) fn cell(value: &[u8], is_packed: bool) -> Vec<u8> {
    [&[if is_packed { PACKED } else { 0 }], value].concat()
}

/// Whether the value of a cell is packed, and the value; `None` if the bytes are no cell with all of its value.
pub(crate) fn whole(cell: &[u8]) -> Option<(bool, &[u8])> {
    let (form, value) = cell.split_first()?;
    matches!(*form, 0 | PACKED).then_some((*form == PACKED, value))
}

/// Whether the value of a cell is packed, and the number of parts that it lies in; `None` if it is not cut.
pub(crate) fn cut(cell: &[u8]) -> Option<(bool, u32)> {
    let (form, parts) = cell.split_first()?;
    let parts = u32::from_be_bytes(parts.try_into().ok()?);
    (form & !PACKED == CUT).then_some((form & PACKED != 0, parts))
}

#[cfg(test)]
mod tests;
