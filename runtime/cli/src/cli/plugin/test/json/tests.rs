use std::sync::Arc;

use serde_json::json;

use super::{Json, Names, cut};

fn names() -> Names {
    Names {
        known: Arc::new(vec![("secret".into(), "planted".into())]),
        own: vec![("key", "f:0".into())],
        ids: vec!["id-1".into()],
    }
}

#[test]
fn patterns_match_by_name() {
    for (pattern, text, matches) in [
        ("/lines/7", "/lines/7", true),
        ("/lines/7", "/lines/8", false),
        ("/lines/{{any}}", "/lines/8", true),
        ("/lines/{{any}}/ports/{{any}}", "/lines/8/ports/1", true),
        ("/lines/{{any}}/ports", "/lines/8/links", false),
        ("/by-key/{{key}}", "/by-key/f:0", true),
        ("/by-key/{{key}}", "/by-key/f:1", false),
        ("/lines/{{id}}", "/lines/id-1", true),
        ("/lines/{{id}}", "/lines/id-2", false),
        ("Bearer {{secret}}", "Bearer planted", true),
        ("{{any}}", "", true),
        ("{{any}}{{any}}", "ab", true),
        ("a{{any}}b{{any}}c", "abbc", true),
        ("a{{any}}b{{any}}c", "abc", true),
        ("a{{any}}b{{any}}c", "acb", false),
        ("ab{{any}}bc", "abc", false),
        ("{{any}}/7", "/lines/7/7", true),
        ("{{any}}{{broken", "a{{broken", true),
        ("{{broken", "{{broken", true),
    ] {
        assert_eq!(names().matches(pattern, text), matches, "{pattern} {text}");
    }
}

/// As many ways to match as there are would take longer than anyone waits.
#[test]
fn a_pattern_of_many_names_is_matched_in_time() {
    let pattern = format!("/{}q", "{{any}}a".repeat(40));
    let text = format!("/{}", "a".repeat(10_000));
    assert!(!names().matches(&pattern, &text));
    assert!(names().matches(&pattern, &format!("{text}q")));
}

#[test]
fn the_first_difference_is_named_with_its_path() {
    let pattern = Json(json!({ "mbps": 200, "key": "{{key}}", "tags": ["a", "{{any}}"] }));
    for (found, difference) in [
        (json!({ "mbps": 200.0, "key": "f:0", "tags": ["a", 7] }), None),
        (
            json!({ "mbps": 100, "key": "f:0", "tags": ["a", "b"] }),
            Some("`/mbps` is 100, expected 200"),
        ),
        (json!({ "mbps": 200, "key": "f:0" }), Some("`/tags` is missing")),
        (
            json!({ "mbps": 200, "key": "f:0", "tags": ["a", 7], "more": 1 }),
            Some("`/more` is not expected"),
        ),
        (json!([]), Some("the body is [], expected {")),
    ] {
        let told = pattern.difference(&Json(found), &names());
        match (told, difference) {
            (None, None) => {}
            (Some(told), Some(part)) => assert!(told.contains(part), "{told}"),
            (told, _) => panic!("{told:?} for {difference:?}"),
        }
    }
}

#[test]
fn long_texts_are_cut_to_one_line() {
    assert_eq!(cut("a\nb"), "a b");
    assert!(cut(&"é".repeat(1_000)).chars().count() < 200);
}
