use proptest::prelude::*;

use super::*;

#[test]
fn deeply_nested_texts_are_refused_before_they_are_parsed() {
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
fn numbers_are_kept_as_they_were_written() {
    for text in [
        "18446744073709551616",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "0.10",
        "0.12345678901234567890",
        "-0",
        "-0.0",
        "1.50e-7",
        "1e+400",
        "100.00",
    ] {
        let document = format!(r#"{{"a":[{text}],"b":{text}}}"#);
        assert_eq!(parse(document.as_bytes()).unwrap().to_string(), document);
    }
    assert_eq!(parse(b"1E5").unwrap().to_string(), "1e+5");
    let longest = "1".repeat(NUMBER_CHARS_MAX);
    assert!(parse(longest.as_bytes()).is_ok());
    let refused = parse(format!("[-{longest}]").as_bytes()).unwrap_err().to_string();
    assert!(refused.starts_with("a number may have 1000 characters, `-1111"), "{refused}");
    assert!(parse(format!(r#"["{longest}{longest}"]"#).as_bytes()).is_ok());
}

#[test]
fn an_attribute_that_stands_twice_is_refused_with_its_path() {
    for (text, path) in [
        (r#"{"a":1,"a":1}"#, "a"),
        (r#"{"a":1,"\u0061":2}"#, "a"),
        (r#"{"a":[{"b":1},{"c":{"d":1,"e":2,"d":3}}]}"#, "a[1].c.d"),
        (r#"{"":1,"":2}"#, ""),
    ] {
        let refused = parse(text.as_bytes()).unwrap_err();
        assert!(matches!(&refused, NotJson::Twice(found) if found == path), "{text}: {refused}");
    }
    assert!(parse(br#"[{"a":1},{"a":1,"A":1,"b":{"a":1}}]"#).is_ok());
}

#[test]
fn no_object_is_taken_for_a_number() {
    for text in [
        r#"{"$serde_json::private::Number":"1"}"#,
        r#"{"a":{"\u0024serde_json::private::Number":"x"}}"#,
        r#"{"a":1,"$serde_json::private::Number":2}"#,
    ] {
        assert!(matches!(parse(text.as_bytes()), Err(NotJson::Reserved)), "{text}");
    }
    assert!(parse(br#"{"a":"about $serde_json::private::Number","__proto__":{"$ref":1}}"#).is_ok());
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
    fn a_number_is_kept_digit_for_digit(text in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?") {
        prop_assert_eq!(parse(text.as_bytes()).unwrap().to_string(), text);
    }

    #[test]
    fn a_document_is_read_as_serde_reads_it(text in r#"[\[\]{}":,a1. ]{0,40}"#) {
        let ours = parse(text.as_bytes());
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => prop_assert!(
                matches!(&ours, Ok(ours) if *ours == value) || matches!(ours, Err(NotJson::Twice(_)))
            ),
            Err(_) => prop_assert!(ours.is_err()),
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes: Vec<u8>) {
        parse(&bytes).ok();
    }

    #[test]
    fn texts_that_serde_accepts_are_no_deeper_than_counted(text in r#"[\[\]{}":,\\a1 ]{0,40}"#) {
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
