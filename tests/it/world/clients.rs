//! Clients as a careful upstream system is: each sends its order under a key of its own until it
//! is acknowledged, then follows it to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use super::{ANSWER_MAX, DEADLINE, Http, fresh, text};

/// The pause before an unanswered order is sent again.
const PAUSE: Duration = Duration::from_millis(20);

/// Clients that are at work.
pub(crate) struct Clients {
    shared: Arc<Shared>,
    tasks: JoinSet<BTreeMap<String, String>>,
}

#[derive(Default)]
struct Shared {
    stopped: AtomicBool,
    in_flight: AtomicUsize,
    records: AtomicU64,
    recorded: Notify,
}

impl Clients {
    /// Starts `count` clients; each sends one order after the other.
    pub(crate) fn begin(http: &Http, orders: Vec<Value>, count: usize) -> Self {
        let shared = Arc::<Shared>::default();
        let orders = Arc::new(orders);
        let mut tasks = JoinSet::new();
        for client in 0..count {
            let (http, orders) = (http.clone(), Arc::clone(&orders));
            let shared = Arc::clone(&shared);
            tasks.spawn(async move {
                let mut ids = BTreeMap::new();
                while !shared.stopped.load(Ordering::Relaxed) {
                    let number = ids.len();
                    let name = format!("client-{client}-{number}");
                    let order = fresh(&orders[(client + number) % orders.len()], &name);
                    let id = post_until_taken(&http, &name, &order).await;
                    shared.in_flight.fetch_add(1, Ordering::Relaxed);
                    let story = http.ended_counting(&id, &|| shared.saw_record()).await;
                    assert_eq!(story.end, "completed", "{name}: {story}");
                    shared.in_flight.fetch_sub(1, Ordering::Relaxed);
                    ids.insert(name, id);
                }
                ids
            });
        }
        Self { shared, tasks }
    }

    /// Waits until clients have seen `count` more records.
    pub(crate) async fn see_records(&self, count: u64) {
        let goal = self.shared.records.load(Ordering::Relaxed) + count;
        let seeing = async {
            while self.shared.records.load(Ordering::Relaxed) < goal {
                self.shared.recorded.notified().await;
            }
        };
        let seen = tokio::time::timeout(DEADLINE, seeing).await;
        seen.expect("orders go on as long as the server is there");
    }

    /// How many orders were acknowledged and have not ended, as far as clients know.
    pub(crate) fn in_flight(&self) -> usize {
        self.shared.in_flight.load(Ordering::Relaxed)
    }

    /// From now on no client begins another order.
    pub(crate) fn stop_ordering(&self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
    }

    /// Waits for the end of every order; answers with their ids by name.
    pub(crate) async fn all_ended(self) -> BTreeMap<String, String> {
        self.tasks.join_all().await.into_iter().flatten().collect()
    }

    /// Sends `count` orders at one time, each once.
    pub(crate) fn post_all(http: &Http, order: &Value, round: u64, count: u64) -> Posts {
        let (sender, answered) = mpsc::unbounded_channel();
        for number in 0..count {
            let name = format!("round-{round}-{number}");
            let (http, order) = (http.clone(), fresh(order, &name));
            let sender = sender.clone();
            tokio::spawn(async move {
                if let Some(id) = post(&http, &name, &order).await {
                    // An error means that the test is over.
                    sender.send((name, id)).ok();
                }
            });
        }
        Posts { answered: tokio::sync::Mutex::new(answered) }
    }
}

impl Shared {
    fn saw_record(&self) {
        self.records.fetch_add(1, Ordering::Relaxed);
        self.recorded.notify_one();
    }
}

/// Orders on their way.
pub(crate) struct Posts {
    answered: tokio::sync::Mutex<mpsc::UnboundedReceiver<(String, String)>>,
}

impl Posts {
    /// Waits until `count` orders were acknowledged; returns their ids by name.
    pub(crate) async fn answers(&self, count: u64) -> BTreeMap<String, String> {
        let mut ids = BTreeMap::new();
        let mut answered = self.answered.lock().await;
        let waiting = async {
            while (ids.len() as u64) < count {
                let (name, id) = answered.recv().await.expect("every order is acknowledged");
                ids.insert(name, id);
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.expect("orders are acknowledged in time");
        ids
    }

    /// Adds the orders acknowledged before the others found no server.
    pub(crate) async fn rest(self, mut ids: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut answered = self.answered.into_inner();
        while let Some((name, id)) = answered.recv().await {
            ids.insert(name, id);
        }
        ids
    }
}

async fn post_until_taken(http: &Http, key: &str, order: &Value) -> String {
    let posting = async {
        loop {
            if let Some(id) = post(http, key, order).await {
                return id;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(DEADLINE, posting).await.expect("the order is taken in time")
}

/// Sends an order once; `None` if no whole answer came, or the server is not ready yet.
async fn post(http: &Http, key: &str, order: &Value) -> Option<String> {
    let path = tmf::table::path("productOrder");
    let headers = [("idempotency-key", key)];
    let posting = http.post_with(path, &headers, order);
    let answer = tokio::time::timeout(ANSWER_MAX, posting).await.ok()?.ok()?;
    if answer.status == 503 {
        assert!(answer.headers.contains_key("retry-after"), "{}", answer.text);
        return None;
    }
    assert_eq!(answer.status, 201, "{}", answer.text);
    Some(text(&answer.body["id"]))
}
