//! The file of a backup, and restoring it.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use engine::keys;
use engine::store::{Epoch, Fact, Store as _};
use store::backup::{Fault, check};
use store::restoration::{Existing, RestoreError, restore};
use store::{Options, Sled};

use crate::backed_up::{backup, facts_of, patient, runtime};
use crate::subject::{OnSled, Subject, all, batch, master, noise, put};

/// The bytes of a block before its records.
const BLOCK_HEAD_BYTES: usize = 13;

fn fill(store: &Sled, seed: u8) {
    let facts = (0..60_u8).map(|number| put([b'k', number], noise(seed ^ number, 20_000)));
    let writes: Vec<_> = facts.collect();
    runtime().block_on(store.append(batch(Epoch(0), writes))).unwrap();
}

/// A backup of some blocks.
fn some() -> (OnSled, Vec<u8>) {
    let subject = OnSled::default();
    let store = subject.open();
    fill(&store, 0);
    let bytes = backup(&store);
    drop(store);
    (subject, bytes)
}

fn number(bytes: &[u8]) -> usize {
    u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize
}

/// The places of the blocks and of the trailer.
fn places(bytes: &[u8]) -> Vec<usize> {
    let mut at = 22 + number(&bytes[18..]) + 4;
    let mut places = vec![at];
    while bytes[at] == 1 {
        at += BLOCK_HEAD_BYTES + number(&bytes[at + 1..]);
        places.push(at);
    }
    places
}

/// All records of a backup, unpacked.
fn records(bytes: &[u8]) -> Vec<u8> {
    let places = places(bytes);
    let blocks = places.windows(2).map(|block| &bytes[block[0] + BLOCK_HEAD_BYTES..block[1]]);
    blocks.flat_map(|block| zstd::bulk::decompress(block, 1 << 20).unwrap()).collect()
}

