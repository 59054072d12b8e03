//! Plays the engine without a clock, a disk or a network of its own: orders, answers, callbacks,
//! crashes and time are drawn from a seed. Invariants are asserted while it runs; `FERRULE_SEED=<seed>`
//! plays a failing seed again, with a log.

mod audit;
mod changes;
mod dice;
mod disk;
mod invariants;
mod life;
mod network;
mod orders;
mod refusals;
mod scratch;
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::fulfilment::Subject;
use model::journal::{CancelRequest, Decision};
use model::{Failure, FailureClass, Fulfilment, FulfilmentId, Outcome, TaskId};
use serde_json::json;
use tmf::time::Timestamp;

use self::dice::Dice;
use self::disk::Disk;
use self::life::pools;
use self::network::{Network, Plugins, Script};
use self::orders::Order;
use crate::core::{Amendment, Callback, Core, Durability, Input, Recalled, Wish, read_sized};
use crate::keys;
use crate::limits::Shares;
use crate::pools::Pools;
use crate::scratch::Changes;
use crate::store::{Fact, Store as _};
use crate::worker::{Call, Report};
pub(crate) use invariants::assert_read;

/// How often an operator retries the failed tasks before giving them up.
const RETRIES_MAX: u32 = 4;

/// Max steps of a simulation; one with more hangs.
const EVENTS_MAX: u64 = 20_000;

/// The settings of a simulation.
#[derive(Clone, Copy, Debug)]
struct Scenario {
    seed: u64,
    durability: Durability,
    disk: Speed,
    crashes: Crashes,
    shares: Shares,
    /// Whether events are injected that are refused.
    refuses: bool,
    /// Bytes of the journals of open fulfilments in memory.
    in_memory: u64,
}

/// The time until a batch is on the disk.
#[derive(Clone, Copy, Debug)]
enum Speed {
    /// No time.
    Immediate,
    /// Some milliseconds, drawn.
    Slow,
}

/// When the power fails.
#[derive(Clone, Copy, Debug)]
enum Crashes {
    /// Never.
    Never,
    /// At some appends, drawn, with as many survivors as are drawn.
    Drawn,
    /// Right after the append of this number, with at most this many surviving batches.
    At { append: u64, survivors: usize },
}

/// The result of a simulation.
#[derive(Debug)]
struct Summary {
    /// All facts.
    facts: Vec<Fact>,
    /// All fulfilments.
    fulfilments: BTreeMap<FulfilmentId, Fulfilment>,
    /// The number of appended batches.
    appends: u64,
    /// The number of refused events.
    refusals: u32,
}

/// An asker of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Asker {
    /// The client of an order.
    Client(usize),
    /// The element that sent a message.
    Element(usize),
    /// An operator.
    Person,
    /// A waiter for an end.
    Watcher,
    /// A client that cancels its order.
    Canceller(usize),
    /// A client that changes an order's attributes.
    Editor(usize),
}

