//! Files that were damaged while the store was closed. A store never opens with less than was
//! acknowledged as if nothing had happened, and the files of a refused store are left as they are.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fs;
use std::path::Path;

use engine::store::{Fact, Store as _};
use store::{OpenError, Options, Sled};

use crate::subject::{OnSled, Subject, all, batch, noise, put};

const SEGMENT: usize = 512 * 1024;

/// How a store stopped: closed, or killed. A killed store leaves its files as they were then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Closed,
    Killed,
}

/// A directory with some segments of facts, and all of them.
async fn written(stop: Stop) -> (OnSled, Vec<Fact>) {
    let subject = OnSled::default();
    let killed = OnSled::default();
    // Twice, so that sled has noted some of it and the rest is in its log alone.
    for round in 0..2_u8 {
        let store = subject.open();
        let epoch = store.claim().unwrap();
        for number in 0..60_u8 {
            store
                .append(batch(epoch, [put([round, number], noise(number, 30_000))]))
                .await
                .unwrap();
        }
        if round == 1 && stop == Stop::Killed {
            // The marker is behind by a second at most. Something is to be noted from here on.
            let marker = subject.path().join("log.1/marker");
            let before = fs::read(&marker).unwrap();
            store.append(batch(epoch, [put("noted", "")])).await.unwrap();
            while fs::read(&marker).unwrap() == before {
                tokio::task::yield_now().await;
            }
            copy(subject.path(), killed.path());
            return (killed, all(&store));
        }
    }
    let store = subject.open();
    let facts = all(&store);
    drop(store);
    (subject, facts)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn files(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => drop(files.insert(path.display().to_string(), fs::read(path).unwrap())),
        }
    }
    files
}

fn open(path: &Path) -> Result<Sled, OpenError> {
    Sled::open(path, &Options::default())
}

fn change_log(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let log = log_of(path);
    let mut bytes = fs::read(&log).unwrap();
    change(&mut bytes);
    fs::write(log, bytes).unwrap();
}

/// The file of the log that commits go to.
fn log_of(path: &Path) -> std::path::PathBuf {
    path.join("log.1/db")
}

fn remove_snapshots(path: &Path) {
    for entry in fs::read_dir(path.join("log.1")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("snap.") {
            fs::remove_file(path).unwrap();
        }
    }
}

