//! The suite: one module of tests for each store.

use std::sync::Arc;

use engine::store::pieces::Pieces;
use engine::store::{Batch, Direction, Epoch, Error, Store, Transaction};

use crate::subject::{
    InMemory, OfDefault, OfTenant, OnPostgres, OnSled, Sealed, SealedInPostgres, Subject, Turning,
    all, batch, keys, noise, put, remove,
};

macro_rules! hold {
    ($subject:ident as $name:ident: $($test:ident)*) => {
        mod $name {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if <super::$subject as super::Subject>::is_there() {
                    super::$test::<super::$subject>().await;
                }
            })*
        }
    };
    ($($test:ident)*) => {
        hold!(InMemory as memory: $($test)*);
        hold!(OnSled as sled: $($test)*);
        hold!(Sealed as sealed: $($test)*);
        hold!(Turning as turning: $($test)*);
        hold!(OnPostgres as postgres: $($test)*);
        hold!(SealedInPostgres as sealed_in_postgres: $($test)*);
        hold!(OfDefault as default_tenant: $($test)*);
        hold!(OfTenant as tenant: $($test)*);
    };
}

hold! {
    acknowledged_writes_are_there
    acknowledged_writes_are_there_after_reopening
    appended_writes_are_there_after_closing
    a_batch_shows_whole_or_not_at_all
    batches_take_effect_in_the_order_of_append
    the_last_write_of_a_batch_counts
    a_removed_key_is_gone
    any_bytes_are_a_key_and_any_a_value
    a_key_that_is_too_long_refuses_its_batch
    a_scan_lists_a_prefix_in_both_directions
    a_scan_goes_on_after_a_key_that_need_not_exist
    a_scan_at_the_end_of_all_keys_ends
    an_unclaimed_store_is_owned_by_epoch_0
    a_claim_fences_every_other_epoch
    an_epoch_outlasts_reopening
    many_append_at_once
    a_store_at_rest_is_settled_at_once
    settled_writes_outlast_reopening
    a_value_in_pieces_is_read_whole
    a_transaction_reads_what_earlier_batches_write
    a_refused_transaction_writes_nothing_of_its_batch
    a_fenced_batch_does_not_run_its_transaction
    concurrent_transactions_lose_no_update
}

async fn acknowledged_writes_are_there<S: Subject>() {
    let store = S::default().open_kept();
    let epoch = store.claim().unwrap();
    for number in 0..50_u8 {
        store.append(batch(epoch, [put([number], [number])])).await.unwrap();
        assert_eq!(store.get(&[number]).unwrap(), Some(vec![number]));
    }
    assert_eq!(all(&*store).len(), 50);
    assert_eq!(store.get(&[50]).unwrap(), None);
}

async fn acknowledged_writes_are_there_after_reopening<S: Subject>() {
    let subject = S::default();
    let mut expected = Vec::new();
    for number in 0..5_u8 {
        let store = subject.open();
        assert_eq!(all(&store), expected);
        let epoch = store.claim().unwrap();
        let value = noise(number, 3000 * usize::from(number));
        store.append(batch(epoch, [put([number], &value)])).await.unwrap();
        expected.push((vec![number], value));
    }
    assert_eq!(all(&subject.open()), expected);
}

async fn appended_writes_are_there_after_closing<S: Subject>() {
    let subject = S::default();
    let store = subject.open();
    let epoch = store.claim().unwrap();
    let appended: Vec<_> =
        (0..100_u8).map(|number| store.append(batch(epoch, [put([number], "")]))).collect();
    drop(store);
    assert_eq!(all(&subject.open()).len(), 100);
    for appended in appended {
        appended.await.unwrap();
    }
}

