//! The loop on a runtime, with a store in memory and plugins that answer at once.

mod indexes;
mod replan;

use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};

use model::fulfilment::PatchError;
use model::journal::End;
use model::plan::{OnFailure, Retry, Step as PlanStep, Task, Work};
use model::{Digest, Event, Failure, FailureClass, Kind, Outcome, Phase, Plan, PluginId, Wait};
use serde_json::{Map, Value, json};
use tmf::time::Timestamp;

use super::*;
use crate::store::{Appended, Batch, Error, Fact, Memory, Scan};
use crate::worker::{Call, Effects, Operation, Report, Resolved};

/// Answers at once: by the name of the step, which is done, waits, or fails the first time.
struct Plugins;

impl Worker for Plugins {
    fn resolve(&self, _plugin: &PluginId) -> Option<Resolved> {
        None
    }

    fn effects(&self, _digest: &Digest) -> Option<Effects> {
        Some(Effects::External)
    }

    fn run(&self, call: Call) -> Pin<Box<dyn Future<Output = Report> + Send>> {
        let outcome = match (call.name.as_str(), &call.operation) {
            ("play.wait", Operation::Run) => {
                Outcome::Waiting(Wait { keys: vec![call.idempotency_key], timeout_ms: 600_000 })
            }
            ("play.busy", Operation::Run) => {
                Outcome::Failed(Failure::new(FailureClass::Retry, "BUSY", "later"))
            }
            _ => Outcome::Done(Map::new()),
        };
        Box::pin(async { Report::new(outcome, Vec::new()) })
    }
}

/// A clock on which the time that someone sleeps for is there as soon as nothing else happens.
#[derive(Clone, Default)]
struct Jumping(Arc<AtomicI64>);

impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }

    fn sleep_until(&self, time: Option<Timestamp>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let now = Arc::clone(&self.0);
        Box::pin(async move {
            let Some(Timestamp(time)) = time else {
                return std::future::pending().await;
            };
            // Whatever else can go on goes first.
            for _ in 0..16 {
                tokio::task::yield_now().await;
            }
            now.fetch_max(time, Ordering::Relaxed);
        })
    }
}

/// A store whose disk fails at a batch.
struct Failing {
    memory: Memory,
    batches: AtomicI64,
}