/// The name of the damage, and the function that does it.
type Harm = (&'static str, fn(&Path));

const HARMS: [Harm; 14] = [
    ("half", |path| change_log(path, |bytes| bytes.truncate(bytes.len() / 2))),
    ("half without snapshots", |path| {
        remove_snapshots(path);
        change_log(path, |bytes| bytes.truncate(bytes.len() / 2));
    }),
    ("nothing", |path| change_log(path, Vec::clear)),
    ("nothing without snapshots", |path| {
        remove_snapshots(path);
        change_log(path, Vec::clear);
    }),
    ("no log", |path| fs::remove_file(log_of(path)).unwrap()),
    ("no log without snapshots", |path| {
        remove_snapshots(path);
        fs::remove_file(log_of(path)).unwrap();
    }),
    ("zeros", |path| change_log(path, |bytes| bytes.fill(0))),
    ("the last segment", |path| {
        change_log(path, |bytes| bytes.truncate(bytes.len().div_ceil(SEGMENT) * SEGMENT - SEGMENT));
    }),
    ("a damaged marker", |path| fs::write(path.join("log.1/marker"), "no marker").unwrap()),
    ("no folder of the log", |path| fs::remove_dir_all(path.join("log.1")).unwrap()),
    ("no tables", |path| fs::remove_dir_all(path.join("tables")).unwrap()),
    ("no file of the tables", |path| fs::remove_file(path.join("tables/current")).unwrap()),
    ("no form", |path| fs::remove_file(path.join("form")).unwrap()),
    ("a damaged form", |path| fs::write(path.join("form"), "no form").unwrap()),
];

#[tokio::test]
async fn a_log_that_lacks_what_was_acknowledged_is_refused_and_left_as_it_is() {
    for stop in [Stop::Closed, Stop::Killed] {
        let (subject, facts) = written(stop).await;
        for (name, harm) in HARMS {
            let harmed = OnSled::default();
            copy(subject.path(), harmed.path());
            harm(harmed.path());
            let before = files(harmed.path());
            let error = match open(harmed.path()) {
                // The last segment may have been free, and then nothing is lost with it.
                Ok(store) if name == "the last segment" && stop == Stop::Killed => {
                    assert!(all(&store) == facts, "{stop:?}, {name}: it was opened");
                    continue;
                }
                Ok(_) => panic!("{stop:?}, {name}: it was opened"),
                Err(error) => error,
            };
            assert!(matches!(error, OpenError::Lost { .. }), "{stop:?}, {name}: {error:?}");
            assert!(error.to_string().contains("restore the folder from a backup"));
            assert!(error.source().is_some());
            assert!(files(harmed.path()) == before, "{stop:?}, {name}: the files were changed");
        }
    }
}

#[tokio::test]
async fn a_store_without_its_snapshots_is_whole() {
    for stop in [Stop::Closed, Stop::Killed] {
        let (subject, facts) = written(stop).await;
        remove_snapshots(subject.path());
        assert!(all(&open(subject.path()).unwrap()) == facts, "{stop:?}");
    }
}

#[tokio::test]
async fn an_earlier_copy_of_the_log_is_refused() {
    let (subject, _) = written(Stop::Closed).await;
    let copied = OnSled::default();
    copy(subject.path(), copied.path());
    let store = subject.open();
    let epoch = store.claim().unwrap();
    store.append(batch(epoch, [put("later", noise(7, 1_000_000))])).await.unwrap();
    drop(store);
    fs::copy(log_of(copied.path()), log_of(subject.path())).unwrap();
    assert!(matches!(open(subject.path()).err(), Some(OpenError::Lost { .. })));
}

/// Commits that were in files, and more in the log.
async fn flushed() -> (OnSled, Vec<Fact>) {
    let subject = OnSled::default();
    let store = subject.open();
    let epoch = store.claim().unwrap();
    for round in 0..40_u8 {
        let writes = (0..100_u8).map(|number| put([round, number], noise(round ^ number, 20_000)));
        store.append(batch(epoch, writes.collect::<Vec<_>>())).await.unwrap();
    }
    let facts = all(&store);
    drop(store);
    (subject, facts)
}

/// The files of the tables.
fn tables_of(path: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(path.join("tables/tables")).unwrap();
    let mut tables: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    tables.sort();
    tables
}

#[tokio::test]
async fn an_earlier_copy_of_the_tables_is_refused() {
    let subject = OnSled::default();
    drop(subject.open());
    let copied = OnSled::default();
    copy(&subject.path().join("tables"), &copied.path().join("tables"));
    let store = subject.open();
    let epoch = store.claim().unwrap();
    for round in 0..100_u8 {
        let writes = [put([round], noise(round, 1_000_000))];
        store.append(batch(epoch, writes)).await.unwrap();
    }
    drop(store);
    fs::remove_dir_all(subject.path().join("tables")).unwrap();
    copy(&copied.path().join("tables"), &subject.path().join("tables"));
    assert!(matches!(open(subject.path()).err(), Some(OpenError::Lost { .. })));
}

#[tokio::test]
async fn a_table_that_is_missing_cut_or_changed_is_refused_or_reported() {
    let (subject, facts) = flushed().await;
    let tables = tables_of(subject.path());
    assert!(!tables.is_empty());
    let (mut refused, mut reported) = (0, 0);
    for table in 0..tables.len() {
        for place in 0..24_u64 {
            let harmed = OnSled::default();
            copy(subject.path(), harmed.path());
            let path = &tables_of(harmed.path())[table];
            let mut bytes = fs::read(path).unwrap();
            let at = usize::try_from(bytes.len() as u64 * place / 24).unwrap();
            match place {
                0 => fs::remove_file(path).unwrap(),
                1 => fs::write(path, &bytes[..at]).unwrap(),
                _ => {
                    bytes[at] ^= 0x5a;
                    fs::write(path, &bytes).unwrap();
                }
            }
            let harmed = harmed.path().to_owned();
            let read = std::panic::catch_unwind(move || {
                let store = open(&harmed).ok()?;
                Some(store.scan(&engine::store::Scan::prefix("", usize::MAX)))
            });
            match read {
                Ok(None) => refused += 1,
                Ok(Some(Ok(found))) => assert!(found == facts, "table {table}, {at}: other facts"),
                Ok(Some(Err(_))) | Err(_) => reported += 1,
            }
        }
    }
    assert!(refused > 0 && reported > 0, "{refused} refused, {reported} reported");
}

/// Flips one byte at many places of a closed log. It is refused, or all is read as it was, or what
/// was harmed is reported when it is read; never is it anything else.
#[tokio::test]
async fn a_flipped_byte_is_never_taken_for_what_was_written() {
    let (subject, facts) = written(Stop::Closed).await;
    let length = fs::metadata(log_of(subject.path())).unwrap().len();
    let (mut refused, mut whole, mut reported) = (0, 0, 0);
    for place in (0..40).map(|n| length * n / 40 + 1_000 * n) {
        let harmed = OnSled::default();
        copy(subject.path(), harmed.path());
        let place = usize::try_from(place.min(length - 1)).unwrap();
        change_log(harmed.path(), |bytes| bytes[place] ^= 0x5a);
        let path = harmed.path().to_owned();
        let read = std::panic::catch_unwind(move || {
            let store = open(&path).ok()?;
            Some(store.scan(&engine::store::Scan::prefix("", usize::MAX)))
        });
        match read {
            Ok(None) => refused += 1,
            Ok(Some(Ok(found))) => {
                assert!(found == facts, "a byte flipped at {place} changed what is read");
                whole += 1;
            }
            Ok(Some(Err(_))) | Err(_) => reported += 1,
        }
    }
    assert!(refused > 0, "{refused} refused, {whole} whole, {reported} reported");
}

/// What happens to the segment that begins there, or to the rest of the log from its middle on.
type HarmAt = (&'static str, fn(&mut Vec<u8>, usize));

const HARMS_ANYWHERE: [HarmAt; 5] = [
    ("its first page garbled", |bytes, begin| {
        bytes[begin..].iter_mut().take(4096).for_each(|byte| *byte ^= 0x5a);
    }),
    ("its middle garbled", |bytes, begin| {
        let middle = bytes[begin..].iter_mut().skip(SEGMENT / 2).take(4096);
        middle.for_each(|byte| *byte ^= 0x5a);
    }),
    ("zeros", |bytes, begin| bytes[begin..].iter_mut().take(SEGMENT).for_each(|byte| *byte = 0)),
    ("the first page zeros", |bytes, begin| {
        bytes[begin..].iter_mut().take(4096).for_each(|byte| *byte = 0);
    }),
    ("cut in its middle", |bytes, begin| bytes.truncate(begin + SEGMENT / 2)),
];

/// A process that was killed leaves a marker that is behind, and a log in which segments were freed
/// and written again. Harmed in any segment it is refused and left as it is, or all is there.
#[tokio::test]
async fn a_log_that_was_not_closed_is_whole_or_refused_wherever_it_was_harmed() {
    let (subject, mut facts) = overwritten().await;
    facts.sort();
    let segments = fs::metadata(log_of(subject.path())).unwrap().len().div_ceil(SEGMENT as u64);
    let (mut refused, mut whole) = (0, 0);
    for segment in 0..usize::try_from(segments).unwrap() {
        for (name, harm) in HARMS_ANYWHERE {
            let harmed = OnSled::default();
            copy(subject.path(), harmed.path());
            change_log(harmed.path(), |bytes| harm(bytes, segment * SEGMENT));
            let before = files(harmed.path());
            match open(harmed.path()) {
                Ok(store) => {
                    let mut found = all(&store);
                    found.sort();
                    assert!(found == facts, "segment {segment}, {name}: facts are lost");
                    whole += 1;
                }
                Err(error) => {
                    let is_told = error.to_string().contains("restore the folder from a backup");
                    assert!(is_told, "segment {segment}, {name}: {error}");
                    let is_same = files(harmed.path()) == before;
                    assert!(is_same, "segment {segment}, {name}: the files were changed");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 0, "{refused} refused, {whole} whole");
    assert!(all(&open(subject.path()).unwrap()) == facts, "unharmed it is whole");
}

/// A directory as a kill leaves it, after many facts were overwritten, and its facts.
async fn overwritten() -> (OnSled, Vec<Fact>) {
    let (subject, killed) = (OnSled::default(), OnSled::default());
    let store = subject.open();
    let epoch = store.claim().unwrap();
    for round in 0..150_u32 {
        let value: Vec<u8> = (0..20_000_u32).map(|n| (n * round) as u8).collect();
        let key = (round * 7 % 50).to_string();
        store
            .append(batch(epoch, [put(key, value), put("last", round.to_string())]))
            .await
            .unwrap();
    }
    copy(subject.path(), killed.path());
    (killed, all(&store))
}
