//! The stage of scripts: a core, its store, and a log of the output.

use std::fmt::Write as _;
use std::pin::Pin;

use model::plan::{OnFailure, Retry, Step as PlanStep, Task, Work};
use model::{
    Digest, Event, Failure, FailureClass, Kind, Outcome, Plan, PluginId, Pool, PoolId, Record,
    SpecId, TaskState, Values, Wait,
};
use serde_json::{Map, Value, json};

use super::super::*;
use crate::keys;
use crate::store::{Memory, Store};
use crate::trace::Trace;
use crate::worker::{Call, Effects, Operation, Resolved};

pub(super) struct Stage {
    pub(super) core: Core<&'static str>,
    pub(super) store: Memory,
    pub(super) pools: Pools,
    durability: Durability,
    pub(super) limits: Limits,
    /// Whether what has left memory cannot be read again.
    pub(super) is_unreadable: bool,
    pub(super) trace: Option<Trace>,
    /// The traces of calls, in order.
    pub(super) traces: Vec<Option<Trace>>,
    pub(super) plan: Plan,
    pub(super) now: Timestamp,
    /// The answers, in order.
    pub(super) answers: Vec<Answer>,
    pub(super) log: String,
}

/// Plugins whose names are their effects.
struct Plugins;

impl Worker for Plugins {
    fn resolve(&self, _plugin: &PluginId) -> Option<Resolved> {
        None
    }

    fn effects(&self, digest: &Digest) -> Option<Effects> {
        Some(if digest.as_str() == "pure" { Effects::Pure } else { Effects::External })
    }

    fn run(&self, _call: Call) -> Pin<Box<dyn Future<Output = Report> + Send>> {
        Box::pin(std::future::pending())
    }
}

impl Stage {
    pub(super) fn new(durability: Durability) -> Self {
        let (store, now) = (Memory::new(), Timestamp(1_000));
        let pools = pools();
        let begun = Core::<&str>::recover(&store, setup(&pools, durability, LIMITS), now);
        let (core, steps) = begun.unwrap();
        for step in steps {
            if let Some(batch) = step.commit.split(core.epoch()).0 {
                drop(store.append(batch));
            }
        }
        let mut plan = Plan::default();
        for name in ["pure", "external"] {
            plan.plugins.insert(PluginId::new(name), Digest::new(name));
        }
        let limits = LIMITS;
        Self {
            core,
            store,
            pools,
            durability,
            limits,
            is_unreadable: false,
            trace: None,
            traces: Vec::new(),
            plan,
            now,
            answers: Vec::new(),
            log: String::new(),
        }
    }

    pub(super) fn task(&mut self, line: &str) {
        let (line, plugin) = match line.split_once(", ") {
            Some((line, _)) => (line, "external"),
            None => (line, "pure"),
        };
        let (name, needs) = line.split_once(" needs ").unwrap_or((line, ""));
        let needs = needs.split(" and ").filter(|need| !need.is_empty());
        let needs = needs.map(|need| self.named(need)).collect();
        let step = u32::try_from(self.plan.steps.len()).unwrap();
        self.plan.tasks.push(Task { item: None, step, needs, not_before: None, work: Work::Do });
        self.plan.steps.push(PlanStep {
            workflow: "play".into(),
            step: name.into(),
            plugin: PluginId::new(plugin),
            input: Value::Null,
            timeout_ms: 1_000,
            retry: Retry { attempts: 2, first_ms: 1_000, max_ms: 1_000 },
            on_failure: OnFailure::Hold,
            undo: true,
            point_of_no_return: false,
            milestone: None,
            expected_ms: None,
        });
    }

    pub(super) fn named(&self, name: &str) -> TaskId {
        TaskId::at(self.plan.steps.iter().position(|step| step.step == name).unwrap())
    }

