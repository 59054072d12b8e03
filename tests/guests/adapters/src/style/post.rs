//! `POST`, which the element does once for each key and answers with an id.

use ferrule_plugin::http::Method;
use ferrule_plugin::{Failure, Finding, Outcome};
use serde_json::{Value, json};

use super::{check, look, remove};
use crate::job::{Job, field};

pub(crate) fn run(job: &Job<'_>) -> Result<Outcome<Value>, Failure> {
    let body = json!({ "mbps": job.speed() });
    let sent = job.send(Method::Post, "/lines", Some(&body));
    let response = match sent {
        Err(_) if job.has("post-no-answer-is-done") => {
            return Ok(Outcome::Done(json!({ "id": "id-1" })));
        }
        Ok(response) if response.status == 503 && job.has("post-retries-inside") => {
            job.send(Method::Post, "/lines", Some(&body))?
        }
        sent => sent?,
    };
    check(job, &response)?;
    Ok(Outcome::Done(json!({ "id": field(&job.json(&response)?, "id")? })))
}

pub(crate) fn undo(job: &Job<'_>, output: Option<&Value>) -> Result<(), Failure> {
    if job.has("post-undo-needs-outputs") {
        let Some(id) = output.and_then(|output| output["id"].as_str()) else { return Ok(()) };
        return remove(job, &format!("/lines/{id}"));
    }
    let Some(line) = look(job, &by_key(job))? else { return Ok(()) };
    let id = field(&line, "id")?;
    remove(job, &format!("/lines/{}", id.as_str().unwrap_or_default()))
}

pub(crate) fn probe(job: &Job<'_>) -> Result<Finding<Value>, Failure> {
    Ok(match look(job, &by_key(job))? {
        Some(line) => Finding::Applied(json!({ "id": field(&line, "id")? })),
        None => Finding::NotApplied,
    })
}

fn by_key(job: &Job<'_>) -> String {
    format!("/lines?key={}", job.work_key())
}
