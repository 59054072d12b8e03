//! Hrefs that lead to the version that a document is shown in.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;

use super::{Version, View};
use crate::href::each;
use crate::resource::Served;
use crate::table::{self, of_key};

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
