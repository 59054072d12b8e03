//! The shapes of version 5 against the definitions, where they are on this machine.

use std::collections::BTreeSet;

use serde_json::Value;

use super::views;
use crate::shape::shapes_v5;
use crate::table::tests::definitions::definitions;
use crate::version::table::RULES;

/// The attributes of a schema and those that must be there, with what it extends.
fn attributes(definition: &Value, name: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut known, mut required) = (BTreeSet::new(), BTreeSet::new());
    let mut left = vec![definition["components"]["schemas"][name].clone()];
    while let Some(schema) = left.pop() {
        if let Some(to) = schema["$ref"].as_str() {
            let name = to.rsplit('/').next().unwrap();
            left.push(definition["components"]["schemas"][name].clone());
        }
        left.extend(schema["allOf"].as_array().into_iter().flatten().cloned());
        let properties = schema["properties"].as_object().into_iter().flatten();
        known.extend(properties.map(|(name, _)| name.clone()));
        let names = schema["required"].as_array().into_iter().flatten();
        required.extend(names.map(|name| name.as_str().unwrap().to_string()));
    }
    let is_own = |name: &String| !name.starts_with('@');
    (known.into_iter().filter(is_own).collect(), required.into_iter().filter(is_own).collect())
}

#[test]
fn the_shapes_of_version_5_have_the_attributes_of_the_definitions() {
    let Some(definitions) = definitions("v5") else { return };
    for view in views() {
        let (_, definition) =
            definitions.iter().find(|(number, _)| *number == view.api.number).unwrap();
        let (known, _) = attributes(definition, view.shape());
        let shape = view.types().object(view.shape()).unwrap();
        let ours: BTreeSet<String> =
            shape.attributes.iter().map(|attribute| attribute.name.to_string()).collect();
        assert_eq!(ours, known, "{} {}", view.api.number, view.name());
    }
}

/// The definitions ask for some attributes that no document of theirs has: those are slips.
#[test]
fn mandatory_attributes_are_those_of_the_definitions_of_version_5() {
    let Some(definitions) = definitions("v5") else { return };
    for view in views().filter(|view| view.resource.takes(crate::resource::Operation::Create)) {
        let (_, definition) =
            definitions.iter().find(|(number, _)| *number == view.api.number).unwrap();
        let (known, required) = attributes(definition, &format!("{}_FVO", view.shape()));
        let required: BTreeSet<&str> = required
            .iter()
            .map(String::as_str)
            .filter(|name| !view.sets(name) && known.contains(*name))
            .collect();
        let ours: BTreeSet<&str> = view.mandatory().into_iter().collect();
        assert_eq!(ours, required, "{} {}", view.api.number, view.name());
    }
}

#[test]
fn every_rule_is_about_a_shape_that_is_there() {
    let shapes = shapes_v5();
    let own: BTreeSet<&str> = shapes.own.values().flat_map(|own| own.keys().copied()).collect();
    let mut seen = BTreeSet::new();
    for name in RULES.iter().flat_map(|(names, _)| names.iter()) {
        assert!(shapes.objects.contains_key(name) || own.contains(name), "`{name}`");
        assert!(seen.insert(name), "`{name}` stands twice");
    }
}
