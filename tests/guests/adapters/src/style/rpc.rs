//! JSON-RPC: every call is a `POST` to one address.

use std::time::{SystemTime, UNIX_EPOCH};

use ferrule_plugin::http::Method;
use ferrule_plugin::{Failure, Finding, Outcome};
use serde_json::{Value, json};

use super::check;
use crate::job::{Job, field};

pub(crate) fn run(job: &Job<'_>) -> Result<Outcome<Value>, Failure> {
    let mut params = json!({ "line": 7, "mbps": job.speed() });
    if job.has("rpc-time-in-request") {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        params["at"] = json!(now.as_nanos().to_string());
    }
    let result = call(job, "set", &params)?;
    let device = match job.has("rpc-missing-is-null") {
        true => result["device"].clone(),
        false => field(&result, "device")?,
    };
    Ok(Outcome::Done(json!({ "device": device })))
}

pub(crate) fn undo(job: &Job<'_>) -> Result<(), Failure> {
    call(job, "unset", &json!({ "line": 7 })).map(drop)
}

pub(crate) fn probe(job: &Job<'_>) -> Result<Finding<Value>, Failure> {
    let result = call(job, "get", &json!({ "line": 7 }))?;
    if result["key"] != job.key() {
        return Ok(Finding::NotApplied);
    }
    Ok(Finding::Applied(json!({ "device": field(&result, "device")? })))
}

fn call(job: &Job<'_>, method: &str, params: &Value) -> Result<Value, Failure> {
    let body = json!({ "id": job.key(), "method": method, "params": params });
    let response = job.send(Method::Post, "/rpc", Some(&body))?;
    check(job, &response)?;
    let answer = job.json(&response)?;
    if job.has("rpc-missing-is-null") {
        return Ok(answer["result"].clone());
    }
    field(&answer, "result")
}
