use serde_json::json;

use super::*;

#[test]
fn a_value_must_match_as_a_whole() {
    let mac = Pattern::parse("([0-9A-F]{2}:){5}[0-9A-F]{2}|none").unwrap();
    for (value, expected) in [
        (json!("00:1B:44:11:3A:B7"), true),
        (json!("none"), true),
        (json!("x00:1B:44:11:3A:B7"), false),
        (json!("nonesuch"), false),
        (json!("none\n"), false),
        (json!(null), false),
    ] {
        assert_eq!(mac.matches(&value), expected, "{value}");
    }
    let code = Pattern::parse("[0-9]{4}").unwrap();
    assert!(code.matches(&json!(1234)) && !code.matches(&json!(12345)));
}

#[test]
fn invalid_or_huge_patterns_are_refused() {
    let long = "a".repeat(PATTERN_BYTES_MAX + 1);
    let nested = "(".repeat(400) + &")".repeat(400);
    for text in ["(", "a)(b", "[z-a]", "(?<=a)b", "(a{1000}){1000}", "\\1", &long, &nested] {
        assert!(Pattern::parse(text).is_err(), "{text}");
    }
}

/// Patterns that would take others longer than the universe has been there come to an end.
#[test]
fn a_hostile_pattern_is_no_slower_than_another() {
    let value = json!("a".repeat(VALUE_BYTES_MAX - 1) + "!");
    for text in ["(a+)+", "(a|a)*", "(a*)*b", "(.*a){20}"] {
        assert!(!Pattern::parse(text).unwrap().matches(&value), "{text}");
    }
    let longer = json!("a".repeat(VALUE_BYTES_MAX + 1));
    assert!(!Pattern::parse("a*").unwrap().matches(&longer));
}
