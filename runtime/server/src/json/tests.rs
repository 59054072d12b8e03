use proptest::prelude::*;

use super::*;

#[test]
fn what_nests_too_deep_is_refused_before_it_is_parsed() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
    assert!(parse(nested(DEPTH_MAX + 1).as_bytes()).is_err());
    // Far deeper than any stack: the depth is counted, not descended.
    assert!(parse("[{\"a\":".repeat(1_000_000).as_bytes()).is_err());
}

#[test]
fn brackets_within_texts_are_text() {
    let text = format!(r#"{{"a":"{}\"{}"}}"#, "[".repeat(1_000), "{".repeat(1_000));
    assert!(parse(text.as_bytes()).is_ok());
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes: Vec<u8>) {
        parse(&bytes).ok();
    }

    #[test]
    fn what_serde_takes_is_no_deeper_than_counted(text in r#"[\[\]{}":,\\a1 ]{0,40}"#) {
        if let Ok(value) = serde_json::from_str::<Value>(&text) {
            prop_assert_eq!(depth(text.as_bytes()), depth_of(&value));
        }
    }
}

fn depth_of(value: &Value) -> usize {
    match value {
        Value::Array(entries) => 1 + entries.iter().map(depth_of).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth_of).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}
