//! A step plugin that carries out the operations of its input on its scratch space, and ends as the input has it:
//! `{"do": [["put", "key", "value", "any"]], "end": "done"}`. It has no manifest: the tests give it one.

use bindings::exports::ferrule::plugin::{observation, probe, undo, work};
use bindings::ferrule::plugin::scratch::{self, Expected};
use bindings::ferrule::plugin::types::{
    Callback, Done, Failure, FailureClass, Finding, Outcome, Task,
};
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
            world keeper {
                import ferrule:plugin/scratch@0.2.0;
                export ferrule:plugin/work@0.2.0;
                export ferrule:plugin/undo@0.2.0;
                export ferrule:plugin/probe@0.2.0;
                export ferrule:plugin/observation@0.2.0;
            }
        ",
        world: "test:guests/keeper",
        generate_all,
    });
    export!(Keeper with_types_in self);
    use super::Keeper;
}

struct Keeper;

impl work::Guest for Keeper {
    fn run(task: Task) -> Result<Outcome, Failure> {
        let input = input(&task);
        let results = carry_out(&input["do"], &task)?;
        end(&input["end"], &task, &results)
    }
}

impl undo::Guest for Keeper {
    fn undo(task: Task, _outputs: Option<String>) -> Result<Outcome, Failure> {
        let input = input(&task);
        let results = carry_out(&input["undo"], &task)?;
        end(&input["endUndo"], &task, &results)
    }

    fn resume(_task: Task, _answer: String) -> Result<Outcome, Failure> {
        Ok(Outcome::Done(done(&[])))
    }
}

impl probe::Guest for Keeper {
    fn probe(task: Task) -> Result<Finding, Failure> {
        let input = input(&task);
        let results = carry_out(&input["probe"], &task)?;
        Ok(match input["found"].as_bool() {
            Some(true) => Finding::Applied(done(&results)),
            _ => Finding::NotApplied,
        })
    }
}

impl observation::Guest for Keeper {
    fn observe(task: Task) -> Result<observation::Observed, Failure> {
        carry_out(&input(&task)["observe"], &task)?;
        Ok(observation::Observed::Absent)
    }
}

fn input(task: &Task) -> Value {
    serde_json::from_str(&task.input).unwrap_or_default()
}

/// Carries out operations; `{{attempt}}` in a value is the number of the attempt.
fn carry_out(operations: &Value, task: &Task) -> Result<Vec<Value>, Failure> {
    let mut results = Vec::new();
    for operation in operations.as_array().into_iter().flatten() {
        let word = |at: usize| operation[at].as_str().unwrap_or_default();
        let expected = |at: usize| match word(at) {
            "any" => Expected::Any,
            "absent" => Expected::Absent,
            "read" => read_revision(&results, word(1)),
            revision => Expected::Revision(revision.into()),
        };
        let result = match word(0) {
            "get" => scratch::get(word(1)).map(|entry| match entry {
                Some(entry) => json!({
                    "key": word(1),
                    "value": String::from_utf8_lossy(&entry.value),
                    "revision": entry.revision,
                }),
                None => json!({ "key": word(1) }),
            }),
            "put" => {
                let value = match operation[2].as_u64() {
                    Some(bytes) => "x".repeat(usize::try_from(bytes).unwrap_or_default()),
                    None => word(2).replace("{{attempt}}", &task.attempt.to_string()),
                };
                scratch::put(word(1), value.as_bytes(), &expected(3)).map(|()| json!(null))
            }
            "delete" => scratch::delete(word(1), &expected(2)).map(|()| json!(null)),
            "count" => count(word(1)),
            _ => {
                let limit = operation[3].as_u64().and_then(|limit| u32::try_from(limit).ok());
                let keys = scratch::keys(word(1), operation[2].as_str(), limit.unwrap_or(100));
                keys.map(|keys| keys.into_iter().map(|one| json!([one.key, one.bytes])).collect())
            }
        };
        match result {
            Err(failure)
                if operation.as_array().and_then(|all| all.last()) == Some(&json!("tell")) =>
            {
                results.push(json!(failure.code));
            }
            result => results.push(result?),
        }
    }
    Ok(results)
}

/// Reads a number and writes the next one, with the revision that was read.
fn count(key: &str) -> Result<Value, Failure> {
    let (number, expected) = match scratch::get(key)? {
        Some(entry) => {
            let number = String::from_utf8_lossy(&entry.value).parse().unwrap_or(0_u64);
            (number + 1, Expected::Revision(entry.revision))
        }
        None => (1, Expected::Absent),
    };
    scratch::put(key, number.to_string().as_bytes(), &expected)?;
    Ok(json!(number))
}

/// The revision with which a key was read last.
fn read_revision(results: &[Value], key: &str) -> Expected {
    let read = results.iter().rev().find(|result| result["key"] == key);
    match read.and_then(|result| result["revision"].as_str()) {
        Some(revision) => Expected::Revision(revision.into()),
        None => Expected::Absent,
    }
}

fn done(results: &[Value]) -> Done {
    Done { outputs: json!({ "results": results }).to_string(), attributes: vec![] }
}

fn end(how: &Value, task: &Task, results: &[Value]) -> Result<Outcome, Failure> {
    match how.as_str() {
        Some("wait") => {
            let keys = vec![task.idempotency_key.clone()];
            Ok(Outcome::Waiting(Callback { keys, timeout_ms: 5_000, attributes: vec![] }))
        }
        Some("trap") => panic!("as the input has it"),
        Some("loop") => loop {
            std::hint::black_box(0);
        },
        Some("fail") => Err(Failure {
            class: FailureClass::Retry,
            code: "AS_ASKED".into(),
            message: "the input asks for it".into(),
            retry_after_ms: None,
            attributes: vec![],
        }),
        _ => Ok(Outcome::Done(done(results))),
    }
}
