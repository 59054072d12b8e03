//! The APIs in OpenAPI 3.0.3, generated from the table and the shapes, so that it cannot deviate
//! from them. One document has every version of every API; each version of an API has one of its
//! own too.

mod operation;
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::table::{APIS, DEFAULT};
use super::version::View;
use crate::resource::{Api, Operation, Resource, Served};
use crate::shape::TypeSet;
use crate::version::Version;
use schema::{Needed, Side};

/// How the server treats attributes beyond the standard, described with their schemas.
pub trait Notes {
    /// The note for an attribute of a shape that clients send.
    fn describe(&self, types: TypeSet, shape: &'static str, attribute: &str) -> Option<Note>;

    /// Whether a patch may change an attribute of an order.
    fn may_change(&self, attribute: &str) -> bool;
}

/// A note that is added to the schema of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The extension that holds `words`, such as `x-order`.
    pub extension: &'static str,
    pub words: BTreeMap<&'static str, &'static str>,
    pub description: Option<String>,
}

/// All standard APIs, in both versions, at an origin such as
/// `http://localhost:8080`.
pub fn describe(origin: &str, notes: &dyn Notes) -> Value {
    let v4 = APIS.iter().map(|api| (*api, Version::V4));
    let v5 = APIS.iter().filter(|api| api.v5.is_some()).map(|api| (*api, Version::V5));
    document("Ferrule", v4.chain(v5), origin, notes)
}

/// One API, by its number, in a version that it has.
pub fn describe_api(
    number: u16,
    version: Version,
    origin: &str,
    notes: &dyn Notes,
) -> Option<Value> {
    let api = APIS.iter().find(|api| api.number == number)?;
    if version == Version::V5 && api.v5.is_none() {
        return None;
    }
    let title = format!("TMF{number} {}", api.title);
    Some(document(&title, [(*api, version)], origin, notes))
}

/// A document without standard APIs, to which other paths are added.
pub fn describe_none(title: &str, origin: &str, notes: &dyn Notes) -> Value {
    document(title, [], origin, notes)
}

/// A subresource of an API, such as `topic/{topicId}/event` of 688: the body from a client is
/// validated like any other.
pub fn below(api: u16, name: &str) -> Option<&'static Resource> {
    let mut below = BELOW.iter().filter(|(number, _)| *number == api);
    below.find(|(_, resource)| resource.name == name).map(|(_, resource)| resource)
}

/// The hub: every API has it, with code of its own.
static HUB: Resource = Resource {
    name: "hub",
    shape: "Hub",
    operations: &[Operation::Create, Operation::Delete],
    mandatory: &["callback"],
    ..DEFAULT
};

/// Subresources, by API, with code of their own.
static BELOW: &[(u16, Resource)] = &[
    (
        688,
        Resource {
            name: "topic/{topicId}/event",
            shape: "Event",
            operations: &[Operation::List, Operation::Get, Operation::Create],
            ..DEFAULT
        },
    ),
    (
        688,
        Resource {
            name: "topic/{topicId}/hub",
            shape: "Hub",
            operations: &[Operation::List, Operation::Get, Operation::Create, Operation::Delete],
            mandatory: &["callback"],
            ..DEFAULT
        },
    ),
    (
        701,
        Resource {
            name: "processFlow/{processFlowId}/taskFlow",
            shape: "TaskFlow",
            operations: &[Operation::List, Operation::Get, Operation::Patch],
            fixed: &["id", "href", "taskFlowSpecification"],
            ..DEFAULT
        },
    ),
];

/// The place of an operation: its path, and its method.
pub fn place(view: &View, operation: Operation) -> (String, &'static str) {
    let all = view.path();
    let one = format!("{all}/{{id}}");
    match operation {
        Operation::List => (all, "GET"),
        Operation::Create => (all, "POST"),
        Operation::Get => (one, "GET"),
        Operation::Patch => (one, "PATCH"),
        Operation::Replace => (one, "PUT"),
        Operation::Delete => (one, "DELETE"),
    }
}

/// All resources of all APIs in all versions, with hubs and subresources.
pub fn views() -> impl Iterator<Item = View> {
    let v4 = APIS.iter().map(|api| (*api, Version::V4));
    let v5 = APIS.iter().filter(|api| api.v5.is_some()).map(|api| (*api, Version::V5));
    v4.chain(v5).flat_map(|(api, version)| served(api, version))
}

/// All paths of an API in a version.
fn served(api: &'static Api, version: Version) -> impl Iterator<Item = View> {
    let below = BELOW.iter().filter(|(number, _)| *number == api.number);
    let is_there = move |resource: &&Resource| match version {
        Version::V4 => resource.served != Served::V5,
        Version::V5 => resource.served != Served::V4,
    };
    let resources = api.resources.iter().filter(is_there);
    let all = resources.chain(below.map(|(_, resource)| resource)).chain([&HUB]);
    all.map(move |resource| View { api, resource, version })
}

fn document(
    title: &str,
    apis: impl IntoIterator<Item = (&'static Api, Version)>,
    origin: &str,
    notes: &dyn Notes,
) -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    let mut needed = Needed { shapes: BTreeSet::new(), notes };
    let mut tags = Vec::new();
    for (api, version) in apis {
        for view in served(api, version) {
            operation::add(&view, &mut paths);
            schema::add_root(&view, &mut schemas, &mut needed);
        }
        tags.push(json!({ "name": tag(api, version), "description": api.title }));
    }
    schema::add_needed(needed, &mut schemas);
    schemas.insert("Error".into(), schema::error());
    schemas.insert("JsonPatch".into(), schema::json_patch());
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": title,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": env!("CARGO_PKG_LICENSE") },
        },
        "servers": [{ "url": origin }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": operation::parameters(),
            "headers": operation::headers(),
            "responses": operation::problems(),
        },
    })
}

/// The tag of an API in a version: two versions have schemas and operations of their own.
fn tag(api: &Api, version: Version) -> String {
    match version {
        Version::V4 => format!("TMF{}", api.number),
        Version::V5 => format!("TMF{}v5", api.number),
    }
}

/// The name of a resource's schema: two APIs may require different attributes of the same shape.
fn root(view: &View, side: Side) -> String {
    let name = format!("{}_{}", tag(view.api, view.version), view.shape());
    match side {
        Side::Answer => name,
        Side::Create => format!("{name}_Create"),
        Side::Update => format!("{name}_Update"),
    }
}

#[cfg(test)]
mod tests;
