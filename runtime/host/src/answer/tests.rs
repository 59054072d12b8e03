use super::*;

#[test]
fn only_a_json_object_is_an_object() {
    assert_eq!(object(r#"{"a":1}"#).unwrap().len(), 1);
    for text in ["", "[]", "null", "{\"a\":1} x"] {
        assert!(object(text).is_err(), "{text}");
    }
}

#[test]
fn a_failure_keeps_its_class_and_its_details() {
    let log = Log::default();
    let guest = types::Failure {
        class: types::FailureClass::Reject,
        code: "X".into(),
        message: "m".into(),
        retry_after_ms: Some(7),
        attributes: vec![types::Attribute { name: "a".into(), value: "b".into() }],
    };
    let failure = failure(guest, &log);
    assert_eq!((failure.class, failure.retry_after_ms), (FailureClass::Reject, Some(7)));
    assert_eq!(log.finish(), ["failure: a: b"]);
}

#[test]
fn an_object_that_is_too_large_or_too_deep_is_refused_with_the_limit() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(124), "]".repeat(124));
    assert_eq!(object(&deep).unwrap_err(), "that nest with 125 levels, the limit is 32");
    let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(BOUNDS.outputs_bytes_max));
    assert_eq!(object(&huge).unwrap_err(), "with 262152 bytes, the limit is 262144");
}
