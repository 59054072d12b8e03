//! TMF687: stocks of products.

use super::{DEFAULT, TASK, lifecycle};
use crate::resource::{Api, Lifecycle, Reference, Resource, Words};

pub(super) static API: Api = Api {
    number: 687,
    title: "Stock Management",
    version: "4.1.0",
    base: "stock",
    aliases: &["stockManagement", "productStockManagement"],
    v5: None,
    resources: &[
        Resource {
            name: "productStock",
            key: "productStock",
            shape: "ProductStock",
            mandatory: &["productStockStatusType", "productStockLevel", "stockedProduct"],
            server: &["id", "href", "creationDate", "lastUpdate"],
            fixed: &["id", "href", "creationDate"],
            lifecycle: Some(STOCK),
            indexed: &[
                "name",
                "stockLevelCategory",
                "channel.id",
                "marketSegment.id",
                "place.id",
                "relatedParty.id",
                "resource.id",
                "stockedProduct.id",
                "stockedProduct.productOffering.id",
                "stockedProduct.productSpecification.id",
                "productStockRelationship.stockLevel.id",
            ],
            dates: &["creationDate"],
            stamp: Some("lastUpdate"),
            ..DEFAULT
        },
        Resource {
            name: "adjustProductStock",
            key: "adjustProductStock",
            shape: "AdjustProductStock",
            mandatory: &["adjustProductStockItem"],
            server: &["id", "href", "state", "creationDate", "completedAdjustProductStockDate"],
            references: &[Reference {
                path: "adjustProductStockItem.productStockTarget",
                to: &["productStock"],
                is_acted_on: true,
            }],
            indexed: &["adjustProductStockItem.productStockTarget.id"],
            ..STOCK_TASK
        },
        Resource {
            name: "checkProductStock",
            key: "checkProductStock",
            shape: "CheckProductStock",
            mandatory: &["checkProductStockItem"],
            server: &["id", "href", "state", "creationDate", "completedCheckProductStockDate"],
            ..STOCK_TASK
        },
        Resource {
            name: "reserveProductStock",
            key: "reserveProductStock",
            shape: "ReserveProductStock",
            mandatory: &["reserveProductStockItem"],
            server: &["id", "href", "reserveProductStockState", "creationDate"],
            lifecycle: Some(Lifecycle {
                attribute: "reserveProductStockState",
                ..lifecycle::TASK_ACCEPTED
            }),
            references: &[Reference {
                path: "reserveProductStockItem.productStockRequested",
                to: &["productStock"],
                is_acted_on: true,
            }],
            indexed: &["relatedParty.id", "channel.id", "relatedEntity.id"],
            ..STOCK_TASK
        },
        Resource {
            name: "queryProductStock",
            key: "queryProductStock",
            shape: "QueryProductStock",
            mandatory: &["searchCriteria"],
            server: &[
                "id",
                "href",
                "state",
                "creationDate",
                "completedQueryProductStockDate",
                "queryProductStockItem",
            ],
            ..STOCK_TASK
        },
    ],
};

const STOCK_TASK: Resource = Resource {
    operations: TASK,
    lifecycle: Some(lifecycle::TASK_ACCEPTED),
    dates: &["creationDate"],
    ..DEFAULT
};

states! {
    /// The states of stocks. Every transition is legal, as quantities go up and down.
    StockStatus {
        Available = "available" => [Reserved, Unavailable, Unknown],
        Reserved = "reserved" => [Available, Unavailable, Unknown],
        Unavailable = "unavailable" => [Available, Reserved, Unknown],
        Unknown = "unknown" => [Available, Reserved, Unavailable],
    }
}

const STOCK: Lifecycle = Lifecycle {
    attribute: "productStockStatusType",
    initial: "",
    next: StockStatus::NEXT,
    words: Words::Listed,
};
