//! What filters select, and what of hostile ones.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn order() -> Value {
    json!({
        "@type": "ProductOrder", "state": "held", "priority": 2,
        "relatedParty": [{ "id": "p1", "role": "customer" }, { "id": "p2", "role": "seller" }],
        "note": [{ "author": "Ada", "date": "2025-05-13T00:00:00.000Z" }, { "author": "Bob" }],
    })
}

fn selects(path: &str) -> bool {
    JsonPath::parse(path).unwrap_or_else(|error| panic!("{path}: {error}")).selects(&order())
}

fn refused(path: &str) -> String {
    JsonPath::parse(path).unwrap_err().to_string()
}

#[test]
fn a_filter_over_the_list_selects_documents() {
    assert!(selects("$[?(@.state=='held')]"));
    assert!(selects("$[?(@.state==\"held\" && @.priority > 1)]"));
    assert!(!selects("$[?(@.state=='held' && !@.priority)]"));
    assert!(selects("[?@.state!='completed' || @.priority==7]"));
    assert!(selects("$[?@.relatedParty[?@.id=='p2' && @.role=='seller']]"));
    assert!(!selects("$[?@.relatedParty[?@.id=='p1' && @.role=='seller']]"));
    assert!(selects("$[?count(@.note[*]) == 2]"));
}

#[test]
fn a_path_into_a_document_selects_those_that_have_it() {
    assert!(selects("$.note[?(@.author=='Ada')]"));
    assert!(selects("note[?(@.author=='Bob')]"));
    assert!(selects(".note[?(@.date=='2025-05-13T00:00:00.000Z')]"));
    assert!(!selects("$.note[?(@.author=='Eve')]"));
    assert!(selects("$..author"));
}

#[test]
fn names_may_begin_as_those_of_tm_forum_do() {
    assert!(selects("$[?(@.@type=='ProductOrder')]"));
    assert!(selects("$.@type"));
    assert!(!selects("$[?(@.state=='.@type')]"));
}

#[test]
fn selected_values_have_pointers() {
    let path = JsonPath::parse("$.note[?(@.author=='Bob')].author").unwrap();
    assert_eq!(path.pointers(&order()), ["/note/1/author"]);
}

#[test]
fn malformed_paths_are_refused() {
    for path in [
        "",
        "$[?(@.a=='x'",
        "$[?(@.a=~/x/)]",
        "$[?match(@.a, 'x')]",
        "$[?search(@.a, '(a+)+')]",
        "$.a b",
        "$[",
        "?",
        "$[?@.a=={}]",
    ] {
        assert!(refused(path).starts_with("not a path"), "{path}: {}", refused(path));
    }
}

#[test]
fn oversized_paths_are_refused_before_they_are_parsed() {
    assert_eq!(refused(&format!("$.{}", "a".repeat(BYTES_MAX))), "a path has at most 1024 bytes");
    let nested =
        |n: usize, open: &str, close: &str| format!("$[?{}@.a{}]", open.repeat(n), close.repeat(n));
    let deep = "a path with more than 8 brackets within each other is not taken";
    assert_eq!(refused(&nested(100, "(", ")")), deep);
    let filters = "a path with more than 3 filters within each other is not taken";
    assert_eq!(refused(&nested(20, "@[?", "]")), filters);
    assert_eq!(refused(&nested(20, "@.a[?(", ")]")), filters);
    assert_eq!(refused("$[?$[?$[?$.a]]]"), "a path with `$` within a filter is not taken");
    assert_eq!(refused("$..a..b"), "a path with `..` twice is not taken");
    assert_eq!(
        refused(&format!("$[{}*]", "*,".repeat(17))),
        "a path with more than 16 commas is not taken"
    );
    assert_eq!(refused(&"[?@.a]".repeat(17)), "a path with more than 16 filters is not taken");
    let combinations = "a path with more than 17 combinations of selectors is not taken";
    for path in [
        "$..[*,*][*,*][*,*][*,*][*,*]",
        "$[?@[0,1][0,1][0,1,2,3]][0,1]",
        "$['a','b'][0,1,2][0,1,2]",
    ] {
        assert_eq!(refused(path), combinations, "{path}");
    }
    assert!(JsonPath::parse("$['a','b'][0,1][?@.x,?@.y][1,2]").is_ok());
    assert!(JsonPath::parse(&format!("$[{}*]", "*,".repeat(15))).is_ok());
}

#[test]
fn quoted_characters_are_only_text() {
    assert!(!selects(r"$[?(@.state=='$$..,,??((((((((((\'[[[[[[[[[[')]"));
    assert!(JsonPath::parse(&format!("$['{}']", "(".repeat(50))).is_ok());
}

proptest! {
    #[test]
    fn no_text_is_too_much(text in ".{0,60}") {
        if let Ok(path) = JsonPath::parse(&text) {
            path.selects(&order());
        }
    }

    #[test]
    fn nothing_like_a_path_is_too_much(
        text in r#"(\$|@|\.|\.\.|\[|\]|\?|\(|\)|!|'|"|\\|,|:|\*|==|<|&&|\|\||count|length|value|note|a|1|-| ){0,40}"#,
    ) {
        if let Ok(path) = JsonPath::parse(&format!("${text}")) {
            path.selects(&order());
        }
    }
}
