use ferrule_plugin::element::Asked;
use ferrule_plugin::http::Response;
use ferrule_plugin::{
    Callbacks, Context, Difference, FailureClass, Finding, Observation, Observe, Outcome, Owner,
    Probe, Undo,
};
use serde_json::{Value, json};

use super::input::Input;
use super::{RestActivator, activated, found, is_to_be_made, observed, undone};

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
    let context = Context::example(&input());
    let input: Input = context.input().unwrap();
    let response = Response { status, headers: vec![], body: body.to_string().into_bytes() };
    read(&input.element(&context), &response)
}

#[test]
fn an_answer_to_the_request_is_done_or_waiting_or_a_failure() {
    let body = json!({"port": {"id": "1/1/3"}});
    assert_eq!(on(200, &body, activated), Ok(Outcome::Done(json!({"port": "1/1/3"}))));
    assert_eq!(on(201, &body, activated), Ok(Outcome::Done(json!({"port": "1/1/3"}))));
    assert_eq!(on(202, &Value::Null, activated), Ok(Outcome::waiting("key-1", 5_000)));
    let class = |status| on(status, &Value::Null, activated).unwrap_err().class;
    assert_eq!(class(503), FailureClass::Retry);
    for status in [301, 400, 404, 409] {
        assert_eq!(class(status), FailureClass::Operator, "{status}");
    }
    assert_eq!(on(204, &Value::Null, activated).unwrap_err().code, "ELEMENT_ANSWER");
}

#[test]
fn an_undo_that_is_accepted_waits_for_its_callback() {
    assert_eq!(on(202, &Value::Null, undone), Ok(Outcome::waiting("key-1", 5_000)));
    let context = Context::example(&input());
    let removed = json!({"key": "key-1", "status": "done", "result": {}});
    let outcome = RestActivator::resume_undo(&context, context.input().unwrap(), &removed);
    assert_eq!(outcome, Ok(Outcome::Done(())), "no outputs are asked of a removal");
}

#[test]
fn an_undo_without_work_succeeds() {
    assert_eq!(on(204, &Value::Null, undone), Ok(Outcome::Done(())));
    assert_eq!(on(404, &Value::Null, undone), Ok(Outcome::Done(())));
    assert_eq!(on(409, &Value::Null, undone).unwrap_err().code, "ELEMENT_CONFLICT");
    assert_eq!(on(500, &Value::Null, undone).unwrap_err().class, FailureClass::Retry);
}

#[test]
fn only_our_own_key_counts_for_a_probe() {
    let ours = json!({"idempotencyKey": "key-1", "port": {"id": "1/1/3"}});
    assert_eq!(on(200, &ours, found), Ok(Finding::Applied(json!({"port": "1/1/3"}))));
    let pending = json!({"idempotencyKey": "key-1", "state": "pending"});
    assert_eq!(on(200, &pending, found), Ok(Finding::waiting("key-1", 5_000)));
    let theirs = json!({"idempotencyKey": "key-2", "port": {"id": "1/1/3"}});
    assert_eq!(on(200, &theirs, found), Ok(Finding::NotApplied));
    assert_eq!(on(404, &Value::Null, found), Ok(Finding::NotApplied));
    assert_eq!(on(503, &Value::Null, found).unwrap_err().class, FailureClass::Retry);
}

#[test]
fn without_a_probe_or_an_undo_nothing_is_sent() {
    let mut input = input();
    input.as_object_mut().unwrap().retain(|name, _| name != "probe" && name != "undo");
    let context = Context::example(&input);
    assert_eq!(RestActivator::probe(&context, context.input().unwrap()), Ok(Finding::NotApplied));
    assert_eq!(
        RestActivator::undo(&context, context.input().unwrap(), None),
        Ok(Outcome::Done(()))
    );
}

#[test]
fn a_callback_ends_the_wait() {
    let context = Context::example(&input());
    let payload = json!({"key": "key-1", "status": "done", "result": {"port": {"id": "1/1/3"}}});
    let outcome = RestActivator::resume(&context, context.input().unwrap(), &payload);
    assert_eq!(outcome, Ok(Outcome::Done(json!({"port": "1/1/3"}))));
}

