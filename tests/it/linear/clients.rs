//! Clients that read documents and change what they read, and write down what they saw.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::history::{Operation, What};
use crate::world::{DEADLINE, Http, text};

/// What was there at first, and what happened to it.
pub(super) type History = ((u64, String), Vec<Operation>);

/// Clients at work, some for each document.
pub(super) struct Clients {
    shared: Arc<Shared>,
    firsts: Vec<(u64, String)>,
    tasks: JoinSet<(usize, Vec<Operation>)>,
}

struct Shared {
    began: Instant,
    stopped: AtomicBool,
    count: AtomicU64,
    counted: Notify,
}

impl Clients {
    /// Makes documents, and begins this many clients for each.
    pub(super) async fn begin(http: &Http, documents: usize, clients: usize) -> Self {
        let shared = Arc::new(Shared {
            began: Instant::now(),
            stopped: AtomicBool::new(false),
            count: AtomicU64::new(0),
            counted: Notify::new(),
        });
        let (mut firsts, mut tasks) = (Vec::new(), JoinSet::new());
        for document in 0..documents {
            let body = json!({ "givenName": "Ann", "familyName": "first" });
            let made = http.post(tmf::table::path("individual"), &body).await;
            assert_eq!(made.status, 201, "{}", made.text);
            let path = format!("{}/{}", tmf::table::path("individual"), text(&made.body["id"]));
            let client = Client { http: http.clone(), shared: Arc::clone(&shared), path };
            let Some(What::Read { revision, value }) = client.read().await else {
                panic!("what was made is there")
            };
            firsts.push((revision, value));
            for number in 0..clients {
                let client = client.clone();
                tasks.spawn(async move { (document, client.work(number).await) });
            }
        }
        Self { shared, firsts, tasks }
    }

    /// Waits until this many more operations have ended.
    pub(super) async fn see_operations(&self, count: u64) {
        let goal = self.shared.count.load(Ordering::Relaxed) + count;
        let seeing = async {
            while self.shared.count.load(Ordering::Relaxed) < goal {
                self.shared.counted.notified().await;
            }
        };
        tokio::time::timeout(DEADLINE, seeing).await.expect("operations go on");
    }

    /// Lets every client end what it is at; answers with the history of each document.
    pub(super) async fn stop(self) -> Vec<History> {
        self.shared.stopped.store(true, Ordering::Relaxed);
        let mut histories: Vec<History> =
            self.firsts.into_iter().map(|first| (first, Vec::new())).collect();
        for (document, operations) in self.tasks.join_all().await {
            histories[document].1.extend(operations);
        }
        histories
    }
}

/// A client of one document.
#[derive(Clone)]
struct Client {
    http: Http,
    shared: Arc<Shared>,
    path: String,
}

impl Client {
    /// Reads, changes what it read, and so on.
    async fn work(&self, number: usize) -> Vec<Operation> {
        let mut operations = Vec::new();
        let mut step = 0;
        while !self.shared.stopped.load(Ordering::Relaxed) {
            let Some(revision) =
                self.note(&mut operations, self.read()).await.as_ref().and_then(revision)
            else {
                // The server is down.
                tokio::task::yield_now().await;
                continue;
            };
            step += 1;
            let value = format!("client-{number}-{step}");
            self.note(&mut operations, self.change(revision, value)).await;
        }
        operations
    }

    /// Writes down what an operation came to, and when.
    async fn note(
        &self,
        operations: &mut Vec<Operation>,
        operation: impl Future<Output = Option<What>>,
    ) -> Option<What> {
        let began = self.now();
        let what = operation.await?;
        operations.push(Operation { began, ended: self.now(), what: what.clone() });
        self.shared.count.fetch_add(1, Ordering::Relaxed);
        self.shared.counted.notify_one();
        Some(what)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.shared.began.elapsed().as_nanos()).unwrap()
    }

    /// A read without an answer told nothing.
    async fn read(&self) -> Option<What> {
        let answer = self.http.send("GET", &self.path, &[], "").await.ok()?;
        assert_eq!(answer.status, 200, "{}", answer.text);
        Some(What::Read { revision: tag(&answer.headers), value: text(&answer.body["familyName"]) })
    }

    async fn change(&self, from: u64, value: String) -> Option<What> {
        let body = json!({ "familyName": value }).to_string();
        let tag_seen = format!("\"{from}\"");
        let headers = [("content-type", "application/merge-patch+json"), ("if-match", &tag_seen)];
        let Ok(answer) = self.http.send("PATCH", &self.path, &headers, body).await else {
            return Some(What::Unknown { from, value });
        };
        match answer.status {
            200 => Some(What::Changed { from, to: tag(&answer.headers), value }),
            412 => Some(What::Stale { from }),
            _ => panic!("{}: {}", answer.status, answer.text),
        }
    }
}

fn revision(what: &What) -> Option<u64> {
    match what {
        What::Read { revision, .. } => Some(*revision),
        What::Changed { .. } | What::Stale { .. } | What::Unknown { .. } => None,
    }
}

fn tag(headers: &hyper::HeaderMap) -> u64 {
    let tag = headers["etag"].to_str().unwrap();
    tag.trim_matches('"').parse().expect("a tag is a revision")
}
