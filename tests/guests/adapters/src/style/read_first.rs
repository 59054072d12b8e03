//! An element that knows no keys, so the adapter looks before it makes anything.

use ferrule_plugin::http::Method;
use ferrule_plugin::{Failure, Outcome};
use serde_json::{Value, json};

use super::{check, look, remove};
use crate::job::{Job, field};

pub(crate) fn run(job: &Job<'_>) -> Result<Outcome<Value>, Failure> {
    let there = match look(job, "/users/jane") {
        Err(_) if job.has("read-first-failure-is-absent") => None,
        _ if job.has("read-first-makes-blindly") => None,
        looked => looked?,
    };
    if let Some(there) = there {
        let is_ours = there["note"] == job.work_key() || job.has("read-first-takes-foreign");
        if !is_ours {
            return Err(Failure::operator("TAKEN", "the user belongs to another task"));
        }
        if job.has("read-first-other-outputs") {
            return Ok(Outcome::Done(json!({})));
        }
        return Ok(Outcome::Done(json!({ "id": field(&there, "id")? })));
    }
    let body = json!({ "name": "jane", "note": job.work_key() });
    let response = job.send(Method::Post, "/users", Some(&body))?;
    check(job, &response)?;
    Ok(Outcome::Done(json!({ "id": field(&job.json(&response)?, "id")? })))
}

pub(crate) fn undo(job: &Job<'_>) -> Result<(), Failure> {
    let Some(user) = look(job, "/users/jane")? else { return Ok(()) };
    match field(&user, "note")? == job.work_key() {
        true => remove(job, "/users/jane"),
        false => Ok(()),
    }
}
