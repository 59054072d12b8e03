//! The meaning of a guest's answer.

use model::reconcile::{Difference, Holder, Reading};
use model::{BOUNDS, Failure, FailureClass, FailureCode, Outcome, Wait};
use serde_json::{Map, Value};
use wasmtime::Trap;

use crate::capability::log::Log;
use crate::contract::{malformed_message, observation, types};
use crate::limits::{HOSTCALL_BYTES_MAX, Limits};
use crate::state::State;

/// An answer that may be `done` only.
pub(crate) fn done(answer: Result<types::Done, types::Failure>, log: &Log) -> Outcome {
    match answer {
        Ok(done) => finished(&done),
        Err(error) => Outcome::Failed(failure(error, log)),
    }
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

/// The result of an observation.
pub(crate) fn reading(observed: observation::Observed) -> Result<Reading, Failure> {
    let state = match observed {
        observation::Observed::Absent => return Ok(Reading::Nothing),
        observation::Observed::Pending => return Ok(Reading::Pending),
        observation::Observed::Present(state) => state,
    };
    let outputs = object(&state.outputs).map_err(|what| malformed(&format!("outputs {what}")))?;
    let holder = match state.owner {
        observation::Owner::ThisTask => Holder::Ours,
        observation::Owner::Other(key) => Holder::Other(key),
        observation::Owner::Unknown => Holder::Unknown,
    };
    let max = BOUNDS.outputs_bytes_max;
    let bytes: usize = state.differences.iter().map(size).sum();
    if bytes > max {
        return Err(malformed(&format!("differences with {bytes} bytes, the limit is {max}")));
    }
    let differences = state.differences.into_iter().map(difference).collect::<Result<_, _>>()?;
    Ok(Reading::Held { outputs, differences, holder })
}

fn size(difference: &observation::Difference) -> usize {
    let found = difference.found.as_ref().map_or(0, String::len);
    difference.name.len() + difference.expected.len() + found
}

fn difference(difference: observation::Difference) -> Result<Difference, Failure> {
    let observation::Difference { name, expected, found } = difference;
    let value = |text: &str| {
        BOUNDS.text("that nest", text).map_err(|exceeded| exceeded.to_string())?;
        serde_json::from_str(text).map_err(|error| error.to_string())
    };
    let read = |text: &str| {
        value(text).map_err(|reason| malformed(&format!("a difference in `{name}`: {reason}")))
    };
    let expected = read(&expected)?;
    let found = found.map_or(Ok(Value::Null), |found| read(&found))?;
    Ok(Difference { name, expected, found })
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
        types::FailureClass::Operator => FailureClass::Operator,
    };
    Failure {
        class,
        code: failure.code.into(),
        message: failure.message,
        retry_after_ms: failure.retry_after_ms.map(u64::from),
        attribute: None,
    }
}

/// An answer that the contract does not allow.
pub(crate) fn malformed(answer: &str) -> Failure {
    Failure::new(FailureClass::Operator, FailureCode::PluginAnswer, malformed_message(answer))
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
    let operator = |code, message: String| Failure::new(FailureClass::Operator, code, message);
    if error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
        let spent = state.meter.spent().as_millis();
        return operator(
            FailureCode::PluginCpu,
            format!(
                "the plugin was stopped after {spent} ms of processor time, it may have {} ms; \
                 mend it or raise limits.cpu-ms, then retry the task",
                limits.cpu_ms
            ),
        );
    }
    if state.memory.refused() {
        return operator(
            FailureCode::PluginMemory,
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
    operator(
        FailureCode::PluginTrapped,
        format!("the plugin crashed: {reason}; mend it, then retry the task"),
    )
}

/// Whether a guest passed more to the host in one call than it may. wasmtime tells it apart by its
/// text alone.
fn ran_out_of_hostcalls(error: &wasmtime::Error) -> bool {
    error.root_cause().to_string().contains("fuel allocated for hostcalls has been exhausted")
}

#[cfg(test)]
mod tests;
