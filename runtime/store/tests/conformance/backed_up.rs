//! Backups under load: each is the store after one commit, the last one before it was begun.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use engine::store::{
    BackedUp, BackupError, Batch, Epoch, Error, Fact, Memory, Store, Transaction, Write as Put,
};
use proptest::prelude::*;
use store::restoration::{Existing, restore};
use store::{Options, Sled};
use tokio::runtime::{Builder, Runtime};

use crate::subject::{OnSled, Subject, all, batch, noise, put, remove};

const WRITERS: u8 = 2;

/// How long writers may take for two commits.
const PATIENCE: Duration = Duration::from_secs(60);

/// Batches of a writer that have their facts at one time; older ones are removed.
const WINDOW: u64 = 20;

/// A process that another test starts has the lock of a directory as well, until it runs.
pub(crate) fn patient() -> Options {
    Options { lock_wait: Duration::from_secs(10), ..Options::default() }
}

pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

/// A backup of a store, with what is done after each page.
pub(crate) fn backup_during(
    store: &Sled,
    told: &mut dyn FnMut(u64),
) -> Result<(Vec<u8>, BackedUp), BackupError> {
    let mut bytes = Vec::new();
    let done = store.back_up()?.write(7, &mut bytes, told)?;
    assert_eq!(done.bytes, bytes.len() as u64);
    Ok((bytes, done))
}

pub(crate) fn backup(store: &Sled) -> Vec<u8> {
    backup_during(store, &mut |_| ()).unwrap().0
}

/// The facts of a backup, in the order of their keys.
pub(crate) fn facts_of(bytes: &[u8], subject: &OnSled) -> Vec<Fact> {
    let restored = restored(bytes, subject);
    let mut facts = all(&restored.open());
    facts.sort();
    facts
}

/// The store of a backup of a subject, in a directory of its own.
pub(crate) fn restored(bytes: &[u8], subject: &OnSled) -> OnSled {
    let restored = subject.another();
    let options = Options { keys: restored.keys(), ..patient() };
    restore(bytes, restored.path(), Existing::Refuse, &options, |_| ()).unwrap();
    restored
}

fn key(kind: &str, writer: u8, number: u64) -> Vec<u8> {
    format!("{kind}/{writer}/{number:06}").into_bytes()
}

/// The writes of a writer's batch: two facts with one value at both ends of the keys, some of them in parts, one
/// fact that others replace, and the removal of older ones.
fn numbered(writer: u8, number: u64) -> Vec<Put> {
    let length = [40, 300, 9_000, 4_200][(number % 4) as usize];
    let value = noise(number as u8, length);
    let mut writes = vec![
        put(key("a", writer, number), &value),
        put(key("z", writer, number), &value),
        put(key("m", writer, number % 5), noise(number as u8, (number % 7) as usize * 2_000)),
        put(format!("last/{writer}"), number.to_string()),
    ];
    if let Some(old) = number.checked_sub(WINDOW) {
        writes.extend([remove(key("a", writer, old)), remove(key("z", writer, old))]);
    }
    writes
}

/// A batch that counts, besides, how many there are of all writers.
fn counted(writer: u8, number: u64) -> Batch {
    let transaction = Transaction::new(|read| {
        let total = number_in(read(b"total")?) + 1;
        Ok(vec![put("total", total.to_string())])
    });
    Batch { transaction: Some(transaction), ..Batch::of(Epoch(0), numbered(writer, number)) }
}

fn number_in(value: Option<Vec<u8>>) -> u64 {
    value.map_or(0, |value| String::from_utf8(value).unwrap().parse().unwrap())
}

/// The facts before a backup: several blocks of them.
fn before() -> Vec<Put> {
    let small =
        (0..2_000_u32).map(|number| put(format!("b/{number:05}"), noise(number as u8, 500)));
    let large = (0..20_u8).map(|number| put(format!("n/{number:05}"), noise(number, 30_000)));
    small.chain(large).collect()
}

/// Takes what is written only while others go on writing.
struct Among<'a> {
    bytes: Vec<u8>,
    store: &'a Sled,
}