/// Something that happens at a time.
#[derive(Debug)]
enum SimEvent {
    /// A client sends its order.
    Sent { order: usize },
    /// A client cancels its order.
    Cancelled { order: usize },
    /// A client changes an order's attributes.
    Patched { order: usize },
    /// A client orders a change of the instances of an order.
    Changed { order: usize },
    /// An element sends a message.
    Message { number: usize },
    /// A callback that is kept was read.
    Recalled { generation: u32, name: String },
    /// A fulfilment that has left memory is read again.
    Reread { generation: u32, fulfilment: FulfilmentId },
    /// A call comes to an element.
    Reached { key: String, undo: bool },
    /// A plugin asks a pool.
    Reserving { generation: u32, task: (FulfilmentId, TaskId), pool: &'static str },
    /// A call ends.
    Ends { generation: u32, task: (FulfilmentId, TaskId) },
    /// The oldest batch is on the disk.
    Flushed { generation: u32 },
    /// An operator looks at every fulfilment, and retries some.
    Looked { reopens: bool },
    /// An event is applied that is refused.
    Refused,
}

/// A call that is under way.
struct UnderWay {
    call: Call,
    script: Script,
    reserved: Vec<String>,
    refused: bool,
    /// What it writes into its scratch space, which it read when it began.
    counted: Option<(String, Changes)>,
}

/// An answer that an element sends until it is told that it arrived.
struct Message {
    /// The name of the callback, and its key for the plugin.
    name: String,
    key: String,
    /// Whether a task could have waited for it when it last arrived.
    may_be_awaited: bool,
    answered: bool,
}

struct World {
    scenario: Scenario,
    dice: Dice,
    now: Timestamp,
    queue: BTreeMap<(Timestamp, String, u64), SimEvent>,
    core: Core<Asker>,
    pools: Pools,
    plugins: Arc<Plugins>,
    network: Network,
    disk: Disk,
    orders: Vec<Order>,
    /// How often each order was sent, and the fulfilment in the answer to its client.
    clients: Vec<(u32, Option<FulfilmentId>)>,
    /// What elements sent.
    messages: Vec<Message>,
    calls: BTreeMap<(FulfilmentId, TaskId), UnderWay>,
    /// The fulfilments, tasks and attempts of reported calls that logged.
    logged: Vec<(FulfilmentId, TaskId, u32)>,
    /// The number of unanswered requests of people.
    unanswered: u32,
    /// Whether the submission of a change is not answered yet: the server submits one at a time.
    changing: bool,
    /// Counts the lives of the engine.
    generation: u32,
    appends: u64,
    inputs: u64,
    crash_at: u64,
    crashing: bool,
    sequence: u64,
    reopened: u32,
    refusals: u32,
    told: bool,
}

impl World {
    fn new(scenario: Scenario) -> Self {
        let disk = Disk::new();
        let plugins = Arc::new(Plugins::default());
        let pools = pools();
        let start = Timestamp(1_000_000);
        let setup = life::setup(&plugins, &pools, &scenario);
        let (core, _) = Core::recover(&disk.store, setup, start).unwrap();
        let mut dice = Dice::new(scenario.seed);
        let count = usize::try_from(dice.between(1, 4)).unwrap();
        let orders: Vec<Order> =
            (0..count).map(|number| Order::draw(scenario.seed, number)).collect();
        let wishes: Vec<_> = orders.iter().flat_map(Order::wishes).collect();
        let mut world = Self {
            scenario,
            dice,
            now: start,
            queue: BTreeMap::new(),
            core,
            pools,
            plugins,
            network: Network::new(scenario.seed),
            disk,
            clients: vec![(0, None); count],
            orders,
            messages: Vec::new(),
            calls: BTreeMap::new(),
            logged: Vec::new(),
            unanswered: 0,
            changing: false,
            generation: 1,
            appends: 0,
            inputs: 0,
            crash_at: 0,
            crashing: false,
            sequence: 0,
            reopened: 0,
            refusals: 0,
            told: std::env::var_os("FERRULE_SEED").is_some(),
        };
        for (at, name, event) in wishes {
            world.happens(at, name, event);
        }
        for number in 0..12 {
            let at = start.plus_ms(world.dice.below(400));
            let reopens = world.dice.one_in(3);
            world.happens(at, format!("looked {number}"), SimEvent::Looked { reopens });
        }
        for number in 0..if scenario.refuses { 3 } else { 0 } {
            let at = start.plus_ms(world.dice.below(500));
            world.happens(at, format!("refused {number}"), SimEvent::Refused);
        }
        world.crash_at = world.next_crash();
        world
    }

    /// Plays until nothing can happen any more.
    fn play(mut self) -> Summary {
        for _ in 0..EVENTS_MAX {
            self.wake();
            self.assert_timers();
            if self.crashing {
                self.crash();
                continue;
            }
            let next = self.queue.first_key_value().map(|((at, ..), _)| *at);
            let at = match (next, self.core.wake_at()) {
                (Some(next), Some(wake_at)) => next.min(wake_at),
                (Some(at), None) | (None, Some(at)) => at,
                (None, None) if self.person_acts() => continue,
                (None, None) => return self.end(),
            };
            if next.is_none() {
                self.assert_quiet();
            }
            self.now = self.now.max(at);
            if let Some(entry) = self.queue.first_entry()
                && entry.key().0 <= self.now
            {
                let ((_, name, _), event) = entry.remove_entry();
                self.tell(|| name);
                self.happen(event);
            }
        }
        panic!("it goes on for ever");
    }