/// One side writes the same value under many keys, again and again; the other must never see two.
async fn a_batch_shows_whole_or_not_at_all<S: Subject>() {
    let store = Arc::new(S::default().open_kept());
    let epoch = store.claim().unwrap();
    let writer = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for round in 0..100_u8 {
                let writes: Vec<_> = (0..60_u8).map(|key| put([key], noise(round, 5000))).collect();
                store.append(batch(epoch, writes)).await.unwrap();
            }
        }
    });
    while !writer.is_finished() {
        let facts = all(&**store);
        assert!(facts.is_empty() || facts.len() == 60);
        assert!(facts.windows(2).all(|pair| pair[0].1 == pair[1].1));
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
}

async fn batches_take_effect_in_the_order_of_append<S: Subject>() {
    let store = S::default().open_kept();
    let epoch = store.claim().unwrap();
    let appended: Vec<_> = (0..2000_u32)
        .map(|number| {
            store.append(batch(
                epoch,
                [put("last", number.to_string()), put(number.to_string(), "")],
            ))
        })
        .collect();
    for appended in appended {
        appended.await.unwrap();
    }
    assert_eq!(store.get(b"last").unwrap(), Some(b"1999".to_vec()));
    store.append(batch(epoch, [remove("last")])).await.unwrap();
    assert_eq!(all(&*store).len(), 2000);
}

async fn the_last_write_of_a_batch_counts<S: Subject>() {
    let store = S::default().open_kept();
    let epoch = store.claim().unwrap();
    let writes =
        [put("a", "1"), put("b", "1"), put("a", "2"), remove("b"), remove("c"), put("c", "3")];
    store.append(batch(epoch, writes)).await.unwrap();
    assert_eq!(all(&*store), [(b"a".to_vec(), b"2".to_vec()), (b"c".to_vec(), b"3".to_vec())]);
}

async fn a_removed_key_is_gone<S: Subject>() {
    let store = S::default().open_kept();
    let epoch = store.claim().unwrap();
    for value in [vec![], vec![1], vec![2; 100_000], noise(2, 100_000)] {
        store.append(batch(epoch, [put("a", &value), put("ab", &value)])).await.unwrap();
        store.append(batch(epoch, [remove("a"), remove("never there")])).await.unwrap();
        assert_eq!(store.get(b"a").unwrap(), None);
        assert_eq!(all(&*store), [(b"ab".to_vec(), value)]);
    }
}

async fn any_bytes_are_a_key_and_any_a_value<S: Subject>() {
    let store = S::default().open_kept();
    let epoch = store.claim().unwrap();
    let long = vec![0xff; S::KEY_BYTES_MAX];
    let keys = [&[][..], &[0], &[0, 0], b"e", b"f", b"p", b"p\0\0\0\0", &[0xff], &long];
    for bytes in [0, 1, 4095, 4096, 4097, 8192, 300_000] {
        let value: Vec<u8> = (0..=250_u8).cycle().take(bytes).collect();
        let writes: Vec<_> = keys.iter().map(|key| put(key, &value)).collect();
        store.append(batch(epoch, writes)).await.unwrap();
        let expected: Vec<_> = keys.iter().map(|key| (key.to_vec(), value.clone())).collect();
        assert_eq!(all(&*store), expected);
        assert!(keys.iter().all(|key| store.get(key).unwrap().as_ref() == Some(&value)));
    }
}

async fn a_key_that_is_too_long_refuses_its_batch<S: Subject>() {
    let store = S::default().open_kept();
    let epoch = store.claim().unwrap();
    let writes = [put("a", ""), put(vec![0; S::KEY_BYTES_MAX + 1], "")];
    let refused = store.append(batch(epoch, writes)).await;
    assert!(
        matches!(refused, Err(Error::KeyTooLong { bytes, .. }) if bytes == S::KEY_BYTES_MAX + 1)
    );
    store.append(batch(epoch, [put("b", "")])).await.unwrap();
    assert_eq!(all(&*store), [(b"b".to_vec(), vec![])]);
}

