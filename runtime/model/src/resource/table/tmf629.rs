//! TMF629: customers.

use super::USUAL;
use crate::resource::{Api, Later, Life, Reference, Resource};

pub(super) static API: Api = Api {
    number: 629,
    title: "Customer Management",
    version: "4.0.0",
    base: "customerManagement",
    aliases: &["customer"],
    v5: Some(Later { version: "5.0.1", base: "customer", aliases: &["customerManagement"] }),
    resources: &[Resource {
        name: "customer",
        key: "customer",
        shape: "Customer",
        mandatory: &["name", "engagedParty"],
        life: Some(Life { attribute: "status", initial: "", next: &[] }),
        references: &[Reference { path: "engagedParty", to: &["individual", "organization"] }],
        indexed: &["name", "engagedParty.id", "externalReference.id"],
        ..USUAL
    }],
};
