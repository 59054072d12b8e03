//! A list in pages is read to find a free port, which is then taken.

use ferrule_plugin::http::Method;
use ferrule_plugin::{Failure, Outcome};
use serde_json::{Value, json};

use super::{check, remove};
use crate::job::{Job, field};

const PATH: &str = "/ports/3";
/// Max pages that are read.
const PAGES_MAX: u64 = 10;

pub(crate) fn run(job: &Job<'_>) -> Result<Outcome<Value>, Failure> {
    let mut page = 1;
    loop {
        let response = job.send(Method::Get, &format!("/ports?page={page}"), None)?;
        check(job, &response)?;
        let list = job.json(&response)?;
        let mut ports = list["ports"].as_array().into_iter().flatten();
        if ports.any(|port| port["free"] == true || port["key"] == job.work_key()) {
            break;
        }
        match list["next"].as_u64() {
            Some(next) if next <= PAGES_MAX => page = next,
            Some(_) | None if job.has("pages-never-ends") => {}
            Some(_) | None if job.has("pages-spins-when-full") => spin(page),
            Some(_) | None => return Err(Failure::operator("FULL", "no page has a free port")),
        }
    }
    let response = job.send(Method::Put, PATH, Some(&json!({ "mbps": job.speed() })))?;
    if response.status != 503 || !job.has("pages-swallows-503") {
        check(job, &response)?;
    }
    let port = match job.has("pages-swallows-503") {
        true => json!(3),
        false => field(&job.json(&response)?, "port")?,
    };
    Ok(Outcome::Done(json!({ "port": port })))
}

pub(crate) fn undo(job: &Job<'_>) -> Result<(), Failure> {
    remove(job, PATH)
}

/// Uses up all processor time.
fn spin(page: u64) {
    let mut number = page;
    while number != 0 {
        number = std::hint::black_box(number | 1);
    }
}
