//! One call of one plugin: a store of its own, the export that the call means, and the answer.

use std::sync::Arc;
use std::time::Duration;

use engine::worker::{Call, Manner};
use model::reconcile::Reading;
use model::{Failure, FailureClass, Outcome, SpecId};
use serde_json::{Map, Value};
use tokio::time::Instant;
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi_http::WasiHttpCtx;

use crate::answer;
use crate::bindings::activator::exports::ferrule::plugin::activation::Guest as Activation;
use crate::bindings::decomposer::exports::ferrule::plugin::decomposition;
use crate::bindings::types::{Attribute, Finding, Task};
use crate::capability::config::Config;
use crate::capability::http::{Outbound, Reach};
use crate::capability::inventory::Inventory;
use crate::capability::log::Log;
use crate::capability::reservation::Reservation;
use crate::host::Shared;
use crate::install::{Exports, Plugin};
use crate::limits::{Memory, Meter};
use crate::rating;
use crate::state::State;

/// How much a guest may pass to the host, or answer, in one go.
const HOSTCALL_BYTES_MAX: usize = 4 << 20;
/// How many handles a guest may hold.
const RESOURCES_MAX: usize = 1_000;
/// How much a response that a guest receives may have.
const HTTP_BODY_MAX: u64 = 4 << 20;
/// How many random bytes a guest may ask for at once.
const RANDOM_BYTES_MAX: u64 = 64 * 1024;

/// The attribute of a task whose probe reads back what stands there now.
const READ_BACK: &str = "read-back";

/// An item to decompose.
#[derive(Clone, Debug, PartialEq)]
pub struct Decomposition {
    /// The specification of the item.
    pub spec: SpecId,
    /// What is wanted: `add`, `modify`, `delete` or `noChange`.
    pub action: String,
    /// The item's characteristics.
    pub characteristics: Map<String, Value>,
    /// The order as it was submitted.
    pub order: Value,
}

/// One thing that an item becomes.
#[derive(Clone, Debug, PartialEq)]
pub struct Production {
    /// The specification to produce.
    pub spec: SpecId,
    /// Its characteristics.
    pub characteristics: Map<String, Value>,
}

/// What a call is about, where the call is for a task.
pub(crate) struct Subject<'a> {
    pub(crate) fulfilment: &'a model::FulfilmentId,
    pub(crate) task: model::TaskId,
}

/// Carries out one call within the limits of its plugin.
pub(crate) async fn carry_out(shared: &Shared, plugin: &Plugin, call: &Call, log: &Log) -> Outcome {
    let wall = Duration::from_millis(call.timeout_ms.min(plugin.limits.wall_ms.into()));
    let deadline = Instant::now() + wall;
    let subject = Subject { fulfilment: &call.fulfilment, task: call.task };
    let guest = Guest { shared, plugin, log, deadline };
    let outcome = guest.within(&subject, async |store| perform(store, &guest, call).await).await;
    outcome.unwrap_or_else(Outcome::Failed)
}

/// Reads back what stands of a task's work, within the limits of its plugin.
pub(crate) async fn probe(
    shared: &Shared,
    plugin: &Plugin,
    call: &Call,
    log: &Log,
) -> Result<Reading, Failure> {
    let Exports::Activator(pre) = &plugin.exports else {
        return Err(wrong_role(plugin, "read back what was done"));
    };
    let wall = Duration::from_millis(call.timeout_ms.min(plugin.limits.wall_ms.into()));
    let subject = Subject { fulfilment: &call.fulfilment, task: call.task };
    let guest = Guest { shared, plugin, log, deadline: Instant::now() + wall };
    let found = guest.within(&subject, async |store| {
        store.data_mut().outbound.reach = Reach::Reads;
        let mut task = guest.task(call, call.idempotency_key.clone());
        task.attributes.push(Attribute { name: READ_BACK.into(), value: "true".into() });
        let instance = pre.instantiate_async(&mut *store).await?;
        instance.ferrule_plugin_activation().call_probe(&mut *store, &task).await
    });
    match found.await? {
        Ok(finding) => answer::reading(finding),
        Err(failure) => Err(answer::failure(failure, log)),
    }
}

