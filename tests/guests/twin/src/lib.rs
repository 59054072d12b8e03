//! An activator of which there are versions that behave differently: tests put another mark into its bytes.
//! It has no manifest: the tests give it one.

use std::collections::HashMap;

use bindings::exports::ferrule::plugin::{probe, undo, work};
use bindings::ferrule::plugin::http;
use bindings::ferrule::plugin::secrets;
use bindings::ferrule::plugin::types::{Done, Failure, FailureClass, Outcome, Task};
use serde_json::{Value, json};

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
            world twin {
                import ferrule:plugin/http@0.2.0;
                import ferrule:plugin/secrets@0.2.0;
                export ferrule:plugin/work@0.2.0;
                export ferrule:plugin/undo@0.2.0;
                export ferrule:plugin/probe@0.2.0;
            }
        ",
        world: "test:guests/twin",
        generate_all,
    });
    export!(Twin with_types_in self);
    use super::Twin;
}

/// What a version does otherwise; a test replaces it by another text of the same length.
static MARK: [u8; 24] = *b"twin-mark:same..........";

struct Twin;

/// The mark, read where no compiler can foresee it.
fn mark() -> String {
    let mark = std::hint::black_box(&MARK);
    let text = String::from_utf8_lossy(mark).into_owned();
    text.trim_end_matches('.').trim_start_matches("twin-mark:").to_owned()
}

impl work::Guest for Twin {
    fn run(task: Task) -> Result<Outcome, Failure> {
        let mark = mark();
        let input: Value = serde_json::from_str(&task.input).unwrap_or_default();
        let url = input["url"].as_str().unwrap_or_default().to_owned();
        if input["fails"] == true {
            return Err(failure("AS_ASKED"));
        }
        match mark.as_str() {
            "trap" => panic!("as the mark wants"),
            "loop" => loop {
                std::hint::black_box(&mark);
            },
            _ => {}
        }
        let login = secrets::get("login").unwrap_or_default();
        let vlan = if mark == "body" { json!("200") } else { json!(200) };
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let made = now.map(|now| now.as_nanos().to_string()).unwrap_or_default();
        let random = wasip2::random::random::get_random_u64().to_string();
        let names = HashMap::from([("b", 1), ("a", 2), ("c", 3)]);
        let names: Vec<_> = names.into_iter().collect();
        let body = json!({
            "vlan": vlan, "names": names, "made": made, "random": random, "password": login,
        });
        let port = send("PUT", &format!("{url}/ports/1"), &task.idempotency_key, &body)?;
        if mark == "more" {
            send("POST", &format!("{url}/extra"), &task.idempotency_key, &json!({}))?;
        }
        if mark != "less" {
            send("PUT", &format!("{url}/lines/1"), &task.idempotency_key, &json!({}))?;
        }
        match mark.as_str() {
            "fail" => Err(failure("NO_PORT")),
            "output" => Ok(done(&json!({ "port": port, "more": 1 }))),
            _ => Ok(done(&json!({ "port": port }))),
        }
    }
}

impl undo::Guest for Twin {
    fn undo(task: Task, _outputs: Option<String>) -> Result<Outcome, Failure> {
        let input: Value = serde_json::from_str(&task.input).unwrap_or_default();
        let url = input["url"].as_str().unwrap_or_default();
        if input["fails"] == true {
            return Ok(done(&json!({})));
        }
        let place = if mark() == "undo" { "lines" } else { "ports" };
        send("DELETE", &format!("{url}/{place}/1"), &task.idempotency_key, &json!({}))?;
        Ok(done(&json!({})))
    }

    fn resume(_task: Task, _answer: String) -> Result<Outcome, Failure> {
        Err(failure("NO_CALLBACKS"))
    }
}

impl probe::Guest for Twin {
    fn probe(_task: Task) -> Result<probe::Finding, Failure> {
        Ok(probe::Finding::NotApplied)
    }
}

/// Sends a request; the answer's attribute `port`.
fn send(method: &str, url: &str, key: &str, body: &Value) -> Result<Value, Failure> {
    let header = |name: &str, value: &str| http::Header { name: name.into(), value: value.into() };
    let mut headers =
        vec![header("content-type", "application/json"), header("idempotency-key", key)];
    if mark() == "header" {
        headers.push(header("x-more", "1"));
    }
    let request = http::Request {
        method: method.into(),
        url: url.into(),
        headers,
        body: body.to_string().into_bytes(),
        timeout_ms: None,
        pause_ms: None,
        answer_bytes_max: None,
        attributes: vec![],
    };
    let response = http::send(&request).map_err(|error| failure(&error.message))?;
    let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    Ok(answer["port"].clone())
}

fn done(outputs: &Value) -> Outcome {
    Outcome::Done(Done { outputs: outputs.to_string(), attributes: vec![] })
}

fn failure(code: &str) -> Failure {
    Failure {
        class: FailureClass::Reject,
        code: code.into(),
        message: "the twin failed".into(),
        retry_after_ms: None,
        attributes: vec![],
    }
}
