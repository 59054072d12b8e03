//! What patches make of documents.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn order() -> Value {
    json!({
        "state": "held",
        "relatedParty": [
            { "id": "p1", "role": "customer" }, { "id": "p2", "role": "vendor" },
            { "id": "p3", "role": "vendor" },
        ],
        "item": [
            { "id": "1", "quantity": 1, "product": { "place": [{ "id": "a" }] } },
            { "id": "2", "quantity": 1, "product": { "place": [] } },
        ],
    })
}

fn query(patch: &Value) -> Result<Value, PatchError> {
    apply(Format::Query, &order(), patch)
}

fn operations(patch: &Value) -> String {
    match apply(Format::Operations, &order(), patch) {
        Ok(document) => document.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_merge_patch_has_the_new_values() {
    let document = json!({ "a": { "b": 1, "c": 2 }, "d": [1, 2], "e": 1 });
    let patch = json!({ "a": { "b": null, "f": 3 }, "d": [3], "e": null });
    let merged = apply(Format::Merge, &document, &patch).unwrap();
    assert_eq!(merged, json!({ "a": { "c": 2, "f": 3 }, "d": [3] }));
    for patch in [json!([]), json!(null), json!("x")] {
        let error = apply(Format::Merge, &document, &patch).unwrap_err();
        assert_eq!(error.to_string(), "not a patch: a merge-patch is a JSON object");
    }
}

#[test]
fn operations_are_done_in_order() {
    let patch = json!([
        { "op": "test", "path": "/state", "value": "held" },
        { "op": "replace", "path": "/state", "value": "inProgress" },
        { "op": "remove", "path": "/item" },
        { "op": "remove", "path": "/relatedParty/0" },
        { "op": "copy", "from": "/relatedParty/0", "path": "/relatedParty/-" },
        { "op": "move", "from": "/relatedParty/1", "path": "/moved" },
    ]);
    let expected = json!({
        "state": "inProgress", "moved": { "id": "p3", "role": "vendor" },
        "relatedParty": [{ "id": "p2", "role": "vendor" }, { "id": "p2", "role": "vendor" }],
    });
    assert_eq!(operations(&patch), expected.to_string());
}

#[test]
fn errors_name_the_operation_and_the_path() {
    let test = json!([
        { "op": "remove", "path": "/item" }, { "op": "test", "path": "/state", "value": "new" },
    ]);
    assert_eq!(operations(&test), "operation 1: what is at `/state` is not the tested value");
    let nothing = json!([{ "op": "remove", "path": "/item/7" }]);
    assert_eq!(operations(&nothing), "operation 0: there is nothing to change at `/item/7`");
    assert_eq!(operations(&json!("x")), "not a patch: a JSON-patch is an array of operations");
    assert_eq!(operations(&json!([1])), "not a patch: operation 0 is no object");
    assert!(
        operations(&json!([{ "op": "explode", "path": "/a" }]))
            .starts_with("not a patch: operation 0: ")
    );
    assert!(operations(&json!([{ "op": "remove", "path": "a" }])).starts_with("not a patch: "));
    let all = json!([{ "op": "replace", "path": "", "value": [1] }]);
    assert_eq!(operations(&all), "not a patch: what it makes of the document is no object");
}

#[test]
fn a_patch_that_grows_without_end_is_refused() {
    let double = json!({ "op": "copy", "from": "/item", "path": "/item/-" });
    assert_eq!(operations(&json!(vec![double; 100])), PatchError::TooLarge.to_string());
    let many = vec![json!({ "op": "add", "path": "/a", "value": 1 }); OPERATIONS_MAX + 1];
    assert_eq!(operations(&json!(many)), PatchError::TooLarge.to_string());
}

/// Each operation puts its value into the one before: a thread that follows such a document to its end has no stack left.
#[test]
fn a_patch_that_nests_without_end_is_refused() {
    let nested = |depth: usize| (0..depth).fold(json!({}), |value, _| json!({ "a": value }));
    let deeper: Vec<Value> = (0..1_000)
        .map(|at| json!({ "op": "add", "path": "/a".repeat(29 * at + 1), "value": nested(28) }))
        .collect();
    let wrapped = (0..1_000).flat_map(|_| {
        [
            json!({ "op": "add", "path": "/b", "value": {} }),
            json!({ "op": "move", "from": "/a", "path": "/b/a" }),
            json!({ "op": "move", "from": "/b", "path": "/a" }),
        ]
    });
    let begin = json!({ "op": "add", "path": "/a", "value": {} });
    let wrapped: Vec<Value> = std::iter::once(begin).chain(wrapped).take(OPERATIONS_MAX).collect();
    for patch in [deeper, wrapped] {
        let patch = json!(patch);
        for format in [Format::Operations, Format::Query] {
            let refused = apply(format, &order(), &patch).unwrap_err();
            assert!(matches!(refused, PatchError::TooDeep { .. }), "{refused}");
        }
    }
}

#[test]
fn a_patch_that_selects_without_end_is_refused() {
    let document =
        |entries: usize| json!({ "x": vec![json!({ "y": 1, "z": [1, 2, 3] }); entries] });
    let refused = |entries: usize, patch: Value| {
        let after = apply(Format::Query, &document(entries), &patch);
        after.is_err_and(|error| error == PatchError::TooLarge)
    };
    let small = json!({ "op": "replace", "path": "$.x[*].y", "value": 2 });
    assert!(!refused(9_000, small.clone()));
    assert!(refused(11_000, small.clone()), "places");
    assert!(refused(2_000, json!(vec![small; 6])), "places of several operations");
    let large = json!({ "op": "replace", "path": "$.x[*].y", "value": vec![1; 1_000] });
    assert!(refused(200, large), "values that are put into several places");
    let conditional = json!({ "op": "replace", "path": "/x/y?x.y=1", "value": 2 });
    assert!(refused(11_000, conditional), "places by a condition");
    let looking = json!({ "op": "replace", "path": "$.x[0].y", "value": 2 });
    assert!(!refused(1_000, json!(vec![looking.clone(); 1_000])));
    assert!(refused(5_000, json!(vec![looking; 1_000])), "documents that are looked at");
    let first = json!({ "op": "remove", "path": "/x/0" });
    assert!(!refused(2_000, json!(vec![first.clone(); 1_000])));
    assert!(refused(20_000, json!(vec![first; 1_000])), "entries that are moved");
}

#[test]
fn entries_are_removed_by_what_they_hold() {
    for path in [
        "/relatedParty?role=vendor",
        "/relatedParty?relatedParty.role=vendor",
        "$.relatedParty[?(@.role=='vendor')]",
        ".relatedParty[?@.role=='vendor']",
    ] {
        let document = query(&json!([{ "op": "remove", "path": path }])).unwrap();
        assert_eq!(document["relatedParty"], json!([{ "id": "p1", "role": "customer" }]), "{path}");
    }
}

#[test]
fn values_within_entries_are_replaced() {
    for path in [
        "/item/quantity?id=2",
        "/item/quantity?item.id=2",
        "/item/quantity?/item/id=2",
        "$.item[?(@.id=='2')].quantity",
    ] {
        let document = query(&json!([{ "op": "replace", "path": path, "value": 12 }])).unwrap();
        assert_eq!(document["item"][0]["quantity"], 1, "{path}");
        assert_eq!(document["item"][1]["quantity"], 12, "{path}");
    }
}

#[test]
fn a_value_added_to_an_array_becomes_an_entry_of_it() {
    let path = "/item/product/place?item.id=2";
    let document = query(&json!([{ "op": "add", "path": path, "value": { "id": "b" } }])).unwrap();
    assert_eq!(document["item"][0]["product"]["place"], json!([{ "id": "a" }]));
    assert_eq!(document["item"][1]["product"]["place"], json!([{ "id": "b" }]));
    let document =
        query(&json!([{ "op": "add", "path": "/relatedParty", "value": { "id": "p4" } }]));
    assert_eq!(document.unwrap()["relatedParty"][3], json!({ "id": "p4" }));
    let new = query(&json!([{ "op": "add", "path": "/item/note?id=1", "value": "x" }])).unwrap();
    assert_eq!((&new["item"][0]["note"], new["item"][1].get("note")), (&json!("x"), None));
}

#[test]
fn a_condition_without_an_array_is_about_the_document() {
    let patch = json!({ "op": "replace", "path": "/state?state=held", "value": "inProgress" });
    assert_eq!(query(&patch).unwrap()["state"], "inProgress");
    let patch = json!({ "op": "replace", "path": "/state?state=new", "value": "inProgress" });
    let error = query(&patch).unwrap_err();
    assert_eq!(error.to_string(), "operation 0: there is nothing to change at `/state?state=new`");
}

#[test]
fn a_path_that_is_none_is_refused() {
    let refused =
        |path: &str| query(&json!([{ "op": "remove", "path": path }])).unwrap_err().to_string();
    assert_eq!(refused("$[?("), "operation 0: the path is refused");
    assert_eq!(refused("/item?id"), "not a patch: operation 0 has a condition without `=`");
    assert_eq!(refused("item?id=1"), "not a patch: operation 0 has a path that begins with no `/`");
    assert!(query(&json!([{ "op": "remove" }])).is_err());
}

#[test]
fn a_content_type_names_the_notation() {
    let kind = Format::of_content_type;
    assert_eq!(kind("application/json"), Some(Format::Merge));
    assert_eq!(kind("Application/Merge-Patch+JSON; charset=utf-8"), Some(Format::Merge));
    assert_eq!(kind("application/json-patch+json"), Some(Format::Operations));
    assert_eq!(kind("application/json-patch-query+json"), Some(Format::Query));
    assert_eq!(kind("text/plain"), None);
}

proptest! {
    #[test]
    fn whatever_the_path_the_document_stays_whole(
        op in prop::sample::select(vec!["add", "remove", "replace", "test", "move", "copy", "x"]),
        path in r"(/|\?|=|&|\.|\$|\[|\]|item|id|1|2|-|~|~1|place|product|relatedParty|role|vendor){0,9}",
        from in "(/item|/0|/state|/relatedParty|/-){0,3}",
    ) {
        let patch = json!([{ "op": op, "path": path, "from": from, "value": { "id": "x" } }]);
        for kind in [Format::Operations, Format::Query] {
            if let Ok(document) = apply(kind, &order(), &patch) {
                prop_assert!(document.is_object());
            }
        }
    }
}

/// RFC 6902, 4.6: numbers are equal if their values are numerically equal.
#[test]
fn a_test_compares_numbers_as_numbers() {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let document = read(r#"{"a":{"b":[0.10,1]},"long":123456789012345678901234567890}"#);
    let test = |path: &str, value: &str| {
        let patch = read(&format!(r#"[{{"op":"test","path":"{path}","value":{value}}}]"#));
        apply(Format::Operations, &document, &patch)
    };
    assert_eq!(test("/a", r#"{"b":[1e-1,1.0]}"#).as_ref(), Ok(&document));
    assert_eq!(test("/long", "123456789012345678901234567890").as_ref(), Ok(&document));
    let failed = PatchError::TestFailed { position: 0, path: "/long".into() };
    assert_eq!(test("/long", "123456789012345678901234567891"), Err(failed));
    let nothing = PatchError::NoTarget { position: 0, path: "/none".into() };
    assert_eq!(test("/none", "1"), Err(nothing));
    for number in ["0.10", "123456789012345678901234567890", "-0.12345678901234567890", "1e+400"] {
        for op in ["add", "replace"] {
            let patch = format!(r#"[{{"op":"{op}","path":"/a/b","value":{{"c":{number}}}}}]"#);
            let after = apply(Format::Operations, &document, &read(&patch)).unwrap();
            assert_eq!(after["a"]["b"]["c"].to_string(), number, "{op}");
        }
        let patch = read(&format!(r#"{{"a":{{"b":{number}}}}}"#));
        let after = apply(Format::Merge, &document, &patch).unwrap();
        assert_eq!(after["a"]["b"].to_string(), number);
    }
}
