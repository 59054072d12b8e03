//! TMF637: the products that customers have.

use super::{DEFAULT, lifecycle};
use crate::resource::{Api, Resource, V5};

pub(super) static API: Api = Api {
    number: 637,
    title: "Product Inventory",
    version: "4.0.0",
    base: "productInventory",
    aliases: &["productInventoryManagement"],
    v5: Some(V5 {
        version: "5.0.0",
        base: "productInventory",
        aliases: &["productInventoryManagement"],
    }),
    resources: &[Resource {
        name: "product",
        key: "product",
        shape: "Product",
        mandatory: &["status"],
        lifecycle: Some(lifecycle::PRODUCT),
        indexed: &[
            "name",
            "productSerialNumber",
            "relatedParty.id",
            "billingAccount.id",
            "productPrice.billingAccount.id",
            "productOffering.id",
            "productSpecification.id",
            "productOrderItem.productOrderId",
            "productRelationship.product.id",
            "realizingService.id",
            "realizingResource.id",
            "place.id",
        ],
        history: true,
        ..DEFAULT
    }],
};
