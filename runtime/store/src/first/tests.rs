use engine::store::Store as _;

use super::*;
use crate::closing::is_unlocked;
use crate::layout::CELL_BYTES_MAX;
use crate::{Options, Sled};

fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n.wrapping_mul(n) >> 3) as u8).collect()
}

/// A store as earlier versions left it, with its facts.
fn written(path: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let db = open_db(path, CACHE_BYTES).unwrap();
    let facts: Vec<(Vec<u8>, Vec<u8>)> = [0, 1, 100, CELL_BYTES_MAX, CELL_BYTES_MAX + 1, 50_000]
        .iter()
        .map(|length| (format!("fact {length:06}").into_bytes(), noise(*length)))
        .collect();
    let mut tally = Tally::begun(41);
    let mut put = |key: Vec<u8>, cell: Vec<u8>| {
        tally.add(&key, &cell);
        db.insert(key, cell).unwrap();
    };
    for (key, value) in &facts {
        if value.len() <= CELL_BYTES_MAX {
            put(layout::fact(key), layout::cell(value, false));
            continue;
        }
        let parts = value.chunks(CELL_BYTES_MAX);
        let count = u32::try_from(parts.len()).unwrap();
        put(layout::fact(key), [&[1], count.to_be_bytes().as_slice()].concat());
        for (index, cell) in (0..).zip(parts) {
            put(layout::part(key, index), cell.to_vec());
        }
    }
    db.insert(STORE, "first").unwrap();
    db.insert(OWNER, &5_u64.to_be_bytes()).unwrap();
    db.insert(TALLY, tally.write().as_slice()).unwrap();
    db.flush().unwrap();
    drop(db);
    assert!(is_unlocked(path));
    facts
}

#[test]
fn a_store_of_the_first_form_is_moved_with_all_that_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let facts = written(&path);
    for _ in 0..2 {
        let store = Sled::open(&path, &Options::default()).unwrap();
        assert_eq!(store.kept_page(None, 100).unwrap(), facts);
        assert_eq!(store.owner(), engine::store::Epoch(5));
        assert_eq!(store.tree().store().unwrap().as_deref(), Some("first"));
        assert!(store.syncs() >= 41);
        drop(store);
        assert!(!is_in(&path));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn the_rest_of_a_move_that_was_interrupted_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let facts = written(&path);
    let copy = copy_of(&path);
    let bulk = Bulk::begin(&copy).unwrap();
    bulk.write(vec![(layout::fact(b"half"), Some(layout::cell(b"", false)))]).unwrap();
    drop(bulk);
    let store = Sled::open(&path, &Options::default()).unwrap();
    assert_eq!(store.kept_page(None, 100).unwrap(), facts);
    assert!(!copy.exists());
}

#[test]
fn a_store_of_the_first_form_that_lacks_a_part_is_refused_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    written(&path);
    let db = open_db(&path, CACHE_BYTES).unwrap();
    db.remove(layout::part(format!("fact {:06}", 50_000).as_bytes(), 3)).unwrap();
    db.flush().unwrap();
    drop(db);
    assert!(is_unlocked(&path));
    let refused = Sled::open(&path, &Options::default()).unwrap_err();
    assert!(matches!(refused, OpenError::Damaged { .. } | OpenError::Lost { .. }), "{refused}");
    assert!(is_in(&path) && !copy_of(&path).exists());
}

#[test]
fn a_store_of_the_first_form_that_lost_its_log_is_refused_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    written(&path);
    std::fs::remove_file(path.join(LOG)).unwrap();
    std::fs::write(path.join("marker"), "any").unwrap();
    let refused = Sled::open(&path, &Options::default()).unwrap_err();
    assert!(matches!(refused, OpenError::Lost { .. }), "{refused}");
    assert!(!path.join("tables").exists());
}