impl Write for Among<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (until, deadline) = (self.store.syncs() + 2, Instant::now() + PATIENCE);
        while self.store.syncs() < until {
            if Instant::now() > deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            thread::yield_now();
        }
        self.bytes.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Compares what was restored with what the batches up to some left; returns their numbers.
fn check_one_commit(facts: &[Fact]) -> Vec<u64> {
    let found: BTreeMap<&[u8], &[u8]> =
        facts.iter().map(|(key, value)| (key.as_slice(), value.as_slice())).collect();
    let number = |key: String| number_in(found.get(key.as_bytes()).map(|value| value.to_vec()));
    let lasts: Vec<u64> = (0..WRITERS).map(|writer| number(format!("last/{writer}"))).collect();
    assert_eq!(number("total".into()), lasts.iter().sum::<u64>(), "no one commit has these");
    let total = number("total".into()).to_string().into_bytes();
    let mut expected = BTreeMap::from([(b"total".to_vec(), total)]);
    let batches = (0..WRITERS)
        .zip(&lasts)
        .flat_map(|(writer, last)| (1..=*last).flat_map(move |number| numbered(writer, number)));
    for (key, value) in before().into_iter().chain(batches) {
        match value {
            Some(value) => drop(expected.insert(key, value)),
            None => drop(expected.remove(&key)),
        }
    }
    assert_eq!(facts.len(), expected.len());
    assert!(expected.into_iter().eq(facts.iter().cloned()), "it is not what the batches left");
    lasts
}

fn is_one_commit_under_load(subject: &OnSled) {
    let store = subject.open();
    runtime().block_on(store.append(Batch::of(Epoch(0), before()))).unwrap();
    let acknowledged = [const { AtomicU64::new(0) }; WRITERS as usize];
    let is_over = AtomicBool::new(false);
    let (bytes, at_begin) = thread::scope(|scope| {
        for (writer, acknowledged) in (0..WRITERS).zip(&acknowledged) {
            let (store, is_over) = (&store, &is_over);
            scope.spawn(move || {
                let runtime = runtime();
                for number in 1.. {
                    runtime.block_on(store.append(counted(writer, number))).unwrap();
                    acknowledged.store(number, Ordering::SeqCst);
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                }
            });
        }
        while acknowledged.iter().any(|number| number.load(Ordering::SeqCst) < 3) {
            thread::yield_now();
        }
        let at_begin = acknowledged.each_ref().map(|number| number.load(Ordering::SeqCst));
        let mut among = Among { bytes: Vec::new(), store: &store };
        let done = store.back_up().and_then(|backup| backup.write(7, &mut among, &mut |_| ()));
        is_over.store(true, Ordering::SeqCst);
        done.unwrap();
        (among.bytes, at_begin)
    });
    let lasts = check_one_commit(&facts_of(&bytes, subject));
    let sum = |numbers: &[u64]| numbers.iter().sum::<u64>();
    let at_end = acknowledged.each_ref().map(|number| number.load(Ordering::SeqCst));
    assert!(sum(&at_end) > sum(&at_begin) + 5, "nothing was written meanwhile");
    for ((last, begin), end) in lasts.iter().zip(at_begin).zip(&acknowledged) {
        assert!(*last >= begin, "an acknowledged batch is missing");
        assert!(*last <= end.load(Ordering::SeqCst) + 1);
    }
}

#[test]
fn a_backup_under_load_is_the_store_after_one_commit() {
    is_one_commit_under_load(&OnSled::default());
}

#[test]
fn a_backup_of_a_sealed_store_under_load_is_the_store_after_one_commit() {
    is_one_commit_under_load(&OnSled::sealed());
}

#[test]
fn a_claim_during_a_backup_is_not_in_it() {
    let subject = OnSled::default();
    let store = subject.open();
    let before = store.claim().unwrap();
    let mut during = before;
    let mut claim = |_| during = store.claim().unwrap();
    let (bytes, _) = backup_during(&store, &mut claim).unwrap();
    assert!(during > before, "none was claimed during the backup");
    let restored = restored(&bytes, &subject).open_kept();
    assert_eq!(restored.claim().unwrap(), Epoch(before.0 + 1));
}

