//! `PUT`, `GET` and `DELETE` of one resource.

use ferrule_plugin::http::Method;
use ferrule_plugin::{Failure, Finding, Outcome};
use serde_json::{Value, json};

use super::{check, found, look, remove, speed};
use crate::job::Job;

const PATH: &str = "/lines/7";

pub(crate) fn run(job: &Job<'_>) -> Result<Outcome<Value>, Failure> {
    let response = job.send(Method::Put, PATH, Some(&json!({ "mbps": job.speed() })))?;
    check(job, &response)?;
    Ok(Outcome::Done(speed(job)))
}

pub(crate) fn undo(job: &Job<'_>) -> Result<(), Failure> {
    if job.has("put-undo-fails-on-404") {
        return check(job, &job.send(Method::Delete, PATH, None)?);
    }
    remove(job, PATH)
}

pub(crate) fn probe(job: &Job<'_>) -> Result<Finding<Value>, Failure> {
    if job.has("put-probe-always-applied") {
        return Ok(Finding::Applied(speed(job)));
    }
    Ok(found(job, look(job, PATH)?, speed(job)))
}
