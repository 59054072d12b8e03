//! Drives elements that speak REST or RESTCONF: one request to do the work, one to take it back,
//! one to find out. What to send is all in the step's input; where to is in the configuration.

mod input;

use ferrule_plugin::element::{Asked, Element};
use ferrule_plugin::http::Response;
use ferrule_plugin::{Activator, Done, Failure, Finding, Outcome, Task, log};

use input::{Call, Input, Probe};

#[cfg(test)]
mod tests;

struct RestActivator;

impl Activator for RestActivator {
    fn activate(task: &Task) -> Result<Outcome, Failure> {
        let mut input: Input = task.input()?;
        let change = input.change(task);
        let element = input.element(task);
        if let Some(change) = &change {
            let response = send(&element, &input, change)?;
            if !is_to_be_made(&response) {
                return activated(&element, &response);
            }
        }
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
        let mut input: Input = task.input()?;
        let probe = input.probe.take().map(Probe::apart);
        let element = input.element(task);
        let Some((call, holds)) = &probe else {
            let is_read_back = task.is_read_back();
            return if is_read_back { Err(element.no_probe()) } else { Ok(Finding::NotApplied) };
        };
        let response = send(&element, &input, call)?;
        let asked = Asked { values: input.request.body.as_ref(), holds: holds.as_deref() };
        found(&element, &response, asked)
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

/// Whether there is nothing to change, so that it is made anew.
fn is_to_be_made(changed: &Response) -> bool {
    changed.status == 404
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

/// What an answer to the undo request means.
fn undone(element: &Element<'_>, response: &Response) -> Result<Done, Failure> {
    if response.status == 202 {
        return Ok(element.undo_waiting());
    }
    if response.is_success() || response.status == 404 {
        return Ok(Done::empty());
    }
    Err(element.refused(response))
}

/// What an answer to the probe means.
fn found(element: &Element<'_>, response: &Response, asked: Asked<'_>) -> Result<Finding, Failure> {
    if response.status == 404 {
        return Ok(Finding::NotApplied);
    }
    if !response.is_success() {
        return Err(element.refused(response));
    }
    let document = response.json().unwrap_or_default();
    if element.task.is_read_back() {
        return element.read_back(&document, asked);
    }
    Ok(element.finding(&document))
}
