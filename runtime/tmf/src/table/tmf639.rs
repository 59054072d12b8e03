//! TMF639: the resource inventory. Physical and logical resources are views of it.

use super::{DEFAULT, lifecycle};
use crate::resource::{ALL, Api, Operation, Resource, Served, V5};

pub(super) static API: Api = Api {
    number: 639,
    title: "Resource Inventory Management",
    version: "4.0.0",
    base: "resourceInventoryManagement",
    aliases: &["resourceInventory"],
    v5: Some(V5 {
        version: "5.0.0",
        base: "resourceInventory",
        aliases: &["resourceInventoryManagement"],
    }),
    resources: &[
        RESOURCE,
        Resource {
            name: "physicalResource",
            shape: "PhysicalResource",
            served: Served::V4,
            only_type: Some("PhysicalResource"),
            ..RESOURCE
        },
        Resource {
            name: "logicalResource",
            shape: "LogicalResource",
            operations: WITH_PUT,
            mandatory: &[],
            served: Served::V4,
            only_type: Some("LogicalResource"),
            ..RESOURCE
        },
    ],
};

/// A resource, in every API that serves it.
pub(super) const RESOURCE: Resource = Resource {
    name: "resource",
    key: "resource",
    shape: "Resource",
    operations: ALL,
    mandatory: &["name"],
    lifecycle: Some(lifecycle::RESOURCE),
    indexed: &[
        "name",
        "category",
        "@type",
        "usageState",
        "relatedParty.id",
        "resourceSpecification.id",
        "resourceOrderItem.resourceOrderId",
        "resourceRelationship.resource.id",
        "place.id",
    ],
    history: true,
    ..DEFAULT
};

const WITH_PUT: &[Operation] = &[
    Operation::List,
    Operation::Get,
    Operation::Create,
    Operation::Replace,
    Operation::Patch,
    Operation::Delete,
];
