use std::io;
use std::sync::{Arc, Mutex};

use engine::store::Appended;

use super::*;

/// A disk that notes its commits, and fails from one of them on.
#[derive(Clone, Default)]
struct Fake {
    commits: Arc<Mutex<Vec<Writes>>>,
    sound: Option<usize>,
}

impl Fake {
    fn sizes(&self) -> Vec<usize> {
        self.commits.lock().unwrap().iter().map(Writes::len).collect()
    }
}

impl Disk for Fake {
    fn kept(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let commits = self.commits.lock().unwrap();
        Ok(commits.iter().rev().find_map(|writes| writes.get(key).cloned()).flatten())
    }

    fn commit(&mut self, _: Epoch, writes: Writes) -> Result<(), Failure> {
        let mut commits = self.commits.lock().unwrap();
        commits.push(writes);
        match self.sound {
            Some(sound) if commits.len() > sound => {
                Err(Failure::of("sync")(io::Error::from(io::ErrorKind::StorageFull)))
            }
            _ => Ok(()),
        }
    }

    fn raise(&mut self, known: Epoch) -> Result<Epoch, Failure> {
        Ok(Epoch(known.0 + 1))
    }
}

fn append(key: &str, value: &str) -> (Command, Appended) {
    let writes = vec![(key.into(), Some(value.into()))];
    let (answer, appended) = Appended::pending();
    (Command::Append { batch: Batch::of(Epoch(0), writes), answer }, appended)
}

/// Runs a writer over commands that are all there when it starts.
fn run(disk: &Fake, commands: Vec<Command>) {
    let (queue, receiver) = queue();
    for command in commands {
        queue.try_send(command).unwrap();
    }
    drop(queue);
    Writer::new(disk.clone(), Epoch(0), watch::channel(0).0, Arc::default()).run(&receiver);
}

fn answers(appended: Vec<Appended>) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answer = |appended: Appended| match runtime.block_on(appended) {
        Ok(()) => "ok".to_owned(),
        Err(error) => error.to_string(),
    };
    appended.into_iter().map(answer).collect()
}

#[test]
fn waiting_batches_are_committed_together_and_the_last_write_counts() {
    let disk = Fake::default();
    let (commands, appended) =
        [("a", "1"), ("b", "2"), ("a", "3")].map(|(k, v)| append(k, v)).into_iter().unzip();
    run(&disk, commands);
    assert_eq!(answers(appended), ["ok", "ok", "ok"]);
    let expected: Writes = [("a", "3"), ("b", "2")].map(|(k, v)| (k.into(), Some(v.into()))).into();
    assert_eq!(*disk.commits.lock().unwrap(), [expected]);
}

#[test]
fn a_commit_has_a_limit_of_batches() {
    let disk = Fake::default();
    let (commands, appended): (Vec<_>, Vec<_>) =
        (0..2 * COMMIT_BATCHES_MAX + 1).map(|number| append(&number.to_string(), "")).unzip();
    run(&disk, commands);
    assert_eq!(disk.sizes(), [COMMIT_BATCHES_MAX, COMMIT_BATCHES_MAX, 1]);
    assert!(answers(appended).iter().all(|answer| answer == "ok"));
}

#[test]
fn a_commit_has_a_limit_of_bytes() {
    let disk = Fake::default();
    let half = "x".repeat(COMMIT_BYTES_MAX / 2);
    let (commands, _appended): (Vec<_>, Vec<_>) =
        ["a", "b", "c"].map(|key| append(key, &half)).into_iter().unzip();
    run(&disk, commands);
    assert_eq!(disk.sizes(), [2, 1]);
}

#[test]
fn batches_before_a_claim_are_committed_and_later_ones_are_fenced() {
    let disk = Fake::default();
    let (before, before_appended) = append("a", "1");
    let (after, after_appended) = append("b", "2");
    let (answer, claimed) = mpsc::channel();
    run(&disk, vec![before, Command::Claim { answer }, after]);
    assert_eq!(claimed.recv().unwrap().unwrap(), Epoch(1));
    assert_eq!(disk.sizes(), [1]);
    assert_eq!(
        answers(vec![before_appended, after_appended]),
        ["ok", "the store is owned by epoch 1 now, this is 0"]
    );
}

