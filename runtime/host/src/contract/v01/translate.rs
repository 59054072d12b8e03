//! Translates tasks into contract 0.1, and answers out of it.

use model::BOUNDS;
use serde::Deserialize;
use serde_json::Value;

use super::bindings::decomposer::exports::ferrule::plugin::decomposition as old_decomposition;
use super::bindings::rater::exports::ferrule::plugin::rating as old_rating;
use super::{observation, old};
use crate::contract::{Charge, ChargeKind, decomposition, malformed, types};

use self::types::{Attribute, Failure};

/// The attribute of a task that changes prior work: the key that it was done under.
const REPLACES: &str = "replaces";
/// The attributes of an undo that the element will answer later: a key each, and the timeout in
/// milliseconds.
const WAITS_FOR: &str = "waits-for";
const WAITS_MS: &str = "waits-ms";
/// The attributes of a probe that compares: the key of the work, and the values that differ.
const HELD_BY: &str = "held-by";
const DIFFERENCES: &str = "differences";

/// A task, with an attribute that tells its purpose.
pub(super) fn task(task: types::Task, purpose: Option<&str>) -> old::Task {
    let replaces = task.replaces.map(|key| (REPLACES, key));
    let purpose = purpose.map(|purpose| (purpose, "true".into()));
    let attributes = replaces.into_iter().chain(purpose);
    let (spec, action, characteristics) = match task.item {
        Some(item) => (item.spec, item.action, item.characteristics),
        None => (String::new(), types::Action::Add, "{}".into()),
    };
    old::Task {
        fulfilment: task.fulfilment,
        name: task.name,
        spec,
        action: name(action).into(),
        characteristics,
        input: task.input,
        attempt: task.attempt,
        idempotency_key: task.idempotency_key,
        callback_url: task.callback_url,
        deadline_ms: task.deadline_ms,
        attributes: attributes
            .map(|(name, value)| old::Attribute { name: name.into(), value })
            .collect(),
    }
}

fn name(action: types::Action) -> &'static str {
    match action {
        types::Action::Add => "add",
        types::Action::Modify => "modify",
        types::Action::Delete => "delete",
        types::Action::NoChange => "noChange",
    }
}

pub(super) fn request(request: decomposition::Request) -> old_decomposition::Request {
    old_decomposition::Request {
        spec: request.spec,
        action: name(request.action).into(),
        characteristics: request.characteristics,
        order: request.order,
        attributes: Vec::new(),
    }
}

pub(super) fn production(old: old_decomposition::Production) -> decomposition::Production {
    decomposition::Production {
        spec: old.spec,
        characteristics: old.characteristics,
        attributes: attributes(old.attributes),
    }
}

pub(super) fn failure(old: old::Failure) -> Failure {
    Failure {
        class: match old.class {
            old::FailureClass::Retry => types::FailureClass::Retry,
            old::FailureClass::Reject => types::FailureClass::Reject,
            old::FailureClass::Person => types::FailureClass::Operator,
        },
        code: old.code,
        message: old.message,
        retry_after_ms: old.retry_after_ms,
        attributes: attributes(old.attributes),
    }
}

/// A failure of the host's, as a plugin of contract 0.1 sees it.
pub(crate) fn old_failure(failure: Failure) -> old::Failure {
    let attribute = |one: Attribute| old::Attribute { name: one.name, value: one.value };
    old::Failure {
        class: match failure.class {
            types::FailureClass::Retry => old::FailureClass::Retry,
            types::FailureClass::Reject => old::FailureClass::Reject,
            types::FailureClass::Operator => old::FailureClass::Person,
        },
        code: failure.code,
        message: failure.message,
        retry_after_ms: failure.retry_after_ms,
        attributes: failure.attributes.into_iter().map(attribute).collect(),
    }
}

pub(super) fn done(old: old::Done) -> types::Done {
    types::Done { outputs: old.outputs, attributes: attributes(old.attributes) }
}

fn callback(old: old::Callback) -> types::Callback {
    let old::Callback { keys, timeout_ms, attributes: named } = old;
    types::Callback { keys, timeout_ms, attributes: attributes(named) }
}

