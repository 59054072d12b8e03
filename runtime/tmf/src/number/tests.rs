use proptest::prelude::*;
use serde_json::json;

use super::*;

fn number(text: &str) -> Number {
    serde_json::from_str(text).unwrap()
}

#[test]
fn numbers_are_equal_however_they_are_written() {
    for (left, right) in [
        ("0.10", "0.1"),
        ("0.1", "1e-1"),
        ("100", "1e2"),
        ("100.0", "1E+2"),
        ("12.3", "123e-1"),
        ("0", "-0.000"),
        ("0e5", "0"),
        ("10203.040", "10203.04"),
        ("1.0E400", "1e400"),
        ("0.001", "1e-3"),
    ] {
        assert!(same(&number(left), &number(right)), "{left} {right}");
    }
    for (left, right) in [
        ("0.1", "0.10000000000000000001"),
        ("123456789012345678901234567890", "123456789012345678901234567891"),
        ("1", "-1"),
        ("1", "10"),
        ("0.01", "0.1"),
        ("1.01", "1.1"),
    ] {
        assert!(!same(&number(left), &number(right)), "{left} {right}");
    }
}

#[test]
fn values_are_equal_with_their_numbers() {
    let left = json!({ "a": [1, { "b": 1.50 }], "c": "1" });
    let right: Value = serde_json::from_str(r#"{"a":[1.0,{"b":1.5}],"c":"1"}"#).unwrap();
    assert!(same_value(&left, &right));
    for other in [r#"{"a":[1,{"b":1.5}],"c":1}"#, r#"{"a":[1,{"b":1.5}]}"#, r#"{"a":[1],"c":"1"}"#]
    {
        assert!(!same_value(&left, &serde_json::from_str(other).unwrap()), "{other}");
    }
}

proptest! {
    #[test]
    fn every_number_is_kept_digit_for_digit(text in "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?") {
        prop_assert_eq!(number(&text).to_string(), &*text);
        let more = if text.contains('.') { format!("{text}00") } else { format!("{text}.0") };
        prop_assert!(same(&number(&text), &number(&more)));
        prop_assert_eq!(is_integer(&number(&text)), !text.contains('.'));
    }
}
