//! TMF629: customers.

use super::{DEFAULT, lifecycle};
use crate::resource::{Api, Reference, Resource, V5};

pub(super) static API: Api = Api {
    number: 629,
    title: "Customer Management",
    version: "4.0.0",
    base: "customerManagement",
    aliases: &["customer"],
    v5: Some(V5 { version: "5.0.1", base: "customer", aliases: &["customerManagement"] }),
    resources: &[Resource {
        name: "customer",
        key: "customer",
        shape: "Customer",
        mandatory: &["name", "engagedParty"],
        lifecycle: Some(lifecycle::free("status")),
        references: &[Reference {
            path: "engagedParty",
            to: &["individual", "organization"],
            is_acted_on: false,
        }],
        indexed: &["name", "engagedParty.id", "account.id", "relatedParty.id"],
        history: true,
        ..DEFAULT
    }],
};