async fn a_scan_lists_a_prefix_in_both_directions<S: Subject>() {
    let store = S::default().open_kept();
    let epoch = store.claim().unwrap();
    let written = ["a", "b", "b\0", "b/1", "b/2", "b\u{7f}", "c"].map(|key| put(key, ""));
    store.append(batch(epoch, written)).await.unwrap();
    let ahead =
        |prefix: &str, limit| keys(&*store, prefix.as_bytes(), None, limit, Direction::Forward);
    let back =
        |prefix: &str, limit| keys(&*store, prefix.as_bytes(), None, limit, Direction::Backward);
    assert_eq!(ahead("b", 9), [&b"b"[..], b"b\0", b"b/1", b"b/2", b"b\x7f"]);
    assert_eq!(back("b", 9), [&b"b\x7f"[..], b"b/2", b"b/1", b"b\0", b"b"]);
    assert_eq!(ahead("b/", 1), [b"b/1"]);
    assert_eq!(back("b/", 1), [b"b/2"]);
    assert_eq!(ahead("b/", 2), [b"b/1", b"b/2"]);
    assert!(ahead("b", 0).is_empty() && back("b", 0).is_empty());
    assert!(ahead("d", 9).is_empty() && back("d", 9).is_empty());
    assert_eq!(ahead("", 2), [b"a", b"b"]);
    assert_eq!(back("", 2), [&b"c"[..], b"b\x7f"]);
}

async fn a_scan_goes_on_after_a_key_that_need_not_exist<S: Subject>() {
    let store = S::default().open_kept();
    let epoch = store.claim().unwrap();
    let written = ["a1", "b1", "b2", "b3", "c1"].map(|key| put(key, ""));
    store.append(batch(epoch, written)).await.unwrap();
    let ahead = |after: &str| keys(&*store, b"b", Some(after.as_bytes()), 2, Direction::Forward);
    let back = |after: &str| keys(&*store, b"b", Some(after.as_bytes()), 2, Direction::Backward);
    assert_eq!(ahead("b1"), [b"b2", b"b3"]);
    assert_eq!(ahead("b11"), [b"b2", b"b3"]);
    assert_eq!(ahead("b"), [b"b1", b"b2"]);
    assert_eq!(ahead(""), [b"b1", b"b2"]);
    assert_eq!(ahead("a9"), [b"b1", b"b2"]);
    assert_eq!(ahead("b2"), [b"b3"]);
    assert!(ahead("b3").is_empty() && ahead("c").is_empty() && ahead("z").is_empty());
    assert_eq!(back("b3"), [b"b2", b"b1"]);
    assert_eq!(back("b22"), [b"b2", b"b1"]);
    assert_eq!(back("c"), [b"b3", b"b2"]);
    assert_eq!(back("z"), [b"b3", b"b2"]);
    assert_eq!(back("b2"), [b"b1"]);
    assert!(back("b1").is_empty() && back("b").is_empty() && back("").is_empty());
}

async fn a_scan_at_the_end_of_all_keys_ends<S: Subject>() {
    let store = S::default().open_kept();
    let epoch = store.claim().unwrap();
    let written: [&[u8]; 6] =
        [b"\xfe", b"\xfe\xff", b"\xfe\xff\xff", b"\xff", b"\xff\0", b"\xff\xff"];
    store.append(batch(epoch, written.map(|key| put(key, "")))).await.unwrap();
    for prefix in [&b""[..], b"\xfe", b"\xfe\xff", b"\xff", b"\xff\xff", b"\xff\xff\xff"] {
        let mut expected: Vec<_> =
            written.into_iter().filter(|key| key.starts_with(prefix)).map(<[u8]>::to_vec).collect();
        assert_eq!(keys(&*store, prefix, None, 9, Direction::Forward), expected);
        expected.reverse();
        assert_eq!(keys(&*store, prefix, None, 9, Direction::Backward), expected);
    }
    let ahead = keys(&*store, b"\xff", Some(b"\xff\0"), 9, Direction::Forward);
    assert_eq!(ahead, [b"\xff\xff"]);
    let back = keys(&*store, b"\xff", Some(b"\xff\xff\xff"), 9, Direction::Backward);
    assert_eq!(back, [&b"\xff\xff"[..], b"\xff\0", b"\xff"]);
}

