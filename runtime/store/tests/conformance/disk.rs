//! What only a store on a disk can get wrong.

use std::fs;

use engine::store::{Memory, STORED_KEY_BYTES_MAX, Store};
use store::{OpenError, Options, Sled};

use crate::subject::{OnSled, Subject, all, batch, noise, put, remove};

/// See `layout.rs`: what sled puts beside its log is never synced.
#[tokio::test]
async fn everything_lies_in_the_one_file_that_is_synced() {
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
    }
    store.append(batch(epoch, [remove("large")])).await.unwrap();
    drop(store);
    assert_eq!(all(&subject.open()).len(), 7 * 60);
    assert_eq!(fs::read_dir(subject.path().join("blobs")).unwrap().count(), 0);
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
