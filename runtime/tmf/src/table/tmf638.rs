//! TMF638: the service inventory.

use super::{DEFAULT, lifecycle};
use crate::resource::{Api, Resource, V5};

pub(super) static API: Api = Api {
    number: 638,
    title: "Service Inventory Management",
    version: "4.0.0",
    base: "serviceInventory",
    aliases: &["serviceInventoryManagement"],
    v5: Some(V5 {
        version: "5.0.0",
        base: "serviceInventory",
        aliases: &["serviceInventoryManagement"],
    }),
    resources: &[SERVICE],
};

/// A service, in every API that serves it.
pub(super) const SERVICE: Resource = Resource {
    name: "service",
    key: "service",
    shape: "Service",
    mandatory: &["state", "serviceSpecification"],
    server: &["id", "href", "serviceDate"],
    fixed: &["id", "href", "serviceDate"],
    lifecycle: Some(lifecycle::SERVICE),
    indexed: &[
        "name",
        "category",
        "serviceType",
        "relatedParty.id",
        "serviceSpecification.id",
        "serviceOrderItem.serviceOrderId",
        "serviceRelationship.service.id",
        "supportingService.id",
        "supportingResource.id",
        "place.id",
    ],
    history: true,
    dates: &["serviceDate"],
    ..DEFAULT
};
