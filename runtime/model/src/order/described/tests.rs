//! The description has the table, the table has what the definitions let clients send.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use tmf::openapi::describe_api;
use tmf::table::APIS;
use tmf::version::Version;

/// The orders that are served: API, version, and the shape of each part.
const SERVED: [(u16, Version, [&str; 3]); 5] = [
    (622, Version::V4, ["ProductOrder", "ProductOrderItem", "ProductRefOrValue"]),
    (622, Version::V5, ["ProductOrder", "ProductOrderItem", "Product"]),
    (641, Version::V4, ["ServiceOrder", "ServiceOrderItem", "ServiceRefOrValue"]),
    (641, Version::V5, ["ServiceOrder", "ServiceOrderItem", "Service"]),
    (652, Version::V4, ["ResourceOrder", "ResourceOrderItem", "ResourceRefOrValue"]),
];

fn types(api: u16, version: Version) -> TypeSet {
    match version {
        Version::V4 => TypeSet::V4,
        Version::V5 => TypeSet::V5(api),
    }
}

/// The schema of what a client sends of a shape.
fn component(api: u16, version: Version, shape: &str) -> String {
    let is_order = ["ProductOrder", "ServiceOrder", "ResourceOrder"].contains(&shape);
    match (is_order, version) {
        (true, Version::V4) => format!("TMF{api}_{shape}_Create"),
        (true, Version::V5) => format!("TMF{api}v5_{shape}_Create"),
        (false, Version::V4) => format!("{shape}_Input"),
        (false, Version::V5) => format!("{shape}_{api}v5_Input"),
    }
}

#[test]
fn each_attribute_of_an_order_is_described_with_its_treatment() {
    for (api, version, shapes) in SERVED {
        let document = describe_api(api, version, "http://localhost:8080", &OrderNotes).unwrap();
        for shape in shapes {
            let here = format!("TMF{api} {version} {shape}");
            let types = types(api, version);
            let place = part_of(types, shape).unwrap_or_else(|| panic!("{here} is no part"));
            let schema = &document["components"]["schemas"][component(api, version, shape)];
            let properties = schema["properties"].as_object().unwrap_or_else(|| panic!("{here}"));
            let mut found: BTreeSet<&str> = BTreeSet::new();
            for (name, schema) in properties.iter().filter(|(name, _)| !name.starts_with('@')) {
                let row = attribute(types, shape, place, name);
                let row = row.unwrap_or_else(|| panic!("{here}: `{name}` is not in the table"));
                assert_eq!(schema[EXTENSION], json!(words(row)), "{here}: `{name}`");
                let description = schema["description"].as_str().unwrap_or_default();
                for why in row.reasons() {
                    assert!(description.contains(why), "{here}: `{name}`: {description}");
                }
                found.insert(row.name);
            }
            // Attributes without a schema are set by the server alone, or of another version.
            let known = &types.object(shape).unwrap().attributes;
            let left_out =
                known.iter().filter_map(|known| attribute(types, shape, place, known.name));
            for row in left_out.filter(|row| !found.contains(row.name)) {
                let is_derived = words(row).values().all(|word| *word == "derived");
                assert!(is_derived, "{here}: `{}` is not described", row.name);
            }
        }
    }
}

/// Attributes that the server sets alone are derived in the table.
#[test]
fn attributes_that_the_server_sets_alone_are_derived() {
    let orders = ["productOrder", "serviceOrder", "resourceOrder"];
    for resource in
        APIS.iter().flat_map(|api| api.resources).filter(|served| orders.contains(&served.name))
    {
        let place = part_of(TypeSet::V4, resource.shape).unwrap();
        for name in resource.server {
            let row = attribute(TypeSet::V4, resource.shape, place, name);
            let row = row.unwrap_or_else(|| panic!("{} `{name}`", resource.name));
            assert_eq!(row.add.word(), "derived", "{} `{name}`", resource.name);
        }
    }
}

#[test]
fn attributes_that_no_patch_changes_are_not_described_for_one() {
    for (api, version, shapes) in SERVED {
        let document = describe_api(api, version, "http://localhost:8080", &OrderNotes).unwrap();
        let order = component(api, version, shapes[0]);
        let update = order.replace("_Create", "_Update");
        let properties = &document["components"]["schemas"][&update]["properties"];
        for name in ["description", "requestedCompletionDate", "relatedParty", "state"] {
            assert!(properties[name].is_object(), "{update} `{name}`");
        }
        let (form, _) = part_of(types(api, version), shapes[0]).unwrap();
        for name in ["requestedStartDate", "orderRelationship", "quote", form.items()] {
            assert!(properties[name].is_null(), "{update} `{name}`");
        }
    }
}

/// What clients write beside attributes: how an object is written.
const WRITING: [&str; 4] = ["@type", "@baseType", "@schemaLocation", "@referredType"];

#[test]
fn every_attribute_of_the_definitions_of_version_5_is_in_the_table() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/tmf/v5");
    if !folder.is_dir() {
        return skipped();
    }
    for (api, _, shapes) in SERVED.into_iter().filter(|(_, version, _)| *version == Version::V5) {
        let text = std::fs::read_to_string(folder.join(format!("TMF{api}-v5.0.yaml"))).unwrap();
        let read: Value = serde_saphyr::from_str(&text).unwrap();
        let schemas = &read["components"]["schemas"];
        for shape in shapes {
            let schema = &schemas[format!("{shape}_FVO")];
            let mut names = BTreeSet::new();
            collect(schemas, schema, &mut names);
            assert!(names.len() > 5, "TMF{api} {shape}: {names:?}");
            for name in names.iter().filter(|name| !WRITING.contains(&name.as_str())) {
                let types = TypeSet::V5(api);
                let row = attribute(types, shape, part_of(types, shape).unwrap(), name);
                assert!(row.is_some(), "TMF{api} {shape} `{name}` is not in the table");
            }
        }
    }
}

/// The names of the attributes of a schema, with those of what it is made of.
fn collect(schemas: &Value, schema: &Value, names: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|to| to.rsplit('/').next()) {
        collect(schemas, &schemas[name], names);
    }
    names.extend(schema["properties"].as_object().into_iter().flat_map(|all| all.keys().cloned()));
    for part in schema["allOf"].as_array().into_iter().flatten() {
        collect(schemas, part, names);
    }
}

#[expect(clippy::print_stdout, reason = "what is skipped is skipped out loud")]
fn skipped() {
    assert!(std::env::var_os("FERRULE_CI").is_none(), "the API definitions are not there");
    println!("skipped: the definitions of the standard are not on this machine");
}
