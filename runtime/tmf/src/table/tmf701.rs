//! TMF701: process flows. Each fulfilment is shown as one; its task flows are served by code of
//! their own.

use super::{DEFAULT, NO_PATCH};
use crate::resource::{Api, Lifecycle, Owner, Resource, Words};

pub(super) static API: Api = Api {
    number: 701,
    title: "Process Flow Management",
    version: "4.0.0",
    base: "processFlowManagement",
    aliases: &["processFlow"],
    v5: None,
    resources: &[Resource {
        name: "processFlow",
        key: "processFlow",
        shape: "ProcessFlow",
        operations: NO_PATCH,
        mandatory: &["processFlowSpecification"],
        server: &["id", "href", "state", "processFlowDate", "taskFlow"],
        lifecycle: Some(FLOW),
        indexed: &["processFlowSpecification", "relatedEntity.id", "relatedParty.id"],
        owner: Owner::Computed,
        dates: &["processFlowDate"],
        ..DEFAULT
    }],
};

const FLOW: Lifecycle = Lifecycle {
    attribute: "state",
    initial: "active",
    next: &[
        ("active", &["hold", "cancelled", "completed"]),
        ("hold", &["active", "cancelled"]),
        ("cancelled", &[]),
        ("completed", &[]),
    ],
    words: Words::Listed,
};
