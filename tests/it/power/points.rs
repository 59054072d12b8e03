//! The store at many points at which the power could fail. A process writes batches to a store whose logs
//! and files come and go every few commits. It is stopped again and again; what would be left of its
//! folder then is opened, and has every batch that was acknowledged, whole batches only, without a gap.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use engine::store::{Batch, Epoch, Scan, Store, Write};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, Signal, WaitOptions};
use store::{Options, Sled};

use crate::world::{Dice, Power, Survivors, soaked};

/// The points of an ordinary run.
const POINTS: u64 = 150;

/// Max batches that are acknowledged from one point to the next.
const BATCHES_MAX: u64 = 12;

/// At each tenth point the store takes another batch after the failure, and is opened again.
const GOES_ON: u64 = 10;

const IN_FLIGHT: usize = 20;

/// Batches whose facts stay.
const WINDOW: u64 = 30;

const DIRECTORY: &str = "FERRULE_TEST_POINTS_DIRECTORY";
const MARK: &str = "acknowledged ";

/// A process that writes, and can be stopped.
struct Writer {
    child: Child,
    out: ChildStdout,
    /// The beginning of a line.
    buffer: Vec<u8>,
    /// The last batch that it was told of as durable.
    acknowledged: u64,
}

impl Writer {
    fn begin(power: &Power) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "power::points::child", "--nocapture"])
            .envs(power.environment())
            .env(DIRECTORY, power.root().join("store"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = child.stdout.take().unwrap();
        Self { child, out, buffer: Vec::new(), acknowledged: 0 }
    }

    /// Reads on until this many more batches are acknowledged.
    fn wait_for(&mut self, more: u64) {
        let goal = self.acknowledged + more;
        while self.acknowledged < goal {
            self.read();
        }
    }

    fn read(&mut self) {
        let mut bytes = [0; 4096];
        let count = self.out.read(&mut bytes).unwrap();
        assert!(count > 0, "the process goes on until it is killed");
        self.buffer.extend(&bytes[..count]);
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            let line = String::from_utf8(line).unwrap();
            let number = line.trim_end().split_once(MARK).map(|(_, number)| number);
            if let Some(number) = number {
                self.acknowledged = number.parse().unwrap();
            }
        }
    }

    /// Stops it: all of its threads stand still when this is done.
    fn stop(&mut self) {
        let pid = self.pid();
        rustix::process::kill_process(pid, Signal::STOP).unwrap();
        let stopped = || rustix::process::waitpid(Some(pid), WaitOptions::UNTRACED);
        rustix::io::retry_on_intr(stopped).unwrap();
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        // It is bound by everything that it had printed.
        while {
            let mut wanted = [PollFd::new(&self.out, PollFlags::IN)];
            let ready = || rustix::event::poll(&mut wanted, Some(&now));
            rustix::io::retry_on_intr(ready).unwrap() > 0
        } {
            self.read();
        }
    }

    fn go_on(&self) {
        rustix::process::kill_process(self.pid(), Signal::CONT).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test]
async fn acknowledged_batches_are_there_at_every_point_at_which_the_power_could_fail() {
    let mut dice = Dice::from_environment();
    let folder = tempfile::tempdir().unwrap();
    let power = Power::begin(folder.path(), "disk").await;
    let left = folder.path().join("left");
    let mut writer = Writer::begin(&power);
    for point in 0..soaked(POINTS) {
        writer.wait_for(dice.up_to(BATCHES_MAX));
        writer.stop();
        let survivors = match point % 3 {
            0 => Survivors::None,
            _ => Survivors::Some(&mut dice),
        };
        power.left(&left, survivors);
        writer.go_on();
        let directory = left.join("store");
        let (least, seed) = (writer.acknowledged, dice.seed());
        let found = last_whole(&directory).unwrap_or_else(|fault| {
            panic!("{fault} at point {point}, after {least}, FERRULE_SEED={seed}")
        });
        assert!(
            found >= least,
            "{least} was acknowledged, {found} is the last, point {point}, FERRULE_SEED={seed}"
        );
        if point % GOES_ON == 0 {
            let store = open(&directory);
            let epoch = store.claim().unwrap();
            store.append(numbered(epoch, found + 1)).await.unwrap();
            drop(store);
            assert_eq!(last_whole(&directory), Ok(found + 1), "FERRULE_SEED={seed}");
        }
        std::fs::remove_dir_all(&left).unwrap();
    }
}