    pub(super) fn line(&mut self, line: &str) {
        writeln!(self.log, "{line}").unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let f = FulfilmentId::new("f");
        match *words.as_slice() {
            ["submit"] => self.submit("f"),
            ["submit", "again"] => self.submit("g"),
            ["done", name] => self.finished(name, Outcome::Done(Map::new()), false),
            ["fail", name, class] => {
                let retry = class == "retry";
                let class = if retry { FailureClass::Retry } else { FailureClass::Reject };
                let failure = Failure::new(class, "CODE", "from the script");
                self.finished(name, Outcome::Failed(failure), false);
            }
            ["wait", name] => {
                let keys = vec![format!("f:{}", self.named(name))];
                self.finished(name, Outcome::Waiting(Wait { keys, timeout_ms: 5_000 }), false);
            }
            ["undone", name] => self.finished(name, Outcome::Done(Map::new()), true),
            ["callback", name] => {
                let name = format!("f:{}", self.named(name));
                self.input(Input::Callback {
                    callback: Callback { name, payload: json!({}) },
                    reply: "element",
                });
            }
            ["reopen"] => self.input(Input::Retry { fulfilment: f, reply: "person" }),
            ["get"] => self.input(Input::Get { fulfilment: f, reply: "client" }),
            ["tick", ms] => {
                self.now = self.now.plus_ms(ms.parse().unwrap());
                let steps = self.core.wake(self.now);
                self.steps(steps);
            }
            ["restart"] => {
                self.pools = pools();
                let setup = setup(&self.pools, self.durability, self.limits);
                let (core, steps) = Core::recover(&self.store, setup, self.now).unwrap();
                self.core = core;
                self.steps(steps);
            }
            _ => panic!("cannot read `{line}`"),
        }
    }

    fn submit(&mut self, id: &str) {
        self.submit_as(id, "client-key");
    }

    pub(super) fn submit_as(&mut self, id: &str, key: &str) {
        let kind = Kind::Run { workflow: "play".into() };
        let id = FulfilmentId::new(id);
        let fulfilment = Box::new(Fulfilment::new(id, kind, json!({}), self.now));
        let events = vec![Event::Planned { plan: Arc::new(self.plan.clone()) }];
        let submission = Some(key.to_string());
        self.input(Input::Submit {
            fulfilment,
            events,
            submission,
            seen: None,
            trace: self.trace,
            reply: "client",
        });
    }

    /// A call ends: the one that is the current attempt.
    pub(super) fn finished(&mut self, name: &str, outcome: Outcome, undo: bool) {
        let task = self.named(name);
        let fulfilment = FulfilmentId::new("f");
        if name == "port" && !undo {
            self.pools.reserve(&fulfilment, task, PoolId::new("ports"), "").unwrap();
        }
        let attempt = match self.core.fulfilments().next().map(|open| &open.tasks()[task.index()]) {
            Some(TaskState::Running { attempt } | TaskState::CalledBack { attempt, .. }) => {
                *attempt
            }
            Some(TaskState::Retrying { attempt, .. }) if !undo => attempt + 1,
            _ => 1,
        };
        self.reported(name, attempt, Report::new(outcome, Vec::new()));
    }

    /// A call ends with a report.
    pub(super) fn reported(&mut self, name: &str, attempt: u32, report: Report) {
        let (fulfilment, task) = (FulfilmentId::new("f"), self.named(name));
        self.input(Input::Finished { fulfilment, task, attempt, report });
    }

    pub(super) fn input(&mut self, input: Input<&'static str>) {
        let step = self.core.handle(self.now, input);
        self.steps(vec![step]);
    }

