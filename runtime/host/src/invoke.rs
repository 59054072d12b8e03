//! One call of one plugin: a store of its own, the export that the call means, and the answer.

use std::sync::Arc;
use std::time::Duration;

use engine::worker::{Call, Operation};
use model::reconcile::{Holder, Reading};
use model::{Failure, FailureClass, FulfilmentId, Outcome, SpecId, TaskId};
use serde_json::{Map, Value};
use tokio::time::Instant;
use wasmtime::{PoolConcurrencyLimitError, Store, UpdateDeadline, bail};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi_http::WasiHttpCtx;

use crate::admission::Permit;
use crate::answer;
use crate::bindings::activator::exports::ferrule::plugin::activation::Guest as Activation;
use crate::bindings::decomposer::exports::ferrule::plugin::decomposition;
use crate::bindings::types::{self, Attribute, Finding, Task};
use crate::capability::config::Config;
use crate::capability::http::{Outbound, Reach};
use crate::capability::inventory::Inventory;
use crate::capability::log::Log;
use crate::capability::reservation::Reservation;
use crate::executor::Turn;
use crate::host::Shared;
use crate::install::{Exports, Plugin};
use crate::limits::{Memory, Meter, Verdict};
use crate::rating;
use crate::role::Role;
use crate::state::State;

use self::overhead::{FIELDS_BYTES_MAX, HOSTCALL_BYTES_MAX, RESOURCES_MAX, overhead, size};
pub(crate) use self::undo::no_undo;

pub(crate) mod overhead;
mod refusal;
mod undo;

/// How much a response that a guest receives may have.
const HTTP_BODY_MAX: u64 = 4 << 20;
/// How many random bytes a guest may ask for at once.
const RANDOM_BYTES_MAX: u64 = 64 * 1024;

/// The attribute of a task whose probe reads back what stands there now.
const READ_BACK: &str = "read-back";
/// The attribute of a task whose work stands and is changed: the key that it was done under.
const REPLACES: &str = "replaces";

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
#[derive(Clone, Debug)]
struct Subject {
    fulfilment: FulfilmentId,
    task: TaskId,
}

/// Carries out one call within the limits of its plugin.
pub(crate) async fn carry_out(
    shared: &Arc<Shared>,
    plugin: &Arc<Plugin>,
    call: Call,
    log: &Log,
) -> Outcome {
    let guest = Guest::of(shared, plugin, log, &call);
    let bytes = size(&call.input) + size(&call.characteristics);
    let outcome = guest.run(bytes, |guest, permit| async move {
        let mut store = guest.store(permit);
        let performed = perform(&mut store, &guest, &call);
        guest.finish(performed.await, &store)
    });
    outcome.await.unwrap_or_else(Outcome::Failed)
}

/// Reads back what stands of a task's work, within the limits of its plugin.
pub(crate) async fn probe(
    shared: &Arc<Shared>,
    plugin: &Arc<Plugin>,
    call: Call,
    log: &Log,
) -> Result<Reading, Failure> {
    if plugin.installed.role != Role::Activator {
        return Err(wrong_role(plugin, "read back what was done"));
    }
    let guest = Guest::of(shared, plugin, log, &call);
    let bytes = size(&call.input) + size(&call.characteristics);
    let found = guest.run(bytes, |guest, permit| async move {
        let mut store = guest.store(permit);
        let found = read_back(&mut store, &guest, &call).await;
        guest.finish(found, &store)
    });
    match found.await? {
        Ok(finding) => answer::reading(finding),
        Err(failure) => Err(answer::failure(failure, log)),
    }
}

/// Decomposes an item within the limits of a plugin.
pub(crate) async fn decompose(
    shared: &Arc<Shared>,
    plugin: &Arc<Plugin>,
    item: &Decomposition,
    log: &Log,
) -> Result<Vec<Production>, Failure> {
    if plugin.installed.role != Role::Decomposer {
        return Err(wrong_role(plugin, "decompose an item"));
    }
    let request = decomposition::Request {
        spec: item.spec.as_str().into(),
        action: item.action.clone(),
        characteristics: text(&item.characteristics),
        order: item.order.to_string(),
        attributes: Vec::new(),
    };
    // Decomposers can reserve nothing, so it does not matter for whom they would.
    let subject = Subject { fulfilment: FulfilmentId::new(""), task: TaskId(u32::MAX) };
    let guest = Guest::new(shared, plugin, log, subject, plugin.limits.wall_ms.into());
    let bytes = request.order.len() + request.characteristics.len();
    let answered = guest.run(bytes, |guest, permit| async move {
        let mut store = guest.store(permit);
        let answer = ask(&mut store, &guest, &request).await;
        guest.finish(answer, &store)
    });
    let productions = answered.await?.map_err(|failure| answer::failure(failure, log))?;
    let production = |production: decomposition::Production| {
        let characteristics = answer::object(&production.characteristics)
            .map_err(|what| answer::malformed(&format!("characteristics {what}")))?;
        Ok(Production { spec: SpecId::new(production.spec), characteristics })
    };
    productions.into_iter().map(production).collect()
}

