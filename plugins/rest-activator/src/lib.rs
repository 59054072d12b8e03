//! Drives elements that speak REST or RESTCONF: one request to do the work, one to take it back,
//! one to find out. What to send is all in the step's input; where to is in the configuration.

mod input;

use ferrule_plugin::element::Element;
use ferrule_plugin::http::Response;
use ferrule_plugin::{Activator, Done, Failure, Finding, Outcome, Task, log};

use input::{Call, Input};

#[cfg(test)]
mod tests;

struct RestActivator;

impl Activator for RestActivator {
    fn activate(task: &Task) -> Result<Outcome, Failure> {
        let input: Input = task.input()?;
        let element = input.element(task);
        activated(&element, &send(&element, &input, &input.request)?)
    }

    fn undo(task: &Task, _outputs: &str) -> Result<Done, Failure> {
        let input: Input = task.input()?;
        let Some(undo) = &input.undo else {
            return Ok(Done::empty());
        };
        let element = input.element(task);
        undone(&element, &send(&element, &input, undo)?)
    }

    fn probe(task: &Task) -> Result<Finding, Failure> {
        let input: Input = task.input()?;
        let Some(probe) = &input.probe else {
            return Ok(Finding::NotApplied);
        };
        let element = input.element(task);
        found(&element, &send(&element, &input, probe)?)
    }

    fn resume(task: &Task, payload: &str) -> Result<Outcome, Failure> {
        let input: Input = task.input()?;
        input.element(task).resume(payload)
    }
}

ferrule_plugin::activator!(RestActivator);

fn send(element: &Element<'_>, input: &Input, call: &Call) -> Result<Response, Failure> {
    let url = format!("{}/{}", element.base_url()?, call.path.trim_start_matches('/'));
    let media = input.media.as_deref().unwrap_or("application/json");
    let mut request = element.request(call.method(), &url).header("accept", media);
    if let Some(body) = &call.body {
        request = request.body(media, body.to_string().into_bytes());
    }
    let response = request.send().map_err(|error| element.no_answer(&error))?;
    log::info(format!("{} {url}: {}", call.method, response.status));
    Ok(response)
}

/// What an answer to the request means.
fn activated(element: &Element<'_>, response: &Response) -> Result<Outcome, Failure> {
    if response.status == 202 {
        return Ok(element.waiting());
    }
    if !response.is_success() {
        return Err(element.refused(response));
    }
    element.done(&response.json().unwrap_or_default())
}

/// What an answer to the undo request means. The contract knows no waiting here, so work that was
/// accepted counts as done.
fn undone(element: &Element<'_>, response: &Response) -> Result<Done, Failure> {
    if response.is_success() || response.status == 404 {
        return Ok(Done::empty());
    }
    Err(element.refused(response))
}

/// What an answer to the probe means.
fn found(element: &Element<'_>, response: &Response) -> Result<Finding, Failure> {
    if response.status == 404 {
        return Ok(Finding::NotApplied);
    }
    if !response.is_success() {
        return Err(element.refused(response));
    }
    Ok(element.finding(&response.json().unwrap_or_default()))
}
