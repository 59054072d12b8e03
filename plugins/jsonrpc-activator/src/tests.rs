use ferrule_plugin::element::Element;
use ferrule_plugin::http::Response;
use ferrule_plugin::{Callbacks, Context, Failure, FailureClass, Finding, Outcome, Probe, Undo};
use serde_json::{Value, json};

use super::input::Input;
use super::reply::Reply;
use super::{JsonrpcActivator, activated, found, is_to_be_made, undone};

fn input() -> Value {
    json!({
        "element": "acs",
        "method": "createDevice",
        "params": {"serial": "HW-1"},
        "undo": {"method": "deleteDevice", "params": {"serial": "HW-1"}},
        "probe": {"method": "getDevice", "params": {"serial": "HW-1"}},
        "outputs": {"device": "/id"},
        "callbackTimeoutMs": 5_000,
    })
}

/// What `read` makes of a reply with this HTTP status and body.
fn on<T>(
    status: u16,
    body: &Value,
    read: impl FnOnce(&Element<'_>, Reply) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let context = Context::example(&input());
    let input: Input = context.input().unwrap();
    let response = Response { status, headers: vec![], body: body.to_string().into_bytes() };
    let element = input.element(&context);
    read(&element, Reply::read(&element, &response)?)
}

fn result(result: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": "key-1", "result": result})
}

fn error(code: i64) -> Value {
    json!({"jsonrpc": "2.0", "id": "key-1", "error": {"code": code, "message": "no"}})
}

#[test]
fn a_result_is_done_or_waiting() {
    let done = Ok(Outcome::Done(json!({"device": 7})));
    assert_eq!(on(200, &result(&json!({"id": 7})), activated), done);
    let waiting = Ok(Outcome::waiting("key-1", 5_000));
    assert_eq!(on(200, &result(&json!({"accepted": true})), activated), waiting);
    assert_eq!(on(202, &Value::Null, activated), waiting);
    let incomplete = on(200, &result(&json!({})), activated).unwrap_err();
    assert_eq!(incomplete.code, "ELEMENT_ANSWER");
}

#[test]
fn an_error_is_sorted_by_who_must_act() {
    let sorted = |code| {
        let failure = on(200, &error(code), activated).unwrap_err();
        (failure.class, failure.code)
    };
    assert_eq!(sorted(-32001), (FailureClass::Retry, "ELEMENT_BUSY".into()));
    assert_eq!(sorted(-32603), (FailureClass::Retry, "ELEMENT_INTERNAL".into()));
    assert_eq!(sorted(-32009), (FailureClass::Operator, "ELEMENT_CONFLICT".into()));
    for code in [-32004, -32600, -32601, -32602, 17] {
        assert_eq!(sorted(code), (FailureClass::Operator, "ELEMENT_REFUSED".into()), "{code}");
    }
}

#[test]
fn an_error_may_be_transient_with_a_delay() {
    let error =
        json!({"code": 17, "message": "", "data": {"transient": true, "retryAfterMs": 250}});
    let failure = on(200, &json!({"id": "key-1", "error": error}), activated).unwrap_err();
    assert_eq!((failure.class, failure.retry_after_ms), (FailureClass::Retry, Some(250)));
}

#[test]
fn an_error_counts_whatever_the_http_status_is() {
    assert_eq!(on(409, &error(-32001), activated).unwrap_err().code, "ELEMENT_BUSY");
    assert_eq!(on(503, &Value::Null, activated).unwrap_err().code, "ELEMENT_503");
    assert_eq!(on(400, &json!("bad"), activated).unwrap_err().code, "ELEMENT_REFUSED");
}

#[test]
fn a_reply_to_another_call_is_for_the_operator() {
    let theirs = json!({"jsonrpc": "2.0", "id": "key-2", "result": {"id": 7}});
    for body in [theirs, json!("<html>"), json!({"id": "key-1"}), json!([]), Value::Null] {
        let failure = on(200, &body, activated).unwrap_err();
        assert_eq!(
            (failure.class, failure.code.as_str()),
            (FailureClass::Operator, "ELEMENT_ANSWER")
        );
    }
}

#[test]
fn an_undo_without_work_succeeds() {
    assert_eq!(on(200, &result(&json!({})), undone), Ok(Outcome::Done(())));
    let accepted = result(&json!({"accepted": true}));
    assert_eq!(on(200, &accepted, undone), Ok(Outcome::waiting("key-1", 5_000)));
    assert_eq!(on(200, &error(-32004), undone), Ok(Outcome::Done(())));
    assert_eq!(on(200, &error(-32001), undone).unwrap_err().class, FailureClass::Retry);
}

#[test]
fn only_our_own_key_counts_for_a_probe() {
    let ours = result(&json!({"idempotencyKey": "key-1", "id": 7}));
    assert_eq!(on(200, &ours, found), Ok(Finding::Applied(json!({"device": 7}))));
    let pending = result(&json!({"idempotencyKey": "key-1", "state": "pending"}));
    assert_eq!(on(200, &pending, found), Ok(Finding::waiting("key-1", 5_000)));
    let theirs = result(&json!({"idempotencyKey": "key-2", "id": 7}));
    assert_eq!(on(200, &theirs, found), Ok(Finding::NotApplied));
    assert_eq!(on(200, &error(-32004), found), Ok(Finding::NotApplied));
    assert_eq!(on(200, &error(-32001), found).unwrap_err().class, FailureClass::Retry);
}

#[test]
fn without_a_probe_or_an_undo_nothing_is_sent() {
    let context = Context::example(&json!({"element": "acs", "method": "createDevice"}));
    assert_eq!(
        JsonrpcActivator::probe(&context, context.input().unwrap()),
        Ok(Finding::NotApplied)
    );
    assert_eq!(
        JsonrpcActivator::undo(&context, context.input().unwrap(), None),
        Ok(Outcome::Done(()))
    );
}

#[test]
fn a_callback_ends_the_wait() {
    let payload = json!({"key": "key-1", "status": "done", "result": {"id": 7}});
    let context = Context::example(&input());
    let outcome = JsonrpcActivator::resume(&context, context.input().unwrap(), &payload);
    assert_eq!(outcome, Ok(Outcome::Done(json!({"device": 7}))));
}

/// A task that changes prior work.
fn changing(input: &Value) -> Context {
    Context::example(input).with_replaces("key-0")
}

#[test]
fn a_change_has_the_params_of_the_method_unless_it_has_its_own() {
    let mut asked = input();
    asked["change"] = json!({"method": "updateDevice"});
    let context = changing(&asked);
    let change = context.input::<Input>().unwrap().change(&context).unwrap();
    assert_eq!((change.method.as_str(), change.params), ("updateDevice", asked["params"].clone()));
    asked["change"] = json!({"method": "updateDevice", "params": {"id": "HW-1"}});
    let context = changing(&asked);
    let change = context.input::<Input>().unwrap().change(&context).unwrap();
    assert_eq!(change.params, json!({"id": "HW-1"}));
}

#[test]
fn only_prior_work_is_changed() {
    let mut asked = input();
    let context = changing(&asked);
    assert!(context.input::<Input>().unwrap().change(&context).is_none(), "the method does it");
    asked["change"] = json!({"method": "updateDevice"});
    let context = Context::example(&asked);
    assert!(context.input::<Input>().unwrap().change(&context).is_none(), "the step is new");
    let to_be_made = |body: &Value| on(200, body, |_, reply| Ok(is_to_be_made(&reply))).unwrap();
    assert!(to_be_made(&error(-32004)));
    assert!(!to_be_made(&error(-32009)));
    assert!(!to_be_made(&result(&json!({}))));
}