/// Everything that a call of a plugin needs to know of its surroundings.
#[derive(Clone)]
struct Guest {
    shared: Arc<Shared>,
    plugin: Arc<Plugin>,
    meter: Arc<Meter>,
    log: Log,
    subject: Subject,
    deadline: Instant,
}

impl Guest {
    fn of(shared: &Arc<Shared>, plugin: &Arc<Plugin>, log: &Log, call: &Call) -> Self {
        let subject = Subject { fulfilment: call.fulfilment.clone(), task: call.task };
        Self::new(shared, plugin, log, subject, call.timeout_ms)
    }

    fn new(
        shared: &Arc<Shared>,
        plugin: &Arc<Plugin>,
        log: &Log,
        subject: Subject,
        wall_ms: u64,
    ) -> Self {
        let wall = Duration::from_millis(wall_ms.min(plugin.limits.wall_ms.into()));
        Self {
            shared: Arc::clone(shared),
            plugin: Arc::clone(plugin),
            meter: Arc::new(Meter::new(&plugin.limits)),
            log: log.clone(),
            subject,
            deadline: Instant::now() + wall,
        }
    }

    /// Runs a call on the threads of guests when it is admitted, and says why where there is no
    /// answer. `bytes` is the size of what it is asked.
    async fn run<T, F>(
        &self,
        bytes: usize,
        call: impl FnOnce(Self, Permit) -> F,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let bytes = overhead(&self.plugin, bytes);
        let id = &self.plugin.installed.id;
        let admission = &self.shared.admission;
        if bytes > admission.capacity().bytes_share() {
            return Err(refusal::too_large(&self.plugin, bytes, admission.capacity()));
        }
        let usual = &self.plugin.usual;
        let prepaid = usual.bytes().min(admission.capacity().bytes_share() - bytes);
        let bytes = bytes + prepaid;
        let admitted = async {
            let call = self.plugin.calls.acquire().await;
            (call, admission.admit(id, bytes).await)
        };
        let (Ok(_call), mut permit) = tokio::time::timeout_at(self.deadline, admitted)
            .await
            .map_err(|_elapsed| self.not_admitted(bytes))?
        else {
            return Err(refusal::closing());
        };
        permit.prepay(prepaid, usual.clone());
        let turn = Turn { lane: self.shared.lanes.of(id), meter: Arc::clone(&self.meter) };
        let running = self.shared.executor.spawn(turn, {
            let (meter, call) = (Arc::clone(&self.meter), call(self.clone(), permit));
            async move { meter.measure(call).await }
        });
        match tokio::time::timeout_at(self.deadline, running).await {
            Ok(Some(result)) => result,
            // The host is there, because this call holds it: it was a panic.
            Ok(None) => Err(refusal::fault(&self.plugin)),
            Err(_elapsed) => Err(refusal::late(&self.plugin)),
        }
    }

    fn not_admitted(&self, bytes: usize) -> Failure {
        let admission = &self.shared.admission;
        match admission.short(&self.plugin.installed.id, bytes) {
            Some(short) => refusal::short(short, admission.capacity()),
            None => refusal::busy(&self.plugin, admission.capacity()),
        }
    }

    /// What came of a call, or why nothing did.
    fn finish<T>(&self, answer: wasmtime::Result<T>, store: &Store<State>) -> Result<T, Failure> {
        answer.map_err(|error| {
            let state = store.data();
            if error.is::<PoolConcurrencyLimitError>() {
                return refusal::pool(&error);
            }
            match state.memory.short() {
                Some(short) => refusal::short(short, self.shared.admission.capacity()),
                None => answer::stopped(&error, state, &self.plugin.limits),
            }
        })
    }

    fn store(&self, permit: Permit) -> Store<State> {
        let plugin = &self.plugin;
        let mut table = wasmtime::component::ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(FIELDS_BYTES_MAX);
        let state = State {
            wasi: self.wasi(),
            http,
            table,
            memory: Memory::new(&plugin.limits, permit),
            meter: Arc::clone(&self.meter),
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
                fulfilment: self.subject.fulfilment.clone(),
                task: self.subject.task,
                log: self.log.clone(),
                mask: Arc::clone(&plugin.mask),
            },
        };
        let mut store = Store::new(self.shared.machine.engine(), state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(HOSTCALL_BYTES_MAX);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| {
            Ok(match context.data().meter.look() {
                Verdict::Continue => UpdateDeadline::Continue(1),
                Verdict::Yield => UpdateDeadline::Yield(1),
                Verdict::Stop => UpdateDeadline::Interrupt,
            })
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
            attributes: call
                .replaces
                .iter()
                .map(|key| Attribute { name: REPLACES.into(), value: key.clone() })
                .collect(),
        }
    }
}

