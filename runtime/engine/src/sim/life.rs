//! The lives of the engine: its loop handles the output of the core until the power fails.

use model::plan::UNDO;
use model::{FulfilmentId, Pool, PoolId, SpecId, TaskId, Values};

use std::sync::Arc;

use super::invariants::assert_same;
use super::network::{self, Plugins};
use super::scratch;
use super::{Asker, Crashes, Message, Scenario, SimEvent, Speed, UnderWay, World};
use crate::core::{After, Answer, Core, Setup, Step, read_fulfilment};
use crate::limits::Limits;
use crate::pools::Pools;
use crate::worker::{Call, Worker as _};

/// How long callbacks are kept.
const KEEP_MS: u64 = 700;

impl World {
    /// What the engine's loop does with a step.
    pub(super) fn begin(&mut self, step: Step<Asker>) {
        if self.crashing {
            return;
        }
        for call in step.now {
            self.assert_may_run_now(&call);
            self.call(call);
        }
        if step.commit.is_empty() {
            return;
        }
        if self.disk.append(self.core.epoch(), step.commit) {
            self.appends += 1;
            self.crashing = self.appends == self.crash_at;
            self.flush_later();
        } else if self.disk.pending() == 0 {
            let then = self.disk.unwritten();
            self.finish(then);
        }
    }

    pub(super) fn flush_later(&mut self) {
        match self.scenario.disk {
            Speed::Immediate if self.crashing => {}
            Speed::Immediate => {
                let then = self.disk.flush();
                self.finish(then);
            }
            Speed::Slow => {
                let pause = if self.dice.one_in(12) { 80 } else { 6 };
                let at = self.now.plus_ms(self.dice.below(pause));
                let generation = self.generation;
                self.happens(at, "flushed".into(), SimEvent::Flushed { generation });
            }
        }
    }

    pub(super) fn finish(&mut self, then: Vec<After<Asker>>) {
        for after in then {
            match after {
                After::Run(call) => {
                    self.assert_may_run(&call);
                    self.call(call);
                }
                After::Recall(name) => {
                    let at = self.now.plus_ms(self.dice.below(10));
                    let generation = self.generation;
                    let recalled = format!("recalled {name}");
                    self.happens(at, recalled, SimEvent::Recalled { generation, name });
                }
                After::Reread(fulfilment) => {
                    let at = self.now.plus_ms(self.dice.below(10));
                    let generation = self.generation;
                    let reread = format!("reread {fulfilment}");
                    self.happens(at, reread, SimEvent::Reread { generation, fulfilment });
                }
                After::Reply(asker, answer) => self.answered(asker, &answer),
                After::Written(asker) => self.answered(asker, &Answer::Done),
                After::GoOn(id) => {
                    for step in self.core.go_on(self.now, &id) {
                        self.begin(step);
                    }
                }
                After::Publish(published) => {
                    let fold = &self.disk.folds[&published.fulfilment];
                    assert_eq!(published.number + 1, fold.records());
                    assert_same(&published.state, fold, "memory and disk agree");
                }
            }
        }
    }

    pub(super) fn answered(&mut self, asker: Asker, answer: &Answer) {
        self.assert_answer(asker, answer);
        match (asker, answer) {
            (Asker::Client(number), Answer::Fulfilment(Some(fulfilment))) => {
                self.submitted(number, fulfilment.id());
                self.changing &= !self.orders[number].is_change;
            }
            (Asker::Client(number), Answer::Submitted(id)) => self.submitted(number, id),
            (Asker::Element(number), _) => {
                self.messages[number].answered = true;
            }
            (Asker::Person, _) => self.unanswered -= 1,
            (Asker::Editor(number), Answer::Fulfilment(None) | Answer::Stale) => {
                // As the handle does: it is not open, so its end is on the disk. It may be open by now if
                // it was not sent yet.
                let read = read_fulfilment(&self.disk.store, &self.of_client(number)).unwrap();
                if let Some(read) = read {
                    self.patch(number, Some(Box::new(read)));
                }
            }
            _ => {}
        }
    }

    pub(super) fn submitted(&mut self, number: usize, id: &FulfilmentId) {
        assert!(self.disk.folds.contains_key(id), "the fulfilment in the answer is on the disk");
        let (_, told) = &mut self.clients[number];
        if self.orders[number].submission.is_some() {
            assert!(told.as_ref().is_none_or(|told| told == id), "one key makes one fulfilment");
        }
        *told = Some(id.clone());
    }

