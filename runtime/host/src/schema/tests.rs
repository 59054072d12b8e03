use serde_json::{Value, json};

use super::*;

fn input(schema: &Value) -> Input {
    let schema = Keywords::deserialize(schema).unwrap();
    Input::of_schema(&schema)
}

/// The keys of a schema, a line each.
fn keys(input: &Input) -> String {
    let line = |key: &Key| {
        let mandatory = if key.mandatory { " mandatory" } else { "" };
        format!("{} {}{mandatory} {}", key.name, key.kind.as_str(), key.about).trim().to_owned()
    };
    input.keys.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn keys_have_names_types_and_descriptions() {
    let input = input(&json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["element"],
        "properties": {
            "element": { "type": "string", "description": "the\n name" },
            "timeout": { "type": ["integer", "null"] },
            "body": true,
            "outputs": { "type": "object", "additionalProperties": { "type": "string" } },
            "probe": { "anyOf": [{ "$ref": "#/$defs/probe" }, { "type": "null" }] },
            "take": { "type": "array", "items": {
                "type": "object", "additionalProperties": false, "required": ["pool"],
                "properties": { "pool": { "type": "string" }, "size": { "type": "number" } },
            } },
            "act": { "enum": ["refuse", "note"] },
        },
        "$defs": { "probe": {
            "type": "object", "additionalProperties": false, "required": ["path"],
            "properties": { "path": { "type": "string" }, "again": { "type": "boolean" } },
        } },
    }));
    assert_eq!(input.mandatory, ["element"]);
    assert!(input.one_of.is_empty());
    assert_eq!(
        keys(&input),
        "act text\nbody anything\nelement text the name\noutputs mapping\nprobe mapping\n\
         probe.again boolean\nprobe.path text mandatory\ntake list\ntake[].pool text mandatory\n\
         take[].size number\ntimeout number"
    );
}

#[test]
fn alternatives_share_their_keys() {
    let input = input(&json!({ "anyOf": [
        { "type": "object", "additionalProperties": false, "required": ["pool", "site"],
          "properties": { "pool": { "type": "string" }, "site": { "type": "string" } } },
        { "type": "object", "additionalProperties": false, "required": ["take", "site"],
          "properties": { "take": { "type": "array" }, "site": { "type": "string" } } },
    ] }));
    assert_eq!(input.mandatory, ["site"]);
    assert_eq!(input.one_of, ["pool", "take"]);
    assert_eq!(keys(&input), "pool text\nsite text\ntake list");
}

#[test]
fn an_open_schema_lists_no_keys() {
    let input = input(&json!({
        "type": "object", "required": ["a"], "properties": { "a": { "type": "string" } },
    }));
    assert_eq!(input.mandatory, ["a"]);
    assert!(input.keys.is_empty());
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let input = input(&json!({
        "$ref": "#/$defs/a",
        "$defs": { "a": {
            "type": "object", "additionalProperties": false,
            "properties": { "a": { "$ref": "#/$defs/a" } },
        } },
    }));
    assert!(input.keys.len() > 3);
}

#[test]
fn a_keyword_of_the_wrong_type_is_an_error() {
    for wrong in [
        json!({ "required": "element" }),
        json!({ "properties": ["element"] }),
        json!({ "properties": { "element": 1 } }),
        json!({ "type": 1 }),
        json!({ "description": 1 }),
    ] {
        assert!(Keywords::deserialize(&wrong).is_err(), "{wrong}");
    }
}
