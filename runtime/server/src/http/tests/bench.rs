//! What the tests of the router share: a router with what is behind it, and a way to ask it.

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use engine::clock::{Clock, System};
use engine::keys;
use engine::pools::Pools;
use engine::store::{Memory, Scan, Store};
use engine::telemetry::{Exchange, Exchanges, Figures, Message, Telemetry};
use engine::worker::{Call, Effects, Operation, Report, Resolved, Worker};
use engine::{Durability, Engine, Parts, Submitted};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use model::plan::{OnFailure, Retry, Step, Task, Work};
use model::{Digest, Event, Fulfilment, FulfilmentId, Kind, Outcome, Plan, PluginId, TaskId, Wait};
use serde_json::{Map, Value, json};
use tmf::time::Timestamp;

use super::super::{Limits, router};
use super::off_thread::{OffThread, Watched};
use crate::access::{Access, Owners, Roles};
use crate::events::{Events, Guard, Settings};
use crate::plugins::Plugins;
use crate::services::Services;
use crate::settings::BillingSettings;

/// The largest body that the router under test takes.
pub(super) const BODY_BYTES_MAX: usize = 64 << 10;

/// What the router under test goes by.
pub(super) const LIMITS: Limits =
    Limits { body_bytes_max: BODY_BYTES_MAX, bodies_mib: 1, exports: 2 };

pub(super) struct Bench {
    pub(super) services: Services,
    pub(super) events: Events,
    pub(super) store: Memory,
    /// The reads of the store on the thread of the runtime.
    pub(super) watch: Watched,
    clock: Arc<dyn Clock>,
    service: TowerToHyperService<Router>,
    /// How many facts the catalogs of the packs make.
    facts: usize,
    _cache: tempfile::TempDir,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Waits for a callback under `answer:<task>`, and is done when it comes.
struct Patient;

impl Worker for Patient {
    fn resolve(&self, _: &PluginId) -> Option<Resolved> {
        None
    }

    fn effects(&self, _: &Digest) -> Option<Effects> {
        Some(Effects::External)
    }

    fn run(&self, call: Call) -> Pin<Box<dyn Future<Output = Report> + Send>> {
        let telemetry = Some(telemetry(call.operation.name()));
        let outcome = match call.operation {
            Operation::Resume { payload } | Operation::ResumeUndo { payload } => {
                Outcome::Done(Map::from_iter([("answered".into(), payload)]))
            }
            Operation::Run | Operation::Recover | Operation::Undo { .. } | Operation::Reapply => {
                let keys = vec![format!("answer/{}", call.task)];
                Outcome::Waiting(Wait { keys, timeout_ms: 600_000 })
            }
        };
        let log = vec!["called".into()];
        Box::pin(std::future::ready(Report { outcome, log, telemetry, scratch: None }))
    }
}

/// What a call measured that sent one request.
fn telemetry(operation: &str) -> Telemetry {
    let figures = Figures { operation: operation.into(), took_us: 5, ..Figures::default() };
    let exchange = Exchange {
        after_us: 1,
        took_us: 2,
        method: "PUT".into(),
        url: "http://olt-1/ports/1".into(),
        request: Message::default(),
        status: Some(202),
        answer: Some(Message::default()),
        failure: None,
    };
    Telemetry {
        figures,
        exchanges: Exchanges { kept: vec![exchange], dropped: 0 },
        sent: Vec::new(),
    }
}

/// A clock that stands until a test moves its hands.
pub(super) struct Hands(AtomicI64);

impl Hands {
    pub(super) fn set(&self, time: &str) {
        self.0.store(Timestamp::parse(time).unwrap().0, Ordering::Relaxed);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }

