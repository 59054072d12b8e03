//! The cells that a commit changes, as bytes: in a record of the log, and in a block of a backup.

/// The key of a cell and its content; `None` for one that goes.
pub(crate) type Change = (Vec<u8>, Option<Vec<u8>>);

/// What a change begins with.
const REMOVED: u8 = 0;
const WRITTEN: u8 = 1;

/// Max bytes that a change has besides its key and its cell.
pub(crate) const HEAD_BYTES_MAX: usize = 7;

/// Adds a change to others.
pub(crate) fn write(to: &mut Vec<u8>, key: &[u8], cell: Option<&[u8]>) {
    to.push(if cell.is_some() { WRITTEN } else { REMOVED });
    to.extend(u16::try_from(key.len()).expect("keys are shorter than 64 KiB").to_be_bytes());
    if let Some(cell) = cell {
        to.extend(u32::try_from(cell.len()).expect("cells are shorter than 4 GiB").to_be_bytes());
    }
    to.extend(key);
    to.extend(cell.unwrap_or_default());
}

/// All changes; `None` if the bytes are anything else.
pub(crate) fn read(mut bytes: &[u8]) -> Option<Vec<Change>> {
    let mut changes = Vec::new();
    while let Some((kind, rest)) = bytes.split_first() {
        let (key_length, rest) = rest.split_first_chunk()?;
        let key_length = usize::from(u16::from_be_bytes(*key_length));
        let (cell_length, rest) = match *kind {
            REMOVED => (None, rest),
            WRITTEN => {
                let (length, rest) = rest.split_first_chunk()?;
                (Some(usize::try_from(u32::from_be_bytes(*length)).ok()?), rest)
            }
            _ => return None,
        };
        let (key, rest) = rest.split_at_checked(key_length)?;
        let (cell, rest) = rest.split_at_checked(cell_length.unwrap_or(0))?;
        changes.push((key.to_vec(), cell_length.map(|_| cell.to_vec())));
        bytes = rest;
    }
    Some(changes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn changes_read_back_as_they_were_written_and_cut_ones_do_not(
            changes in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..9), prop::option::of(prop::collection::vec(any::<u8>(), 0..9))),
                1..9,
            ),
            flipped in any::<prop::sample::Index>(),
        ) {
            let mut bytes = Vec::new();
            let mut ends = vec![0];
            for (key, cell) in &changes {
                write(&mut bytes, key, cell.as_deref());
                ends.push(bytes.len());
            }
            prop_assert_eq!(read(&bytes), Some(changes.clone()));
            for length in 0..bytes.len() {
                let whole = ends.iter().position(|end| *end == length);
                prop_assert_eq!(read(&bytes[..length]), whole.map(|count| changes[..count].to_vec()));
            }
            let place = flipped.index(bytes.len());
            bytes[place] ^= 0x80;
            prop_assert_ne!(read(&bytes), Some(changes));
        }
    }
}