impl Store for Failing {
    fn append(&self, batch: Batch) -> Appended {
        if self.batches.fetch_sub(1, Ordering::Relaxed) > 0 {
            return self.memory.append(batch);
        }
        let (answer, appended) = Appended::pending();
        let source = "the disk is full".into();
        drop(answer.send(Err(Error::Failed { action: "append", source })));
        appended
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.memory.get(key)
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Fact>, Error> {
        self.memory.scan(scan)
    }

    fn claim(&self) -> Result<crate::store::Epoch, Error> {
        self.memory.claim()
    }

    fn changed(&self) -> tokio::sync::watch::Receiver<u64> {
        self.memory.changed()
    }

    fn settled(&self) -> crate::store::Settled {
        self.memory.settled()
    }
}

fn callback(name: &str) -> Callback {
    Callback { name: name.into(), payload: json!({}) }
}

fn amendment(patch: &Map<String, Value>, expected: Option<u32>) -> Amendment {
    Amendment { resource: "productOrder".into(), patch: patch.clone(), expected }
}

fn begin(store: impl Store) -> (Engine, tokio::task::JoinHandle<Result<(), documents::Error>>) {
    let parts = Parts {
        store: Arc::new(store),
        worker: Arc::new(Plugins),
        clock: Arc::new(Jumping::default()),
        pools: Pools::default(),
        durability: Durability::Shared,
        limits: Limits::default(),
    };
    let (engine, engine_loop) = Engine::begin(parts).unwrap();
    (engine, tokio::spawn(engine_loop.run()))
}

/// An order of one step, and the event that plans it.
fn order(id: &str, step: &str) -> (Fulfilment, Vec<Event>) {
    let plugin = PluginId::new("plugin");
    let mut plan = Plan::default();
    plan.plugins.insert(plugin.clone(), Digest::new("digest"));
    plan.tasks.push(Task {
        item: None,
        step: 0,
        needs: Vec::new(),
        not_before: None,
        work: Work::Do,
    });
    plan.steps.push(PlanStep {
        workflow: "play".into(),
        step: step.into(),
        plugin,
        input: Value::Null,
        timeout_ms: 1_000,
        retry: Retry { attempts: 2, first_ms: 60_000, max_ms: 60_000 },
        on_failure: OnFailure::Hold,
        undo: true,
        point_of_no_return: false,
        milestone: None,
        expected_ms: None,
    });
    let kind = Kind::Run { workflow: "play".into() };
    let fulfilment = Fulfilment::new(FulfilmentId::new(id), kind, json!({}), Timestamp(0));
    (fulfilment, vec![Event::Planned { plan: Arc::new(plan) }])
}

async fn submit(engine: &Engine, id: &str, step: &str) -> Result<Submitted, NotSubmitted> {
    let (fulfilment, events) = order(id, step);
    engine.submit(fulfilment, events, Some("client-key".into()), None).await
}

fn is_complete(fulfilment: Option<Arc<Fulfilment>>) -> bool {
    fulfilment.is_some_and(|fulfilment| *fulfilment.phase() == Phase::Ended(End::Completed, None))
}

#[tokio::test]
async fn an_order_is_on_disk_when_its_submission_is_answered_and_can_be_read_when_it_ended() {
    let store = Memory::new();
    let (engine, running) = begin(store.clone());
    let id = FulfilmentId::new("f");
    assert!(matches!(submit(&engine, "f", "do").await, Ok(Submitted::New(_))));
    assert!(store.get(&crate::keys::journal(&id, 0)).unwrap().is_some());
    assert!(is_complete(engine.ended(&id).await.unwrap()));
    assert!(is_complete(engine.get(&id).await.unwrap()), "it is read from its journal");
    assert!(engine.get(&FulfilmentId::new("g")).await.unwrap().is_none());
    let again = submit(&engine, "g", "do").await;
    assert!(matches!(again, Ok(Submitted::Before(first)) if first == id));
    drop(engine);
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_callback_carries_an_order_on() {
    let (engine, _running) = begin(Memory::new());
    let id = FulfilmentId::new("f");
    submit(&engine, "f", "wait").await.unwrap();
    let mut watch = engine.watch();
    while engine.get(&id).await.unwrap().unwrap().waits().next().is_none() {
        watch.recv().await.unwrap();
    }
    let late = engine.clone();
    let answered = engine.callback(callback("f:0")).await;
    assert_eq!(answered, Ok(Received::Delivered));
    assert!(is_complete(engine.ended(&id).await.unwrap()));
    assert_eq!(late.callback(callback("f:0")).await, Ok(Received::Ignored));
}

#[tokio::test]
async fn time_alone_carries_an_order_on() {
    let (engine, _running) = begin(Memory::new());
    submit(&engine, "f", "busy").await.unwrap();
    let ended = engine.ended(&FulfilmentId::new("f")).await.unwrap();
    assert!(ended.as_ref().unwrap().updated_at() >= Timestamp(30_000), "it waited");
    assert!(is_complete(ended));
    assert_eq!(engine.counters().calls.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn work_begun_before_a_shutdown_is_continued_by_the_next_owner() {
    let store = Memory::new();
    let (engine, running) = begin(store.clone());
    let id = FulfilmentId::new("f");
    submit(&engine, "f", "wait").await.unwrap();
    drop(engine);
    running.await.unwrap().unwrap();
    let (engine, _running) = begin(store);
    let known = engine.get(&id).await.unwrap().unwrap();
    assert!(!known.is_ended(), "{:?}", known.tasks());
    engine.callback(callback("f:0")).await.unwrap();
    assert!(is_complete(engine.ended(&id).await.unwrap()));
}

#[tokio::test]
async fn a_shutdown_waits_for_writes_on_their_way_to_the_disk() {
    let store = Memory::held();
    let (engine, running) = begin(store.clone());
    assert!(store.flush_one(), "the secret of a new store");
    let submitting = tokio::spawn(async move { submit(&engine, "f", "do").await.map(drop) });
    while store.pending() == 0 {
        tokio::task::yield_now().await;
    }
    submitting.abort();
    assert!(submitting.await.unwrap_err().is_cancelled());
    assert!(!running.is_finished(), "it waits for the disk");
    assert!(store.flush_one());
    while !running.is_finished() {
        store.flush_one();
        tokio::task::yield_now().await;
    }
    running.await.unwrap().unwrap();
    assert!(store.get(&crate::keys::open(&FulfilmentId::new("f"))).unwrap().is_some());
}

#[tokio::test]
async fn a_store_that_fails_ends_the_loop_with_an_error_for_each_asker() {
    let store = Failing { memory: Memory::new(), batches: AtomicI64::new(2) };
    let (engine, running) = begin(store);
    submit(&engine, "f", "wait").await.unwrap();
    let asker = engine.clone();
    let asking = tokio::spawn(async move { asker.ended(&FulfilmentId::new("f")).await });
    tokio::task::yield_now().await;
    let told = engine.callback(callback("never")).await;
    assert_eq!(told, Err(AskError::Stopped(Stopped)));
    let stopped = running.await.unwrap();
    assert!(matches!(stopped, Err(documents::Error::Store(Error::Failed { .. }))));
    assert!(matches!(asking.await.unwrap(), Err(ReadError::Ask(AskError::Stopped(Stopped)))));
    assert!(matches!(submit(&engine, "g", "do").await, Err(NotSubmitted::Ask(_))));
}

fn request(id: &str) -> CancelRequest {
    CancelRequest { id: id.into(), reason: Some("moving".into()), requested: None }
}

#[tokio::test]
async fn an_order_is_cancelled_once_and_ends_as_such() {
    let (engine, _running) = begin(Memory::new());
    submit(&engine, "f", "wait").await.unwrap();
    let id = FulfilmentId::new("f");
    engine.cancel(&id, request("c-1")).await.unwrap();
    let again = engine.cancel(&id, request("c-2")).await;
    let before = Refusal::Cancelling { request: "c-1".into() };
    assert!(matches!(again, Err(CancelError::Refused(refusal)) if refusal == before));
    engine.callback(callback("f:0")).await.unwrap();
    let ended = engine.ended(&id).await.unwrap().unwrap();
    assert_eq!(*ended.phase(), Phase::Ended(End::Cancelled, None));
    let late = engine.cancel(&id, request("c-3")).await;
    let last = Refusal::Final { state: "cancelled".into() };
    assert!(matches!(late, Err(CancelError::Refused(refusal)) if refusal == last));
    let unknown = engine.cancel(&FulfilmentId::new("g"), request("c-4")).await;
    assert!(matches!(unknown, Err(CancelError::Unknown(_))));
}

#[tokio::test]
async fn attributes_of_an_order_change_after_its_end_too() {
    let (engine, _running) = begin(Memory::new());
    let id = FulfilmentId::new("f");
    let (fulfilment, events) = product_order("f", "do");
    engine.submit(fulfilment, events, None, None).await.unwrap();
    engine.ended(&id).await.unwrap();
    let patch = |name: &str| json!({ name: "now" }).as_object().cloned().unwrap();
    let (one, two) = (patch("description"), patch("category"));
    let (first, second) = (amendment(&one, None), amendment(&two, None));
    let (first, second) =
        tokio::join!(engine.amend_document(&id, &first), engine.amend_document(&id, &second),);
    assert_eq!(first.unwrap().changed()["description"], "now");
    assert_eq!(second.unwrap().changed()["category"], "now");
    let key = crate::keys::document("productOrder", "f");
    let document = engine.store().get(&key).unwrap().unwrap();
    let document = crate::documents::Document::read(&document).unwrap().body;
    for name in ["description", "category"] {
        assert_eq!(document[name], "now", "both at once are both there");
    }
    let items = json!({ "productOrderItem": [] });
    let refused = engine.amend_document(&id, &amendment(items.as_object().unwrap(), None)).await;
    assert!(matches!(refused, Err(AmendError::Refused(PatchError::Fixed(_)))));
    let unknown = engine.amend_document(&FulfilmentId::new("g"), &amendment(&one, None)).await;
    assert!(matches!(unknown, Err(AmendError::Unknown(_))));
}

#[tokio::test]
async fn of_two_patches_of_what_a_client_read_one_is_taken() {
    let (engine, _running) = begin(Memory::new());
    for (name, step) in [("f", "wait"), ("g", "do")] {
        let id = FulfilmentId::new(name);
        let (fulfilment, events) = product_order(name, step);
        engine.submit(fulfilment, events, None, None).await.unwrap();
        let mut watch = engine.watch();
        let read = loop {
            let read = engine.get(&id).await.unwrap().unwrap();
            if read.is_ended() || read.waits().next().is_some() {
                break read.records();
            }
            watch.recv().await.unwrap();
        };
        let patch = |text: &str| json!({ "description": text }).as_object().cloned().unwrap();
        let (one, two) = (patch("one"), patch("two"));
        let (first, second) = (amendment(&one, Some(read)), amendment(&two, Some(read)));
        let both =
            tokio::join!(engine.amend_document(&id, &first), engine.amend_document(&id, &second),);
        let taken = [&both.0, &both.1].into_iter().filter(|patched| patched.is_ok()).count();
        assert_eq!(taken, 1, "{name}: {both:?}");
        let refused = if both.0.is_err() { both.0 } else { both.1 };
        assert!(matches!(refused, Err(AmendError::Changed)), "{name}: {refused:?}");
    }
}

/// A product order, of one step.
fn product_order(id: &str, step: &str) -> (Fulfilment, Vec<Event>) {
    let (run, events) = order(id, step);
    let document = run.document().clone();
    (Fulfilment::new(run.id().clone(), Kind::ProductOrder, document, Timestamp(0)), events)
}

/// An order of a quote, of one step.
fn order_of_quote(id: &str, step: &str) -> (Fulfilment, Vec<Event>) {
    let (fulfilment, events) = order(id, step);
    let document = json!({ "productOrderItem": [{ "quoteItem": { "quoteId": "Q" } }] });
    let id = fulfilment.id().clone();
    (Fulfilment::new(id, Kind::ProductOrder, document, Timestamp(0)), events)
}

#[tokio::test]
async fn a_quote_is_locked_by_the_commit_that_takes_its_order() {
    let memory = Memory::new();
    let (engine, running) = begin(memory.clone());
    let seen = engine.look().await.unwrap();
    let orders = ["f", "g"].map(|id| order_of_quote(id, "wait"));
    let [f, g] = orders.map(|(order, events)| engine.submit(order, events, None, Some(seen)));
    let (f, g) = tokio::join!(f, g);
    assert!(matches!(f, Ok(Submitted::New(_))));
    assert_eq!(g.err(), Some(NotSubmitted::Ordered(FulfilmentId::new("f"))));
    assert_eq!(memory.get(&crate::keys::quote("Q")).unwrap().unwrap(), b"f");
    drop(engine);
    running.await.unwrap().unwrap();

    let (engine, _running) = begin(memory.clone());
    let (order, events) = order_of_quote("g", "do");
    let again = engine.submit(order, events, None, None).await;
    assert_eq!(again.err(), Some(NotSubmitted::Ordered(FulfilmentId::new("f"))));
}

#[tokio::test]
async fn an_order_of_a_quote_that_was_ordered_since_it_was_looked_at_is_refused() {
    let memory = Memory::new();
    let (engine, _running) = begin(memory.clone());
    let before = engine.look().await.unwrap();
    let (first, events) = order_of_quote("f", "do");
    engine.submit(first, events, None, Some(before)).await.unwrap();
    engine.ended(&FulfilmentId::new("f")).await.unwrap();
    let (second, events) = order_of_quote("g", "do");
    let second = engine.submit(second, events, None, Some(before)).await;
    assert_eq!(second.err(), Some(NotSubmitted::Stale));

    // One that is rejected orders nothing.
    let failure = Failure::new(FailureClass::Reject, "NO", "no");
    let (third, _) = order_of_quote("h", "do");
    engine.submit(third, vec![Event::Rejected { failure }], None, Some(before)).await.unwrap();
    assert_eq!(memory.get(&crate::keys::quote("Q")).unwrap().unwrap(), b"f");
}

#[tokio::test]
async fn a_write_of_what_was_changed_since_is_stale_and_the_engine_goes_on() {
    use crate::core::Unless;
    use crate::documents::{Change, Expected};
    let (engine, _running) = begin(Memory::new());
    let set = Put::set("product", "p".to_string(), json!({ "id": "p" }));
    engine.write(vec![set]).await.unwrap();
    let remove = |revision| {
        vec![Put::new("product", "p".to_string(), Change::Remove, Expected::Revision(revision))]
    };
    let refused = engine.write_unless(Unless::default(), remove(7)).await;
    assert_eq!(refused, Err(NotWritten::Stale));
    engine.write_unless(Unless::default(), remove(1)).await.unwrap();
    assert_eq!(engine.store().get(&crate::keys::document("product", "p")).unwrap(), None);

    submit(&engine, "f", "wait").await.unwrap();
    let f = FulfilmentId::new("f");
    let unless = Unless { open: vec![f.clone()], locked: Vec::new() };
    assert_eq!(engine.write_unless(unless, remove(1)).await, Err(NotWritten::Locked(f)));
}
