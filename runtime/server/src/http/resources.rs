//! Where resources are served: the table of `model::resource`, looked up by path.

use std::fmt;

use model::Kind;
use model::resource::{Api, Resource, of_key, table};

/// A version of an API, over the same documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// The one that every API has.
    V4,
    /// The later one.
    V5,
}

/// A resource at a place in the APIs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Served {
    /// The API.
    pub(super) api: &'static Api,
    /// The resource.
    pub(super) resource: &'static Resource,
    /// In this version.
    pub(super) version: Version,
}

impl Version {
    /// Reads the piece of a path.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "v4" => Some(Self::V4),
            "v5" => Some(Self::V5),
            _ => None,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "v4",
            Self::V5 => "v5",
        })
    }
}

/// The APIs that clients know by a name. Two may share one: then their resources differ.
pub(super) fn apis(name: &str, version: Version) -> impl Iterator<Item = &'static Api> {
    table::APIS.iter().copied().filter(move |api| match (version, &api.v5) {
        (Version::V4, _) => api.base == name || api.aliases.contains(&name),
        (Version::V5, Some(later)) => later.base == name || later.aliases.contains(&name),
        (Version::V5, None) => false,
    })
}

/// The resource at a place in the APIs.
pub(super) fn find(api: &str, version: Version, name: &str) -> Option<Served> {
    let served = apis(api, version).flat_map(|api| {
        api.resources.iter().map(move |resource| Served { api, resource, version })
    });
    served.into_iter().find(|served| served.name() == name)
}

/// What is carried out when one is created; nothing for what is no order.
pub(super) fn kind(resource: &Resource) -> Option<Kind> {
    match resource.key {
        "productOrder" => Some(Kind::ProductOrder),
        "serviceOrder" => Some(Kind::ServiceOrder),
        "resourceOrder" => Some(Kind::ResourceOrder),
        _ => None,
    }
}

/// The path of the documents of a resource, where hrefs lead.
pub(super) fn path(key: &str) -> String {
    of_key(key).map(|(api, resource)| api.path(resource)).unwrap_or_default()
}

impl Served {
    /// The resource's name in this version.
    pub(super) fn name(&self) -> &'static str {
        match self.version {
            Version::V4 => self.resource.name,
            Version::V5 => self.resource.name_v5.unwrap_or(self.resource.name),
        }
    }

    /// The path of its documents in this API and version.
    pub(super) fn path(&self) -> String {
        let base = match (self.version, &self.api.v5) {
            (Version::V5, Some(later)) => later.base,
            (Version::V4 | Version::V5, _) => self.api.base,
        };
        format!("/tmf-api/{base}/{}/{}", self.version, self.name())
    }
}
