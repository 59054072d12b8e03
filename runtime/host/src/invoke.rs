//! One call of one plugin: a store of its own, the export that the call is for, and the answer.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::scratch::Changes;
use engine::telemetry::Telemetry;
use engine::trace::Trace;
use engine::worker::Call;
use model::plan::Action;
use model::reconcile::Reading;
use model::{Failure, FailureClass, FailureCode, FulfilmentId, Outcome, PluginId, SpecId, TaskId};
use serde_json::{Map, Value};
use tokio::time::Instant;
use wasmtime::{PoolConcurrencyLimitError, Store, UpdateDeadline};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi_http::WasiHttpCtx;

use crate::admission::Permit;
use crate::answer;
use crate::capability::caller::Caller;
use crate::capability::config::Config;
use crate::capability::http::{Outbound, Reach};
use crate::capability::inventory::Inventory;
use crate::capability::log::Log;
use crate::capability::record::Recorder;
use crate::capability::reservation::Reservation;
use crate::capability::scratch::Scratch;
use crate::capability::secrets::Secrets;
use crate::capability::tape::Tape;
use crate::contract::{Part, decomposition};
use crate::executor::Turn;
use crate::executor::lane::Lane;
use crate::install::Plugin;
use crate::limits::{FIELDS_BYTES_MAX, HOSTCALL_BYTES_MAX, Memory, Meter, Verdict};
use crate::role::Role;
use crate::shared::Shared;
use crate::state::State;

use self::overhead::{RESOURCES_MAX, overhead, size};
use self::perform::{look, perform};
pub(crate) use self::refusal::no_undo;
use self::task::text;
use tmf::document::Characteristics;

mod measured;
pub(crate) mod overhead;
mod perform;
mod refusal;
mod task;

/// Max bytes of a response that a guest receives.
const HTTP_BODY_MAX: u64 = 4 << 20;
/// Max random bytes that a guest may ask for at once.
const RANDOM_BYTES_MAX: u64 = 64 * 1024;

/// An item to decompose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decomposition<'a> {
    /// The specification of the item.
    pub spec: &'a SpecId,
    /// What the order does to it.
    pub action: Action,
    /// The item's characteristics.
    pub characteristics: &'a Characteristics,
    /// The order as it was submitted.
    pub order: &'a Value,
}

/// One part that an item becomes.
#[derive(Clone, Debug, PartialEq)]
pub struct Production {
    /// The specification to produce.
    pub spec: SpecId,
    /// Its characteristics.
    pub characteristics: Characteristics,
}

/// JSON Schemas of a plugin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schemas {
    /// Of the input of a step.
    pub input: Option<Map<String, Value>>,
    /// Of the outputs of a step.
    pub output: Option<Map<String, Value>>,
    /// Of the settings, as one object.
    pub settings: Option<Map<String, Value>>,
}

/// A call that was carried out.
pub(crate) struct CarriedOut {
    pub(crate) outcome: Outcome,
    pub(crate) telemetry: Telemetry,
    /// What it wrote into its scratch space.
    pub(crate) scratch: Option<Changes>,
}

/// Carries out one call within the limits of its plugin, and measures it.
pub(crate) async fn carry_out(
    shared: &Arc<Shared>,
    plugin: &Arc<Plugin>,
    call: Call,
    log: &Log,
    tape: Tape,
) -> CarriedOut {
    let guest = Guest::of(shared, plugin, (log, tape), &call);
    let operation = call.operation.name();
    let bytes = size(&call.input) + size(&call.characteristics);
    let outcome = guest.run(bytes, |guest, permit| async move {
        let mut store = guest.store(permit);
        let performed = perform(&mut store, &guest, &call).await;
        let outcome = guest.finish(performed, &store)?;
        Ok((outcome, store.data_mut().scratch.take()))
    });
    let outcome = outcome.await;
    let (mut outcome, scratch) = outcome.unwrap_or_else(|failure| (Outcome::Failed(failure), None));
    if let Outcome::Failed(failure) = &mut outcome {
        guest.caller.complete(failure);
    }
    let telemetry = guest.telemetry(operation, &outcome);
    if !guest.is_repeated() {
        shared.counters.attempted(&plugin.name, &telemetry.figures, &outcome);
    }
    CarriedOut { outcome, telemetry, scratch }
}

/// Compares an element with a task's work, within the limits of its plugin.
pub(crate) async fn observe(
    shared: &Arc<Shared>,
    plugin: &Arc<Plugin>,
    call: Call,
    log: &Log,
    tape: Tape,
) -> Result<Reading, Failure> {
    if !plugin.offers(Part::Observation) {
        return Err(wrong_role(plugin, "read back what was done"));
    }
    let guest = Guest::of(shared, plugin, (log, tape), &call);
    let bytes = size(&call.input) + size(&call.characteristics);
    let found = guest.run(bytes, |guest, permit| async move {
        let mut store = guest.store(permit);
        let found = async {
            let instance = guest.plugin.exports.instantiate(&mut store).await?;
            look(&mut store, &instance, &guest, &call).await
        };
        let found = found.await;
        guest.finish(found, &store)
    });
    let reading = found.await.and_then(|found| match found {
        Ok(observed) => answer::reading(observed),
        Err(failure) => Err(answer::failure(failure, log)),
    });
    guest.count("observe", reading.as_ref().err());
    reading
}

