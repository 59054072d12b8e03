use std::path::Path;

use super::*;
use crate::closing::is_unlocked;
use crate::folder::sync_all;

fn opened(path: &Path) -> Log {
    let db = crate::database::open_db(path, 1 << 20).unwrap();
    Log::of(db, sync_all(path).unwrap(), "name", Tally::begun(7)).unwrap()
}

fn record(number: u8, length: usize) -> Vec<u8> {
    (0..length).map(|index| number.wrapping_mul(31) ^ index as u8).collect()
}

#[test]
fn records_of_all_lengths_read_back_after_the_log_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    let cell = CELL_BYTES_MAX - HEAD_BYTES;
    let lengths = [0, 1, cell - 1, cell, cell + 1, cell + CELL_BYTES_MAX, 100_000];
    let mut log = opened(folder.path());
    let mut expected = Vec::new();
    for (number, length) in (0..).zip(lengths) {
        let record = record(number, length);
        expected.push((log.append(&record).unwrap(), record));
    }
    assert_eq!(log.last().commits, 7 + lengths.len() as u64);
    let last = log.last();
    drop(log);
    assert!(is_unlocked(folder.path()));
    let log = opened(folder.path());
    assert_eq!(log.last(), last);
    assert_eq!(log.records().collect::<Result<Vec<_>, _>>().unwrap(), expected);
    assert_eq!(walked(&log.db).unwrap(), last);
    let name = Some("name".to_owned());
    assert_eq!(contents(&log.db).unwrap(), Contents { name, tally: Some(last) });
}

/// A change of the database, and its name.
type Harm = (&'static str, fn(&Db));

#[test]
fn a_record_that_is_missing_cut_or_another_is_found() {
    let harms: [Harm; 5] = [
        ("a missing record", |db| drop(db.remove(place(9, 0)).unwrap())),
        ("a missing cell", |db| drop(db.remove(place(8, 1)).unwrap())),
        ("a changed cell", |db| drop(db.insert(place(8, 1), b"x".as_slice()).unwrap())),
        ("another beginning", |db| {
            drop(db.insert(TALLY, Tally::begun(6).write().as_slice()).unwrap());
        }),
        ("a cell that is none", |db| drop(db.insert(place(10, 0), b"x".as_slice()).unwrap())),
    ];
    for (name, harm) in harms {
        let folder = tempfile::tempdir().unwrap();
        let mut log = opened(folder.path());
        for number in 0..3 {
            log.append(&record(number, 5_000)).unwrap();
        }
        walked(&log.db).unwrap();
        harm(&log.db);
        walked(&log.db).expect_err(name);
    }
}
