//! The table against the definitions of the TM Forum, where they are on this machine.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::resource::{Api, Operation, Resource, Served};
use crate::table::APIS;

/// What is done, and where: `GET /customer/{id}`.
type Paths = BTreeSet<String>;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/tmf")
}

/// The definitions of a version, each with the number of its API; `None` without the definitions.
pub(crate) fn definitions(version: &str) -> Option<Vec<(u16, Value)>> {
    let Ok(entries) = std::fs::read_dir(folder().join(version)) else {
        return skipped(version);
    };
    let paths: BTreeSet<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    let definitions = paths.iter().map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let number = name.trim_start_matches("TMF").get(..3).unwrap().parse().unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let value = match name.ends_with(".json") {
            true => serde_json::from_str(&text).unwrap(),
            false => serde_saphyr::from_str(&text).unwrap(),
        };
        (number, value)
    });
    Some(definitions.collect())
}

#[expect(clippy::print_stdout, reason = "what is skipped is skipped out loud")]
fn skipped(version: &str) -> Option<Vec<(u16, Value)>> {
    assert!(std::env::var_os("FERRULE_CI").is_none(), "the definitions of {version} are missing");
    println!("skipped: the definitions of {version} are not on this machine");
    None
}

fn defined(definition: &Value) -> Paths {
    let mut found = Paths::new();
    for (path, methods) in definition["paths"].as_object().unwrap() {
        // Listeners are what subscribers serve; sub-resources and hubs have code of their own.
        let pieces: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let own = match pieces[..] {
            [name] => name != "hub",
            [name, "{id}"] => name != "hub",
            _ => false,
        };
        for method in methods.as_object().unwrap().keys().filter(|_| own) {
            if method != "parameters" {
                found.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    found
}

fn table(api: &Api, version: Served) -> Paths {
    let served =
        |resource: &&Resource| resource.served == Served::Always || resource.served == version;
    let mut found = Paths::new();
    for resource in api.resources.iter().filter(served) {
        let name = match (version, resource.name_v5) {
            (Served::V5, Some(name)) => name,
            (Served::Always | Served::V4 | Served::V5, _) => resource.name,
        };
        for operation in resource.operations {
            found.insert(match operation {
                Operation::List => format!("GET /{name}"),
                Operation::Get => format!("GET /{name}/{{id}}"),
                Operation::Create => format!("POST /{name}"),
                Operation::Patch => format!("PATCH /{name}/{{id}}"),
                Operation::Replace => format!("PUT /{name}/{{id}}"),
                Operation::Delete => format!("DELETE /{name}/{{id}}"),
            });
        }
    }
    found
}

#[test]
fn version_4_is_in_the_table_whole() {
    let Some(definitions) = definitions("v4") else { return };
    let numbers: Vec<u16> = definitions.iter().map(|(number, _)| *number).collect();
    let ours: Vec<u16> = APIS.iter().map(|api| api.number).collect();
    assert_eq!(ours, numbers);
    for ((number, definition), api) in definitions.iter().zip(APIS) {
        assert_eq!(table(api, Served::V4), defined(definition), "{number}");
        let base = definition["basePath"].as_str().unwrap().trim_end_matches('/');
        let names = [api.base].into_iter().chain(api.aliases.iter().copied());
        let paths: Vec<String> = names.map(|name| format!("/tmf-api/{name}/v4")).collect();
        assert!(paths.iter().any(|path| path == base), "{number}: {base}");
        let version = definition["info"]["version"].as_str().unwrap();
        assert!(api.version.starts_with(version), "{number}: {version}");
    }
}

#[test]
fn version_5_is_in_the_table_whole() {
    let Some(definitions) = definitions("v5") else { return };
    let numbers: Vec<u16> = definitions.iter().map(|(number, _)| *number).collect();
    let ours = APIS.iter().filter(|api| api.v5.is_some());
    assert_eq!(ours.clone().map(|api| api.number).collect::<Vec<_>>(), numbers);
    for ((number, definition), api) in definitions.iter().zip(ours) {
        assert_eq!(table(api, Served::V5), defined(definition), "{number}");
        let version = definition["info"]["version"].as_str().unwrap();
        assert_eq!(api.v5.as_ref().map(|later| later.version), Some(version), "{number}");
    }
}
