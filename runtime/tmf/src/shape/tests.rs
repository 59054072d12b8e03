//! The notation is parsed, and the table agrees with the shapes.

use std::collections::BTreeSet;

use super::*;
use crate::table::APIS;
use crate::table::tests::{definitions, resources};

fn problem(text: &'static str) -> String {
    Shapes::parse(&[text]).unwrap_err().to_string()
}

#[test]
fn shapes_and_lists_are_read() {
    let shapes = Shapes::parse(&[
        "Thing\n  id*: string\n  parts: Part[]\n  owner: string | Part[]\n",
        "State = on | \"off \"\n\nPart\n  state: State\n  whole: Thing\n",
    ]);
    let shapes = shapes.unwrap();
    let thing = shapes.object("Thing").unwrap();
    assert!(thing.attribute("id").unwrap().required);
    assert_eq!(thing.attribute("parts").unwrap().kinds, [Kind::Many(Type::Object("Part"))]);
    let owner = [Kind::One(Type::String), Kind::Many(Type::Object("Part"))];
    assert_eq!(thing.attribute("owner").unwrap().kinds, owner);
    assert_eq!(shapes.choice("State"), ["on", "off "]);
    let state = shapes.at("Thing", "owner.whole.parts.state").unwrap();
    assert_eq!(state.kinds, [Kind::One(Type::Choice("State"))]);
    assert!(shapes.at("Thing", "id.state").is_none() && shapes.at("Thing", "none").is_none());
}

#[test]
fn errors_have_their_line() {
    assert_eq!(problem("  id: string"), "line 1: `id` belongs to no shape");
    assert_eq!(problem("State = on\n  id: string"), "line 2: `id` belongs to no shape");
    assert_eq!(problem("Thing\n  id"), "line 2: `id` does not say what it holds");
    assert_eq!(problem("Thing\n\nThing"), "line 3: `Thing` stands twice");
    assert_eq!(problem("Thing\n  id: any\n  id*: any"), "line 3: `id` stands twice");
    assert_eq!(problem("Thing\n  id: strin"), "line 2: `strin` is not known");
    assert_eq!(problem("State = on | "), "line 1: `State` has no values");
}

#[test]
fn every_shape_is_used() {
    let shapes = shapes();
    // Topics' events and hubs and the tasks of process flows are served by code of their own.
    let roots = ["Event", "Hub", "TaskFlow"];
    let mut left: Vec<&str> =
        resources().map(|(_, resource)| resource.shape).chain(roots).collect();
    let mut used = BTreeSet::new();
    while let Some(name) = left.pop() {
        let shape = shapes.object(name).unwrap_or_else(|| panic!("there is no shape `{name}`"));
        if !used.insert(name) {
            continue;
        }
        for kind in shape.attributes.iter().flat_map(|attribute| &attribute.kinds) {
            match kind.item() {
                Type::Object(name) => left.push(name),
                Type::Choice(name) => drop(used.insert(name)),
                Type::Any
                | Type::Fields
                | Type::String
                | Type::Integer
                | Type::Number
                | Type::Boolean => {}
                Type::DateTime | Type::Date | Type::Uri | Type::Base64 => {}
            }
        }
    }
    let all: BTreeSet<&str> = shapes.objects.keys().chain(shapes.choices.keys()).copied().collect();
    assert_eq!(used, all);
}

#[test]
fn every_path_of_the_table_leads_somewhere() {
    for (number, resource) in resources() {
        let own =
            [resource.mandatory, resource.server, resource.fixed, resource.dates, resource.indexed];
        let references = resource.references.iter().map(|reference| reference.path);
        let others = references
            .chain(resource.stamp)
            .chain(resource.lifecycle.map(|lifecycle| lifecycle.attribute));
        for path in own.into_iter().flatten().copied().chain(others) {
            let is_there = path.starts_with('@') || shapes().at(resource.shape, path).is_some();
            assert!(is_there, "{number} `{}`: `{path}`", resource.name);
        }
    }
}

#[test]
fn indexed_attributes_are_text_and_referenced_objects_have_an_id() {
    for (number, resource) in resources() {
        for path in resource.indexed.iter().filter(|path| !path.starts_with('@')) {
            let attribute = shapes().at(resource.shape, path);
            let kinds = &attribute.unwrap_or_else(|| panic!("{number} `{path}`")).kinds;
            let is_text = kinds
                .iter()
                .any(|kind| matches!(kind, Kind::One(Type::String | Type::Uri | Type::Choice(_))));
            assert!(is_text, "{number} `{}`: `{path}`", resource.name);
        }
        for reference in resource.references {
            let path = format!("{}.id", reference.path);
            assert!(shapes().at(resource.shape, &path).is_some(), "{number} `{path}`");
        }
    }
}

#[test]
fn the_values_of_a_state_are_the_states_of_its_life() {
    for (number, resource) in resources() {
        let Some(lifecycle) = resource.lifecycle else { continue };
        let attribute = shapes().at(resource.shape, lifecycle.attribute).unwrap();
        match attribute.kinds[..] {
            [Kind::One(Type::Choice(name))] => {
                let values: BTreeSet<_> = shapes().choice(name).iter().collect();
                let states: BTreeSet<_> = lifecycle.next.iter().map(|(state, _)| state).collect();
                assert_eq!(values, states, "{number} `{}`", resource.name);
            }
            _ => assert_eq!(attribute.kinds, [Kind::One(Type::String)], "{number}"),
        }
    }
}

/// Every attribute of a resource in the definition of version 4 is in its shape, by name.
#[test]
fn the_shapes_have_every_attribute_of_the_definitions() {
    let Some(definitions) = definitions::definitions("v4") else { return };
    for ((number, definition), api) in definitions.iter().zip(APIS) {
        for resource in
            api.resources.iter().filter(|resource| resource.served != crate::resource::Served::V5)
        {
            let defined = &definition["definitions"][resource.shape]["properties"];
            let defined =
                defined.as_object().unwrap_or_else(|| panic!("{number} {}", resource.shape));
            for name in defined.keys().filter(|name| !name.starts_with('@')) {
                let ours = shapes().at(resource.shape, name);
                assert!(ours.is_some(), "{number} `{}.{name}`", resource.shape);
            }
        }
    }
}

/// Mandatory attributes are those of the definitions; without a definition none are.
#[test]
fn the_mandatory_attributes_are_those_of_the_definitions() {
    let Some(definitions) = definitions::definitions("v4") else { return };
    for ((number, definition), api) in definitions.iter().zip(APIS) {
        for resource in api.resources {
            let create = &definition["definitions"][format!("{}_Create", resource.shape)];
            let Some(create) = create.as_object() else { continue };
            let required = create.get("required").and_then(|names| names.as_array());
            let required: BTreeSet<&str> = required
                .into_iter()
                .flatten()
                .filter_map(|name| name.as_str())
                .filter(|name| !resource.server.contains(name))
                .collect();
            let ours: BTreeSet<&str> = resource.mandatory.iter().copied().collect();
            assert_eq!(ours, required, "{number} `{}`", resource.name);
        }
    }
}
