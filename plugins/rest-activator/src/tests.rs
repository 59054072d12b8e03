use ferrule_plugin::element::{Asked, Element};
use ferrule_plugin::http::Response;
use ferrule_plugin::{Activator, Attribute, Done, Failure, FailureClass, Finding, Outcome, Task};
use serde_json::{Value, json};

use super::input::Input;
use super::{RestActivator, activated, found, is_to_be_made, undone};

fn input() -> Value {
    json!({
        "element": "olt-1",
        "request": {"method": "PUT", "path": "/restconf/data/ports=1", "body": {"vlan": 100}},
        "undo": {"method": "DELETE", "path": "/restconf/data/ports=1"},
        "probe": {"method": "GET", "path": "/restconf/data/ports=1"},
        "outputs": {"port": "/port/id"},
        "callbackTimeoutMs": 5_000,
    })
}

/// What `read` makes of an answer to a task with the input above.
fn on<T>(
    status: u16,
    body: &Value,
    read: impl FnOnce(&ferrule_plugin::element::Element<'_>, &Response) -> T,
) -> T {
    let task = Task::example(&input());
    let input: Input = task.input().unwrap();
    let response = Response { status, headers: vec![], body: body.to_string().into_bytes() };
    read(&input.element(&task), &response)
}

#[test]
fn an_answer_to_the_request_is_done_or_waiting_or_a_failure() {
    let body = json!({"port": {"id": "1/1/3"}});
    assert_eq!(on(200, &body, activated), Ok(Outcome::done(&json!({"port": "1/1/3"}))));
    assert_eq!(on(201, &body, activated), Ok(Outcome::done(&json!({"port": "1/1/3"}))));
    assert_eq!(on(202, &Value::Null, activated), Ok(Outcome::waiting("key-1", 5_000)));
    let class = |status| on(status, &Value::Null, activated).unwrap_err().class;
    assert_eq!(class(503), FailureClass::Retry);
    for status in [301, 400, 404, 409] {
        assert_eq!(class(status), FailureClass::Person, "{status}");
    }
    assert_eq!(on(204, &Value::Null, activated).unwrap_err().code, "ELEMENT_ANSWER");
}

#[test]
fn an_undo_that_is_accepted_waits_for_its_callback() {
    assert_eq!(on(202, &Value::Null, undone), Ok(Done::waiting("key-1", 5_000)));
    let mut task = Task::example(&input());
    task.attributes.push(Attribute { name: "undo".into(), value: "true".into() });
    let removed = json!({"key": "key-1", "status": "done", "result": {}});
    let outcome = RestActivator::resume(&task, &removed.to_string());
    assert_eq!(outcome, Ok(Outcome::done(&json!({}))), "no outputs are asked of a removal");
}

#[test]
fn nothing_to_take_back_is_success() {
    assert_eq!(on(204, &Value::Null, undone), Ok(Done::empty()));
    assert_eq!(on(404, &Value::Null, undone), Ok(Done::empty()));
    assert_eq!(on(409, &Value::Null, undone).unwrap_err().code, "ELEMENT_CONFLICT");
    assert_eq!(on(500, &Value::Null, undone).unwrap_err().class, FailureClass::Retry);
}

#[test]
fn a_probe_believes_only_our_own_key() {
    let ours = json!({"idempotencyKey": "key-1", "port": {"id": "1/1/3"}});
    assert_eq!(on(200, &ours, probed), Ok(Finding::applied(&json!({"port": "1/1/3"}))));
    let pending = json!({"idempotencyKey": "key-1", "state": "pending"});
    assert_eq!(on(200, &pending, probed), Ok(Finding::waiting("key-1", 5_000)));
    let theirs = json!({"idempotencyKey": "key-2", "port": {"id": "1/1/3"}});
    assert_eq!(on(200, &theirs, probed), Ok(Finding::NotApplied));
    assert_eq!(on(404, &Value::Null, probed), Ok(Finding::NotApplied));
    assert_eq!(on(503, &Value::Null, probed).unwrap_err().class, FailureClass::Retry);
}

#[test]
fn without_a_probe_or_an_undo_nothing_is_sent() {
    let mut input = input();
    input.as_object_mut().unwrap().retain(|name, _| name != "probe" && name != "undo");
    let task = Task::example(&input);
    assert_eq!(RestActivator::probe(&task), Ok(Finding::NotApplied));
    assert_eq!(RestActivator::undo(&task, "{}"), Ok(Done::empty()));
}

#[test]
fn a_callback_ends_the_wait() {
    let task = Task::example(&input());
    let payload = json!({"key": "key-1", "status": "done", "result": {"port": {"id": "1/1/3"}}});
    let outcome = RestActivator::resume(&task, &payload.to_string());
    assert_eq!(outcome, Ok(Outcome::done(&json!({"port": "1/1/3"}))));
}

#[test]
fn a_misspelt_input_is_refused_before_anything_is_sent() {
    let mut input = input();
    input["udno"] = json!({});
    let failure = RestActivator::activate(&Task::example(&input)).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Person, "BAD_INPUT"));
    assert!(failure.message.contains("`udno`"), "{}", failure.message);
}

