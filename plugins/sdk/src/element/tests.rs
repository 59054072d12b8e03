use serde_json::{Value, json};

use super::{Element, Outputs};
use crate::http::{Error, Response};
use crate::{Context, Failure, FailureClass, Finding, Outcome};

/// Runs `try_it` with an element of the name `olt-1` that gives the output `port`.
fn with_element<T>(try_it: impl FnOnce(Element<'_>) -> T) -> T {
    let outputs = Outputs([("port".to_owned(), "/config/port".to_owned())].into());
    let context = Context::example(&json!({}));
    try_it(Element {
        name: "olt-1",
        context: &context,
        outputs: &outputs,
        callback_timeout_ms: Some(5_000),
    })
}

fn refusal(status: u16, headers: &[(&str, &str)], body: &str) -> Failure {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let response = Response { status, headers, body: body.into() };
    with_element(|element| element.refused(&response))
}

fn resume(answer: &Value) -> Result<Outcome<Value>, Failure> {
    with_element(|element| element.resume(answer))
}

#[test]
fn a_busy_element_is_tried_again() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let failure = refusal(status, &[], "");
        assert_eq!(failure.class, FailureClass::Retry, "{status}");
        assert_eq!(failure.code, format!("ELEMENT_{status}"));
        assert_eq!(failure.retry_after_ms, None);
    }
    let failure = refusal(429, &[("retry-after", "3")], "");
    assert_eq!(failure.retry_after_ms, Some(3_000));
    let failure = refusal(503, &[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], "");
    assert_eq!(failure.retry_after_ms, None);
}

#[test]
fn a_refusal_goes_to_the_operator_in_the_elements_own_words() {
    let conflict = refusal(409, &[], "");
    assert_eq!(
        (conflict.class, conflict.code.as_str()),
        (FailureClass::Operator, "ELEMENT_CONFLICT")
    );
    for (status, body) in [
        (400, r#"{"detail": "vlan 9 is taken"}"#),
        (403, r#"{"ietf-restconf:errors":{"error":[{"error-message":"vlan 9 is taken"}]}}"#),
        (404, r#"{"error": {"message": "vlan 9 is taken"}}"#),
        (422, "vlan 9\nis taken"),
    ] {
        let failure = refusal(status, &[], body);
        assert_eq!(
            (failure.class, failure.code.as_str()),
            (FailureClass::Operator, "ELEMENT_REFUSED")
        );
        let expected = format!("`olt-1` refuses (status {status}): vlan 9 is taken");
        assert_eq!(failure.message, expected);
    }
    let long = refusal(400, &[], &"é".repeat(10_000)).message;
    assert!(long.chars().count() < 400 && long.ends_with('…'), "{long}");
}

#[test]
fn a_lost_answer_is_tried_again_and_a_missing_grant_is_not() {
    let of = |error: Error| with_element(|element| element.no_answer(&error));
    let timeout = of(Error::Timeout { cause: "ConnectionReadTimeout".into() });
    assert_eq!((timeout.class, timeout.code.as_str()), (FailureClass::Retry, "ELEMENT_TIMEOUT"));
    let broken = of(Error::Broken { cause: "ConnectionTerminated".into() });
    assert_eq!((broken.class, broken.code.as_str()), (FailureClass::Retry, "ELEMENT_UNREACHABLE"));
    let denied = of(Error::Denied { target: "http://olt-1:80".into() });
    assert_eq!(denied.class, FailureClass::Operator);
    assert!(denied.message.contains(r#"http = ["http://olt-1:80"]"#), "{}", denied.message);
}

#[test]
fn outputs_are_taken_by_pointer_and_a_missing_one_is_named() {
    let done = with_element(|element| element.done(&json!({"config": {"port": 7}})));
    assert_eq!(done, Ok(Outcome::Done(json!({"port": 7}))));
    let failure = with_element(|element| element.done(&json!({"config": {}}))).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Operator, "ELEMENT_ANSWER"));
    assert!(failure.message.contains("`/config/port`"), "{}", failure.message);
}

#[test]
fn work_with_our_key_was_applied_by_us() {
    let finding = |document: Value| with_element(|element| element.finding(&document));
    let ours = json!({"idempotencyKey": "key-1", "config": {"port": 7}});
    assert_eq!(finding(ours), Finding::Applied(json!({"port": 7})));
    let pending = json!({"idempotencyKey": "key-1", "state": "pending"});
    assert_eq!(finding(pending), Finding::waiting("key-1", 5_000));
    let theirs = json!({"idempotencyKey": "key-2", "config": {"port": 7}});
    assert_eq!(finding(theirs), Finding::NotApplied);
    assert_eq!(finding(json!({"config": {"port": 7}})), Finding::NotApplied);
    assert_eq!(finding(json!("nonsense")), Finding::NotApplied);
    let without_outputs = json!({"idempotencyKey": "key-1"});
    assert_eq!(finding(without_outputs), Finding::NotApplied);
}

#[test]
fn a_callback_tells_how_the_work_ended() {
    let done = json!({"key": "key-1", "status": "done", "result": {"config": {"port": 7}}});
    assert_eq!(resume(&done), Ok(Outcome::Done(json!({"port": 7}))));
    let failed = |transient| {
        let error = json!({"code": "E17", "message": "no light", "transient": transient});
        resume(&json!({"status": "failed", "error": error})).unwrap_err()
    };
    assert_eq!(failed(false).class, FailureClass::Operator);
    assert_eq!(failed(true).class, FailureClass::Retry);
    assert_eq!(failed(true).message, "`olt-1` tried and failed: no light");
    assert_eq!(failed(true).attributes[0].value, "E17");
    assert_eq!(resume(&json!({"status": "failed"})).unwrap_err().class, FailureClass::Operator);
}

#[test]
fn a_callback_that_is_no_answer_to_us_ends_nothing() {
    let waiting = Ok(Outcome::waiting("key-1", 5_000));
    assert_eq!(resume(&json!({"status": "pending"})), waiting);
    assert_eq!(resume(&json!({"key": "key-2", "status": "done", "result": {}})), waiting);
    let failure = resume(&json!({"status": "perhaps"})).unwrap_err();
    assert_eq!(
        (failure.class, failure.code.as_str()),
        (FailureClass::Operator, "ELEMENT_CALLBACK")
    );
}

/// Outputs are kept and must be readable again.
#[test]
fn an_answer_that_is_too_deep_or_too_large_goes_to_the_operator() {
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let answer = |port: Value| json!({ "config": { "port": port } });
    for (port, said) in [
        (nested(124), "125 levels, the limit is 32"),
        (json!("x".repeat(300_000)), "300011 bytes, the limit is 262144"),
    ] {
        let done = json!({ "status": "done", "result": answer(port.clone()) });
        let read = with_element(|element| element.done(&answer(port.clone())));
        for failure in [read.unwrap_err(), resume(&done).unwrap_err()] {
            assert_eq!(failure.code, "ELEMENT_ANSWER");
            assert_eq!(failure.class, FailureClass::Operator);
            assert!(failure.message.contains(said), "{}", failure.message);
        }
    }
    assert!(with_element(|element| element.done(&answer(nested(31)))).is_ok());
}
