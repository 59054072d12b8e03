//! What a guest's answer means.

use model::reconcile::{Holder, Reading};
use model::{BOUNDS, Failure, FailureClass, Outcome, Wait};
use serde_json::{Map, Value};
use wasmtime::Trap;

use crate::bindings::types;
use crate::capability::log::Log;
use crate::invoke::overhead::HOSTCALL_BYTES_MAX;
use crate::limits::Limits;
use crate::state::State;

/// The attributes by which an undo tells that the element will answer later: a key each, and for how
/// many milliseconds to wait.
const WAITS_FOR: &str = "waits-for";
const WAITS_MS: &str = "waits-ms";

/// An answer that may be `done` only.
pub(crate) fn done(answer: Result<types::Done, types::Failure>, log: &Log) -> Outcome {
    match answer {
        Ok(done) => finished(&done),
        Err(error) => Outcome::Failed(failure(error, log)),
    }
}

/// An answer to an undo: done, or, by its attributes, accepted by the element,
/// which will answer later.
pub(crate) fn undone(answer: Result<types::Done, types::Failure>, log: &Log) -> Outcome {
    let done = match answer {
        Ok(done) => done,
        Err(error) => return Outcome::Failed(failure(error, log)),
    };
    let mut keys = Vec::new();
    let mut timeout = None;
    for said in &done.attributes {
        match said.name.as_str() {
            WAITS_FOR => keys.push(said.value.clone()),
            WAITS_MS => timeout = said.value.parse().ok(),
            _ => {}
        }
    }
    if keys.is_empty() {
        return finished(&done);
    }
    let Some(timeout_ms) = timeout else {
        let what = format!("`{WAITS_FOR}` without a `{WAITS_MS}` in whole milliseconds");
        return Outcome::Failed(malformed(&what));
    };
    waiting(types::Callback { keys, timeout_ms, attributes: Vec::new() })
}

/// An answer that may be `waiting` too.
pub(crate) fn outcome(answer: Result<types::Outcome, types::Failure>, log: &Log) -> Outcome {
    match answer {
        Ok(types::Outcome::Done(done)) => finished(&done),
        Ok(types::Outcome::Waiting(callback)) => waiting(callback),
        Err(error) => Outcome::Failed(failure(error, log)),
    }
}

/// Work that is done, with its outputs.
pub(crate) fn finished(done: &types::Done) -> Outcome {
    match object(&done.outputs) {
        Ok(outputs) => Outcome::Done(outputs),
        Err(what) => Outcome::Failed(malformed(&format!("outputs {what}"))),
    }
}

/// What was read back of a piece of work.
pub(crate) fn reading(finding: types::Finding) -> Result<Reading, Failure> {
    let done = match finding {
        types::Finding::NotApplied => return Ok(Reading::Nothing),
        types::Finding::Waiting(_) => return Ok(Reading::Pending),
        types::Finding::Applied(done) => done,
    };
    let outputs = object(&done.outputs).map_err(|what| malformed(&format!("outputs {what}")))?;
    let said = |name: &str| done.attributes.iter().find(|said| said.name == name);
    let holder = match said("held-by").map(|said| said.value.as_str()) {
        None => Holder::Ours,
        Some("") => Holder::Unknown,
        Some(key) => Holder::Other(key.into()),
    };
    let differences = match said("differences") {
        None => Vec::new(),
        Some(said) if said.value.len() > BOUNDS.outputs_bytes_max => {
            let max = BOUNDS.outputs_bytes_max;
            let what = format!("`differences` with {} bytes, the limit is {max}", said.value.len());
            return Err(malformed(&what));
        }
        Some(said) => serde_json::from_str(&said.value)
            .map_err(|error| malformed(&format!("`differences` that cannot be read: {error}")))?,
    };
    Ok(Reading::Held { outputs, differences, holder })
}

/// Work that ends by callback.
pub(crate) fn waiting(callback: types::Callback) -> Outcome {
    let is_key = |key: &String| (1..=BOUNDS.key_bytes_max).contains(&key.len());
    let keys = callback.keys;
    if keys.is_empty() || keys.len() > BOUNDS.keys_max || !keys.iter().all(is_key) {
        let what = format!(
            "to wait under {} keys: there must be 1 to {} of 1 to {} bytes",
            keys.len(),
            BOUNDS.keys_max,
            BOUNDS.key_bytes_max
        );
        return Outcome::Failed(malformed(&what));
    }
    Outcome::Waiting(Wait { keys, timeout_ms: callback.timeout_ms.into() })
}

/// A failure as the guest sorted it; what has no field of its own goes to the log.
pub(crate) fn failure(failure: types::Failure, log: &Log) -> Failure {
    for attribute in failure.attributes.iter().take(BOUNDS.attributes_max) {
        log.write("failure", &format!("{}: {}", attribute.name, attribute.value));
    }
    let class = match failure.class {
        types::FailureClass::Retry => FailureClass::Retry,
        types::FailureClass::Reject => FailureClass::Reject,
        types::FailureClass::Person => FailureClass::Person,
    };
    Failure {
        class,
        code: failure.code,
        message: failure.message,
        retry_after_ms: failure.retry_after_ms.map(u64::from),
        attribute: None,
    }
}

/// An answer that is not what the contract says.
pub(crate) fn malformed(what: &str) -> Failure {
    let message = format!("the plugin answered with {what}; mend the plugin, then retry the task");
    Failure::new(FailureClass::Person, "PLUGIN_ANSWER", message)
}

/// Reads a JSON object. Its size and depth are known before anything is made of it.
pub(crate) fn object(text: &str) -> Result<Map<String, Value>, String> {
    let max = BOUNDS.outputs_bytes_max;
    if text.len() > max {
        return Err(format!("with {} bytes, the limit is {max}", text.len()));
    }
    BOUNDS.text("that nest", text).map_err(|exceeded| exceeded.to_string())?;
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err("that are no JSON object".into()),
        Err(error) => Err(format!("that are no JSON: {error}")),
    }
}

/// Why a call ended without an answer.
pub(crate) fn stopped(error: &wasmtime::Error, state: &State, limits: &Limits) -> Failure {
    let person = |code, message: String| Failure::new(FailureClass::Person, code, message);
    if error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
        let spent = state.meter.spent().as_millis();
        return person(
            "PLUGIN_CPU",
            format!(
                "the plugin was stopped after {spent} ms of processor time, it may have {} ms; \
                 mend it or raise limits.cpu-ms, then retry the task",
                limits.cpu_ms
            ),
        );
    }
    if state.memory.refused() {
        return person(
            "PLUGIN_MEMORY",
            format!(
                "the plugin wanted more than its {} MiB of memory; mend it or raise \
                 limits.memory-mib, then retry the task",
                limits.memory_mib
            ),
        );
    }
    if ran_out_of_hostcalls(error) {
        return malformed(&format!(
            "more than {} KiB in one piece, which is all that it may pass to the host at once",
            HOSTCALL_BYTES_MAX / 1024
        ));
    }
    let reason = state.log.last_words().unwrap_or_else(|| error.root_cause().to_string());
    state.log.write("host", &format!("the plugin trapped: {}", error.root_cause()));
    person("PLUGIN_TRAPPED", format!("the plugin crashed: {reason}; mend it, then retry the task"))
}

/// Whether a guest passed more to the host in one call than it may. wasmtime tells it apart by its
/// text alone.
fn ran_out_of_hostcalls(error: &wasmtime::Error) -> bool {
    error.root_cause().to_string().contains("fuel allocated for hostcalls has been exhausted")
}

#[cfg(test)]
mod tests;
