//! Events on their way to receivers that answer as they are told.

mod receiver;
mod removed;

use std::pin::Pin;
use std::time::Duration;

use engine::clock::System;
use engine::pools::Pools;
use engine::store::{Memory, Store as _};
use engine::worker::{Call, Effects, Report, Resolved, Worker};
use engine::{Durability, Parts};
use model::{Digest, Outcome, PluginId};
use serde_json::json;
use tmf::subscription::{Keep, Patience, Pause, Standing, Version};
use tokio::sync::watch;

use super::*;
use crate::access::{Identity, Owners, Proof, RoleName, Roles};
use crate::http::permits;
use receiver::Receiver;

/// Whatever a test waits for has happened by then.
const DEADLINE: Duration = Duration::from_secs(30);

/// There are no plugins here.
struct NoWorker;

impl Worker for NoWorker {
    fn resolve(&self, _: &PluginId) -> Option<Resolved> {
        None
    }

    fn effects(&self, _: &Digest) -> Option<Effects> {
        None
    }

    fn run(&self, _: Call) -> Pin<Box<dyn Future<Output = Report> + Send>> {
        let outcome = Outcome::Done(serde_json::Map::new());
        Box::pin(async { Report::new(outcome, Vec::new()) })
    }
}

/// Events over a store in memory, with or without workers.
struct Bench {
    events: Events,
    store: Memory,
    stop: watch::Sender<bool>,
}

fn settings() -> Settings {
    let guard = Guard::new(Vec::new(), "127.0.0.1:1".parse().unwrap());
    let mut settings = Settings::new("http://ferrule.example/", guard);
    settings.patience = Patience {
        attempts_max: 3,
        pause_ms_min: 2,
        pause_ms_max: 8,
        silence_ms_max: 60_000,
        dead_max: 10,
    };
    settings
}

fn open(store: &Memory, settings: Settings) -> Bench {
    let clock = Arc::new(System::default());
    let parts = Parts {
        store: Arc::new(store.clone()),
        worker: Arc::new(NoWorker),
        clock: Arc::clone(&clock) as _,
        pools: Pools::default(),
        durability: Durability::Shared,
        limits: engine::Limits::default(),
    };
    let (engine, engine_loop) = Engine::begin(parts).unwrap();
    tokio::spawn(engine_loop.run());
    let events = Events::open(Documents::new(engine), clock, settings).unwrap();
    Bench { events, store: store.clone(), stop: watch::Sender::new(false) }
}

fn running(store: &Memory, settings: Settings) -> Bench {
    let bench = open(store, settings);
    let mut stopped = bench.stop.subscribe();
    tokio::spawn(bench.events.clone().run(async move {
        stopped.wait_for(|stopped| *stopped).await.ok();
    }));
    bench
}

impl Bench {
    async fn customer(&self, id: &str, status: &str) {
        let body = json!({ "id": id, "name": "Ann", "status": status });
        let engine = self.events.engine();
        engine.write(vec![Put::set("customer", id, body)]).await.unwrap();
    }

    async fn customers(&self, ids: std::ops::Range<usize>) {
        for id in ids {
            self.customer(&id.to_string(), "new").await;
        }
    }

    async fn subscribe(&self, api: u16, input: Value) -> Arc<Subscriber> {
        let source = Source::Api { number: api, version: Version::V4 };
        self.events.subscribe(source, &input, None).await.unwrap()
    }

    async fn until(&self, subscriber: &Subscriber, holds: impl Fn(&Progress) -> bool) -> Progress {
        let looking = async {
            loop {
                let progress = subscriber.progress();
                if holds(&progress) {
                    return progress;
                }
                tokio::task::yield_now().await;
            }
        };
        let found = tokio::time::timeout(DEADLINE, looking).await;
        found.unwrap_or_else(|_| panic!("waited too long: {:?}", subscriber.progress()))
    }
}

fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|id| id.to_string()).collect()
}

