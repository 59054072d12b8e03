//! `POST` of what is new, `PATCH` of what an earlier order made.

use ferrule_plugin::http::Method;
use ferrule_plugin::{Failure, Finding, Outcome};
use serde_json::{Value, json};

use super::{check, found, look, remove, speed};
use crate::job::Job;

const PATH: &str = "/lines/7";

pub(crate) fn run(job: &Job<'_>) -> Result<Outcome<Value>, Failure> {
    let body = json!({ "mbps": job.speed() });
    let is_change = job.context.replaces().is_some();
    if is_change && job.has("change-does-nothing") {
        return Ok(Outcome::Done(speed(job)));
    }
    if job.key().ends_with(":undo") && job.has("change-stays") {
        return Ok(Outcome::Done(speed(job)));
    }
    if is_change && !job.has("change-makes-anew") {
        let changed = job.send(Method::Patch, PATH, Some(&body))?;
        if changed.status != 404 {
            check(job, &changed)?;
            return Ok(Outcome::Done(speed(job)));
        }
    }
    check(job, &job.send(Method::Post, "/lines", Some(&body))?)?;
    Ok(Outcome::Done(speed(job)))
}

pub(crate) fn undo(job: &Job<'_>) -> Result<(), Failure> {
    if job.has("change-ends-nothing") { Ok(()) } else { remove(job, PATH) }
}

pub(crate) fn probe(job: &Job<'_>) -> Result<Finding<Value>, Failure> {
    let line = look(job, PATH)?;
    if line.is_some() && job.has("change-probe-takes-earlier") {
        return Ok(Finding::Applied(speed(job)));
    }
    Ok(found(job, line, speed(job)))
}