/// The points would find a store that does not sync.
#[tokio::test]
async fn without_syncs_acknowledged_batches_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let power = Power::begin(folder.path(), "disk").await;
    let mut writer = Writer::begin(&power);
    writer.wait_for(5);
    power.ignore_syncs();
    writer.wait_for(60);
    writer.stop();
    let left = folder.path().join("left");
    power.left(&left, Survivors::None);
    let directory = left.join("store");
    let is_lost = match Sled::open(&directory, &Options::default()) {
        Ok(store) => last(&store) < writer.acknowledged,
        Err(_) => true,
    };
    assert!(is_lost, "{} batches are there without a sync", writer.acknowledged);
}

/// The number of the last batch; all up to it must be there whole, and nothing else.
fn last_whole(directory: &Path) -> Result<u64, String> {
    let store = Sled::open(directory, &options()).map_err(|error| error.to_string())?;
    let last = last(&store);
    let mut expected: Vec<Write> = Vec::new();
    for number in last.saturating_sub(WINDOW) + 1..=last {
        expected.extend(facts(number));
    }
    if last > 0 {
        expected.push((b"last".to_vec(), Some(last.to_string().into())));
    }
    expected.sort();
    let found = store.scan(&Scan::prefix("", usize::MAX)).map_err(|error| error.to_string())?;
    let found: Vec<Write> = found.into_iter().map(|(key, value)| (key, Some(value))).collect();
    match found == expected {
        true => Ok(last),
        false => Err(format!("the batches up to {last} are not what was found")),
    }
}

/// Its commits go to files at once, so that the power fails among logs and files that come and go.
fn options() -> Options {
    Options { recent_bytes: 2_000, ..Options::default() }
}

fn open(directory: &Path) -> Sled {
    Sled::open(directory, &options()).unwrap()
}

/// The process that is stopped; as a test of its own it has nothing to do.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "its parent reads it")]
async fn child() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let store = open(directory.as_ref());
    let epoch = store.claim().unwrap();
    let mut appended = VecDeque::new();
    for number in last(&store) + 1.. {
        appended.push_back((number, store.append(numbered(epoch, number))));
        if appended.len() == IN_FLIGHT {
            let (number, appended) = appended.pop_front().unwrap();
            appended.await.unwrap();
            println!("{MARK}{number}");
            std::io::stdout().flush().unwrap();
        }
    }
}

/// A batch that adds two facts, some of them large, and removes those of an older batch.
fn numbered(epoch: Epoch, number: u64) -> Batch {
    let mut writes = facts(number);
    writes.push((b"last".to_vec(), Some(number.to_string().into())));
    if let Some(old) = number.checked_sub(WINDOW) {
        writes.extend(facts(old).into_iter().map(|(key, _)| (key, None)));
    }
    Batch::of(epoch, writes)
}

/// The facts of a batch: an empty one, and one of noise, which cannot be packed.
fn facts(number: u64) -> Vec<Write> {
    let bytes = if number.is_multiple_of(10) { 20_000 } else { 300 };
    let mut dice = Dice::of(number);
    let noise = (0..bytes).map(|_| dice.up_to(256) as u8).collect();
    let key = |kind: &str| format!("{kind}/{number:012}").into_bytes();
    vec![(key("a"), Some(noise)), (key("b"), Some(Vec::new()))]
}

fn last(store: &Sled) -> u64 {
    let last = store.get(b"last").unwrap();
    last.map_or(0, |last| String::from_utf8(last).unwrap().parse().unwrap())
}