/// The JSON Schemas by which a plugin describes its input, outputs and settings, within its limits;
/// `None` if it does not.
pub(crate) async fn describe(
    shared: &Arc<Shared>,
    plugin: &Arc<Plugin>,
) -> Result<Option<Schemas>, Failure> {
    if !plugin.offers(Part::Description) {
        return Ok(None);
    }
    let log = Log::default();
    let guest = Guest::aside(shared, plugin, (&log, Tape::Off));
    let described = guest.run(0, |guest, permit| async move {
        let mut store = guest.store(permit);
        let described = async {
            let instance = guest.plugin.exports.instantiate(&mut store).await?;
            instance.describe(&mut store).await
        };
        let described = described.await;
        guest.finish(described, &store)
    });
    let described = described
        .await
        .and_then(|described| described.map_err(|failure| answer::failure(failure, &log)));
    guest.count("describe", described.as_ref().err());
    let schemas = described?;
    let schema = |text: Option<String>, of: &str| {
        let read = |text: String| {
            answer::object(&text)
                .map_err(|what| answer::malformed(&format!("a schema of {of} {what}")))
        };
        text.map(read).transpose()
    };
    Ok(Some(Schemas {
        input: schema(schemas.input, "inputs")?,
        output: schema(schemas.output, "outputs")?,
        settings: schema(schemas.settings, "settings")?,
    }))
}

/// The request of a decomposer for an item.
pub(crate) fn question(item: Decomposition<'_>) -> decomposition::Request {
    decomposition::Request {
        spec: item.spec.as_str().into(),
        action: task::action(item.action),
        characteristics: text(item.characteristics),
        order: item.order.to_string(),
        attributes: Vec::new(),
    }
}

/// Decomposes an item within the limits of a plugin.
pub(crate) async fn decompose(
    shared: &Arc<Shared>,
    plugin: &Arc<Plugin>,
    request: decomposition::Request,
    log: &Log,
    tape: Tape,
) -> Result<Vec<Production>, Failure> {
    if plugin.installed.role != Role::Decomposer {
        return Err(wrong_role(plugin, "decompose an item"));
    }
    let guest = Guest::aside(shared, plugin, (log, tape));
    let bytes = request.order.len() + request.characteristics.len();
    let answered = guest.run(bytes, |guest, permit| async move {
        let mut store = guest.store(permit);
        let answer = async {
            let instance = guest.plugin.exports.instantiate(&mut store).await?;
            instance.decompose(&mut store, request).await
        };
        let answer = answer.await;
        guest.finish(answer, &store)
    });
    let answered = answered
        .await
        .and_then(|answered| answered.map_err(|failure| answer::failure(failure, log)));
    guest.count("decompose", answered.as_ref().err());
    let productions = answered?;
    let production = |production: decomposition::Production| {
        let characteristics = answer::object(&production.characteristics)
            .map_err(|what| answer::malformed(&format!("characteristics {what}")))?;
        let characteristics = characteristics.into_iter().collect();
        Ok(Production { spec: SpecId::new(production.spec), characteristics })
    };
    productions.into_iter().map(production).collect()
}

/// The surroundings of a call.
struct Guest {
    shared: Arc<Shared>,
    plugin: Arc<Plugin>,
    meter: Arc<Meter>,
    caller: Arc<Caller>,
    deadline: Instant,
}

impl Guest {
    fn of(
        shared: &Arc<Shared>,
        plugin: &Arc<Plugin>,
        kept: (&Log, Tape),
        call: &Call,
    ) -> Arc<Self> {
        let subject = (call.fulfilment.clone(), call.task, call.trace);
        Self::new(shared, plugin, kept, subject, call.timeout_ms)
    }

    /// A call for no task, of a plugin that can reserve nothing for it.
    fn aside(shared: &Arc<Shared>, plugin: &Arc<Plugin>, kept: (&Log, Tape)) -> Arc<Self> {
        let subject = (FulfilmentId::new(""), TaskId(u32::MAX), None);
        Self::new(shared, plugin, kept, subject, plugin.limits.wall_ms.into())
    }

