//! What is outside of the engine: plugins, which follow a script, and the elements that they talk
//! to. An element applies each key once and refuses a key that was undone, as ours must.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};

use model::plan::UNDO;
use model::{Digest, Failure, FailureClass, Outcome, PluginId, Wait};
use serde_json::{Map, Value, json};

use super::dice::Dice;
use super::orders::PLUGINS;
use crate::worker::{Call, Effects, Operation, Report, Resolved, Worker};

/// Knows the plugins; the simulation runs them itself.
#[derive(Debug, Default)]
pub(super) struct Plugins {
    /// Whether the missing plugin was installed.
    pub installed: AtomicBool,
}

impl Worker for Plugins {
    fn resolve(&self, _plugin: &PluginId) -> Option<Resolved> {
        None
    }

    fn effects(&self, digest: &Digest) -> Option<Effects> {
        let is = |name: &str| *digest == Digest::of(name.as_bytes());
        let known = PLUGINS.iter().map(|(_, digest)| *digest).find(|digest| is(digest))?;
        match known {
            "pure" => Some(Effects::Pure),
            "missing" if !self.installed.load(Ordering::Relaxed) => None,
            _ => Some(Effects::External),
        }
    }

    fn run(&self, _call: Call) -> Pin<Box<dyn Future<Output = Report> + Send>> {
        Box::pin(std::future::pending())
    }
}

/// The course of a call; times are milliseconds after it.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// When the call ends.
    pub ends: u64,
    /// How.
    pub outcome: Outcome,
    /// When the element receives it, if ever; perhaps long after the call has ended.
    pub reaches: Option<u64>,
    /// When it asks a pool for a value.
    pub reserves: Vec<(u64, &'static str)>,
    /// When the element answers, and under which key.
    pub callbacks: Vec<(u64, String)>,
    /// What it logs.
    pub log: Vec<String>,
    /// The key of the scratch space that it counts up, and which call of its name it is.
    pub counts: Option<(&'static str, u32)>,
}

/// The state of a key at an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It is there.
    Applied,
    /// It was undone.
    Removed,
}

/// The elements.
#[derive(Debug, Default)]
pub(super) struct Network {
    seed: u64,
    /// The effects, by idempotency key.
    pub effects: BTreeMap<String, Effect>,
    /// Keys whose removal was asked for: the work must not be asked for again.
    undone: BTreeSet<String>,
    /// How often each call was made.
    calls: BTreeMap<String, u32>,
    /// Whether everything works at last.
    pub calm: bool,
}

impl Network {
    /// The elements of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Draws the course of a call, which depends on the seed and the call alone.
    pub(super) fn script(&mut self, call: &Call, effects: Effects) -> Script {
        let name = name_of(call);
        let count = self.calls.entry(name.clone()).or_default();
        *count += 1;
        let mut dice = Dice::named(self.seed, &format!("{name} {count}"));
        let mut script = match (&call.operation, effects) {
            (Operation::Undo { .. } | Operation::Reapply, _) => {
                self.undone.insert(call.idempotency_key.clone());
                undo(&mut dice, call)
            }
            (Operation::Run | Operation::Recover, Effects::External) => {
                let key = &call.idempotency_key;
                assert!(!self.undone.contains(key), "{key} is repeated after its undo");
                external(&mut dice, call)
            }
            (Operation::Run | Operation::Recover, Effects::Pure) => pure(&mut dice, call),
            (Operation::Resume { .. } | Operation::ResumeUndo { .. }, _) => resume(&mut dice, call),
        };
        let mut hostile = Dice::named(self.seed, &format!("hostile {name} {count}"));
        if hostile.one_in(20)
            && let Outcome::Done(outputs) = &mut script.outcome
        {
            outputs.insert("deep".into(), nested(hostile.between(1, 126)));
        }
        if effects == Effects::External && hostile.one_in(3) && !self.calm {
            script.counts = Some((if hostile.one_in(2) { "jobs" } else { "serial/1" }, *count));
        }
        if self.calm || *count > 3 || call.attempt > 6 {
            script.outcome = done(call);
            script.callbacks.clear();
            script.reaches = script.reaches.map(|after| after.min(script.ends));
            if effects == Effects::External {
                script.reaches = script.reaches.or(Some(0));
            }
        }
        if dice.one_in(6) {
            script.log.push(format!("{name} {count}"));
        }
        script
    }

    /// A message arrives.
    pub(super) fn reach(&mut self, key: &str, undo: bool) {
        let heard = self.effects.get(key).copied();
        let effect = match (heard, undo) {
            (_, true) | (Some(Effect::Removed), false) => Effect::Removed,
            (None | Some(Effect::Applied), false) => Effect::Applied,
        };
        self.effects.insert(key.into(), effect);
    }
}

/// What tells a call apart from others.
pub(super) fn name_of(call: &Call) -> String {
    let operation = match &call.operation {
        Operation::Run => "run",
        Operation::Recover => "recover",
        Operation::Resume { .. } => "resume",
        Operation::ResumeUndo { .. } => "resume undo",
        Operation::Undo { .. } => "undo",
        Operation::Reapply => "restore",
    };
    format!("{operation} {} #{}", call.idempotency_key, call.attempt)
}