pub(super) fn outcome(old: old::Outcome) -> types::Outcome {
    match old {
        old::Outcome::Done(old) => types::Outcome::Done(done(old)),
        old::Outcome::Waiting(old) => types::Outcome::Waiting(callback(old)),
    }
}

pub(super) fn finding(old: old::Finding) -> types::Finding {
    match old {
        old::Finding::Applied(old) => types::Finding::Applied(done(old)),
        old::Finding::NotApplied => types::Finding::NotApplied,
        old::Finding::Waiting(old) => types::Finding::Waiting(callback(old)),
    }
}

/// The answer to an undo, which waits by its attributes.
pub(super) fn undone(old: old::Done) -> Result<types::Outcome, Failure> {
    if !old.attributes.iter().any(|attribute| attribute.name == WAITS_FOR) {
        return Ok(types::Outcome::Done(done(old)));
    }
    let mut keys = Vec::new();
    let mut timeout = None;
    for attribute in old.attributes {
        match attribute.name.as_str() {
            WAITS_FOR => keys.push(attribute.value),
            WAITS_MS => timeout = attribute.value.parse().ok(),
            _ => {}
        }
    }
    let Some(timeout_ms) = timeout else {
        let answer = format!("`{WAITS_FOR}` without a `{WAITS_MS}` in whole milliseconds");
        return Err(malformed(&answer));
    };
    Ok(types::Outcome::Waiting(types::Callback { keys, timeout_ms, attributes: Vec::new() }))
}

/// A value that differs, as an attribute of a probe spells it.
#[derive(Deserialize)]
struct Difference {
    name: String,
    expected: Value,
    #[serde(default)]
    found: Value,
}

/// The answer to a probe that compares, whose attributes tell the owner and the differences.
pub(super) fn observed(old: old::Finding) -> Result<observation::Observed, Failure> {
    let done = match old {
        old::Finding::NotApplied => return Ok(observation::Observed::Absent),
        old::Finding::Waiting(_) => return Ok(observation::Observed::Pending),
        old::Finding::Applied(done) => done,
    };
    let named = |name: &str| {
        let found = done.attributes.iter().find(|attribute| attribute.name == name);
        found.map(|attribute| attribute.value.as_str())
    };
    let owner = match named(HELD_BY) {
        None => observation::Owner::ThisTask,
        Some("") => observation::Owner::Unknown,
        Some(key) => observation::Owner::Other(key.into()),
    };
    let differences = named(DIFFERENCES).map(differences).transpose()?.unwrap_or_default();
    Ok(observation::Observed::Present(observation::State {
        owner,
        differences,
        outputs: done.outputs,
        attributes: Vec::new(),
    }))
}

fn differences(text: &str) -> Result<Vec<observation::Difference>, Failure> {
    let max = BOUNDS.outputs_bytes_max;
    if text.len() > max {
        let answer = format!("`{DIFFERENCES}` with {} bytes, the limit is {max}", text.len());
        return Err(malformed(&answer));
    }
    let differences: Vec<Difference> = serde_json::from_str(text)
        .map_err(|error| malformed(&format!("`{DIFFERENCES}` that cannot be read: {error}")))?;
    let difference = |old: Difference| observation::Difference {
        name: old.name,
        expected: old.expected.to_string(),
        found: (!old.found.is_null()).then(|| old.found.to_string()),
    };
    Ok(differences.into_iter().map(difference).collect())
}

pub(super) fn charge(old: old_rating::Charge) -> Charge {
    Charge {
        price: old.price,
        name: old.name,
        kind: match old.kind {
            old_rating::ChargeKind::OneOff => ChargeKind::OneOff,
            old_rating::ChargeKind::Recurring => ChargeKind::Recurring,
            old_rating::ChargeKind::Usage => ChargeKind::Usage,
        },
        net: money(old.net),
        tax: money(old.tax),
        covers: (!old.from.is_empty() || !old.to.is_empty()).then_some((old.from, old.to)),
        attributes: attributes(old.attributes),
    }
}

fn money(old: old::Money) -> types::Money {
    types::Money { currency: old.currency, amount: old.amount }
}

fn attributes(old: Vec<old::Attribute>) -> Vec<Attribute> {
    old.into_iter().map(|one| Attribute { name: one.name, value: one.value }).collect()
}

#[cfg(test)]
mod tests;
