//! A server in memory, in which every step succeeds at once: what an order leaves, so that another
//! can be planned about it. No plugin is called.

use std::pin::Pin;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use engine::clock::{Clock, System};
use engine::pools::Pools;
use engine::store::{Memory, Store as _};
use engine::worker::{Call, Effects, Operation, Report, Resolved, Worker};
use engine::{Durability, Engine, Parts};
use host::{Host, Options};
use model::{
    Digest, Event, Failure, FailureClass, FailureCode, Fulfilment, FulfilmentId, Kind, Outcome,
    Plan, PluginId, PoolId, Rulebook,
};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tmf::time::Timestamp;

use server::documents::Documents;
use server::orders::{Orders, Requested};
use server::packs;
use server::plugins::Plugins;
use server::rulebooks::Rulebooks;
use server::settings::BillingSettings;

/// The end of all waiting for a date, 2200-01-01: what is to be done later is done now.
const LATER: Timestamp = Timestamp(7_258_118_400_000);

/// A server in memory.
pub(super) struct Rehearsal {
    orders: Orders,
    engine: Engine,
    /// The folder of compiled plugins, removed when this is dropped.
    _cache: TempDir,
}

impl Rehearsal {
    /// A server with these packs, in which nothing was ordered yet.
    pub(super) fn new(rulebook: Rulebook) -> Result<Self> {
        let store = Arc::new(Memory::default());
        let pools = Pools::default();
        rulebook.pools().for_each(|pool| pools.define(pool.clone()));
        let cache = tempfile::Builder::new().prefix("ferrule-rehearsal-").tempdir()?;
        let host = Host::new(Options::new(store.clone(), pools.clone(), cache.path()))?;
        let nothing = |_: &str, _: &str| Ok::<_, engine::documents::Error>(None);
        let documents = packs::documents(&rulebook, Timestamp(0), nothing)?;
        let epoch = store.claim()?;
        drop(store.append(engine::documents::batch(epoch, Timestamp(0), Vec::new(), documents)));
        let parts = Parts {
            store,
            worker: Arc::new(Willing { pools: pools.clone() }),
            clock: Arc::new(Late),
            pools,
            durability: Durability::Shared,
            limits: engine::Limits::default(),
        };
        let (engine, engine_loop) = Engine::begin(parts)?;
        tokio::spawn(engine_loop.run());
        let rulebooks = Rulebooks::new(rulebook, &BillingSettings::default());
        let (plugins, documents) = (Plugins::new(host), Documents::new(engine.clone()));
        let orders = Orders::new(plugins, rulebooks, documents);
        Ok(Self { orders, engine, _cache: cache })
    }

    /// The plan of an order, as things are.
    pub(super) async fn plan(&self, document: &Arc<Value>) -> Result<Plan> {
        let now = System::default().now();
        let requested = Arc::new(Requested::read(&kind(document), document, now)?);
        match self.orders.decomposed(&requested).await? {
            Ok(plan) => Ok(plan),
            Err(failure) => bail!("{}: {}", failure.code, failure.message),
        }
    }

    /// Carries an order out under an id.
    pub(super) async fn complete(&self, id: &str, document: Arc<Value>) -> Result<()> {
        let mut plan = self.plan(&document).await?;
        let plugins = plan.steps.iter().map(|step| &step.plugin);
        plan.plugins = plugins.map(|id| (id.clone(), digest(id))).collect();
        let id = FulfilmentId::new(id);
        let now = System::default().now();
        let fulfilment = Fulfilment::new(id.clone(), kind(&document), document, now);
        let planned = Event::Planned { plan: Arc::new(plan) };
        let mut watch = self.engine.watch();
        self.engine
            .submit(fulfilment, vec![planned], None, None)
            .await
            .map_err(|error| anyhow::anyhow!("`{id}` is not taken: {error:?}"))?;
        loop {
            let now = self.engine.get(&id).await?.context("an order that was taken is there")?;
            if now.is_ended() {
                return Ok(());
            }
            if let Some(fault) = now.failures().first() {
                let failure = &fault.failure;
                bail!("{id}: task `{}`: {}: {}", fault.name, failure.code, failure.message);
            }
            watch.recv().await.ok();
        }
    }
}

/// Which order a document is.
pub(super) fn kind(document: &Value) -> Kind {
    if document.get("serviceOrderItem").is_some() {
        Kind::ServiceOrder
    } else if document.get("orderItem").is_some() {
        Kind::ResourceOrder
    } else {
        Kind::ProductOrder
    }
}

fn digest(plugin: &PluginId) -> Digest {
    Digest::of(plugin.as_str().as_bytes())
}

/// A clock on which every date has come.
struct Late;

impl Clock for Late {
    fn now(&self) -> Timestamp {
        LATER
    }

    fn sleep_until(&self, time: Option<Timestamp>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match time {
            Some(time) if time <= LATER => Box::pin(std::future::ready(())),
            Some(_) | None => Box::pin(std::future::pending()),
        }
    }
}

/// Succeeds at whatever it is told, with a value for each output that the input names.
struct Willing {
    pools: Pools,
}

impl Worker for Willing {
    fn resolve(&self, plugin: &PluginId) -> Option<Resolved> {
        Some(Resolved { digest: digest(plugin), effects: Effects::Pure })
    }

    fn effects(&self, _: &Digest) -> Option<Effects> {
        Some(Effects::Pure)
    }

    fn run(&self, call: Call) -> Pin<Box<dyn Future<Output = Report> + Send>> {
        let outcome = match call.operation {
            Operation::Undo { .. } | Operation::ResumeUndo { .. } => Ok(Map::new()),
            Operation::Run | Operation::Recover | Operation::Resume { .. } | Operation::Reapply => {
                self.outputs(&call)
            }
        };
        let outcome = outcome.map_or_else(Outcome::Failed, Outcome::Done);
        Box::pin(std::future::ready(Report::new(outcome, Vec::new())))
    }
}

impl Willing {
    fn outputs(&self, call: &Call) -> Result<Map<String, Value>, Failure> {
        // A `noop` answers with its input; other outputs are among the input or are named.
        let mut outputs = call.input.clone();
        for name in call.input.get("outputs").and_then(Value::as_object).into_iter().flatten() {
            outputs.insert(name.0.clone(), json!(format!("{}-of-{}", name.0, call.name)));
        }
        let takes = match call.input.get("take").and_then(Value::as_array) {
            Some(many) => many.iter().filter_map(Value::as_object).collect(),
            None => vec![&call.input],
        };
        for take in takes {
            let Some(pool) = take.get("pool").and_then(Value::as_str) else { continue };
            let name = take.get("name").and_then(Value::as_str).unwrap_or("value");
            let value = match take.get("count").and_then(Value::as_u64) {
                None => json!(self.reserve(call, pool, name)?),
                Some(count) => (1..=count)
                    .map(|number| self.reserve(call, pool, &format!("{name}[{number}]")))
                    .collect::<Result<Vec<_>, _>>()?
                    .into(),
            };
            outputs.insert(name.into(), value);
        }
        Ok(outputs)
    }

    fn reserve(&self, call: &Call, pool: &str, name: &str) -> Result<String, Failure> {
        let held = self.pools.reserve(&call.fulfilment, call.task, PoolId::new(pool), name);
        held.map(|reservation| reservation.value).map_err(|error| {
            Failure::new(FailureClass::Operator, FailureCode::PoolExhausted, error.to_string())
        })
    }
}
