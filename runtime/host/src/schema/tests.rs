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

#[test]
fn a_schema_of_settings_has_those_of_the_manifest() {
    let declared: Settings = toml::from_str(
        "[timeout]\ntype = \"duration\"\n[user]\ntype = \"text\"\nmandatory = true\n\
         [\"element.*\"]\ntype = \"url\"",
    )
    .unwrap();
    let agrees = |properties: &[&str], required: &[&str]| {
        let properties: BTreeMap<_, _> =
            properties.iter().map(|name| ((*name).to_owned(), Schema::Any(true))).collect();
        let required = required.iter().map(|name| (*name).to_owned()).collect();
        Keywords { properties, required, ..Keywords::default() }.agree(&declared)
    };
    assert_eq!(agrees(&["timeout", "user", "element.a"], &["user"]), Ok(()));
    for (properties, required, why) in [
        (&["user"][..], &["user"][..], "no setting `timeout`"),
        (&["timeout", "user", "x"], &["user"], "the manifest has no setting `x`"),
        (&["timeout", "user"], &[], "`user` is mandatory in one"),
    ] {
        assert!(agrees(properties, required).unwrap_err().contains(why), "{why}");
    }
}