    fn sleep_until(&self, _: Option<Timestamp>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::pending())
    }
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::on(Memory::new())
    }

    /// A server that begins with what is in a store.
    pub(super) fn on(store: Memory) -> Self {
        Self::over(store.clone(), Arc::new(store))
    }

    /// The same over a store that is another's front.
    pub(super) fn over(store: Memory, shared: Arc<dyn Store>) -> Self {
        Self::with(store, shared, Arc::new(System::default()))
    }

    /// A server whose clock a test puts forward.
    pub(super) fn at(time: &str) -> (Self, Arc<Hands>) {
        let hands = Arc::new(Hands(AtomicI64::new(0)));
        hands.set(time);
        let store = Memory::new();
        (Self::with(store.clone(), Arc::new(store), Arc::clone(&hands) as Arc<dyn Clock>), hands)
    }

    fn with(store: Memory, shared: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let (shared, watch) = OffThread::new(shared);
        let open = Arc::clone(&clock);
        let Behind { services, events, cache } = behind(Arc::new(shared), None, open);
        let router = router(services.clone(), events.clone(), LIMITS, Access::default());
        let service = TowerToHyperService::new(router);
        let facts = facts(&store);
        watch.begin();
        Self { services, events, store, watch, clock, service, facts, _cache: cache }
    }

    /// The same server as an operator has set it up who bills in a way of their own.
    pub(super) fn with_commerce(self, commerce: BillingSettings) -> Self {
        let Services { engine, plugins, rulebooks, .. } = self.services;
        let rulebook = Arc::unwrap_or_clone(rulebooks.current());
        let services = Services::new(engine, plugins, rulebook, commerce);
        let router = router(services.clone(), self.events.clone(), LIMITS, Access::default());
        Self { services, service: TowerToHyperService::new(router), ..self }
    }

    /// The same server as an operator has set it up who lets in known clients only.
    pub(super) fn with_access(self, access: Access) -> Self {
        let roles = access.roles().clone();
        // The store is not read on the thread of the runtime.
        let open = || events(&self.services, &self.clock, roles);
        let events = std::thread::scope(|threads| threads.spawn(open).join().unwrap());
        let router = router(self.services.clone(), events.clone(), LIMITS, access);
        Self { events, service: TowerToHyperService::new(router), ..self }
    }

    /// Puts a run with this many tasks, side by side, into the engine, under a client's key.
    pub(super) async fn run(&self, tasks: usize, key: &str) -> FulfilmentId {
        let step = Step {
            workflow: "six-steps".into(),
            step: "s1".into(),
            plugin: PluginId::new("patient"),
            input: json!({}),
            timeout_ms: 1_000,
            retry: Retry { attempts: 1, first_ms: 1, max_ms: 1 },
            on_failure: OnFailure::Hold,
            undo: false,
            point_of_no_return: false,
            milestone: None,
            expected_ms: None,
        };
        let task =
            Task { item: None, step: 0, needs: Vec::new(), not_before: None, work: Work::Do };
        let digest = Digest::of(b"patient");
        let plan = Plan {
            plugins: [(PluginId::new("patient"), digest)].into(),
            steps: vec![step],
            tasks: vec![task; tasks],
            ..Plan::default()
        };
        plan.check().unwrap();
        let kind = Kind::Run { workflow: "six-steps".into() };
        let id = FulfilmentId::new(format!("run-{key}"));
        let fulfilment = Fulfilment::new(id.clone(), kind, json!({}), Timestamp(1_000));
        let events = vec![Event::Planned { plan: Arc::new(plan) }];
        let key = Some(format!("run/six-steps/{key}"));
        match self.services.engine.submit(fulfilment, events, key, None).await.unwrap() {
            Submitted::New(_) => {}
            Submitted::Before(_) => panic!("the key was used before"),
        }
        id
    }

    /// Waits until a task has asked its element, which the watcher then shows.
    pub(super) async fn waiting(&self, id: &FulfilmentId) {
        let mut watch = self.services.engine.watch();
        loop {
            let now = self.services.engine.get(id).await.unwrap().unwrap();
            if now.tasks()[TaskId(0).index()].name() == "waiting" {
                return;
            }
            watch.recv().await.ok();
        }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path}"), &[], Body::empty()).await
    }

    pub(super) async fn patch(&self, path: &str, changes: &Value) -> Answer {
        let headers = [("content-type", "application/merge-patch+json")];
        self.send(&format!("PATCH {path}"), &headers, Body::from(changes.to_string())).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(&format!("POST {path}"), &headers, Body::from(body.to_string())).await
    }

    /// Sends a request to the end of its answer.
    pub(super) async fn send(&self, line: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let response = self.open(line, headers, body).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answer { status, headers, text, body }
    }

    /// Sends a request to the beginning of its answer.
    pub(super) async fn open(&self, line: &str, headers: &[(&str, &str)], body: Body) -> Response {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "127.0.0.1:8080");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(request.body(body).unwrap()).await
    }

    /// Answers a request as a connection passes it on.
    pub(super) async fn answer(&self, request: Request) -> Response {
        self.service.call(request).await.unwrap()
    }

    /// All facts of the store.
    pub(super) fn store_facts(&self) -> Vec<engine::store::Fact> {
        self.store.scan(&Scan::prefix(Vec::new(), usize::MAX)).unwrap()
    }

    /// How many facts the store has got since the start.
    pub(super) fn facts(&self) -> usize {
        facts(&self.store) - self.facts
    }
}