/// Decomposes an item within the limits of a plugin.
pub(crate) async fn decompose(
    shared: &Shared,
    plugin: &Plugin,
    item: &Decomposition,
    log: &Log,
) -> Result<Vec<Production>, Failure> {
    let Exports::Decomposer(pre) = &plugin.exports else {
        return Err(wrong_role(plugin, "decompose an item"));
    };
    let deadline = Instant::now() + Duration::from_millis(plugin.limits.wall_ms.into());
    let request = decomposition::Request {
        spec: item.spec.as_str().into(),
        action: item.action.clone(),
        characteristics: text(&item.characteristics),
        order: item.order.to_string(),
        attributes: Vec::new(),
    };
    // Decomposers can reserve nothing, so it does not matter for whom they would.
    let subject =
        Subject { fulfilment: &model::FulfilmentId::new(""), task: model::TaskId(u32::MAX) };
    let guest = Guest { shared, plugin, log, deadline };
    let productions = guest
        .within(&subject, async |store| {
            let guest = pre.instantiate_async(&mut *store).await?;
            guest.ferrule_plugin_decomposition().call_decompose(&mut *store, &request).await
        })
        .await?
        .map_err(|failure| answer::failure(failure, log))?;
    let production = |production: decomposition::Production| {
        let characteristics = answer::object(&production.characteristics)
            .map_err(|what| answer::malformed(&format!("characteristics {what}")))?;
        Ok(Production { spec: SpecId::new(production.spec), characteristics })
    };
    productions.into_iter().map(production).collect()
}

/// Everything that a call of a plugin needs to know of its surroundings.
struct Guest<'a> {
    shared: &'a Shared,
    plugin: &'a Plugin,
    log: &'a Log,
    deadline: Instant,
}