    fn new(
        shared: &Arc<Shared>,
        plugin: &Arc<Plugin>,
        (log, tape): (&Log, Tape),
        (fulfilment, task, trace): (FulfilmentId, TaskId, Option<Trace>),
        wall_ms: u64,
    ) -> Arc<Self> {
        let wall = Duration::from_millis(wall_ms.min(plugin.limits.wall_ms.into()));
        let caller = Caller {
            plugin: Arc::clone(&plugin.name),
            grants: Arc::clone(&plugin.grants),
            fulfilment,
            task,
            log: log.clone(),
            calls: Arc::default(),
            ledger: Arc::clone(&plugin.ledger),
            retry_after_ms: AtomicU64::new(0),
            tape,
            missed: Mutex::default(),
            recorder: Recorder::new(
                shared.keep,
                Arc::clone(&plugin.name),
                Arc::clone(&shared.counters),
                trace,
            ),
        };
        Arc::new(Self {
            shared: Arc::clone(shared),
            plugin: Arc::clone(plugin),
            meter: Arc::new(Meter::new(&plugin.limits)),
            caller: Arc::new(caller),
            deadline: Instant::now() + wall,
        })
    }

    /// Runs a call on the threads of guests when it is admitted. Fails if there is no answer.
    /// `bytes` is the size of its arguments.
    async fn run<T, F>(
        self: &Arc<Self>,
        bytes: usize,
        call: impl FnOnce(Arc<Self>, Permit) -> F,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        self.pass().await?;
        let bytes = overhead(&self.plugin, bytes);
        let (id, lane) = self.lane();
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
            .map_err(|_elapsed| self.not_admitted(id, bytes))?
        else {
            return Err(refusal::closing());
        };
        permit.prepay(prepaid, usual.clone());
        let turn = Turn { lane, meter: Arc::clone(&self.meter) };
        let running = self.shared.executor.spawn(turn, {
            let (meter, call) = (Arc::clone(&self.meter), call(Arc::clone(self), permit));
            async move { meter.measure(call).await }
        });
        match tokio::time::timeout_at(self.deadline, running).await {
            Ok(Some(result)) => result,
            // The host is there, because this call holds it: it was a panic.
            Ok(None) => Err(refusal::fault(&self.plugin)),
            Err(_elapsed) => Err(refusal::late(&self.plugin)),
        }
    }

    /// Waits until the plugin may be called once more: half of the time at most, so that the call has some.
    async fn pass(&self) -> Result<(), Failure> {
        let Some(gate) = self.plugin.client.calls().filter(|_| !self.is_repeated()) else {
            return Ok(());
        };
        let now = Instant::now();
        let until = now + self.deadline.saturating_duration_since(now) / 2;
        let passed = gate.pass(until).await;
        passed.map(drop).map_err(|shut| refusal::rate(&self.plugin, shut.retry_after))
    }

    /// In whose name the call has its instance and its turns. What a version in shadow repeats takes none
    /// of those of its plugin.
    fn lane(&self) -> (&PluginId, Arc<Lane>) {
        let lanes = &self.shared.lanes;
        if self.is_repeated() {
            return (&self.shared.shadows.id, lanes.shadows());
        }
        let id = &self.plugin.installed.id;
        (id, lanes.of(id))
    }

    fn not_admitted(&self, id: &PluginId, bytes: usize) -> Failure {
        let admission = &self.shared.admission;
        match admission.short(id, bytes) {
            Some(short) => refusal::short(short, admission.capacity()),
            None => refusal::busy(&self.plugin, admission.capacity()),
        }
    }

    /// The answer of a call, or the failure that replaces it.
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
        let secrets = Arc::new(Secrets::new(&self.caller, &self.shared.secrets));
        let state = State {
            wasi: self.wasi(),
            http,
            table,
            memory: Memory::new(&plugin.limits, permit, Arc::clone(&self.meter)),
            meter: Arc::clone(&self.meter),
            log: self.caller.log.clone(),
            config: Config {
                caller: Arc::clone(&self.caller),
                declared: Arc::clone(&plugin.declared),
            },
            secrets: Arc::clone(&secrets),
            scratch: Scratch::new(
                &self.caller,
                &plugin.mask,
                (&self.shared.store, &self.shared.scratch),
            ),
            outbound: Outbound {
                caller: Arc::clone(&self.caller),
                secrets,
                mask: Arc::clone(&plugin.mask),
                client: plugin.client.clone(),
                deadline: self.deadline,
                body_max: HTTP_BODY_MAX,
                reach: Reach::Granted,
            },
            inventory: Inventory {
                caller: Arc::clone(&self.caller),
                store: Arc::clone(&self.shared.store),
            },
            reservation: Reservation {
                caller: Arc::clone(&self.caller),
                pools: self.shared.pools.clone(),
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
        let mut context = WasiCtx::builder();
        context
            .stdout(self.caller.log.stdout())
            .stderr(self.caller.log.stderr())
            .max_random_size(RANDOM_BYTES_MAX);
        self.caller.tape.set(&mut context);
        context.build()
    }

    /// Whether it is a call that a version in shadow repeats: it takes no part of what its plugin may
    /// have, and is not counted.
    fn is_repeated(&self) -> bool {
        self.caller.tape.is_replayed()
    }
}

fn wrong_role(plugin: &Plugin, what: &str) -> Failure {
    let (name, role) = (&plugin.name, plugin.installed.role);
    let message = format!("plugin `{name}` is a {role} and cannot {what}; mend the workflow");
    Failure::new(FailureClass::Operator, FailureCode::PluginRole, message)
}