#[test]
fn a_failed_commit_fails_all_in_it_and_all_that_follow() {
    let disk = Fake { sound: Some(1), ..Fake::default() };
    let (commands, appended): (Vec<_>, Vec<_>) =
        (0..2 * COMMIT_BATCHES_MAX + 1).map(|number| append(&number.to_string(), "")).unzip();
    run(&disk, commands);
    assert_eq!(disk.sizes(), [COMMIT_BATCHES_MAX, COMMIT_BATCHES_MAX]);
    let answers = answers(appended);
    let (good, bad) = answers.split_at(COMMIT_BATCHES_MAX);
    assert!(good.iter().all(|answer| answer == "ok"));
    assert!(bad.iter().all(|answer| answer == "the store failed to sync"));
}

#[test]
fn a_store_that_failed_cannot_be_claimed() {
    let disk = Fake { sound: Some(0), ..Fake::default() };
    let (command, _appended) = append("a", "1");
    let (answer, claimed) = mpsc::channel();
    run(&disk, vec![command, Command::Claim { answer }]);
    assert!(matches!(claimed.recv().unwrap(), Err(Error::Failed { .. })));
}

#[test]
fn closing_commits_what_came_before() {
    let disk = Fake::default();
    let (before, before_appended) = append("a", "1");
    let (after, after_appended) = append("b", "2");
    run(&disk, vec![before, Command::Close, after]);
    assert_eq!(disk.sizes(), [1]);
    assert_eq!(answers(vec![before_appended, after_appended]), ["ok", "the store is closed"]);
}

/// A disk on which a commit shows at once and is durable only when the gate opens.
struct Gated {
    shows: Arc<Mutex<Writes>>,
    gate: mpsc::Receiver<Result<(), Failure>>,
    entered: mpsc::Sender<()>,
}

impl Disk for Gated {
    fn kept(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.shows.lock().unwrap().get(key).cloned().flatten())
    }

    fn commit(&mut self, _: Epoch, writes: Writes) -> Result<(), Failure> {
        self.shows.lock().unwrap().extend(writes);
        self.entered.send(()).unwrap();
        self.gate.recv().unwrap()
    }

    fn raise(&mut self, known: Epoch) -> Result<Epoch, Failure> {
        Ok(Epoch(known.0 + 1))
    }
}

/// Runs a writer whose first commit shows `a` and is not durable, and gives what settles it.
fn with_one_unsynced(then: impl FnOnce(&Progress, mpsc::Sender<Result<(), Failure>>)) {
    let (gate, opened) = mpsc::channel();
    let (entered, is_in) = mpsc::channel();
    let shows = Arc::default();
    let disk = Gated { shows: Arc::clone(&shows), gate: opened, entered };
    let progress = Arc::new(Progress::default());
    let (queue, receiver) = queue();
    let (command, _appended) = append("a", "1");
    let writer = Writer::new(disk, Epoch(0), watch::channel(0).0, Arc::clone(&progress));
    let thread = std::thread::spawn(move || writer.run(&receiver));
    queue.send(command).unwrap();
    is_in.recv().unwrap();
    assert!(shows.lock().unwrap().contains_key(b"a".as_slice()));
    then(&progress, gate);
    drop(queue);
    drop(thread.join());
}

fn is_ready(settled: &mut engine::store::Settled) -> Option<Result<(), Error>> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(settled).poll(&mut context) {
        std::task::Poll::Ready(result) => Some(result),
        std::task::Poll::Pending => None,
    }
}

#[test]
fn visible_writes_are_settled_only_when_they_are_synced() {
    with_one_unsynced(|progress, gate| {
        let mut settled = progress.settled();
        assert!(is_ready(&mut settled).is_none());
        gate.send(Ok(())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(settled).unwrap();
        assert!(matches!(is_ready(&mut progress.settled()), Some(Ok(()))));
    });
}

#[test]
fn writes_that_could_not_be_synced_are_never_settled() {
    with_one_unsynced(|progress, gate| {
        let settled = progress.settled();
        let full = io::Error::from(io::ErrorKind::StorageFull);
        gate.send(Err(Failure::of("sync")(full))).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert!(matches!(runtime.block_on(settled), Err(Error::Unsettled)));
        assert!(matches!(is_ready(&mut progress.settled()), Some(Err(Error::Unsettled))));
    });
}

#[test]
fn a_writer_that_panics_leaves_no_caller_waiting() {
    with_one_unsynced(|progress, gate| {
        let settled = progress.settled();
        drop(gate);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert!(matches!(runtime.block_on(settled), Err(Error::Unsettled)));
    });
}
