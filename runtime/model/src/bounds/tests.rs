use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::reconcile::{Difference, Holder, Reading};

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, level| match level % 2 {
        0 => json!([inner]),
        _ => json!({ "a": inner }),
    })
}

fn outputs(value: Value) -> Outcome {
    Outcome::Done([("a".to_owned(), value)].into_iter().collect())
}

fn failure(outcome: &Outcome) -> &Failure {
    let Outcome::Failed(failure) = outcome else { panic!("not failed: {outcome:?}") };
    failure
}

fn wait(keys: Vec<String>) -> Outcome {
    Outcome::Waiting(Wait { keys, timeout_ms: 1 })
}

#[test]
fn an_answer_at_a_bound_passes_and_one_past_it_is_refused_with_the_bound() {
    let text = |bytes: usize| "x".repeat(bytes);
    // `{"a":""}` has eight bytes beside the text.
    let room = BOUNDS.outputs_bytes_max - 8;
    let nulls = |count: usize| Value::Array(vec![Value::Null; count]);
    let cases = [
        (outputs(nested(31)), outputs(nested(32)), "outputs with 33 levels, the limit is 32"),
        (
            outputs(json!(text(room))),
            outputs(json!(text(room + 1))),
            "outputs with 262145 bytes, the limit is 262144",
        ),
        (
            outputs(nulls(BOUNDS.values_max - 1)),
            outputs(nulls(BOUNDS.values_max)),
            "outputs with 20001 values, the limit is 20000",
        ),
        (wait(vec![text(1); 32]), wait(vec![text(1); 33]), "a wait with 33 keys, the limit is 32"),
        (
            wait(vec![text(512)]),
            wait(vec![text(513)]),
            "a key of a wait with 513 bytes, the limit is 512",
        ),
    ];
    for (at, past, message) in cases {
        assert_eq!(BOUNDS.outcome(at.clone()), at);
        let refused = BOUNDS.outcome(past);
        assert_eq!(failure(&refused).code, FailureCode::PluginAnswer);
        assert_eq!(failure(&refused).class, FailureClass::Operator);
        assert!(failure(&refused).message.contains(message), "{refused:?}");
    }
}

#[test]
fn texts_of_failures_are_cut_between_characters() {
    let long = Failure {
        class: FailureClass::Retry,
        code: "Ü".repeat(700_000).into(),
        message: "\u{1b}[2J€ ".repeat(700_000),
        retry_after_ms: Some(u64::MAX),
        attribute: None,
    };
    let cut = BOUNDS.failure(long);
    assert!((61..=64).contains(&cut.code.as_str().len()), "{}", cut.code.as_str().len());
    assert!((4_090..=4_096).contains(&cut.message.len()), "{}", cut.message.len());
    assert!(cut.code.as_str().ends_with('…') && cut.message.ends_with('…'));
    assert!(!cut.message.contains('\u{1b}'));
    assert_eq!(cut.retry_after_ms, Some(BOUNDS.retry_after_ms_max));
    let short = Failure::new(FailureClass::Reject, "VLAN_BUSY", "line 1\nline 2");
    assert_eq!(BOUNDS.failure(short.clone()), short);
}

#[test]
fn a_wait_ends_within_what_the_contract_can_spell() {
    let wait = Wait { keys: vec!["k".into()], timeout_ms: u64::MAX };
    assert_eq!(BOUNDS.wait(wait).unwrap().timeout_ms, u64::from(u32::MAX));
}

#[test]
fn payloads_are_bounded() {
    assert_eq!(BOUNDS.payload(&json!("x".repeat(BOUNDS.payload_bytes_max - 2))), Ok(()));
    let long = BOUNDS.payload(&json!("x".repeat(BOUNDS.payload_bytes_max))).unwrap_err();
    assert_eq!(long.to_string(), "a payload with 65538 bytes, the limit is 65536");
    let deep = BOUNDS.payload(&nested(32)).unwrap_err();
    assert_eq!(deep.to_string(), "a payload with 33 levels, the limit is 32");
}

#[test]
fn decompositions_are_bounded_in_count_and_size() {
    let one = Characteristics::from_iter([("a", json!("x".repeat(1_100)))]);
    let check = |count: usize| BOUNDS.productions(vec![&one; count].into_iter());
    assert_eq!(check(900), Ok(()));
    assert_eq!(check(1_000).unwrap_err().unit, "bytes of characteristics");
    let none = Characteristics::new();
    let many = BOUNDS.productions(vec![&none; 1_001].into_iter()).unwrap_err();
    assert_eq!(many.to_string(), "a decomposition with 1001 productions, the limit is 1000");
    let deep = Characteristics::from_iter([("a", nested(40))]);
    let deep = BOUNDS.productions(std::iter::once(&deep)).unwrap_err();
    assert_eq!(deep.unit, "levels");
}

#[test]
fn readings_are_bounded() {
    let difference = |found: Value| Difference { name: "speed".into(), expected: json!(1), found };
    let held = |found| Reading::Held {
        outputs: Map::new(),
        differences: vec![difference(found)],
        holder: Holder::Ours,
    };
    assert_eq!(Reading::Nothing.check(&BOUNDS), Ok(()));
    assert_eq!(held(json!(2)).check(&BOUNDS), Ok(()));
    assert_eq!(held(nested(40)).check(&BOUNDS).unwrap_err().unit, "levels");
    let long = json!("x".repeat(BOUNDS.outputs_bytes_max));
    assert_eq!(held(long).check(&BOUNDS).unwrap_err().unit, "bytes");
}

#[test]
fn the_depth_of_text_is_known_before_it_is_parsed() {
    for (text, depth) in [
        ("1", 0),
        ("[]", 1),
        (r#"{"a":[{}],"b":[[[1]]]}"#, 4),
        (r#"["[[[[", "\"[[", "\\", "]"]"#, 1),
        ("]]]][[", 2),
    ] {
        assert_eq!(text_depth(text), depth, "{text}");
    }
    assert_eq!(text_depth(&"[".repeat(1_000_000)), 1_000_000);
    assert_eq!(BOUNDS.text("outputs", &nested(33).to_string()).unwrap_err().has, 33);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), ".{0,8}".prop_map(Value::String)];
    leaf.prop_recursive(8, 64, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(".{0,4}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn text_and_value_are_equally_deep_and_long(value in any_json()) {
        let text = value.to_string();
        prop_assert_eq!(text_depth(&text), depth(&value));
        prop_assert_eq!(bytes(&value), text.len());
    }

    #[test]
    fn a_bounded_outcome_stays_as_it_is(code in ".{0,200}", message in ".{0,9000}", value in any_json()) {
        let failed = Failure::new(FailureClass::Operator, code.as_str(), message);
        for outcome in [Outcome::Failed(failed), outputs(value)] {
            let once = BOUNDS.outcome(outcome);
            prop_assert_eq!(BOUNDS.outcome(once.clone()), once);
        }
    }
}
