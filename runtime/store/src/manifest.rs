//! The file with the list of the tables. The library writes its checksum beside it, and does not compare the two: a list
//! with fewer tables would have it remove the others.

use std::fs;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128;

use crate::tables::VERSION;

/// Compares the list with its checksum; an error tells the reason.
pub(crate) fn check(tables: &Path) -> Result<(), String> {
    let read = |name: &str| {
        fs::read(tables.join(name)).map_err(|error| format!("`{name}` cannot be read: {error}"))
    };
    let current = read(VERSION)?;
    let (number, known) = parse(&current).ok_or_else(|| format!("`{VERSION}` is damaged"))?;
    let name = format!("v{number}");
    match xxh3_128(&read(&name)?) == known {
        true => Ok(()),
        false => Err(format!("`{name}` is not the list that was written")),
    }
}

/// The number of the list, and its checksum.
fn parse(current: &[u8]) -> Option<(u64, u128)> {
    let (number, rest) = current.split_first_chunk()?;
    let (checksum, _) = rest.split_first_chunk()?;
    Some((u64::from_le_bytes(*number), u128::from_le_bytes(*checksum)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Tables;

    #[test]
    fn a_list_that_was_changed_anywhere_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let tables = Tables::open(folder.path(), 1 << 20).unwrap();
        for number in 0..3_u8 {
            tables.apply([(vec![number], Some(vec![number; 100]))]);
            tables.set_apart();
            tables.flush().unwrap();
        }
        drop(tables);
        check(folder.path()).unwrap();
        let (number, _) = parse(&fs::read(folder.path().join(VERSION)).unwrap()).unwrap();
        let list = folder.path().join(format!("v{number}"));
        let bytes = fs::read(&list).unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            fs::write(&list, changed).unwrap();
            check(folder.path()).unwrap_err();
        }
        fs::remove_file(&list).unwrap();
        check(folder.path()).unwrap_err();
    }
}
