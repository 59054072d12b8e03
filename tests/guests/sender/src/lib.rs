//! A step plugin that sends a request and exports no optional part: it cannot be undone, probed or
//! resumed. It has no manifest: the tests give it one.

use bindings::exports::ferrule::plugin::work;
use bindings::ferrule::plugin::http;
use bindings::ferrule::plugin::types::{Callback, Done, Failure, FailureClass, Outcome, Task};
use serde_json::{Value, json};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, OutgoingRequest};

#[allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::mem_forget,
    reason = "generated code"
)]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        inline: "
            package test:guests;
            world sender {
                import ferrule:plugin/http@0.2.0;
                export ferrule:plugin/work@0.2.0;
            }
        ",
        world: "test:guests/sender",
        generate_all,
    });
    export!(Sender with_types_in self);
    use super::Sender;
}

struct Sender;

impl work::Guest for Sender {
    fn run(task: Task) -> Result<Outcome, Failure> {
        if task.input.contains("wait") {
            let keys = vec![task.idempotency_key];
            return Ok(Outcome::Waiting(Callback { keys, timeout_ms: 5_000, attributes: vec![] }));
        }
        let input: Value = serde_json::from_str(&task.input).unwrap_or_default();
        if input["url"].is_string() {
            for _ in 0..input["again"].as_u64().unwrap_or(0) {
                send(&input)?;
            }
            return send(&input);
        }
        let sent = outgoing_handler::handle(OutgoingRequest::new(Fields::new()), None).is_ok();
        Ok(Outcome::Done(Done { outputs: format!("{{\"sent\":{sent}}}"), attributes: vec![] }))
    }
}

/// Sends the request of the input by the interface of the contract. The code of the failure is the reason.
fn send(input: &Value) -> Result<Outcome, Failure> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    let headers = input["headers"].as_object().into_iter().flatten();
    let request = http::Request {
        method: input["method"].as_str().unwrap_or("GET").into(),
        url: text(&input["url"]),
        headers: headers
            .map(|(name, value)| http::Header { name: name.clone(), value: text(value) })
            .collect(),
        body: text(&input["body"]).into_bytes(),
        timeout_ms: number(&input["timeout"]),
        pause_ms: None,
        answer_bytes_max: number(&input["max"]),
        attributes: vec![],
    };
    let response = http::send(&request).map_err(|error| Failure {
        class: if input["retry"] == true { FailureClass::Retry } else { FailureClass::Operator },
        code: format!("{:?}", error.reason).trim_start_matches("Reason::").to_uppercase(),
        message: error.message,
        retry_after_ms: None,
        attributes: vec![],
    })?;
    let body = String::from_utf8_lossy(&response.body);
    let header = |name: &str| response.headers.iter().find(|header| header.name == name);
    let outputs = json!({
        "status": response.status,
        "body": body,
        "headers": response.headers.iter().map(|one| [&one.name, &one.value]).collect::<Vec<_>>(),
        "length": header("content-length").map(|header| header.value.clone()),
    });
    Ok(Outcome::Done(Done { outputs: outputs.to_string(), attributes: vec![] }))
}
