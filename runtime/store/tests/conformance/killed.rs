//! A process that is killed while it writes. Every acknowledged batch is there when the store is
//! opened again; the others are there as whole batches, in order, without a gap.

use std::collections::VecDeque;
use std::env;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use engine::store::{Batch, Epoch, Store};
use store::{Options, Sled};

use crate::subject::{TURNING_BYTES, all, batch, put, remove};

const DIRECTORY: &str = "FERRULE_TEST_KILLED_DIRECTORY";
const ACKNOWLEDGED: &str = "acknowledged ";
const KILLS: u64 = 12;
const BATCHES_BEFORE_KILL_MAX: u64 = 300;
const IN_FLIGHT: usize = 40;
const WINDOW: u64 = 30;

#[test]
fn a_killed_process_loses_nothing_that_was_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let mut last = 0;
    for kill in 0..KILLS {
        let batches = RandomState::new().hash_one(kill) % BATCHES_BEFORE_KILL_MAX + 1;
        let acknowledged = write_and_kill(directory.path(), batches);
        let found = check(directory.path());
        assert!(found >= acknowledged, "{acknowledged} was acknowledged, {found} is the last");
        assert!(found > last);
        last = found;
    }
}

/// Runs the child until it has acknowledged this many batches, then kills it; returns the last
/// acknowledged one.
fn write_and_kill(directory: &Path, batches: u64) -> u64 {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "killed::child", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut numbers = lines.map_while(|line| {
        let line = line.ok()?;
        Some(line.strip_prefix(ACKNOWLEDGED).and_then(|number| number.parse::<u64>().ok()))
    });
    let before = numbers.by_ref().flatten().nth(usize::try_from(batches).unwrap() - 1);
    let before = before.expect("the child writes until it is killed");
    child.kill().unwrap();
    // What it had still said before it died counts too. The last line may be cut off, and a cut
    // number is smaller than the whole.
    let acknowledged = numbers.flatten().fold(before, u64::max);
    child.wait().unwrap();
    acknowledged
}

/// The number of the last batch; all up to it must be there whole, and nothing else.
fn check(directory: &Path) -> u64 {
    let store = open(directory);
    let last = last(&store);
    let mut expected = vec![put("last", last.to_string())];
    for number in last.saturating_sub(WINDOW) + 1..=last {
        expected.extend([put(name("a", number), value(number)), put(name("b", number), "")]);
    }
    expected.sort();
    let found: Vec<_> = all(&store).iter().map(|(key, value)| put(key, value)).collect();
    assert!(found == expected, "the batches up to {last} are not what was found");
    last
}

/// Its commits go to files at once, so that it is killed among logs and files that come and go.
fn open(directory: &Path) -> Sled {
    Sled::open(directory, &Options { recent_bytes: TURNING_BYTES, ..Options::default() }).unwrap()
}

/// What the parent kills; as a test of its own it has nothing to do.
#[tokio::test]
async fn child() {
    let Ok(directory) = env::var(DIRECTORY) else { return };
    let store = open(directory.as_ref());
    let epoch = store.claim().unwrap();
    let mut appended = VecDeque::new();
    for number in last(&store) + 1.. {
        appended.push_back((number, store.append(numbered(epoch, number))));
        if appended.len() == IN_FLIGHT {
            let (number, appended) = appended.pop_front().unwrap();
            appended.await.unwrap();
            let mut out = io::stdout().lock();
            writeln!(out, "{ACKNOWLEDGED}{number}").unwrap();
            out.flush().unwrap();
        }
    }
}

/// A batch that adds two facts, some of them large, and removes those of an older batch.
fn numbered(epoch: Epoch, number: u64) -> Batch {
    let mut writes = vec![
        put("last", number.to_string()),
        put(name("a", number), value(number)),
        put(name("b", number), ""),
    ];
    if let Some(old) = number.checked_sub(WINDOW) {
        writes.extend([remove(name("a", old)), remove(name("b", old))]);
    }
    batch(epoch, writes)
}

fn name(kind: &str, number: u64) -> String {
    format!("{kind}/{number:012}")
}

fn value(number: u64) -> Vec<u8> {
    let bytes = if number.is_multiple_of(10) { 50_000 } else { 300 };
    number.to_string().bytes().cycle().take(bytes).collect()
}

fn last(store: &Sled) -> u64 {
    let last = store.get(b"last").unwrap();
    last.map_or(0, |last| String::from_utf8(last).unwrap().parse().unwrap())
}
