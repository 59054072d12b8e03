//! Hrefs: stored without scheme and host, answered with them, and leading to the version of the API
//! that is answered in.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;

use super::table;
use super::version::{Version, View};
use crate::resource::{Served, of_key};

/// What a stored href of ours begins with.
pub(crate) const OURS: &str = "/tmf-api/";

/// What the address of a document that we serve beside the standard begins with, such as a bill as PDF.
const OWN: &str = "/orchestration/v1/";

/// Makes every href of a document absolute.
pub fn absolute(document: &mut Value, base: &str) {
    each(document, &mut |href| href.insert_str(0, base));
}

/// Has every href of ours lead to a version, where the API has it.
pub(super) fn lead_to(document: &mut Value, version: Version) {
    let paths = paths();
    let there = match version {
        Version::V4 => &paths.v4,
        Version::V5 => &paths.v5,
    };
    each(document, &mut |href| {
        let Some((path, id)) = href.rsplit_once('/') else { return };
        if let Some(path) = there.get(path) {
            *href = format!("{path}/{id}");
        }
    });
}

/// Where the documents of either version are found in the other.
struct Paths {
    v4: BTreeMap<String, String>,
    v5: BTreeMap<String, String>,
}

fn paths() -> &'static Paths {
    static PATHS: OnceLock<Paths> = OnceLock::new();
    PATHS.get_or_init(|| {
        let mut paths = Paths { v4: BTreeMap::new(), v5: BTreeMap::new() };
        for api in table::APIS.iter().copied().filter(|api| api.v5.is_some()) {
            let resources = api.resources.iter();
            for resource in resources.filter(|resource| resource.served == Served::Always) {
                let at = |version| View { api, resource, version }.path();
                // Two APIs may serve the same documents: hrefs lead to the first.
                let own = of_key(resource.key).is_some_and(|(first, _)| first.number == api.number);
                if own {
                    paths.v5.insert(at(Version::V4), at(Version::V5));
                    paths.v4.insert(at(Version::V5), at(Version::V4));
                }
            }
        }
        paths
    })
}

/// Does something to every href of ours in a document.
fn each(document: &mut Value, act: &mut dyn FnMut(&mut String)) {
    match document {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(href) if is_ours(name, href) => act(href),
                    Value::Array(_) | Value::Object(_) => each(value, act),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
                }
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| each(entry, act)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether a text is an href of ours, or the place of a document of a bill.
fn is_ours(name: &str, text: &str) -> bool {
    match name {
        "url" => text.starts_with(OWN),
        _ => (name == "href" || name.ends_with("Href")) && text.starts_with(OURS),
    }
}