fn external(dice: &mut Dice, call: &Call) -> Script {
    let mut script = Script::ending(dice, done(call));
    script.reaches = Some(dice.below(script.ends + 1));
    match dice.below(20) {
        0..=8 => {}
        9 | 10 => {
            // The answer is lost; the message may still be on its way when the caller gives up.
            script.outcome = failed(FailureClass::Retry, "TIMEOUT");
            script.ends = call.timeout_ms;
            script.reaches = (!dice.one_in(4)).then(|| dice.below(call.timeout_ms * 4));
        }
        11 | 12 => {
            script.outcome = failed(FailureClass::Retry, "BUSY");
            script.reaches = None;
        }
        13 => {
            script.outcome = failed(FailureClass::Reject, "CANNOT_BE");
            script.reaches = dice.one_in(4).then_some(0);
        }
        14 => {
            script.outcome = failed(FailureClass::Operator, "BROKEN");
            script.reaches = dice.one_in(2).then_some(0);
        }
        _ => wait(dice, call, &mut script),
    }
    script
}

fn pure(dice: &mut Dice, call: &Call) -> Script {
    let mut script = Script::ending(dice, done(call));
    if call.plugin.as_str() == "allocate" {
        for _ in 0..dice.between(1, 2) {
            let pool = if dice.one_in(3) { "port" } else { "vlan" };
            script.reserves.push((dice.below(script.ends + 1), pool));
        }
    }
    match dice.below(24) {
        0 => script.outcome = failed(FailureClass::Retry, "BUSY"),
        1 => script.outcome = failed(FailureClass::Reject, "CANNOT_BE"),
        2 => script.outcome = failed(FailureClass::Operator, "BROKEN"),
        3 => wait(dice, call, &mut script),
        _ => {}
    }
    script
}

fn resume(dice: &mut Dice, call: &Call) -> Script {
    let mut script = Script::ending(dice, done(call));
    match dice.below(12) {
        0 => script.outcome = failed(FailureClass::Retry, "BUSY"),
        1 => script.outcome = failed(FailureClass::Reject, "REFUSED"),
        2 => wait(dice, call, &mut script),
        _ => {}
    }
    script
}

fn undo(dice: &mut Dice, call: &Call) -> Script {
    let mut script = Script::ending(dice, Outcome::Done(Map::new()));
    script.reaches = Some(dice.below(script.ends + 1));
    match dice.below(16) {
        0 | 1 => {
            script.outcome = failed(FailureClass::Retry, "BUSY");
            script.reaches = dice.one_in(2).then(|| dice.below(200));
        }
        2 => {
            script.outcome = failed(FailureClass::Operator, "BROKEN");
            script.reaches = None;
        }
        3..=5 => wait(dice, call, &mut script),
        _ => {}
    }
    script
}

/// The key that a plugin knows a call by: what is undone has one of its own.
pub(super) fn own_key(call: &Call) -> String {
    let undo = if call.operation.reverts() { UNDO } else { "" };
    format!("{}{undo}", call.idempotency_key)
}

/// The element answers later: under a key of ours, of its own, or either; early, late, twice or
/// never.
fn wait(dice: &mut Dice, call: &Call, script: &mut Script) {
    let own = own_key(call);
    let other = format!("job-{own}-{}", dice.below(1_000));
    let keys = match dice.below(4) {
        0 => vec![other],
        1 => vec![own, other],
        _ => vec![own],
    };
    let timeout_ms = dice.between(20, 120);
    let answer = keys[usize::try_from(dice.below(keys.len() as u64)).unwrap()].clone();
    let after = match dice.below(8) {
        0 => None,
        1 | 2 => Some(dice.below(script.ends + 1)),
        3 => Some(script.ends + timeout_ms + dice.below(60)),
        4 => Some(script.ends + timeout_ms),
        _ => Some(script.ends + dice.below(timeout_ms)),
    };
    if let Some(after) = after {
        script.callbacks.push((after, answer.clone()));
        if dice.one_in(3) {
            script.callbacks.push((after + dice.below(30), answer));
        }
        script.reaches = script.reaches.map(|reaches| reaches.min(after));
    }
    script.outcome = Outcome::Waiting(Wait { keys, timeout_ms });
}

fn done(call: &Call) -> Outcome {
    let outputs = json!({ "of": call.name, "spec": call.spec });
    Outcome::Done(outputs.as_object().cloned().unwrap_or_default())
}

/// Outputs that are nested as deep as a plugin likes.
fn nested(levels: u64) -> Value {
    (1..levels).fold(json!([]), |inside, _| json!([inside]))
}

fn failed(class: FailureClass, code: &str) -> Outcome {
    Outcome::Failed(Failure::new(class, code, "from the script"))
}

impl Script {
    fn ending(dice: &mut Dice, outcome: Outcome) -> Self {
        Self {
            ends: dice.below(30),
            outcome,
            reaches: None,
            reserves: Vec::new(),
            callbacks: Vec::new(),
            log: Vec::new(),
            counts: None,
        }
    }
}