    pub(super) fn call(&mut self, call: Call) {
        let effects = self.plugins.effects(&call.digest).expect("only what is there is called");
        let mut script = self.network.script(&call, effects);
        let name = network::name_of(&call);
        self.tell(|| format!("  calls {name}: {script:?}"));
        let task = (call.fulfilment.clone(), call.task);
        let generation = self.generation;
        for (after, pool) in &script.reserves {
            let reserving = SimEvent::Reserving { generation, task: task.clone(), pool };
            self.happens(self.now.plus_ms(*after), format!("reserving {name} {pool}"), reserving);
        }
        let undo = call.operation.reverts();
        if let Some(after) = script.reaches {
            let reached = SimEvent::Reached { key: call.idempotency_key.clone(), undo };
            self.happens(self.now.plus_ms(after), format!("reached {name}"), reached);
        }
        for (after, key) in std::mem::take(&mut script.callbacks) {
            let number = self.messages.len();
            let own = format!("{}:{}", call.fulfilment, call.task);
            let address = match (key == network::own_key(&call), undo) {
                (true, true) => format!("{own}{UNDO}"),
                (true, false) => own,
                (false, _) => format!("{}/{key}", call.plugin),
            };
            self.messages.push(Message {
                name: address,
                key,
                may_be_awaited: true,
                answered: false,
            });
            let message = SimEvent::Message { number };
            self.happens(self.now.plus_ms(after), format!("message {name} {number}"), message);
        }
        let ends = self.now.plus_ms(script.ends);
        self.happens(
            ends,
            format!("ends {name}"),
            SimEvent::Ends { generation, task: task.clone() },
        );
        let counted = script.counts.map(|counts| scratch::count(&self.disk.store, &call, counts));
        let (reserved, refused) = (Vec::new(), false);
        let under_way = UnderWay { call, script, reserved, refused, counted };
        let other = self.calls.insert(task, under_way);
        assert!(other.is_none(), "a task has one call at a time");
    }

    pub(super) fn reserve(&mut self, task: &(FulfilmentId, TaskId), pool: &str) {
        let Some(under_way) = self.calls.get_mut(task) else {
            return;
        };
        let name = pool;
        match self.pools.reserve(&task.0, task.1, PoolId::new(pool), name) {
            Ok(reservation) => under_way.reserved.push(reservation.value),
            Err(_) => under_way.refused = true,
        }
    }

    pub(super) fn next_crash(&mut self) -> u64 {
        match self.scenario.crashes {
            Crashes::Never => 0,
            Crashes::Drawn if self.generation > 4 => 0,
            Crashes::Drawn => self.appends + self.dice.between(1, 40),
            Crashes::At { append, .. } if self.generation == 1 => append,
            Crashes::At { .. } => 0,
        }
    }

    /// The power fails, and returns after a while.
    pub(super) fn crash(&mut self) {
        let pending = self.disk.pending() as u64;
        let survive = match self.scenario.crashes {
            Crashes::At { survivors, .. } => survivors.min(self.disk.pending()),
            Crashes::Never | Crashes::Drawn => {
                usize::try_from(self.dice.below(pending + 1)).unwrap()
            }
        };
        self.tell(|| format!("crash, {survive} of {pending} survive"));
        self.disk.crash(survive);
        self.crashing = false;
        self.generation += 1;
        self.calls.clear();
        self.unanswered = 0;
        self.changing = false;
        self.now = self.now.plus_ms(self.dice.below(200));
        self.crash_at = self.next_crash();
        self.send_again();
        self.pools = pools();
        let setup = setup(&self.plugins, &self.pools, &self.scenario);
        let (core, steps) = Core::recover(&self.disk.store, setup, self.now).unwrap();
        self.core = core;
        self.assert_timers();
        for step in steps {
            self.begin(step);
        }
    }

    /// Clients without an answer send again.
    pub(super) fn send_again(&mut self) {
        for number in 0..self.orders.len() {
            let (sendings, told) = &self.clients[number];
            if *sendings > 0 && told.is_none() && self.orders[number].submission.is_some() {
                let at = self.now.plus_ms(self.dice.below(30));
                let sent = SimEvent::Sent { order: number };
                self.happens(at, format!("sent {number} again"), sent);
            }
        }
        for number in 0..self.messages.len() {
            if !self.messages[number].answered {
                let at = self.now.plus_ms(self.dice.below(30));
                self.happens(at, format!("message {number} again"), SimEvent::Message { number });
            }
        }
    }
}

/// The setup of the engine.
pub(super) fn setup(plugins: &Arc<Plugins>, pools: &Pools, scenario: &Scenario) -> Setup {
    let (worker, pools) = (Arc::clone(plugins) as _, pools.clone());
    // Some callbacks expire while others are still to be read.
    let Scenario { durability, shares, in_memory, .. } = *scenario;
    let limits = Limits {
        callback_keep_ms: KEEP_MS,
        orders_in_memory_bytes: in_memory,
        ..Limits::default()
    };
    Setup { worker, pools, durability, limits, shares, secret: [7; 32] }
}

/// Pools that are too small for all orders.
pub(super) fn pools() -> Pools {
    let pools = Pools::default();
    for (id, values) in [("vlan", "{1..9}"), ("port", "olt-1/{1..3}")] {
        pools.define(Pool {
            id: PoolId::new(id),
            resource: SpecId::new("RS-VALUE"),
            characteristic: "value".into(),
            values: Values::pattern(values).unwrap(),
        });
    }
    pools
}
