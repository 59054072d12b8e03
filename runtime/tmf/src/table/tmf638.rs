//! TMF638: the services that are there.

use super::{USUAL, life};
use crate::resource::{Api, Later, Resource};

pub(super) static API: Api = Api {
    number: 638,
    title: "Service Inventory Management",
    version: "4.0.0",
    base: "serviceInventory",
    aliases: &["serviceInventoryManagement"],
    v5: Some(Later {
        version: "5.0.0",
        base: "serviceInventory",
        aliases: &["serviceInventoryManagement"],
    }),
    resources: &[SERVICE],
};

/// A service, wherever it is served.
pub(super) const SERVICE: Resource = Resource {
    name: "service",
    key: "service",
    shape: "Service",
    mandatory: &["state", "serviceSpecification"],
    server: &["id", "href", "serviceDate"],
    fixed: &["id", "href", "serviceDate"],
    life: Some(life::SERVICE),
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
    ..USUAL
};
