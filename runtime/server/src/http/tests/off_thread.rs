//! A store that notices reads on the thread of the runtime: there a slow disk delays all other requests.
//! Every test of the router has one, so whatever the tests ask for is watched.

use std::backtrace::Backtrace;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use engine::store::{
    Appended, Backup, BackupError, Batch, Epoch, Error, Fact, Memory, Scan, Settled, Store,
};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::bench::Bench;

/// The front of a store.
pub(super) struct OffThread {
    store: Arc<dyn Store>,
    watch: Arc<Watch>,
}

/// Fails a test with reads on the wrong thread when it ends.
pub(super) struct Watched(Arc<Watch>);

struct Watch {
    /// The thread of the runtime, if it is the only one.
    runtime: Option<ThreadId>,
    /// Whether the server has started: before, nothing is delayed.
    has_begun: AtomicBool,
    found: Mutex<Vec<String>>,
}

impl OffThread {
    pub(super) fn new(store: Arc<dyn Store>) -> (Self, Watched) {
        let is_alone = Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread;
        let watch = Arc::new(Watch {
            runtime: is_alone.then(|| thread::current().id()),
            has_begun: AtomicBool::new(false),
            found: Mutex::default(),
        });
        (Self { store, watch: Arc::clone(&watch) }, Watched(watch))
    }
}

impl Watched {
    /// Watches from now on.
    pub(super) fn begin(&self) {
        self.0.has_begun.store(true, Ordering::Relaxed);
    }

    /// Takes the reads that were found.
    fn found(&self) -> Vec<String> {
        std::mem::take(&mut self.0.found.lock().unwrap())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let found = self.found();
        assert!(thread::panicking() || found.is_empty(), "{}", found.join("\n"));
    }
}

impl Watch {
    fn note(&self, key: &[u8]) {
        let is_here = self.runtime == Some(thread::current().id());
        if is_here && self.has_begun.load(Ordering::Relaxed) {
            let key = String::from_utf8_lossy(key);
            let found =
                format!("{key} is read on the runtime's thread:\n{}", Backtrace::force_capture());
            self.found.lock().unwrap().push(found);
        }
    }
}

impl Store for OffThread {
    fn append(&self, batch: Batch) -> Appended {
        self.store.append(batch)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.watch.note(key);
        self.store.get(key)
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, Error> {
        self.watch.note(&scan.prefix);
        self.store.scan(scan)
    }

    fn claim(&self) -> Result<Epoch, Error> {
        self.store.claim()
    }

    fn changed(&self) -> tokio::sync::watch::Receiver<u64> {
        self.store.changed()
    }

    fn settled(&self) -> Settled {
        self.store.settled()
    }

    fn back_up(&self) -> Result<Box<dyn Backup>, BackupError> {
        self.store.back_up()
    }
}

#[tokio::test]
async fn a_read_on_the_thread_of_the_runtime_is_found() {
    let (store, watch) = OffThread::new(Arc::new(Memory::new()));
    let store = Arc::new(store);
    store.get(b"before").unwrap();
    watch.begin();
    let other = Arc::clone(&store);
    tokio::task::spawn_blocking(move || other.get(b"elsewhere").unwrap()).await.unwrap();
    assert_eq!(watch.found(), [""; 0]);
    store.get(b"here").unwrap();
    let found = watch.found();
    assert!(found.len() == 1 && found[0].starts_with("here is read"), "{found:?}");
}

/// The lists, documents, hubs and operations that only read, with an id that leads nowhere and some
/// that lead somewhere.
#[tokio::test]
async fn no_route_reads_the_store_on_the_thread_of_the_runtime() {
    let bench = Bench::new();
    let created = bench.run(1, "open").await;
    bench.waiting(&created).await;
    for resource in tmf::table::APIS.iter().flat_map(|api| api.resources) {
        let path = tmf::table::path(resource.key);
        for path in [path.to_owned(), format!("{path}?name=x"), format!("{path}/x")] {
            bench.get(&path).await;
        }
    }
    for operation in crate::http::orchestration::OPERATIONS {
        // Its stream ends with the fulfilment.
        if operation.path.ends_with("/events") && operation.path.contains("{id}") {
            continue;
        }
        let path = operation.path.replace("{id}", created.as_str()).replace("...", "");
        let path = path.replace("{name}", "six-steps").replace("{resource}", "product");
        let line = format!("{} /orchestration/v1{path}", operation.method);
        let headers = [("content-type", "application/json")];
        bench.send(&line, &headers, axum::body::Body::from("{}")).await;
    }
    assert_eq!(bench.watch.found(), [""; 0]);
}
