//! Compaction, with and without keys.

use std::fs;
use std::path::Path;

use engine::audit::{Act, Audited, beside, verify};
use engine::keys;
use engine::store::{Batch, Epoch, Scan, Store as _};
use store::compaction::compact;
use store::seal::MasterKeys;
use store::{OpenError, Options, Sled};
use tmf::time::Timestamp;

use crate::subject::{all, master, noise, put};

fn with(keys: Option<MasterKeys>) -> Options {
    Options { lock_wait: std::time::Duration::from_secs(10), keys, ..Options::default() }
}

/// A store with a name in a value and in an index entry, written many times.
async fn filled(path: &Path, keys: Option<MasterKeys>) -> Vec<engine::store::Fact> {
    let store = Sled::open(path, &with(keys)).unwrap();
    store.claim().unwrap();
    let epoch = store.claim().unwrap();
    for round in 0..200_u32 {
        // It is not packed, so the name would be seen in it.
        let value = [format!("{round} Mustermann ").into_bytes(), noise(0, 6_000)].concat();
        let entry = keys::entry("individual", "familyName", "Mustermann", "7");
        let writes = [put(b"d/individual/7", value), put(entry, b"")];
        store.append(Batch::of(epoch, writes.into())).await.unwrap();
    }
    let mut facts = all(&store);
    facts.sort();
    facts
}

fn contents(path: &Path, keys: Option<MasterKeys>) -> Vec<engine::store::Fact> {
    let mut facts = all(&Sled::open(path, &with(keys)).unwrap());
    facts.sort();
    facts
}

/// Whether a file of a directory has some bytes in it.
fn is_seen(path: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(path).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_seen(&path, bytes);
        }
        fs::read(path).unwrap().windows(bytes.len()).any(|part| part == bytes)
    })
}

#[tokio::test]
async fn a_store_becomes_sealed_gets_another_key_and_is_unsealed_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let facts = filled(&path, None).await;
    assert!(is_seen(&path, b"Mustermann"));
    let refused = Sled::open(&path, &with(Some(master(1)))).unwrap_err();
    assert!(matches!(refused, OpenError::Seal { .. }), "{refused}");

    let done = compact(&path, &with(None), Some(&master(1)), |_| ()).unwrap();
    assert_eq!(done.facts, 2);
    assert!(done.bytes_after < done.bytes_before, "{done:?}");
    assert!(!is_seen(folder.path(), b"Mustermann"));
    assert_eq!(contents(&path, Some(master(1))), facts);
    for keys in [None, Some(master(2))] {
        let refused = Sled::open(&path, &with(keys)).unwrap_err();
        assert!(matches!(refused, OpenError::Seal { .. }), "{refused}");
    }

    compact(&path, &with(Some(master(1))), Some(&master(2)), |_| ()).unwrap();
    assert_eq!(contents(&path, Some(master(2))), facts);
    compact(&path, &with(Some(master(2))), None, |_| ()).unwrap();
    assert_eq!(contents(&path, None), facts);
}

#[tokio::test]
async fn an_owner_is_fenced_after_a_compaction_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    filled(&path, None).await;
    compact(&path, &with(None), None, |_| ()).unwrap();
    let store = Sled::open(&path, &with(None)).unwrap();
    let late = store.append(Batch::of(Epoch(1), vec![put("late", "x")]));
    assert!(late.await.is_err());
    assert_eq!(store.claim().unwrap(), Epoch(3));
}

#[tokio::test]
async fn a_removed_fact_is_not_on_the_disk_after_a_compaction() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    filled(&path, None).await;
    let store = Sled::open(&path, &with(None)).unwrap();
    let epoch = store.claim().unwrap();
    let all = store.scan(&Scan::prefix("", usize::MAX)).unwrap();
    let writes = all.into_iter().map(|(key, _)| (key, None)).collect();
    store.append(Batch::of(epoch, writes)).await.unwrap();
    drop(store);
    assert!(is_seen(&path, b"Mustermann"));
    compact(&path, &with(None), None, |_| ()).unwrap();
    assert!(!is_seen(&path, b"Mustermann"));
}

#[tokio::test]
async fn the_rest_of_an_interrupted_compaction_is_removed_and_a_store_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let facts = filled(&path, None).await;
    filled(&folder.path().join("store.compact"), None).await;
    compact(&path, &with(None), None, |_| ()).unwrap();
    assert!(!folder.path().join("store.compact").exists());
    assert_eq!(contents(&path, None), facts);
    let open = Sled::open(&path, &with(None)).unwrap();
    // The copy of a compaction that is at work is not touched by another one.
    let copy = folder.path().join("store.compact");
    fs::create_dir(&copy).unwrap();
    let refused = compact(&path, &Options::default(), None, |_| ()).unwrap_err();
    assert!(refused.to_string().contains("is in use"), "{refused}");
    assert!(copy.exists());
    drop(open);
}

#[tokio::test]
async fn a_store_in_clear_beside_its_sealed_copy_is_removed_when_that_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    filled(&path, None).await;
    compact(&path, &with(None), Some(&master(1)), |_| ()).unwrap();
    // Killed before it had removed the old one.
    filled(&folder.path().join("store.compact"), None).await;
    let refused = Sled::open(&path, &with(None)).unwrap_err();
    assert!(matches!(refused, OpenError::Seal { .. }), "{refused}");
    assert!(is_seen(folder.path(), b"Mustermann"), "a store that is not opened removes nothing");
    drop(Sled::open(&path, &with(Some(master(1)))).unwrap());
    assert!(!is_seen(folder.path(), b"Mustermann"));
}

#[tokio::test]
async fn a_compaction_that_fails_leaves_no_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let facts = filled(&path, None).await;
    let copy = folder.path().join("store.compact");
    // Its place is taken from it, as a disk that fails may.
    let options = with(None);
    let failed = compact(&path, &options, None, |_| {
        fs::rename(&copy, folder.path().join("away")).unwrap();
        fs::create_dir(&copy).unwrap();
        fs::write(copy.join("db"), "rest").unwrap();
        fs::rename(&path, folder.path().join("store.old")).unwrap();
    });
    failed.unwrap_err();
    assert!(!copy.exists());
    fs::rename(folder.path().join("store.old"), &path).unwrap();
    assert_eq!(contents(&path, None), facts);
}

#[tokio::test]
async fn the_audit_is_the_same_chain_after_a_compaction() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = Sled::open(&path, &with(None)).unwrap();
    let epoch = store.claim().unwrap();
    for number in 0..300 {
        let act = Act { action: format!("POST {number}"), ..Act::default() };
        let audited = Audited::done(act.into(), Timestamp(number));
        store.append(beside(epoch, audited)).await.unwrap();
    }
    let (faults, _, entries, head) = verify(&store, None).unwrap();
    assert_eq!((faults, entries), (Vec::new(), 300));
    drop(store);
    for (before, after) in [(None, Some(master(1))), (Some(master(1)), None)] {
        compact(&path, &with(before), after.as_ref(), |_| ()).unwrap();
        let store = Sled::open(&path, &with(after)).unwrap();
        let found = verify(&store, Some(head.hash)).unwrap();
        assert_eq!(found, (Vec::new(), 0, 300, head));
    }
}