fn fault(bytes: &[u8]) -> Fault {
    check(bytes).expect_err("it is no whole backup")
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_whole_backup_tells_its_store() {
    let (subject, bytes) = some();
    let (header, whole) = check(&*bytes).unwrap();
    assert_eq!((header.taken_ms, header.keys), (7, None));
    assert_eq!((header.store.len(), whole.commits, whole.bytes), (32, 1, bytes.len() as u64));
    assert!(places(&bytes).len() > 4, "it has several blocks");
    assert_eq!(facts_of(&bytes, &subject).len(), 60);
}

#[test]
fn a_backup_that_is_cut_anywhere_is_refused_with_its_end() {
    let (_, bytes) = some();
    let places = places(&bytes);
    let around = places.iter().flat_map(|place| place.saturating_sub(2)..place + 15);
    let all = (0..places[0]).chain(around).chain(bytes.len() - 60..bytes.len());
    for end in all.filter(|end| *end < bytes.len()) {
        let fault = fault(&bytes[..end]);
        assert!(matches!(fault, Fault::Cut { at } if at == end as u64), "{end}: {fault}");
    }
    let longer = [bytes.as_slice(), b"x"].concat();
    assert!(matches!(fault(&longer), Fault::Longer { at } if at == bytes.len() as u64));
}

#[test]
fn a_backup_with_a_changed_byte_is_refused_at_the_block_that_has_it() {
    let (_, mut bytes) = some();
    let places = places(&bytes);
    let heads = places.iter().flat_map(|place| *place..place + 15);
    let spread = (0..bytes.len()).step_by(9_973);
    let ends = (0..places[0]).chain(bytes.len() - 50..bytes.len());
    for at in heads.chain(spread).chain(ends) {
        for bit in [0, 6] {
            bytes[at] ^= 1 << bit;
            let fault = fault(&bytes);
            bytes[at] ^= 1 << bit;
            let begin = places.iter().rev().find(|place| **place <= at).copied().unwrap_or(0);
            let (Fault::Changed { at: told, .. } | Fault::TooLong { at: told, .. }) = fault else {
                // A length or a beginning.
                let is_told = matches!(
                    fault,
                    Fault::Foreign { .. } | Fault::Version { .. } | Fault::Cut { .. }
                );
                assert!(is_told && (at < 22 || at - begin < 9), "{at}: {fault}");
                continue;
            };
            assert!(told as usize <= at && (told as usize >= begin || told == 18), "{at}: {told}");
        }
    }
    check(&*bytes).unwrap();
}

#[test]
fn a_backup_without_one_of_its_blocks_or_with_two_exchanged_is_refused() {
    let (_, bytes) = some();
    let places = places(&bytes);
    let [a, b, c, ..] = places[..] else { panic!("it has several blocks") };
    let without = [&bytes[..a], &bytes[b..]].concat();
    let exchanged = [&bytes[..a], &bytes[b..c], &bytes[a..b], &bytes[c..]].concat();
    for changed in [without, exchanged] {
        let fault = fault(&changed);
        assert!(matches!(fault, Fault::Changed { part: "sum", .. }), "{fault}");
    }
}

#[test]
fn other_files_and_later_versions_are_refused_by_name() {
    assert!(matches!(fault(b"{\"id\": \"some export\"}"), Fault::Foreign { at: 0 }));
    assert!(matches!(fault(b""), Fault::Cut { at: 0 }));
    let (_, mut bytes) = some();
    bytes[17] += 1;
    assert!(matches!(fault(&bytes), Fault::Version { at: 16, found: 3 }));
}

#[test]
fn a_length_beyond_the_limit_is_refused_before_memory_is_taken_for_it() {
    let (_, bytes) = some();
    let first = places(&bytes)[0];
    for (place, part) in [(18, "header"), (first + 1, "block"), (first + 5, "block")] {
        let mut changed = bytes.clone();
        changed[place..place + 4].fill(0xff);
        let fault = fault(&changed);
        assert!(matches!(fault, Fault::TooLong { part: told, .. } if told == part), "{fault}");
    }
}

/// A store with a name in a value and in an index entry.
fn with_name(subject: &OnSled) -> Vec<u8> {
    let store = subject.open();
    // It is not packed, so the name would be seen in it.
    let value = [b"Mustermann ".as_slice(), &noise(0, 6_000)].concat();
    let entry = keys::entry("individual", "familyName", "Mustermann", "7");
    let writes = [put(b"d/individual/7", value), put(entry, b"")];
    runtime().block_on(store.append(batch(Epoch(0), writes))).unwrap();
    backup(&store)
}

#[test]
fn a_backup_of_a_sealed_store_is_sealed_and_needs_its_key() {
    assert!(has(&records(&with_name(&OnSled::default())), b"Mustermann"));
    let subject = OnSled::sealed();
    let bytes = with_name(&subject);
    assert!(!has(&records(&bytes), b"Mustermann") && !has(&bytes, b"Mustermann"));
    assert_eq!(facts_of(&bytes, &subject).len(), 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    for keys in [None, Some(master(1))] {
        let options = Options { keys, ..patient() };
        let refused = restore(&*bytes, &path, Existing::Refuse, &options, |_| ()).unwrap_err();
        assert!(matches!(refused, RestoreError::Seal(_)), "{refused}");
    }
    let plain = with_name(&OnSled::default());
    let options = Options { keys: Some(master(1)), ..patient() };
    let refused = restore(&*plain, &path, Existing::Refuse, &options, |_| ()).unwrap_err();
    assert!(matches!(refused, RestoreError::Plain), "{refused}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a refusal leaves nothing");
}

fn facts_in(path: &Path) -> Vec<Fact> {
    all(&Sled::open(path, &patient()).unwrap())
}

/// A folder with a store of two facts.
fn old() -> (tempfile::TempDir, Vec<Fact>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Sled::open(folder.path().join("store"), &Options::default()).unwrap();
    let writes = [put("old", "1"), put("older", noise(3, 9_000))];
    runtime().block_on(store.append(batch(Epoch(0), writes))).unwrap();
    let facts = all(&store);
    (folder, facts)
}

#[test]
fn a_store_is_replaced_only_when_asked_and_by_a_whole_backup() {
    let (subject, bytes) = some();
    let (folder, old) = old();
    let path = folder.path().join("store");
    let into = |bytes: &[u8], existing| restore(bytes, &path, existing, &patient(), |_| ());
    let refused = into(&bytes, Existing::Refuse).unwrap_err();
    assert!(matches!(refused, RestoreError::Exists { .. }), "{refused}");
    let cut = into(&bytes[..bytes.len() - 1], Existing::Replace).unwrap_err();
    assert!(matches!(cut, RestoreError::Fault(Fault::Cut { .. })), "{cut}");
    assert_eq!(facts_in(&path), old);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the copy is removed");
    let open = Sled::open(&path, &patient()).unwrap();
    let refused = restore(&*bytes, &path, Existing::Replace, &Options::default(), |_| ());
    let refused = refused.unwrap_err();
    assert!(refused.to_string().contains("is in use"), "{refused}");
    drop(open);
    let done = into(&bytes, Existing::Replace).unwrap();
    assert_eq!((done.facts, done.whole.commits), (60, 1));
    assert!(facts_in(&path) == all(&subject.open()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_restored_store_is_written_to_and_backed_up_again() {
    let (subject, bytes) = some();
    let restored = crate::backed_up::restored(&bytes, &subject);
    let store = restored.open();
    fill(&store, 9);
    let (header, whole) = check(&*backup(&store)).unwrap();
    assert_eq!(header.store, check(&*bytes).unwrap().0.store);
    assert_eq!(whole.commits, 2);
}

const FILE: &str = "FERRULE_TEST_RESTORED_FILE";
const FOLDER: &str = "FERRULE_TEST_RESTORED_FOLDER";
const STOP_AFTER: &str = "FERRULE_TEST_RESTORED_STOP_AFTER";

/// Kills a restoration over a store when it has told of this many blocks; returns the facts that it left. It waits to
/// be killed then, if it is to stop.
fn killed(file: &Path, path: &Path, blocks: usize, stops: bool) -> Vec<Fact> {
    let stop_after = if stops { blocks } else { usize::MAX };
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "restored::child", "--nocapture"])
        .envs([(FILE, file), (FOLDER, path)])
        .env(STOP_AFTER, stop_after.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let told = lines.filter(|line| line.starts_with("block ")).take(blocks).count();
    assert_eq!(told, blocks);
    child.kill().unwrap();
    child.wait().unwrap();
    facts_in(path)
}

#[test]
fn a_restoration_that_is_killed_leaves_the_old_store_or_the_new_one() {
    let (subject, bytes) = some();
    let new = facts_of(&bytes, &subject);
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("backup");
    fs::write(&file, &bytes).unwrap();
    let all = places(&bytes).len() - 1;
    for (blocks, stops) in (1..=all).map(|blocks| (blocks, true)).chain([(all, false); 4]) {
        let (folder, old) = old();
        let found = killed(&file, &folder.path().join("store"), blocks, stops);
        assert!(found == old || found == new, "killed after {blocks} blocks");
        assert!(!stops || found == old, "it was put in place before it was whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the rest is removed");
    }
}

/// What the parent kills; as a test of its own it has nothing to do.
#[test]
fn child() {
    let (Ok(file), Ok(folder)) = (env::var(FILE), env::var(FOLDER)) else { return };
    let stop_after: usize = env::var(STOP_AFTER).unwrap().parse().unwrap();
    let mut count = 0;
    let told = |records| {
        let mut out = io::stdout().lock();
        writeln!(out, "\nblock {records}").unwrap();
        out.flush().unwrap();
        count += 1;
        if count == stop_after {
            loop {
                std::thread::park();
            }
        }
    };
    let file = fs::File::open(file).unwrap();
    restore(file, Path::new(&folder), Existing::Replace, &patient(), told).unwrap();
}