async fn an_unclaimed_store_is_owned_by_epoch_0<S: Subject>() {
    let store = S::default().open_kept();
    store.append(batch(Epoch(0), [put("a", "")])).await.unwrap();
    assert_eq!(store.claim().unwrap(), Epoch(1));
}

async fn a_claim_fences_every_other_epoch<S: Subject>() {
    let store = S::default().open_kept();
    let first = store.claim().unwrap();
    let before = store.append(batch(first, [put("a", "before")]));
    let second = store.claim().unwrap();
    let after = store.append(batch(first, [put("a", "after"), put("b", "after")]));
    before.await.unwrap();
    assert!(
        matches!(after.await, Err(Error::Fenced { owner, batch }) if owner == second && batch == first)
    );
    let future = store.append(batch(Epoch(second.0 + 1), [put("a", "future")])).await;
    assert!(matches!(future, Err(Error::Fenced { .. })));
    assert_eq!(all(&*store), [(b"a".to_vec(), b"before".to_vec())]);
    store.append(batch(second, [put("a", "second")])).await.unwrap();
}

async fn an_epoch_outlasts_reopening<S: Subject>() {
    let subject = S::default();
    for number in 1..=4 {
        assert_eq!(subject.open().claim().unwrap(), Epoch(number));
    }
    let refused = subject.open().append(batch(Epoch(3), [put("a", "")])).await;
    assert!(matches!(refused, Err(Error::Fenced { owner: Epoch(4), batch: Epoch(3) })));
}

async fn many_append_at_once<S: Subject>() {
    let store = Arc::new(S::default().open_kept());
    let epoch = store.claim().unwrap();
    let append = |task: u8| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for number in 0..50_u8 {
                let writes = [put([task, number], "x"), put([task], [number])];
                store.append(batch(epoch, writes)).await.unwrap();
                assert_eq!(store.get(&[task]).unwrap(), Some(vec![number]));
            }
        })
    };
    let tasks: Vec<_> = (0..64).map(append).collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(all(&**store).len(), 64 * 51);
}

async fn a_store_at_rest_is_settled_at_once<S: Subject>() {
    let store = S::default().open_kept();
    let now = |store: &S::Store| {
        let mut settled = std::pin::pin!(store.settled());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        matches!(settled.as_mut().poll(&mut context), std::task::Poll::Ready(Ok(())))
    };
    assert!(now(&store));
    let epoch = store.claim().unwrap();
    store.append(batch(epoch, [put("a", "1")])).await.unwrap();
    assert!(now(&store));
}

/// Whatever shows is durable once `settled` resolves: a reader that saw it and waited may tell.
async fn settled_writes_outlast_reopening<S: Subject>() {
    let subject = S::default();
    let store = subject.open();
    let epoch = store.claim().unwrap();
    for number in 0..40_u8 {
        let appended = store.append(batch(epoch, [put("a", [number; 100])]));
        let seen = store.get(b"a").unwrap();
        store.settled().await.unwrap();
        if seen == Some(vec![number; 100]) {
            // It was seen, so it is acknowledged by now or within this very wake-up.
            appended.await.unwrap();
        } else {
            drop(appended);
        }
    }
    drop(store);
    assert_eq!(subject.open().get(b"a").unwrap(), Some(vec![39; 100]));
}

