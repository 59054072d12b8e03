//! A database that crashes, drops connections or becomes read-only while it is written to: every batch is
//! answered, and is there once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use engine::store::{Batch, Epoch, Error, Store as _, Transaction};
use store::Postgres;
use store::postgres::{Address, Led, Options, Purpose, SCHEMA};

use crate::database::Database;

const WRITERS: u64 = 8;

/// Opens a store in a database, leads it, and claims it.
fn led(database: &Database) -> (Arc<Postgres>, Epoch) {
    let address = Address::parse(&database.url(), SCHEMA).unwrap();
    let options = Options { cache_bytes: 1 << 20, keys: None, tls: None, purpose: Purpose::Use };
    let mut store = Postgres::open(address, options).unwrap();
    assert_eq!(store.lead("a").unwrap(), Led::Here);
    let epoch = store.claim().unwrap();
    (Arc::new(store), epoch)
}

/// Adds one to the number of a writer and to that of all.
fn adding(writer: u64, epoch: Epoch) -> Batch {
    let add = Transaction::new(move |read| {
        let add = |key: String| {
            let number = read(key.as_bytes())?.map_or(0, |bytes| number(&bytes));
            Ok::<_, Error>((key.into_bytes(), Some((number + 1).to_be_bytes().to_vec())))
        };
        Ok(vec![add("all".into())?, add(format!("of {writer}"))?])
    });
    Batch { epoch, writes: Vec::new(), transaction: Some(add) }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes.try_into().unwrap())
}

/// Writers go on while something is done to the database, and until all of them have written this often
/// besides. Everything that was answered is there, and nothing else.
async fn written_meanwhile(
    database: &mut Database,
    done: impl FnOnce(&mut Database, &Receiver<()>) + Send,
    besides: u64,
) {
    let (store, epoch) = led(database);
    let is_over = Arc::new(AtomicBool::new(false));
    let (told, written) = mpsc::channel();
    let writers = (0..WRITERS).map(|writer| {
        let (store, is_over) = (Arc::clone(&store), Arc::clone(&is_over));
        let told = told.clone();
        tokio::spawn(async move {
            let (mut written, mut left) = (0, besides);
            while left > 0 {
                store.append(adding(writer, epoch)).await.unwrap();
                written += 1;
                told.send(()).unwrap();
                left -= u64::from(is_over.load(Ordering::SeqCst));
            }
            written
        })
    });
    let writers: Vec<_> = writers.collect();
    tokio::task::block_in_place(|| done(database, &written));
    is_over.store(true, Ordering::SeqCst);
    let mut all = 0;
    for (writer, written) in (0..).zip(writers) {
        let written = written.await.unwrap();
        let read = store.get(format!("of {writer}").as_bytes()).unwrap().unwrap();
        assert_eq!(number(&read), written, "of {writer}");
        all += written;
    }
    drop(store);
    let (store, _) = led(database);
    assert_eq!(number(&store.get(b"all").unwrap().unwrap()), all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_crashes_loses_nothing_and_doubles_nothing() {
    let Some(mut database) = Database::start() else { return };
    let crashes = |database: &mut Database, written: &Receiver<()>| {
        for _ in 0..3 {
            assert_eq!(written.iter().take(300).count(), 300);
            database.crash();
            database.go_on();
        }
    };
    written_meanwhile(&mut database, crashes, 50).await;
}

/// A commit whose answer is lost may be in the database or not; it is looked up.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_that_end_in_the_middle_of_a_commit_double_nothing() {
    let Some(mut database) = Database::start() else { return };
    let endings = |database: &mut Database, _: &Receiver<()>| {
        let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE application_name = 'ferrule'";
        let mut left = 200;
        while left > 0 {
            left -= database.run(ended).parse::<i32>().unwrap();
        }
    };
    written_meanwhile(&mut database, endings, 50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_is_read_only_for_a_while_is_waited_for() {
    let Some(mut database) = Database::start() else { return };
    let read_only = |database: &mut Database, written: &Receiver<()>| {
        let set = |value: &str| {
            database.run(&format!("ALTER SYSTEM SET default_transaction_read_only = {value}"));
            database.run("SELECT pg_reload_conf()");
        };
        set("on");
        // Until no write gets through.
        while written.recv_timeout(Duration::from_secs(2)).is_ok() {}
        set("off");
    };
    written_meanwhile(&mut database, read_only, 20).await;
}
