//! A step plugin that misbehaves as its input asks; as an allocator it reserves the pools of its
//! input. It has no manifest: the tests give it one.

use bindings::exports::ferrule::plugin::{allocation, callbacks, work};
use bindings::ferrule::plugin::types::{
    Action, Attribute, Callback, Done, Failure, FailureClass, Outcome, Task,
};
use bindings::ferrule::plugin::{config, inventory, log, reservation};
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
            world misbehave {
                include ferrule:plugin/step@0.2.0;
                include ferrule:plugin/resumable@0.2.0;
                export ferrule:plugin/allocation@0.2.0;
            }
        ",
        world: "test:guests/misbehave",
        generate_all,
    });
    export!(Misbehave with_types_in self);
    use super::Misbehave;
}

struct Misbehave;

impl work::Guest for Misbehave {
    #[expect(clippy::print_stdout, reason = "tests look at where it goes")]
    fn run(task: Task) -> Result<Outcome, Failure> {
        let input: Value = serde_json::from_str(&task.input).expect("the host sends JSON");
        let count = input["count"].as_u64().unwrap_or(0);
        match input["do"].as_str().unwrap_or_default() {
            "loop" => loop {
                std::hint::black_box(());
            },
            "loop-log" => loop {
                log::write(log::Level::Debug, "again");
            },
            "loop-config" => loop {
                std::hint::black_box(config::get("none"));
            },
            "loop-print" => loop {
                println!("again");
            },
            "recurse" => return done(format!("{{\"n\":{}}}", recurse(1))),
            "trap" => panic!("no port left on olt-1"),
            "eat" => {
                // Memory that is not written to takes no time: the call ends before it counts as long
                // and goes on at the lowest priority.
                let mut eaten = Vec::new();
                loop {
                    eaten.push(std::hint::black_box(Vec::<u8>::with_capacity(1 << 20)));
                }
            }
            "log" => (0..count).for_each(|n| log::write(log::Level::Info, &format!("line {n}"))),
            "print" => (0..count).for_each(|n| println!("line {n}")),
            "huge" => return done("x".repeat(usize::try_from(count).expect("32 bits"))),
            "deep" => return done(format!("{{\"a\":{}}}", nested(&input))),
            "values" => return done(format!("{{\"a\":[{}]}}", many(&input, "{\"\":0},", "0"))),
            "long-failure" => return Err(long_failure(&input)),
            "long-log" => log::write(log::Level::Info, &many(&input, "x", "")),
            "many-keys" => return many_keys(&input),
            "show" => return show(&input),
            "text" => return done(input["text"].as_str().unwrap_or_default().into()),
            "sleep" => std::thread::sleep(std::time::Duration::from_millis(count)),
            "exit" => std::process::exit(3),
            "wait" => return waiting(&input),
            "fail" => return Err(failure(FailureClass::Retry)),
            "reject" => return Err(failure(FailureClass::Reject)),
            "setting" => return setting(input["name"].as_str().unwrap_or_default()),
            "inventory" => return look_up(&input),
            "find" => return find(&input),
            "files" => return done(json!({ "error": files() }).to_string()),
            "socket" => return done(json!({ "error": socket() }).to_string()),
            "environment" => return done(json!({ "count": std::env::vars().count() }).to_string()),
            _ => return done(json!({ "task": about(&task) }).to_string()),
        }
        done("{}".into())
    }
}

impl callbacks::Guest for Misbehave {
    fn resume(_task: Task, answer: String) -> Result<Outcome, Failure> {
        done(format!("{{\"payload\":{answer}}}"))
    }
}

impl allocation::Guest for Misbehave {
    fn allocate(task: Task) -> Result<Done, Failure> {
        let input: Value = serde_json::from_str(&task.input).expect("the host sends JSON");
        let mut outputs = serde_json::Map::new();
        for (name, pool) in input.as_object().expect("an object") {
            let pool = pool.as_str().unwrap_or_default().into();
            let request = reservation::Request { pool, name: name.clone(), attributes: vec![] };
            outputs.insert(name.clone(), reservation::reserve(&request)?.value.into());
        }
        Ok(Done { outputs: Value::from(outputs).to_string(), attributes: vec![] })
    }
}

fn done(outputs: String) -> Result<Outcome, Failure> {
    Ok(Outcome::Done(Done { outputs, attributes: vec![] }))
}

fn waiting(input: &Value) -> Result<Outcome, Failure> {
    let keys = input["keys"].as_array().into_iter().flatten();
    let keys = keys.map(|key| key.as_str().unwrap_or_default().to_owned()).collect();
    Ok(Outcome::Waiting(Callback { keys, timeout_ms: 5_000, attributes: vec![] }))
}