/// More is written meanwhile than stays in memory, so files come and go beneath the backup.
#[test]
fn a_slow_backup_has_what_was_there_when_it_was_begun() {
    const ROUNDS: u8 = 90;
    let subject = OnSled::default();
    let store = subject.open();
    runtime().block_on(store.append(batch(Epoch(0), before()))).unwrap();
    let facts = all(&store);
    let mut rounds = 0..ROUNDS;
    let (bytes, _) = backup_during(&store, &mut |_| {
        for round in rounds.by_ref() {
            let writes: Vec<_> = (0..2_000_u32)
                .map(|number| put(format!("b/{number:05}"), noise(round ^ number as u8, 500)))
                .collect();
            runtime().block_on(store.append(batch(Epoch(0), writes))).unwrap();
        }
    })
    .unwrap();
    assert!(facts_of(&bytes, &subject) == facts);
    assert!(all(&store) != facts);
}

#[test]
fn there_is_one_backup_at_a_time() {
    let subject = OnSled::default();
    let store = subject.open();
    let first = store.back_up().unwrap();
    assert!(matches!(store.back_up(), Err(BackupError::Busy)));
    drop(first);
    drop(store.back_up().unwrap());
    assert!(matches!(Memory::new().back_up(), Err(BackupError::Unsupported)));
}

#[test]
fn a_backup_that_cannot_be_written_leaves_the_store_as_it_is() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let subject = OnSled::default();
    let store = subject.open();
    let failed = store.back_up().unwrap().write(7, &mut Full, &mut |_| ()).unwrap_err();
    assert!(matches!(failed, BackupError::Write(_)), "{failed}");
    for number in 0..3 {
        let writes = [put("a", number.to_string())];
        runtime().block_on(store.append(batch(Epoch(0), writes))).unwrap();
    }
    assert!(facts_of(&backup(&store), &subject) == all(&store));
}

#[test]
fn a_store_that_closes_ends_its_backup() {
    let subject = OnSled::default();
    let store = Arc::new(subject.open());
    runtime().block_on(store.append(Batch::of(Epoch(0), before()))).unwrap();
    let backup = store.back_up().unwrap();
    let mut open = Some(store);
    let failed = backup.write(7, &mut io::sink(), &mut |_| drop(open.take())).unwrap_err();
    assert!(matches!(failed, BackupError::Read(Error::Closed)), "{failed}");
    drop(subject.open());
}

/// Many keys, so that there are several pages; few enough for writes to meet.
fn writes(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Put>> {
    let lengths = vec![0, 5, 200, 4_096, 4_097, 9_000];
    let value = (any::<u8>(), prop::sample::select(lengths));
    let value = prop::option::weighted(0.6, value);
    let write = (0..700_u32, value).prop_map(|(key, value)| {
        let value = value.map(|(seed, length)| noise(seed, length));
        (format!("k{key:03}").into_bytes(), value)
    });
    prop::collection::vec(write, count)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Batches come between any two pages.
    #[test]
    fn a_backup_has_nothing_that_was_written_between_its_pages(
        is_sealed in any::<bool>(),
        first in writes(300..900),
        between in prop::collection::vec(writes(1..40), 0..12),
    ) {
        let subject = if is_sealed { OnSled::sealed() } else { OnSled::default() };
        let (store, memory, runtime) = (subject.open(), Memory::new(), runtime());
        let write = |writes: &[Put]| {
            for store in [&store as &dyn Store, &memory] {
                runtime.block_on(store.append(batch(Epoch(0), writes))).unwrap();
            }
        };
        write(&first);
        let facts = all(&memory);
        let mut left = between.iter();
        let (bytes, _) = backup_during(&store, &mut |_| {
            left.by_ref().take(4).for_each(|writes| write(writes));
        }).unwrap();
        prop_assert!(facts_of(&bytes, &subject) == facts);
        prop_assert!(all(&store) == all(&memory));
    }
}
