//! Looks up resources of `tmf::resource` by path.

use model::Kind;
use tmf::resource::{Api, Resource};
use tmf::table;
use tmf::table::of_key;

pub(super) use tmf::version::Version;
pub(super) use tmf::version::View as Served;

/// The APIs with a name in paths. Two may share one: then their resources differ.
pub(super) fn apis(name: &str, version: Version) -> impl Iterator<Item = &'static Api> {
    table::APIS.iter().copied().filter(move |api| match (version, &api.v5) {
        (Version::V4, _) => api.base == name || api.aliases.contains(&name),
        (Version::V5, Some(later)) => later.base == name || later.aliases.contains(&name),
        (Version::V5, None) => false,
    })
}

/// The resource at a path.
pub(super) fn find(api: &str, version: Version, name: &str) -> Option<Served> {
    let served = apis(api, version).flat_map(|api| {
        api.resources.iter().map(move |resource| Served { api, resource, version })
    });
    served.into_iter().find(|served| served.name() == name)
}

/// The kind of order that is submitted when one is created; `None` for other documents.
pub(super) fn kind(resource: &Resource) -> Option<Kind> {
    match resource.key {
        "productOrder" => Some(Kind::ProductOrder),
        "serviceOrder" => Some(Kind::ServiceOrder),
        "resourceOrder" => Some(Kind::ResourceOrder),
        _ => None,
    }
}

/// The path of the documents of a resource, as in hrefs.
pub(super) fn path(key: &str) -> String {
    of_key(key).map(|(api, resource)| api.path(resource)).unwrap_or_default()
}
