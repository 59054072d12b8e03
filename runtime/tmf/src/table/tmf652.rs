//! TMF652: resource orders.

use super::{DEFAULT, TASK, lifecycle};
use crate::resource::{Api, Owner, Reference, Resource};

pub(super) static API: Api = Api {
    number: 652,
    title: "Resource Ordering Management",
    version: "4.0.0",
    base: "resourceOrdering",
    aliases: &["resourceOrderingManagement"],
    v5: None,
    resources: &[
        Resource {
            name: "resourceOrder",
            key: "resourceOrder",
            shape: "ResourceOrder",
            server: &["id", "href", "state", "orderDate", "completionDate", "errorMessage"],
            fixed: &["id", "href", "orderDate", "completionDate"],
            lifecycle: Some(lifecycle::ORDER),
            indexed: &[
                "externalId",
                "name",
                "category",
                "orderType",
                "relatedParty.id",
                "externalReference.id",
                "orderItem.resource.id",
                "orderItem.resourceSpecification.id",
            ],
            owner: Owner::Order,
            dates: &["orderDate"],
            ..DEFAULT
        },
        Resource {
            name: "cancelResourceOrder",
            key: "cancelResourceOrder",
            shape: "CancelResourceOrder",
            operations: TASK,
            mandatory: &["resourceOrder"],
            server: &["id", "href", "state", "effectiveCancellationDate"],
            lifecycle: Some(lifecycle::TASK),
            references: &[Reference {
                path: "resourceOrder",
                to: &["resourceOrder"],
                is_acted_on: true,
            }],
            indexed: &["resourceOrder.id"],
            owner: Owner::Order,
            ..DEFAULT
        },
    ],
};