impl Guest<'_> {
    /// Runs a call in a new store, and says why where there is no answer.
    async fn within<T>(
        &self,
        subject: &Subject<'_>,
        call: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<T>,
    ) -> Result<T, Failure> {
        let limits = &self.plugin.limits;
        let permits = async {
            let call = self.plugin.calls.acquire().await;
            (call, self.shared.instances.acquire().await)
        };
        let (Ok(_call), Ok(_instance)) = tokio::time::timeout_at(self.deadline, permits)
            .await
            .map_err(|_elapsed| busy(self.plugin))?
        else {
            return Err(Failure::new(FailureClass::Retry, "HOST_CLOSING", "the host is closing"));
        };
        let meter = Arc::new(Meter::new(limits));
        let mut store = self.store(subject, Arc::clone(&meter));
        let timed = tokio::time::timeout_at(self.deadline, meter.measure(call(&mut store))).await;
        match timed {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(answer::stopped(&error, store.data(), limits)),
            Err(_elapsed) => Err(late(self.plugin)),
        }
    }

    fn store(&self, subject: &Subject<'_>, meter: Arc<Meter>) -> Store<State> {
        let plugin = self.plugin;
        let mut table = wasmtime::component::ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        let state = State {
            wasi: self.wasi(),
            http: WasiHttpCtx::new(),
            table,
            memory: Memory::new(&plugin.limits),
            meter,
            log: self.log.clone(),
            config: Config { grants: Arc::clone(&plugin.grants) },
            outbound: Outbound {
                plugin: Arc::clone(&plugin.name),
                grants: Arc::clone(&plugin.grants),
                client: plugin.client.clone(),
                log: self.log.clone(),
                deadline: self.deadline,
                body_max: HTTP_BODY_MAX,
                reach: Reach::Granted,
            },
            inventory: Inventory {
                plugin: Arc::clone(&plugin.name),
                grants: Arc::clone(&plugin.grants),
                store: Arc::clone(&self.shared.store),
                log: self.log.clone(),
            },
            reservation: Reservation {
                plugin: Arc::clone(&plugin.name),
                grants: Arc::clone(&plugin.grants),
                pools: self.shared.pools.clone(),
                fulfilment: subject.fulfilment.clone(),
                task: subject.task,
                log: self.log.clone(),
                mask: Arc::clone(&plugin.mask),
            },
        };
        let mut store = Store::new(self.shared.machine.engine(), state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(HOSTCALL_BYTES_MAX);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| {
            if context.data().meter.is_spent() {
                return Ok(UpdateDeadline::Interrupt);
            }
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        store
    }

    /// An empty context: no files, no sockets, no environment.
    fn wasi(&self) -> WasiCtx {
        WasiCtx::builder()
            .stdout(self.log.stdout())
            .stderr(self.log.stderr())
            .max_random_size(RANDOM_BYTES_MAX)
            .build()
    }

    fn task(&self, call: &Call, idempotency_key: String) -> Task {
        let left = self.deadline.saturating_duration_since(Instant::now()).as_millis();
        Task {
            fulfilment: call.fulfilment.as_str().into(),
            name: call.name.clone(),
            spec: call.spec.clone(),
            action: call.action.clone(),
            characteristics: text(&call.characteristics),
            input: text(&call.input),
            attempt: call.attempt,
            callback_url: self.shared.callback_url(&call.callback),
            idempotency_key,
            deadline_ms: u32::try_from(left).unwrap_or(u32::MAX),
            attributes: Vec::new(),
        }
    }
}

/// Calls the export that a call means.
async fn perform(
    store: &mut Store<State>,
    guest: &Guest<'_>,
    call: &Call,
) -> wasmtime::Result<Outcome> {
    let log = guest.log;
    let again = matches!(call.manner, Manner::Run | Manner::Recover);
    match &guest.plugin.exports {
        Exports::Activator(pre) => {
            let instance = pre.instantiate_async(&mut *store).await?;
            activate(store, instance.ferrule_plugin_activation(), guest, call).await
        }
        Exports::Step(pre) => {
            let task = guest.task(call, call.idempotency_key.clone());
            let instance = pre.instantiate_async(&mut *store).await?;
            let work = instance.ferrule_plugin_work();
            let answer = match &call.manner {
                Manner::Resume { payload } => {
                    work.call_resume(store, &task, &payload.to_string()).await?
                }
                Manner::Run | Manner::Recover | Manner::Undo { .. } | Manner::Restore => {
                    work.call_run(store, &task).await?
                }
            };
            Ok(answer::outcome(answer, log))
        }
        Exports::Validator(pre) if again => {
            let task = guest.task(call, call.idempotency_key.clone());
            let instance = pre.instantiate_async(&mut *store).await?;
            let answer = instance.ferrule_plugin_validation().call_validate(store, &task).await?;
            Ok(answer::done(answer, log))
        }
        Exports::Allocator(pre) if again => {
            let task = guest.task(call, call.idempotency_key.clone());
            let instance = pre.instantiate_async(&mut *store).await?;
            let answer = instance.ferrule_plugin_allocation().call_allocate(store, &task).await?;
            Ok(answer::done(answer, log))
        }
        Exports::Rater(pre) if again => {
            let request = match rating::request(call.input.clone()) {
                Ok(request) => request,
                Err(failure) => return Ok(Outcome::Failed(failure)),
            };
            let instance = pre.instantiate_async(&mut *store).await?;
            let answer = instance.ferrule_plugin_rating().call_rate(store, &request).await?;
            Ok(match answer {
                Ok(charges) => rating::outputs(charges),
                Err(failure) => Outcome::Failed(answer::failure(failure, log)),
            })
        }
        Exports::Decomposer(_) => Ok(Outcome::Failed(wrong_role(guest.plugin, "do a step"))),
        Exports::Validator(_) | Exports::Allocator(_) | Exports::Rater(_) => {
            Ok(Outcome::Failed(wrong_role(guest.plugin, "read a callback")))
        }
    }
}

async fn activate(
    store: &mut Store<State>,
    activation: &Activation,
    guest: &Guest<'_>,
    call: &Call,
) -> wasmtime::Result<Outcome> {
    let (key, log) = (&call.idempotency_key, guest.log);
    match &call.manner {
        Manner::Run => {}
        Manner::Recover => {
            let task = guest.task(call, key.clone());
            match activation.call_probe(&mut *store, &task).await? {
                Ok(Finding::Applied(done)) => return Ok(answer::finished(&done)),
                Ok(Finding::Waiting(callback)) => return Ok(answer::waiting(callback)),
                Ok(Finding::NotApplied) => {}
                Err(failure) => return Ok(Outcome::Failed(answer::failure(failure, log))),
            }
        }
        Manner::Resume { payload } => {
            let task = guest.task(call, key.clone());
            let answer = activation.call_resume(store, &task, &payload.to_string()).await?;
            return Ok(answer::outcome(answer, log));
        }
        Manner::Undo { outputs } => {
            let task = guest.task(call, format!("{key}:undo"));
            let answer = activation.call_undo(store, &task, &text(outputs)).await?;
            return Ok(answer::done(answer, log));
        }
        Manner::Restore => {
            let task = guest.task(call, format!("{key}:undo"));
            let answer = activation.call_activate(store, &task).await?;
            return Ok(answer::outcome(answer, log));
        }
    }
    let task = guest.task(call, key.clone());
    let answer = activation.call_activate(store, &task).await?;
    Ok(answer::outcome(answer, log))
}

fn text(map: &Map<String, Value>) -> String {
    serde_json::to_string(map).expect("a JSON object has string keys")
}

fn wrong_role(plugin: &Plugin, what: &str) -> Failure {
    let (name, role) = (&plugin.name, plugin.installed.role);
    let message = format!("plugin `{name}` is a {role} and cannot {what}; mend the workflow");
    Failure::new(FailureClass::Person, "PLUGIN_ROLE", message)
}

fn busy(plugin: &Plugin) -> Failure {
    let (name, limits) = (&plugin.name, &plugin.limits);
    let message = format!(
        "plugin `{name}` had no free slot in time; it may have {} calls at once, all plugins \
         together as many as the host has instances",
        limits.concurrency
    );
    Failure::new(FailureClass::Retry, "PLUGIN_BUSY", message)
}

fn late(plugin: &Plugin) -> Failure {
    let (name, limits) = (&plugin.name, &plugin.limits);
    let message = format!(
        "plugin `{name}` did not answer in time; it may take {} ms, and no longer than its step",
        limits.wall_ms
    );
    Failure::new(FailureClass::Retry, "PLUGIN_TIMEOUT", message)
}