#[test]
fn a_misspelt_input_is_refused_before_anything_is_sent() {
    let mut input = input();
    input["udno"] = json!({});
    let failure = Context::example(&input).input::<Input>().unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Operator, "BAD_INPUT"));
    assert!(failure.message.contains("`udno`"), "{}", failure.message);
}

#[test]
fn an_observation_tells_the_owner_and_the_differences() {
    let observe = |status, body: &Value| {
        let context = Context::example(&input());
        let input: Input = context.input().unwrap();
        let response = Response { status, headers: vec![], body: body.to_string().into_bytes() };
        let asked = Asked { values: input.request.body.as_ref(), holds: Some("/config") };
        observed(&input.element(&context), &response, asked)
    };
    let present = |observation| match observation {
        Ok(Observation::Present(state)) => state,
        other => panic!("{other:?}"),
    };
    let port = json!({"id": "1/1/3"});
    let same = json!({"idempotencyKey": "key-1", "port": port, "config": {"vlan": 100.0, "x": 1}});
    let state = present(observe(200, &same));
    assert_eq!(Value::Object(state.outputs), json!({"port": "1/1/3"}));
    assert_eq!((state.owner, state.differences), (Owner::ThisTask, vec![]));
    let other = json!({"idempotencyKey": "key-2", "config": {"vlan": 7}});
    let state = present(observe(200, &other));
    let (expected, found) = (json!(100), Some(json!(7)));
    let vlan = Difference { name: "vlan".into(), expected, found };
    assert_eq!((state.owner, state.differences), (Owner::Other("key-2".into()), vec![vlan]));
    assert!(state.outputs.is_empty());
    let silent = json!({"config": {"vlan": 100}});
    assert_eq!(present(observe(200, &silent)).owner, Owner::Unknown);
    assert_eq!(observe(404, &Value::Null), Ok(Observation::Absent));
    assert_eq!(observe(503, &Value::Null).unwrap_err().class, FailureClass::Retry);
    let empty = json!({"idempotencyKey": "key-1"});
    assert_eq!(observe(200, &empty).unwrap_err().code, "ELEMENT_ANSWER");
}

#[test]
fn a_step_without_a_probe_cannot_be_observed() {
    let mut input = input();
    input.as_object_mut().unwrap().remove("probe");
    let context = Context::example(&input);
    let failure = RestActivator::observe(&context, context.input().unwrap()).unwrap_err();
    assert_eq!(failure.code, "NO_PROBE");
}

/// A task that changes prior work.
fn changing(input: &Value) -> Context {
    Context::example(input).with_replaces("key-0")
}

#[test]
fn a_change_takes_what_it_leaves_out_from_the_request() {
    let mut asked = input();
    asked["request"] = json!({"method": "POST", "path": "/x", "body": {"id": 7}});
    asked["change"] = json!({"method": "PUT", "path": "/x/7"});
    let context = changing(&asked);
    let change = context.input::<Input>().unwrap().change(&context).unwrap();
    assert_eq!((change.method.as_str(), change.path.as_str()), ("PUT", "/x/7"));
    assert_eq!(change.body, Some(json!({"id": 7})));
    asked["change"] = json!({"method": "PATCH", "body": {"down": 500}});
    let context = changing(&asked);
    let change = context.input::<Input>().unwrap().change(&context).unwrap();
    assert_eq!((change.path.as_str(), change.body), ("/x", Some(json!({"down": 500}))));
}

#[test]
fn only_prior_work_is_changed() {
    let mut asked = input();
    let context = changing(&asked);
    assert!(context.input::<Input>().unwrap().change(&context).is_none(), "the request does it");
    asked["change"] = json!({"method": "PATCH"});
    let context = Context::example(&asked);
    assert!(context.input::<Input>().unwrap().change(&context).is_none(), "the step is new");
    let answer = |status| Response { status, headers: vec![], body: vec![] };
    assert!(is_to_be_made(&answer(404)));
    for status in [200, 202, 409, 503] {
        assert!(!is_to_be_made(&answer(status)), "{status}");
    }
}