#[tokio::test]
async fn events_come_in_order_to_each_subscriber_even_if_another_is_slow_or_away() {
    let bench = running(&Memory::new(), settings());
    let (fast, slow, away) =
        (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    slow.hold();
    away.answer_all(503);
    for receiver in [&fast, &slow, &away] {
        bench.subscribe(629, json!({ "callback": receiver.url("/in") })).await;
    }
    bench.customers(0..50).await;
    assert_eq!(fast.customers(50).await, ids(0..50));
    assert_eq!(slow.seen().len(), 0);
    slow.release();
    assert_eq!(slow.customers(50).await, ids(0..50));
}

#[tokio::test]
async fn a_hub_hears_of_its_own_api_from_then_on() {
    let bench = running(&Memory::new(), settings());
    bench.customers(0..3).await;
    let (customers, orders) = (Receiver::start().await, Receiver::start().await);
    let query = "event.customer.status=gone";
    let input = json!({ "callback": customers.url("/x/listener"), "query": query });
    bench.subscribe(629, input).await;
    let other = bench.subscribe(622, json!({ "callback": orders.url("") })).await;
    bench.customer("1", "here").await;
    bench.customer("2", "gone").await;
    let seen = customers.until(1).await;
    assert_eq!(seen[0].0, "/x/listener/customerStateChangeEvent");
    assert_eq!(seen[0].1["event"]["customer"]["id"], "2");
    bench.until(&other, |progress| progress.next == 5).await;
    assert!(orders.seen().is_empty());
}

#[tokio::test]
async fn a_refused_event_comes_again_in_its_place() {
    let bench = running(&Memory::new(), settings());
    let receiver = Receiver::start().await;
    receiver.answer_next(&[500, 302, 200, 503]);
    let subscriber = bench.subscribe(629, json!({ "callback": receiver.url("") })).await;
    bench.customers(0..3).await;
    let progress = bench.until(&subscriber, |progress| progress.delivered == 3).await;
    assert_eq!((progress.dead, progress.failing_since), (0, None));
    let sent: Vec<_> = receiver.seen().iter().map(|(_, body)| body["eventId"].clone()).collect();
    assert_eq!(sent, ["0", "0", "0", "1", "1", "2"]);
}

#[tokio::test]
async fn undelivered_events_are_kept_and_can_be_sent_again() {
    let bench = running(&Memory::new(), settings());
    let receiver = Receiver::start().await;
    // The first is gone for good, the second is refused as often as it is tried.
    receiver.answer_next(&[410, 500, 500, 500]);
    let subscriber = bench.subscribe(629, json!({ "callback": receiver.url("") })).await;
    bench.customers(0..3).await;
    bench.until(&subscriber, |progress| progress.delivered == 1).await;
    let id = &subscriber.subscription.id;
    let dead = bench.events.dead_letters(id, None, 10).await.unwrap();
    let reasons: Vec<_> = dead.iter().map(|letter| (letter.sequence, &*letter.reason)).collect();
    let expected = [(0, "answered 410 Gone"), (1, "answered 500 Internal Server Error")];
    assert_eq!(reasons, expected);
    receiver.answer_next(&[500]);
    let refused = bench.events.retry(&subscriber, 0).await.unwrap();
    assert_eq!(refused, Retried::Refused("answered 500 Internal Server Error".into()));
    assert_eq!(bench.events.retry(&subscriber, 0).await.unwrap(), Retried::Taken);
    assert_eq!(bench.events.retry(&subscriber, 0).await.unwrap(), Retried::Unknown);
    assert!(bench.events.forget(&subscriber, 1).await.unwrap());
    assert!(bench.events.dead_letters(id, None, 10).await.unwrap().is_empty());
    assert_eq!(subscriber.progress().dead, 0);
}

#[tokio::test]
async fn who_is_silent_for_long_is_paused_and_misses_nothing() {
    let mut settings = settings();
    settings.patience.silence_ms_max = 1;
    let bench = running(&Memory::new(), settings);
    let receiver = Receiver::start().await;
    receiver.answer_all(503);
    let subscriber = bench.subscribe(629, json!({ "callback": receiver.url("") })).await;
    bench.customers(0..2).await;
    let progress = bench.until(&subscriber, |progress| !progress.is_active()).await;
    assert_eq!((progress.standing, progress.next), (Standing::Paused(Pause::Silent), 0));
    receiver.answer_all(204);
    bench.events.resume(&subscriber).await.unwrap();
    bench.until(&subscriber, |progress| progress.delivered == 2).await;
    assert_eq!(subscriber.progress().dead, 0);
}

#[tokio::test]
async fn a_subscription_is_paused_and_replayed_as_asked() {
    let bench = running(&Memory::new(), settings());
    let receiver = Receiver::start().await;
    let subscriber = bench.subscribe(629, json!({ "callback": receiver.url("") })).await;
    bench.customers(0..2).await;
    receiver.until(2).await;
    bench.events.pause(&subscriber).await.unwrap();
    bench.customers(2..4).await;
    bench.events.replay(&subscriber, 1).await.unwrap();
    assert_eq!(receiver.seen().len(), 2);
    bench.events.resume(&subscriber).await.unwrap();
    receiver.until(5).await;
    assert_eq!(receiver.customers(5).await, ["0", "1", "1", "2", "3"]);
}

#[tokio::test]
async fn after_a_crash_delivery_goes_on_where_it_was() {
    let store = Memory::new();
    let bench = running(&store, settings());
    let receiver = Receiver::start().await;
    let subscriber = bench.subscribe(629, json!({ "callback": receiver.url("") })).await;
    bench.customers(0..5).await;
    bench.until(&subscriber, |progress| progress.delivered == 5).await;
    receiver.answer_all(503);
    bench.customers(5..7).await;
    // The first life is still there, as a process is until it is gone; the second fences it out.
    let again = running(&store, settings());
    bench.stop.send_replace(true);
    receiver.answer_all(200);
    let found = again.events.get(&subscriber.subscription.id).unwrap();
    again.until(&found, |progress| progress.next == 7).await;
    let mut seen = receiver.customers(7).await;
    // The last may have come twice, and nothing out of order.
    seen.dedup();
    assert_eq!(seen.iter().filter(|id| **id == "0").count(), 1);
    let firsts: BTreeMap<_, _> =
        seen.iter().enumerate().rev().map(|(place, id)| (id.clone(), place)).collect();
    let mut places: Vec<_> = firsts.into_iter().map(|(id, place)| (place, id)).collect();
    places.sort();
    assert_eq!(places.into_iter().map(|(_, id)| id).collect::<Vec<_>>(), ids(0..7));
}

#[tokio::test]
async fn no_subscriber_hears_of_events_that_are_not_on_disk() {
    let store = Memory::held();
    let bench = running(&store, settings());
    assert!(store.flush_one(), "the secret of a new store");
    let receiver = Receiver::start().await;
    let input = json!({ "callback": receiver.url("") });
    let source = Source::Api { number: 629, version: Version::V4 };
    let taking = bench.events.subscribe(source, &input, None);
    let flushing = async {
        while !store.flush_one() {
            tokio::task::yield_now().await;
        }
    };
    let (taken, ()) = tokio::join!(taking, flushing);
    taken.unwrap();
    let engine = bench.events.engine().clone();
    let body = json!({ "id": "1", "name": "Ann" });
    tokio::spawn(async move { engine.write(vec![Put::set("customer", "1", body)]).await });
    while store.pending() == 0 {
        tokio::task::yield_now().await;
    }
    // It is read, and may be undone: what was written before has to be on disk first.
    assert!(store.flush_one());
    while store.pending() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(receiver.seen().is_empty());
    while store.flush_one() {}
    receiver.until(1).await;
}

#[tokio::test]
async fn the_same_subscription_is_taken_once_and_forgotten_whole() {
    let bench = running(&Memory::new(), settings());
    let receiver = Receiver::start().await;
    receiver.answer_all(410);
    let input = json!({ "callback": receiver.url("") });
    let subscriber = bench.subscribe(629, input.clone()).await;
    let source = subscriber.subscription.source.clone();
    let again = bench.events.subscribe(source, &input, None).await;
    assert!(matches!(again, Err(SubscribeError::Known { .. })));
    bench.customers(0..2).await;
    bench.until(&subscriber, |progress| progress.dead == 2).await;
    let id = subscriber.subscription.id.clone();
    assert!(bench.events.unsubscribe(&id).await.unwrap());
    assert!(!bench.events.unsubscribe(&id).await.unwrap());
    for prefix in ["u/", "x/", "d/subscription/"] {
        assert!(bench.store.scan(&Scan::prefix(prefix, 9)).unwrap().is_empty(), "{prefix}");
    }
}

#[tokio::test]
async fn callbacks_to_forbidden_addresses_are_refused() {
    let bench = open(&Memory::new(), settings());
    for callback in ["http://169.254.169.254/", "http://10.0.0.1/", "http://127.0.0.1:1/"] {
        let source = Source::Api { number: 622, version: Version::V4 };
        let taken = bench.events.subscribe(source, &json!({ "callback": callback }), None).await;
        assert!(matches!(taken, Err(SubscribeError::Forbidden(_))), "{callback}");
    }
    assert!(bench.events.all().is_empty());
}

#[tokio::test]
async fn events_are_removed_when_no_subscriber_waits_and_never_more_than_the_limit_is_kept() {
    let mut settings = settings();
    settings.keep = Keep { count: 2, age_ms: u64::MAX, count_max: 6 };
    let store = Memory::new();
    let bench = open(&store, settings.clone());
    bench.customers(0..5).await;
    assert_eq!(bench.events.remove_expired().await.unwrap(), 3);
    // The next look begins behind them.
    assert_eq!(bench.events.0.outbox.removed(), 3);
    let receiver = Receiver::start().await;
    let subscriber = bench.subscribe(629, json!({ "callback": receiver.url("") })).await;
    // Someone waits now, though no worker runs.
    bench.customers(5..9).await;
    assert_eq!(bench.events.remove_expired().await.unwrap(), 2);
    bench.customers(9..15).await;
    assert_eq!(bench.events.remove_expired().await.unwrap(), 4);
    assert_eq!(bench.events.0.outbox.removed(), 9);
    let bench = running(&store, settings);
    let found = bench.events.get(&subscriber.subscription.id).unwrap();
    let progress = bench.until(&found, |progress| progress.next == 15).await;
    assert_eq!((progress.delivered, progress.missed), (6, 4));
    assert_eq!(receiver.customers(6).await, ids(9..15));
    // Numbers go on, and are not given again.
    assert_eq!(bench.events.end().await.unwrap(), 15);
}

#[tokio::test]
async fn one_identity_leaves_room_for_the_subscriptions_of_others() {
    let store = Memory::new();
    let bench = open(&store, settings());
    let source = Source::Api { number: 629, version: Version::V4 };
    let subscribe = async |at: usize, owner: Option<&Arc<Identity>>| {
        let input = json!({ "callback": format!("http://127.0.0.1:9/{at}") });
        bench.events.subscribe(source.clone(), &input, owner).await
    };
    let (own, other) = (dealer("a"), dealer("b"));
    for at in 0..SUBSCRIPTIONS_OF_ONE_MAX {
        subscribe(at, Some(&own)).await.unwrap();
    }
    let refused = subscribe(1_000, Some(&own)).await;
    assert!(matches!(refused, Err(SubscribeError::TooManyOfOne)), "{refused:?}");
    assert!(subscribe(1_000, Some(&other)).await.is_ok());
    // Without access there is no one to tell apart.
    for at in 0..=SUBSCRIPTIONS_OF_ONE_MAX {
        subscribe(at, None).await.unwrap();
    }
}

/// The roles with one that reads the customers whose ids begin with a claim.
fn roles() -> Roles {
    let text = r#"[dealer]
        allow = [{ api = "TMF629", verbs = ["read"], when = "document.id.startsWith(identity.claims.dealer)" }]"#;
    Roles::new(&toml::from_str(text).unwrap(), &permits::permissions()).unwrap()
}

fn dealer(name: &str) -> Arc<Identity> {
    Arc::new(Identity {
        subject: name.into(),
        proof: Proof::Token { issuer: "test".into() },
        roles: [RoleName::new("dealer")].into(),
        claims: [("dealer".to_owned(), json!(name))].into(),
        ..Identity::local()
    })
}

#[tokio::test]
async fn a_subscriber_gets_the_events_that_its_owner_may_read_now() {
    let store = Memory::new();
    let known = permits::permissions();
    let bench = running(&store, settings().with_owners(Owners::new(roles()), known.clone()));
    let (own, other, all) =
        (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    let source = Source::Api { number: 629, version: Version::V4 };
    for (receiver, owner) in [(&own, Some(dealer("a"))), (&other, Some(dealer("b"))), (&all, None)]
    {
        let input = json!({ "callback": receiver.url("") });
        bench.events.subscribe(source.clone(), &input, owner.as_ref()).await.unwrap();
    }
    for id in ["b1", "a1", "c1", "a2"] {
        bench.customer(id, "new").await;
    }
    assert_eq!(all.customers(4).await, ["b1", "a1", "c1", "a2"]);
    assert_eq!(own.customers(2).await, ["a1", "a2"]);
    assert_eq!(other.customers(1).await, ["b1"]);
    assert_eq!((own.seen().len(), other.seen().len()), (2, 1));
    // The owners are there again after a restart.
    let again = open(&store, settings().with_owners(Owners::new(roles()), known));
    let owners: Vec<bool> = again.events.all().iter().map(|one| one.is_of(&dealer("a"))).collect();
    assert_eq!(owners, [true, false, false]);
    // Without the role, nothing is left to deliver.
    let nothing = open(&store, settings());
    let reader = nothing.events.all()[0].reader(&Owners::default());
    assert!(!reader.sees("customer", &json!({ "id": "a1" })));
}

#[tokio::test]
async fn an_event_of_a_document_that_was_hidden_then_is_passed_over() {
    let text = r#"[dealer]
        allow = [{ api = "TMF629", verbs = ["read"], when = "document.status == identity.claims.dealer" }]"#;
    let roles = Roles::new(&toml::from_str(text).unwrap(), &permits::permissions()).unwrap();
    let store = Memory::new();
    let known = permits::permissions();
    let bench = running(&store, settings().with_owners(Owners::new(roles), known));
    let (own, all) = (Receiver::start().await, Receiver::start().await);
    let source = Source::Api { number: 629, version: Version::V4 };
    let mut subscribers = Vec::new();
    for (receiver, owner) in [(&own, Some(dealer("a"))), (&all, None)] {
        let input = json!({ "callback": receiver.url("") });
        let subscribed = bench.events.subscribe(source.clone(), &input, owner.as_ref()).await;
        subscribers.push(subscribed.unwrap());
    }
    // A late delivery is judged by the document as it is then, and as it was.
    bench.events.pause(&subscribers[0]).await.unwrap();
    let engine = bench.events.engine();
    for (id, statuses) in [("1", ["b", "b", "a", "a"]), ("2", ["a", "a", "a", "a"])] {
        for (at, status) in (0..).zip(statuses) {
            let body = json!({ "id": id, "name": format!("{id}{at}{status}"), "status": status });
            let change = async || engine.write(vec![Put::set("customer", id, &body)]).await;
            // Each change has a time of its own.
            let before = engine.now();
            while engine.now() == before {
                tokio::task::yield_now().await;
            }
            change().await.unwrap();
        }
    }
    let names = |receiver: &Receiver| -> Vec<String> {
        let seen = receiver.seen();
        let shown = seen.iter().map(|(_, event)| event["event"]["customer"]["name"].clone());
        shown.filter_map(|name| Some(name.as_str()?.to_owned())).collect()
    };
    bench.events.resume(&subscribers[0]).await.unwrap();
    let end = bench.events.end().await.unwrap();
    bench.until(&subscribers[0], |progress| progress.next == end).await;
    bench.until(&subscribers[1], |progress| progress.next == end).await;
    let (seen, whole) = (names(&own), names(&all));
    assert!(whole.contains(&"10b".to_owned()) && whole.contains(&"11b".to_owned()), "{whole:?}");
    let expected: Vec<String> = whole.into_iter().filter(|name| name.ends_with('a')).collect();
    assert_eq!(seen, expected);
    assert!(expected.contains(&"13a".to_owned()) && expected.contains(&"20a".to_owned()));
}