    pub(super) fn steps(&mut self, steps: Vec<Step<&'static str>>) {
        for step in steps {
            for call in &step.now {
                self.say("now call", &called(call));
            }
            for document in &step.commit.documents {
                self.say(&format!("write d/{}/{}", document.resource, document.id), "");
            }
            let (batch, then) = step.commit.split(self.core.epoch());
            for (key, value) in batch.iter().flat_map(|batch| &batch.writes) {
                let key = std::str::from_utf8(key).unwrap();
                match value {
                    Some(bytes) if key.starts_with("j/") => {
                        let record = Record::decode(bytes).unwrap();
                        let names: Vec<&str> = record.events.iter().map(Event::name).collect();
                        self.say(&format!("write {key}"), &names.join(", "));
                    }
                    Some(_) => self.say(&format!("write {key}"), ""),
                    None => self.say(&format!("remove {key}"), ""),
                }
            }
            if let Some(batch) = batch {
                drop(self.store.append(batch));
            }
            for after in then {
                if let After::Reply(_, answer) = &after {
                    self.answers.push(answer.clone());
                }
                match after {
                    After::Run(call) => {
                        self.traces.push(call.trace);
                        self.say("then call", &called(&call));
                    }
                    After::Written(asker) => self.say(&format!("then tell {asker}"), "written"),
                    After::Reply(asker, Answer::Fulfilment(Some(fulfilment))) => {
                        self.say(&format!("then tell {asker}"), fulfilment.phase().name());
                    }
                    After::Reply(asker, Answer::Submitted(id)) => {
                        self.say(&format!("then tell {asker}"), &format!("of {id}"));
                    }
                    After::Reply(asker, answer) => {
                        self.say(&format!("then tell {asker}"), &format!("{answer:?}"));
                    }
                    After::Recall(name) => {
                        self.say("then recall", &name);
                        let body = self.store.get(&keys::callback_body(&name)).unwrap();
                        let payload = body.map(|body| serde_json::from_slice(&body).unwrap());
                        self.input(Input::Recalled(Recalled { name, payload }));
                    }
                    After::Reread(id) => {
                        self.say("then reread", id.as_str());
                        let read = self.reread(&id);
                        self.input(Input::Reread { fulfilment: id, read });
                    }
                    After::GoOn(id) => {
                        let steps = self.core.go_on(self.now, &id);
                        self.steps(steps);
                    }
                    After::Publish(_) => {}
                }
            }
        }
    }

    fn reread(&self, id: &FulfilmentId) -> Result<Box<(Fulfilment, u64)>, RecoverError> {
        if self.is_unreadable {
            return Err(RecoverError::Missing { fulfilment: id.clone(), number: 0 });
        }
        Ok(Box::new(read_sized(&self.store, id)?.expect("what has left memory is on the disk")))
    }

    fn say(&mut self, what: &str, of: &str) {
        writeln!(self.log, "{}", format!("    {what} {of}").trim_end()).unwrap();
    }
}

fn called(call: &Call) -> String {
    let operation = match &call.operation {
        Operation::Run => "run",
        Operation::Recover => "recover",
        Operation::Resume { .. } => "resume",
        Operation::ResumeUndo { .. } => "resume undo",
        Operation::Undo { .. } => "undo",
        Operation::Reapply => "restore",
    };
    let name = call.name.trim_start_matches("play.");
    format!("{operation} {name} #{} by {}", call.attempt, call.idempotency_key)
}

/// The limits, unless a test sets others.
pub(super) const LIMITS: Limits = Limits {
    open_orders: 100,
    open_orders_bytes: 1 << 20,
    orders_in_memory_bytes: 1 << 20,
    callbacks_kept: 4,
    callbacks_kept_bytes: 1_000,
    callback_keep_ms: 3_600_000,
};

pub(super) fn setup(pools: &Pools, durability: Durability, limits: Limits) -> Setup {
    let (worker, pools) = (Arc::new(Plugins), pools.clone());
    let shares = Shares::default();
    Setup { worker, pools, durability, limits, shares, secret: [7; 32] }
}

fn pools() -> Pools {
    let pools = Pools::default();
    pools.define(Pool {
        id: PoolId::new("ports"),
        resource: SpecId::new("RS-PORT"),
        characteristic: "port".into(),
        values: Values::pattern("{1..3}").unwrap(),
    });
    pools
}