    fn wake(&mut self) {
        for step in self.core.wake(self.now) {
            self.begin(step);
        }
    }

    fn happens(&mut self, at: Timestamp, name: String, event: SimEvent) {
        self.sequence += 1;
        self.queue.insert((at, name, self.sequence), event);
    }

    fn happen(&mut self, event: SimEvent) {
        match event {
            SimEvent::Sent { order } => self.sent(order),
            SimEvent::Cancelled { order } => {
                let fulfilment = self.of_client(order);
                self.sequence += 1;
                let id = format!("cancel-{order}-{}", self.sequence);
                let request = CancelRequest { id, reason: None, requested: None };
                let reply = Asker::Canceller(order);
                self.input(Input::Cancel { fulfilment, request, reply });
            }
            SimEvent::Patched { order } => self.patch(order, None),
            SimEvent::Changed { order } => self.change(order),
            SimEvent::Message { number } => self.message(number),
            SimEvent::Reached { key, undo } => self.network.reach(&key, undo),
            SimEvent::Reserving { generation, task, pool } if generation == self.generation => {
                self.reserve(&task, pool);
            }
            SimEvent::Ends { generation, task } if generation == self.generation => {
                self.ends(task);
            }
            SimEvent::Flushed { generation } if generation == self.generation => {
                let then = self.disk.flush();
                self.finish(then);
            }
            SimEvent::Recalled { generation, name } if generation == self.generation => {
                let body = self.disk.store.get(&keys::callback_body(&name)).unwrap();
                let payload = body.map(|body| serde_json::from_slice(&body).unwrap());
                self.input(Input::Recalled(Recalled { name, payload }));
            }
            SimEvent::Reread { generation, fulfilment } if generation == self.generation => {
                let read = read_sized(&self.disk.store, &fulfilment).unwrap();
                let read = Ok(Box::new(read.expect("what has left memory is on the disk")));
                self.input(Input::Reread { fulfilment, read });
            }
            SimEvent::Reserving { .. }
            | SimEvent::Reread { .. }
            | SimEvent::Ends { .. }
            | SimEvent::Recalled { .. }
            | SimEvent::Flushed { .. } => {}
            SimEvent::Looked { reopens } => self.look(reopens),
            SimEvent::Refused => self.refuse(),
        }
    }

    /// A client sends an order; as the server does, it looks first whether its key was used.
    fn sent(&mut self, number: usize) {
        let order = &self.orders[number];
        let known = order.submission.as_ref().and_then(|key| {
            let id = self.disk.store.get(&keys::submission(key)).unwrap()?;
            Some(FulfilmentId::new(String::from_utf8(id).unwrap()))
        });
        if let Some(id) = known {
            self.submitted(number, &id);
            return;
        }
        let (sendings, _) = &mut self.clients[number];
        *sendings += 1;
        let fulfilment = Box::new(order.fulfilment(*sendings, self.now));
        let (events, submission) = (order.events.clone(), order.submission.clone());
        let reply = Asker::Client(number);
        self.input(Input::Submit {
            fulfilment,
            events,
            submission,
            seen: None,
            trace: None,
            reply,
        });
    }

    /// The fulfilment of a client, as far as anyone knows.
    fn of_client(&self, number: usize) -> FulfilmentId {
        let (_, told) = &self.clients[number];
        told.clone().unwrap_or_else(|| FulfilmentId::new(format!("f{number}-1")))
    }

    /// A client changes an order, which was read if it has ended.
    fn patch(&mut self, number: usize, ended: Option<Box<Fulfilment>>) {
        let fulfilment = self.of_client(number);
        let patch = json!({ "note": [{ "text": self.now.0.to_string() }], "category": null });
        let patch = patch.as_object().cloned().unwrap();
        let amendment = Amendment { resource: "productOrder".into(), patch, expected: None };
        let reply = Asker::Editor(number);
        self.input(Input::Patch { fulfilment, ended, amendment, reply });
    }

    fn message(&mut self, number: usize) {
        let Message { name, key, .. } = &self.messages[number];
        let (name, payload) = (name.clone(), json!({ "key": key, "message": number }));
        self.messages[number].may_be_awaited = self.may_be_awaited(&name);
        let callback = Callback { name, payload };
        self.input(Input::Callback { callback, reply: Asker::Element(number) });
    }

