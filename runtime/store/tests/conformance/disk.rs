//! What only a store on a disk can get wrong.

use std::fs;
use std::path::{Path, PathBuf};

use engine::store::{Memory, STORED_KEY_BYTES_MAX, Store};
use store::compaction::compact;
use store::{OpenError, Options, Sled};

use crate::subject::{OnSled, Subject, all, batch, noise, put, remove};

/// See `layout.rs`: what sled puts beside its log is never synced.
#[tokio::test]
async fn each_log_lies_in_the_one_file_that_is_synced() {
    let subject = OnSled::default();
    let store = subject.open();
    let epoch = store.claim().unwrap();
    for round in 0..20_u8 {
        let writes: Vec<_> = (0..60_u8)
            .map(|number| {
                let mut key = [number; STORED_KEY_BYTES_MAX];
                key[0] = round % 7;
                put(key, noise(round, usize::from(number) * 500))
            })
            .collect();
        store.append(batch(epoch, writes)).await.unwrap();
        store.append(batch(epoch, [put("large", noise(round, 3_000_000))])).await.unwrap();
        for log in logs(subject.path()) {
            let blobs = log.join("blobs");
            assert!(!blobs.exists() || fs::read_dir(blobs).unwrap().count() == 0);
        }
    }
    store.append(batch(epoch, [remove("large")])).await.unwrap();
    drop(store);
    assert_eq!(all(&subject.open()).len(), 7 * 60);
}

/// The folders of the logs of a store.
fn logs(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let logs =
        entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("log."));
    logs.collect()
}

/// What was committed goes to files, and its log goes.
#[tokio::test]
async fn logs_and_replaced_values_do_not_stay() {
    let subject = OnSled::default();
    let store = subject.open();
    let epoch = store.claim().unwrap();
    let live = 100 * 20_000;
    for round in 0..80_u8 {
        let writes = (0..100_u8).map(|number| put([number], noise(round ^ number, 20_000)));
        store.append(batch(epoch, writes.collect::<Vec<_>>())).await.unwrap();
    }
    drop(store);
    let written = 80 * live;
    // Those of the log are more than its commits: sled writes its pages several times.
    let kept = size(subject.path());
    assert!(kept < written, "{kept} bytes are kept of {written} that were written");
    assert!(logs(subject.path()).len() <= 2);
    compact(subject.path(), &Options::default(), None, |_| ()).unwrap();
    let kept = size(subject.path());
    assert!(kept < 2 * live, "{kept} bytes are kept of {live} that live");
    let facts = all(&subject.open());
    let expected = (0..100_u8).map(|number| (vec![number], noise(79 ^ number, 20_000)));
    assert!(facts.into_iter().eq(expected));
}

fn size(path: &Path) -> u64 {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { size(&path) } else { fs::metadata(path).unwrap().len() })
        .sum()
}

#[test]
fn a_directory_has_one_owner_at_a_time() {
    let subject = OnSled::default();
    let first = subject.open();
    let second = Sled::open(subject.path(), &Options::default());
    assert!(matches!(second, Err(OpenError::InUse { .. })));
    drop(first);
    for _ in 0..50 {
        subject.open().claim().unwrap();
    }
}

#[tokio::test]
async fn memory_can_lose_what_waits() {
    let memory = Memory::held();
    let epoch = memory.claim().unwrap();
    let kept = memory.append(batch(epoch, [put("a", "1")]));
    let lost = memory.append(batch(epoch, [put("a", "2")]));
    assert_eq!(memory.pending(), 2);
    assert!(all(&memory).is_empty());
    assert!(memory.flush_one());
    kept.await.unwrap();
    let survivor = memory.clone();
    drop(memory);
    survivor.lose_pending();
    assert_eq!(lost.await.unwrap_err().to_string(), "the store is closed");
    assert!(!survivor.flush_one());
    assert_eq!(all(&survivor), [(b"a".to_vec(), b"1".to_vec())]);
}