fn probed(element: &Element<'_>, response: &Response) -> Result<Finding, Failure> {
    found(element, response, Asked::default())
}

#[test]
fn a_read_back_says_whose_it_is_and_what_is_another() {
    let attribute = |name: &str, value: &str| Attribute { name: name.into(), value: value.into() };
    let read_back = |status, body: &Value| {
        let mut task = Task::example(&input());
        task.attributes.push(attribute("read-back", "true"));
        let input: Input = task.input().unwrap();
        let response = Response { status, headers: vec![], body: body.to_string().into_bytes() };
        let asked = Asked { values: input.request.body.as_ref(), holds: Some("/config") };
        found(&input.element(&task), &response, asked)
    };
    let attributes = |finding| match finding {
        Ok(Finding::Applied(done)) => (done.outputs, done.attributes),
        other => panic!("{other:?}"),
    };
    let port = json!({"id": "1/1/3"});
    let same = json!({"idempotencyKey": "key-1", "port": port, "config": {"vlan": 100.0, "x": 1}});
    let (outputs, said) = attributes(read_back(200, &same));
    assert_eq!((outputs.as_str(), said), (r#"{"port":"1/1/3"}"#, vec![]));
    let other = json!({"idempotencyKey": "key-2", "config": {"vlan": 7}});
    let (outputs, said) = attributes(read_back(200, &other));
    let differences = r#"[{"expected":100,"found":7,"name":"vlan"}]"#;
    let expected = vec![attribute("held-by", "key-2"), attribute("differences", differences)];
    assert_eq!((outputs.as_str(), said), ("{}", expected));
    let silent = json!({"config": {"vlan": 100}});
    assert_eq!(attributes(read_back(200, &silent)).1, [attribute("held-by", "")]);
    assert_eq!(read_back(404, &Value::Null), Ok(Finding::NotApplied));
    assert_eq!(read_back(503, &Value::Null).unwrap_err().class, FailureClass::Retry);
    let empty = json!({"idempotencyKey": "key-1"});
    assert_eq!(read_back(200, &empty).unwrap_err().code, "ELEMENT_ANSWER");
}

#[test]
fn what_cannot_be_looked_at_cannot_be_read_back() {
    let mut input = input();
    input.as_object_mut().unwrap().remove("probe");
    let mut task = Task::example(&input);
    task.attributes.push(Attribute { name: "read-back".into(), value: "true".into() });
    assert_eq!(RestActivator::probe(&task).unwrap_err().code, "NO_PROBE");
}

/// A task that changes what an earlier one did.
fn changing(input: &Value) -> Task {
    let replaces = Attribute { name: "replaces".into(), value: "key-0".into() };
    Task { attributes: vec![replaces], ..Task::example(input) }
}

#[test]
fn a_change_takes_what_it_leaves_out_from_the_request() {
    let mut said = input();
    said["request"] = json!({"method": "POST", "path": "/x", "body": {"id": 7}});
    said["change"] = json!({"method": "PUT", "path": "/x/7"});
    let task = changing(&said);
    let change = task.input::<Input>().unwrap().change(&task).unwrap();
    assert_eq!((change.method.as_str(), change.path.as_str()), ("PUT", "/x/7"));
    assert_eq!(change.body, Some(json!({"id": 7})));
    said["change"] = json!({"method": "PATCH", "body": {"down": 500}});
    let task = changing(&said);
    let change = task.input::<Input>().unwrap().change(&task).unwrap();
    assert_eq!((change.path.as_str(), change.body), ("/x", Some(json!({"down": 500}))));
}

#[test]
fn only_what_stands_is_changed() {
    let mut said = input();
    let task = changing(&said);
    assert!(task.input::<Input>().unwrap().change(&task).is_none(), "the request does it");
    said["change"] = json!({"method": "PATCH"});
    let task = Task { action: "modify".into(), ..Task::example(&said) };
    assert!(task.input::<Input>().unwrap().change(&task).is_none(), "the step is new");
    let answer = |status| Response { status, headers: vec![], body: vec![] };
    assert!(is_to_be_made(&answer(404)));
    for status in [200, 202, 409, 503] {
        assert!(!is_to_be_made(&answer(status)), "{status}");
    }
}