    fn ends(&mut self, task: (FulfilmentId, TaskId)) {
        let under_way = self.calls.remove(&task).expect("it is under way");
        let UnderWay { call, script, reserved, refused, counted } = under_way;
        let mut outcome = script.outcome;
        if refused {
            let message = "the pool is exhausted";
            outcome = Outcome::Failed(Failure::new(FailureClass::Retry, "EXHAUSTED", message));
        }
        if let Outcome::Done(outputs) = &mut outcome
            && !reserved.is_empty()
        {
            outputs.insert("reserved".into(), json!(reserved));
        }
        if let (Outcome::Done(outputs), Some((by, _))) = (&mut outcome, &counted) {
            outputs.insert("counted".into(), json!(by));
        }
        let counted = counted.map(|(_, changes)| changes);
        self.tell(|| format!("  {outcome:?}"));
        self.assert_reservations();
        // An input that arrives during a write is handled later, when the task may have ended.
        let is_open = self.core.resting().any(|open| *open.id() == task.0 && !open.is_ended());
        if is_open && !script.log.is_empty() {
            self.logged.push((task.0.clone(), task.1, call.attempt));
        }
        self.input(Input::Finished {
            fulfilment: task.0,
            task: task.1,
            attempt: call.attempt,
            report: Report { scratch: counted, ..Report::new(outcome, script.log) },
        });
    }

    fn look(&mut self, reopens: bool) {
        let mut ids: Vec<_> = self.core.fulfilments().map(|open| open.id().clone()).collect();
        ids.push(FulfilmentId::new("f0-1"));
        for id in ids {
            let reply = Asker::Person;
            let input = match (reopens, self.dice.below(4)) {
                (true, 3) => self.give_up(id, reply),
                (true, _) => Input::Retry { fulfilment: id, reply },
                (false, 0) => Input::AwaitEnd { fulfilment: id, reply: Asker::Watcher },
                (false, _) => Input::Get { fulfilment: id, reply },
            };
            if !self.crashing && !matches!(input, Input::AwaitEnd { .. }) {
                self.unanswered += 1;
            }
            self.input(input);
        }
    }

    /// An operator gives a task up, in any state.
    fn give_up(&mut self, id: FulfilmentId, reply: Asker) -> Input<Asker> {
        let open = self.core.fulfilments().find(|open| *open.id() == id);
        let count = open.map_or(0, |open| open.tasks().len() as u64);
        let task = TaskId::at(usize::try_from(self.dice.below(count.max(1))).unwrap());
        let open = self.core.fulfilments().find(|open| *open.id() == id && count > 0);
        let name = open.map(|open| open.plan().task_name(task)).unwrap_or_default();
        let release = self.dice.one_in(2);
        let (subject, decision) = (Subject::Task(name), Decision::default());
        let wish = Wish::GiveUp { subject, release, decision };
        Input::Decide { fulfilment: id, wish, reply }
    }

    /// If nothing can happen any more, an operator mends the held orders; false if there are none.
    fn person_acts(&mut self) -> bool {
        self.assert_quiet();
        if self.readmit() {
            return true;
        }
        let held = self.core.fulfilments().any(Fulfilment::has_failures);
        if !held || self.reopened >= RETRIES_MAX {
            return false;
        }
        self.reopened += 1;
        self.network.calm |= self.reopened >= RETRIES_MAX - 1;
        self.plugins.installed.store(true, Ordering::Relaxed);
        self.look(true);
        true
    }

    fn input(&mut self, input: Input<Asker>) {
        if self.crashing {
            return;
        }
        self.inputs += 1;
        let step = self.core.handle(self.now, audit::asked(input, self.inputs));
        self.begin(step);
    }

    #[expect(clippy::print_stderr, reason = "who plays one seed wants to know what happens")]
    fn tell(&self, line: impl FnOnce() -> String) {
        if self.told {
            eprintln!("{} {}", self.now.0, line());
        }
    }

    fn end(self) -> Summary {
        self.assert_end();
        Summary {
            facts: self.disk.dump(),
            fulfilments: self.disk.folds,
            appends: self.appends,
            refusals: self.refusals,
        }
    }
}
