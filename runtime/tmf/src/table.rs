//! The table: one module for each API, one entry for each resource. To add a resource, add an
//! entry and its shape; to add an API, add a module and name it here.
//!
//! Checked references are those without which a document means nothing and with
//! which we compute: roles, cancelled orders, changed stock, how an
//! account is billed. Other references (offerings, specifications, products, places,
//! related parties) may lead to another system, and clients send them before, or
//! without ever, creating the targets; code that needs a target reports a missing one.
//!
//! The sub-resources of topics and of process flows, and `hub`, have code of their own and
//! no entry here.

mod lifecycle;
mod tmf620;
mod tmf622;
mod tmf629;
mod tmf632;
mod tmf633;
mod tmf634;
mod tmf635;
mod tmf637;
mod tmf638;
mod tmf639;
mod tmf640;
mod tmf641;
mod tmf645;
mod tmf648;
mod tmf652;
mod tmf666;
mod tmf669;
mod tmf678;
mod tmf679;
mod tmf687;
mod tmf688;
mod tmf701;
mod tmf702;

pub use tmf635::UsageStatus;
pub use tmf648::QuoteState;
pub use tmf678::{BillState, OnDemandState};
pub use tmf687::StockStatus;

pub use lifecycle::{
    CatalogState, JobState, OrderState, ProductStatus, ResourceStatus, ServiceState, TaskState,
};

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::resource::{ALL, Api, Naming, Operation, Owner, Resource, Served};

/// Every API. If two serve the same documents, hrefs lead to the first.
pub static APIS: &[&Api] = &[
    &tmf620::API,
    &tmf622::API,
    &tmf629::API,
    &tmf632::API,
    &tmf633::API,
    &tmf634::API,
    &tmf635::API,
    &tmf637::API,
    &tmf638::API,
    &tmf639::API,
    &tmf640::API,
    &tmf641::API,
    &tmf645::API,
    &tmf648::API,
    &tmf652::API,
    &tmf666::API,
    &tmf669::API,
    &tmf678::API,
    &tmf679::API,
    &tmf687::API,
    &tmf688::API,
    &tmf701::API,
    &tmf702::API,
];

/// The defaults; an entry lists the differences.
pub(super) const DEFAULT: Resource = Resource {
    name: "",
    key: "",
    name_v5: None,
    shape: "",
    operations: ALL,
    mandatory: &[],
    server: &["id", "href"],
    fixed: &["id", "href"],
    lifecycle: None,
    references: &[],
    indexed: &[],
    history: false,
    naming: Naming::Usual,
    owner: Owner::Client,
    served: Served::Always,
    only_type: None,
    dates: &[],
    stamp: None,
};

/// Read-only resources.
const READ: &[Operation] = &[Operation::List, Operation::Get];

/// Tasks: they are created and read, and neither changed nor removed.
const TASK: &[Operation] = &[Operation::List, Operation::Get, Operation::Create];

/// Jobs and topics: they are created, read and removed.
const NO_PATCH: &[Operation] =
    &[Operation::List, Operation::Get, Operation::Create, Operation::Delete];

/// Entries of catalogs.
const IN_CATALOG: Resource = Resource {
    mandatory: &["name"],
    server: &["id", "href", "lastUpdate"],
    fixed: &["id", "href", "lastUpdate"],
    lifecycle: Some(lifecycle::CATALOG),
    stamp: Some("lastUpdate"),
    ..DEFAULT
};

/// Imports and exports of a catalog.
const JOB: Resource = Resource {
    operations: NO_PATCH,
    mandatory: &["url"],
    server: &["id", "href", "status", "creationDate", "completionDate", "errorLog"],
    lifecycle: Some(lifecycle::JOB),
    indexed: &["url"],
    dates: &["creationDate"],
    ..DEFAULT
};

/// The resource whose documents are kept under a key, with the API that its hrefs lead to.
pub fn of_key(key: &str) -> Option<(&'static Api, &'static Resource)> {
    by_key().get(key).map(|(api, resource, _)| (*api, *resource))
}

/// The resource that is meant by a key, or by its name in paths if only one has that name.
pub fn named(name: &str) -> Option<(&'static Api, &'static Resource)> {
    let mut others = by_key().values().filter(|(_, resource, _)| resource.name == name);
    let first = others.next().map(|(api, resource, _)| (*api, *resource));
    of_key(name).or_else(|| first.filter(|_| others.next().is_none()))
}

/// The path of the documents that are kept under a key, where hrefs lead: the id to follow. Empty
/// for what is no resource.
pub fn path(key: &str) -> &'static str {
    by_key().get(key).map(|(_, _, path)| path.as_str()).unwrap_or_default()
}

type ByKey = BTreeMap<&'static str, (&'static Api, &'static Resource, String)>;

/// The table by key; of two entries with one key the first, as hrefs do.
fn by_key() -> &'static ByKey {
    static BY_KEY: OnceLock<ByKey> = OnceLock::new();
    BY_KEY.get_or_init(|| {
        let mut by_key = ByKey::new();
        for api in APIS {
            for resource in api.resources {
                by_key.entry(resource.key).or_insert_with(|| (*api, resource, api.path(resource)));
            }
        }
        by_key
    })
}

#[cfg(test)]
pub(super) mod tests;