fn failure(class: FailureClass) -> Failure {
    Failure {
        class,
        code: "VLAN_BUSY".into(),
        message: "the VLAN is busy".into(),
        retry_after_ms: Some(250),
        attributes: vec![Attribute { name: "element".into(), value: "bng-1".into() }],
    }
}

/// Calls itself until the stack is used up.
fn recurse(depth: u64) -> u64 {
    let kept = std::hint::black_box([depth; 16]);
    if kept[0] == u64::MAX {
        return 0;
    }
    recurse(depth + 1) + kept[0]
}

/// A text, repeated.
fn many(input: &Value, text: &str, end: &str) -> String {
    let count = input["count"].as_u64().and_then(|count| usize::try_from(count).ok());
    text.repeat(count.unwrap_or(0)) + end
}

/// Lists in lists.
fn nested(input: &Value) -> String {
    many(input, "[", "") + &many(input, "]", "")
}

fn long_failure(input: &Value) -> Failure {
    Failure {
        class: FailureClass::Operator,
        code: many(input, "É", ""),
        message: many(input, "\u{1b}[31m", ""),
        retry_after_ms: Some(u32::MAX),
        attributes: vec![Attribute { name: "a".into(), value: many(input, "y\n", "") }],
    }
}

fn many_keys(input: &Value) -> Result<Outcome, Failure> {
    let count = input["count"].as_u64().unwrap_or(0);
    let keys = (0..count).map(|n| format!("key-{n}")).collect();
    Ok(Outcome::Waiting(Callback { keys, timeout_ms: u32::MAX, attributes: vec![] }))
}

/// Shows a setting wherever it can.
fn show(input: &Value) -> Result<Outcome, Failure> {
    let name = input["name"].as_str().unwrap_or_default();
    let setting = config::get(name).unwrap_or_default();
    log::write(log::Level::Info, &format!("it is {setting}"));
    log::write(log::Level::Info, &json!({ "it": setting }).to_string());
    match input["where"].as_str().unwrap_or_default() {
        "failure" => {
            let mut failure = failure(FailureClass::Operator);
            failure.code = format!("E_{setting}");
            failure.message = format!("it is {setting}");
            failure.attributes[0].value = setting;
            Err(failure)
        }
        "key" => {
            let keys = vec![format!("key-{setting}")];
            Ok(Outcome::Waiting(Callback { keys, timeout_ms: 5_000, attributes: vec![] }))
        }
        "trap" => panic!("it is {setting}"),
        _ => done(json!({ "it": setting, &setting: [format!("x{setting}y")] }).to_string()),
    }
}

fn setting(name: &str) -> Result<Outcome, Failure> {
    done(json!({ "value": config::get(name) }).to_string())
}

fn look_up(input: &Value) -> Result<Outcome, Failure> {
    let kind = input["kind"].as_str().unwrap_or_default();
    let id = input["id"].as_str().unwrap_or_default();
    let document = inventory::get(kind, id)?.map(|text| serde_json::from_str::<Value>(&text).ok());
    done(json!({ "document": document }).to_string())
}

fn find(input: &Value) -> Result<Outcome, Failure> {
    let text = |name: &str| input[name].as_str().unwrap_or_default();
    let found = inventory::find(text("kind"), text("attribute"), text("value"))?;
    let found = found.iter().map(|text| serde_json::from_str::<Value>(text).ok());
    done(json!({ "found": found.collect::<Vec<_>>() }).to_string())
}

fn files() -> Option<String> {
    std::fs::read_to_string("/etc/hostname").err().map(|error| error.to_string())
}

fn socket() -> Option<String> {
    std::net::TcpStream::connect("127.0.0.1:80").err().map(|error| error.to_string())
}

fn about(task: &Task) -> Value {
    let item = task.item.as_ref();
    json!({
        "fulfilment": task.fulfilment,
        "name": task.name,
        "spec": item.map(|item| &item.spec),
        "action": item.map(|item| name(item.action)),
        "characteristics": item.map(|item| &item.characteristics),
        "attempt": task.attempt,
        "idempotencyKey": task.idempotency_key,
        "callbackUrl": task.callback_url,
        "hasDeadline": task.deadline_ms > 0,
    })
}

fn name(action: Action) -> &'static str {
    match action {
        Action::Add => "add",
        Action::Modify => "modify",
        Action::Delete => "delete",
        Action::NoChange => "noChange",
    }
}