/// What is behind a router, for one tenant.
pub(super) struct Behind {
    pub(super) services: Services,
    pub(super) events: Events,
    cache: tempfile::TempDir,
}

/// Starts what is behind a router, beside the host of another tenant if there is one.
pub(super) fn behind(
    store: Arc<dyn Store>,
    beside: Option<&host::Host>,
    clock: Arc<dyn Clock>,
) -> Behind {
    let cache = tempfile::tempdir().unwrap();
    let options = host::Options::new(Arc::clone(&store), Pools::default(), cache.path());
    let host = match beside {
        Some(first) => first.for_tenant(options).unwrap(),
        None => host::Host::new(options).unwrap(),
    };
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows");
    let rulebook = crate::packs::read_all(&packs).unwrap();
    let nothing = |_: &str, _: &str| Ok::<_, engine::documents::Error>(None);
    let documents = crate::packs::documents(&rulebook, Timestamp(0), nothing).unwrap();
    let (epoch, at) = (store.claim().unwrap(), Timestamp(0));
    drop(store.append(engine::documents::batch(epoch, at, Vec::new(), documents)));
    let of_events = Arc::clone(&clock);
    let parts = Parts {
        store,
        worker: Arc::new(Patient),
        clock,
        pools: Pools::default(),
        durability: Durability::Shared,
        limits: engine::Limits::default(),
    };
    let (engine, engine_loop) = Engine::begin(parts).unwrap();
    tokio::spawn(engine_loop.run());
    let settings = BillingSettings::default();
    let services = Services::new(engine, Plugins::new(host), rulebook, settings);
    let events = events(&services, &of_events, Roles::default());
    Behind { services, events, cache }
}

fn events(services: &Services, clock: &Arc<dyn Clock>, roles: Roles) -> Events {
    let own = SocketAddr::from(([127, 0, 0, 1], 8080));
    let mut settings = Settings::new("http://127.0.0.1:8080", Guard::new(Vec::new(), own));
    settings.owners = Owners::new(roles);
    Events::open(services.documents.clone(), Arc::clone(clock), settings).unwrap()
}

fn facts(store: &Memory) -> usize {
    let mut facts = store.scan(&Scan::prefix(Vec::new(), usize::MAX)).unwrap();
    // Without the entries of the audit, which have tests of their own.
    facts.retain(|(key, _)| !key.starts_with(keys::AUDIT) && key != keys::AUDIT_HEAD);
    facts.len()
}

/// The smallest product order.
pub(super) fn order(external_id: &str) -> Value {
    json!({
        "externalId": external_id,
        "productOrderItem": [{
            "id": "1",
            "action": "add",
            "productOffering": { "id": "PO-SF200H" },
            "product": { "place": [{ "id": "ADDR-1", "role": "installation" }] },
        }],
        "relatedParty": [{ "id": "CUST-1", "role": "Customer", "@referredType": "Customer" }],
    })
}
