//! The table: one module for each API, one entry for each resource. To add a resource, add an
//! entry; to add an API, add a module and name it here.

mod tmf629;

use super::{ALL, Api, Naming, Owner, Resource};

/// Every API that is served.
pub static APIS: &[&Api] = &[&tmf629::API];

/// What most resources are like; an entry says what differs.
const USUAL: Resource = Resource {
    name: "",
    key: "",
    name_v5: None,
    shape: "",
    operations: ALL,
    mandatory: &[],
    server: &["id", "href"],
    fixed: &["id", "href"],
    life: None,
    references: &[],
    indexed: &[],
    history: false,
    naming: Naming::Usual,
    owner: Owner::Client,
};