async fn a_value_in_pieces_is_read_whole<S: Subject>() {
    let subject = S::default();
    let store = subject.open();
    let epoch = store.claim().unwrap();
    let long = noise(b'x', 10_000);
    let pieces =
        Pieces { prefix: b"piece/".to_vec(), count: 2, head: b"<".to_vec(), tail: b">".to_vec() };
    for (key, piece) in pieces.keys().zip([long.as_slice(), b"y"]) {
        store.append(batch(epoch, [put(key, piece)])).await.unwrap();
    }
    store.append(batch(epoch, [put("a", "1"), put("b", pieces.to_bytes())])).await.unwrap();
    let whole = [b"<", long.as_slice(), b"y>"].concat();
    let expected = vec![(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), whole.clone())];
    drop(store);
    let store = subject.open();
    assert_eq!(store.get(b"b").unwrap(), Some(whole));
    assert_eq!(all(&store)[..2], expected);
    // What lacks a piece harms nothing beside it.
    let epoch = store.claim().unwrap();
    store.append(batch(epoch, [remove(Pieces::key(b"piece/", 1))])).await.unwrap();
    assert_eq!(store.get(b"b").unwrap(), Some(pieces.to_bytes()));
    assert_eq!(all(&store)[0], expected[0]);
}

/// A batch that counts a key up by one, and notes the count before under a key of its own.
fn count_up(epoch: Epoch, number: u32) -> Batch {
    let transaction = Transaction::new(move |read| {
        let count =
            read(b"count")?.map_or(0, |bytes| u32::from_be_bytes(bytes.try_into().unwrap()));
        let note = put(number.to_be_bytes(), count.to_be_bytes());
        Ok(vec![put("count", (count + 1).to_be_bytes()), note])
    });
    Batch { transaction: Some(transaction), ..batch(epoch, []) }
}

async fn a_transaction_reads_what_earlier_batches_write<S: Subject>() {
    let store = S::default().open_kept();
    let epoch = store.claim().unwrap();
    // None is awaited before the next one, so most of them share commits.
    let appended: Vec<_> = (0..600).map(|number| store.append(count_up(epoch, number))).collect();
    for appended in appended {
        appended.await.unwrap();
    }
    for number in 0..600_u32 {
        let before = store.get(&number.to_be_bytes()).unwrap();
        assert_eq!(before, Some(number.to_be_bytes().to_vec()));
    }
}

async fn a_refused_transaction_writes_nothing_of_its_batch<S: Subject>() {
    let store = S::default().open_kept();
    let epoch = store.claim().unwrap();
    let seen = store.changed();
    let refuse = Transaction::new(|read| {
        assert_eq!(read(b"a")?, None, "writes of its own batch are not there yet");
        Err(Error::Refused("no".into()))
    });
    let refused = Batch { transaction: Some(refuse), ..batch(epoch, [put("a", "1")]) };
    let long = Transaction::new(|_| Ok(vec![put(vec![0; S::KEY_BYTES_MAX + 1], "")]));
    let long = Batch { transaction: Some(long), ..batch(epoch, [put("b", "1")]) };
    let (refused, long) = (store.append(refused).await, store.append(long).await);
    assert!(matches!(refused, Err(Error::Refused(cause)) if cause.to_string() == "no"));
    assert!(matches!(long, Err(Error::KeyTooLong { .. })));
    assert_eq!(all(&*store), []);
    assert!(!seen.has_changed().unwrap());
    store.append(count_up(epoch, 0)).await.unwrap();
    assert!(seen.has_changed().unwrap());
}

async fn a_fenced_batch_does_not_run_its_transaction<S: Subject>() {
    let store = S::default().open_kept();
    let first = store.claim().unwrap();
    store.claim().unwrap();
    let run = Transaction::new(|_| panic!("it must not run"));
    let fenced = store.append(Batch { transaction: Some(run), ..batch(first, []) }).await;
    assert!(matches!(fenced, Err(Error::Fenced { .. })));
}

async fn concurrent_transactions_lose_no_update<S: Subject>() {
    let store = Arc::new(S::default().open_kept());
    let epoch = store.claim().unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for number in 0..25 {
                    store.append(count_up(epoch, task * 25 + number)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.get(b"count").unwrap(), Some(400_u32.to_be_bytes().to_vec()));
}
