//! Reads the keys of a step's input from a JSON Schema: names, types and which are mandatory. The
//! rest of a schema is for other readers.

use std::collections::{BTreeMap, BTreeSet};

use model::pack::InputKind;
use serde_json::{Map, Value};

use crate::manifest::{Input, Key};

/// Max depth of a schema that is read.
const DEPTH_MAX: usize = 16;

impl Input {
    /// The input that a schema describes.
    pub fn of_schema(schema: &Map<String, Value>) -> Self {
        let reader = Reader { root: schema };
        let variants = reader.variants(schema);
        let required: Vec<BTreeSet<&str>> = variants.iter().map(|one| required(one)).collect();
        let common = |name: &&str| required.iter().all(|names| names.contains(name));
        let all: BTreeSet<&str> = required.iter().flatten().copied().collect();
        let (mandatory, alternatives): (Vec<&str>, Vec<&str>) = all.into_iter().partition(common);
        let texts = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        let mut keys = BTreeMap::new();
        // A schema that allows other names does not list them.
        if variants.iter().all(|variant| is_closed(variant)) {
            for variant in variants {
                reader.keys(variant, "", 0, &mut keys);
            }
        }
        Self {
            mandatory: texts(mandatory),
            one_of: texts(alternatives),
            keys: keys.into_values().collect(),
        }
    }
}

struct Reader<'a> {
    root: &'a Map<String, Value>,
}

impl<'a> Reader<'a> {
    /// The alternatives of a schema; itself if it has none.
    fn variants(&self, schema: &'a Map<String, Value>) -> Vec<&'a Map<String, Value>> {
        let schema = self.resolved(schema);
        let listed = ["anyOf", "oneOf"].iter().find_map(|name| schema.get(*name)?.as_array());
        let Some(listed) = listed else { return vec![schema] };
        let objects = listed.iter().filter_map(Value::as_object);
        objects.map(|schema| self.resolved(schema)).filter(|schema| !is_null(schema)).collect()
    }

    /// The schema that a reference within this one names.
    fn resolved(&self, schema: &'a Map<String, Value>) -> &'a Map<String, Value> {
        let mut schema = schema;
        for _ in 0..DEPTH_MAX {
            let Some(reference) = schema.get("$ref").and_then(Value::as_str) else { break };
            let named = reference.strip_prefix("#/$defs/");
            let found = named.and_then(|name| self.root.get("$defs")?.get(name)?.as_object());
            let Some(found) = found else { break };
            schema = found;
        }
        schema
    }

    /// Adds the properties of a schema, and those within them.
    fn keys(
        &self,
        schema: &'a Map<String, Value>,
        prefix: &str,
        depth: usize,
        keys: &mut BTreeMap<String, Key>,
    ) {
        if depth > DEPTH_MAX {
            return;
        }
        let required = required(schema);
        for (name, property) in properties(schema) {
            let path = format!("{prefix}{name}");
            let variants = property.as_object().map(|one| self.variants(one)).unwrap_or_default();
            let key = Key {
                name: path.clone(),
                kind: kind(&variants),
                about: about(property),
                // At the top it is in the list of mandatory names.
                mandatory: depth > 0 && required.contains(name.as_str()),
            };
            for variant in &variants {
                if is_closed(variant) {
                    self.keys(variant, &format!("{path}."), depth + 1, keys);
                }
                let items = variant.get("items").and_then(Value::as_object);
                for item in items.into_iter().flat_map(|items| self.variants(items)) {
                    if is_closed(item) {
                        self.keys(item, &format!("{path}[]."), depth + 1, keys);
                    }
                }
            }
            keys.entry(path).or_insert(key);
        }
    }
}

fn properties(schema: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn required(schema: &Map<String, Value>) -> BTreeSet<&str> {
    let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).collect()
}

/// Whether other properties than the listed ones are forbidden.
fn is_closed(schema: &Map<String, Value>) -> bool {
    schema.get("additionalProperties") == Some(&Value::Bool(false))
}

fn is_null(schema: &Map<String, Value>) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

/// The kind of a value, if all alternatives have the same one.
fn kind(variants: &[&Map<String, Value>]) -> InputKind {
    let kinds: BTreeSet<&str> = variants.iter().flat_map(|variant| types(variant)).collect();
    let mut kinds = kinds.into_iter();
    match (kinds.next(), kinds.next()) {
        (Some("string"), None) => InputKind::Text,
        (Some("integer" | "number"), None) | (Some("integer"), Some("number")) => InputKind::Number,
        (Some("boolean"), None) => InputKind::Boolean,
        (Some("array"), None) => InputKind::List,
        (Some("object"), None) => InputKind::Mapping,
        _ => InputKind::Any,
    }
}

/// The types of a schema apart from null; `any` if it does not restrict them.
fn types(schema: &Map<String, Value>) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => {
            several.iter().filter_map(Value::as_str).filter(|one| *one != "null").collect()
        }
        // An enumeration without a type is one of texts, if its values are.
        _ if schema.get("enum").is_some_and(are_texts)
            || schema.get("const").is_some_and(Value::is_string) =>
        {
            vec!["string"]
        }
        _ => vec!["any"],
    }
}

fn are_texts(values: &Value) -> bool {
    values.as_array().is_some_and(|values| values.iter().all(Value::is_string))
}

/// The description of a property, on one line.
fn about(property: &Value) -> String {
    let text = property.get("description").and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
