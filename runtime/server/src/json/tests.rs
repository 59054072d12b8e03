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

#[test]
fn whole_numbers_that_would_lose_digits_are_refused() {
    for kept in
        ["18446744073709551615", "-9223372036854775808", "0", "-0", "1e400x", "1.5", "[1,-2]"]
    {
        let answer = parse(kept.as_bytes());
        assert!(!matches!(answer, Err(NotJson::TooLong(_))), "{kept}: {answer:?}");
    }
    let long = "123456789012345678901234567890";
    for text in [long, "18446744073709551616", "-9223372036854775809"] {
        let text = format!(r#"{{"name":"a 1{long}","note":[{{"value":{text}}}]}}"#);
        assert!(matches!(parse(text.as_bytes()), Err(NotJson::TooLong(_))), "{text}");
    }
    let text = format!(r#"{{"a":"{long}","b":"\"{long}"}}"#);
    assert!(parse(text.as_bytes()).is_ok());
}

#[test]
fn a_document_of_too_many_values_is_refused_before_it_is_parsed() {
    let list = |entries: usize| format!("[0{}]", ",0".repeat(entries - 1));
    assert!(parse(list(VALUES_MAX - 2).as_bytes()).is_ok());
    let refused = parse(list(VALUES_MAX).as_bytes()).unwrap_err();
    assert!(matches!(refused, NotJson::TooMany));
    assert!(refused.to_string().contains("1000000"), "{refused}");
}

proptest! {
    #[test]
    fn a_whole_number_is_kept_digit_for_digit_or_refused(text in "-?[1-9][0-9]{0,40}") {
        if let Ok(value) = parse(text.as_bytes()) {
            prop_assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes: Vec<u8>) {
        parse(&bytes).ok();
    }

    #[test]
    fn what_serde_takes_is_no_deeper_than_counted(text in r#"[\[\]{}":,\\a1 ]{0,40}"#) {
        if let Ok(value) = serde_json::from_str::<Value>(&text) {
            prop_assert_eq!(depth(text.as_bytes()), depth_of(&value));
            prop_assert!(values(text.as_bytes()) >= count_of(&value));
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

fn count_of(value: &Value) -> usize {
    match value {
        Value::Array(entries) => 1 + entries.iter().map(count_of).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(count_of).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}