async fn ask(
    store: &mut Store<State>,
    guest: &Guest,
    request: &decomposition::Request,
) -> wasmtime::Result<Result<Vec<decomposition::Production>, types::Failure>> {
    let Exports::Decomposer(pre) = &guest.plugin.exports else {
        bail!("not a decomposer");
    };
    let instance = pre.instantiate_async(&mut *store).await?;
    instance.ferrule_plugin_decomposition().call_decompose(&mut *store, request).await
}

async fn read_back(
    store: &mut Store<State>,
    guest: &Guest,
    call: &Call,
) -> wasmtime::Result<Result<Finding, types::Failure>> {
    let Exports::Activator(pre) = &guest.plugin.exports else {
        bail!("not an activator");
    };
    let instance = pre.instantiate_async(&mut *store).await?;
    look(store, instance.ferrule_plugin_activation(), guest, call).await
}

/// Asks what stands there now; nothing is changed.
async fn look(
    store: &mut Store<State>,
    activation: &Activation,
    guest: &Guest,
    call: &Call,
) -> wasmtime::Result<Result<Finding, types::Failure>> {
    let mut task = guest.task(call, call.idempotency_key.clone());
    task.attributes.push(Attribute { name: READ_BACK.into(), value: "true".into() });
    let granted = std::mem::replace(&mut store.data_mut().outbound.reach, Reach::Reads);
    let found = activation.call_probe(&mut *store, &task).await;
    store.data_mut().outbound.reach = granted;
    found
}

/// Calls the export that a call means.
async fn perform(
    store: &mut Store<State>,
    guest: &Guest,
    call: &Call,
) -> wasmtime::Result<Outcome> {
    let log = &guest.log;
    let again = matches!(call.operation, Operation::Run | Operation::Recover);
    match &guest.plugin.exports {
        Exports::Activator(pre) => {
            let instance = pre.instantiate_async(&mut *store).await?;
            activate(store, instance.ferrule_plugin_activation(), guest, call).await
        }
        Exports::Step(pre) => {
            let task = guest.task(call, call.idempotency_key.clone());
            let instance = pre.instantiate_async(&mut *store).await?;
            let work = instance.ferrule_plugin_work();
            let answer = match &call.operation {
                Operation::Resume { payload } => {
                    work.call_resume(store, &task, &payload.to_string()).await?
                }
                Operation::Run | Operation::Recover => work.call_run(store, &task).await?,
                // Doing the work again is the opposite of what is wanted.
                Operation::Undo { .. } | Operation::ResumeUndo { .. } | Operation::Reapply => {
                    return Ok(Outcome::Failed(no_undo(&guest.plugin)));
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
        Exports::Decomposer(_) => Ok(Outcome::Failed(wrong_role(&guest.plugin, "do a step"))),
        Exports::Validator(_) | Exports::Allocator(_) | Exports::Rater(_) => {
            Ok(Outcome::Failed(wrong_role(&guest.plugin, "read a callback")))
        }
    }
}

async fn activate(
    store: &mut Store<State>,
    activation: &Activation,
    guest: &Guest,
    call: &Call,
) -> wasmtime::Result<Outcome> {
    let (key, log) = (&call.idempotency_key, &guest.log);
    match &call.operation {
        Operation::Run => {}
        Operation::Recover => {
            let task = guest.task(call, key.clone());
            match activation.call_probe(&mut *store, &task).await? {
                Ok(Finding::Applied(done)) => return Ok(answer::finished(&done)),
                Ok(Finding::Waiting(callback)) => return Ok(answer::waiting(callback)),
                Ok(Finding::NotApplied) => {}
                Err(failure) => return Ok(Outcome::Failed(answer::failure(failure, log))),
            }
        }
        Operation::Resume { payload } => {
            let task = guest.task(call, key.clone());
            let answer = activation.call_resume(store, &task, &payload.to_string()).await?;
            return Ok(answer::outcome(answer, log));
        }
        Operation::Undo { outputs } => {
            let task = undo::task(guest, call);
            let answer = activation.call_undo(store, &task, &text(outputs)).await?;
            return Ok(answer::undone(answer, log));
        }
        Operation::ResumeUndo { payload } => {
            let task = undo::task(guest, call);
            let answer = activation.call_resume(store, &task, &payload.to_string()).await?;
            return Ok(answer::outcome(answer, log));
        }
        Operation::Reapply => {
            let found = look(store, activation, guest, call).await?;
            match found.map(answer::reading) {
                // The change was never done, or was undone already.
                Ok(Ok(Reading::Held { holder: Holder::Other(_), .. })) => {
                    return Ok(Outcome::Done(Map::new()));
                }
                Ok(Ok(Reading::Pending)) => return Ok(Outcome::Failed(refusal::pending())),
                // What cannot be told is done again as it was, which is as good as once.
                Ok(Ok(Reading::Nothing | Reading::Held { .. }) | Err(_)) | Err(_) => {}
            }
            let task = undo::task(guest, call);
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
