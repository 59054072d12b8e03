//! TMF622: product orders.

use super::{DEFAULT, TASK, lifecycle};
use crate::resource::{Api, Owner, Reference, Resource, V5};

pub(super) static API: Api = Api {
    number: 622,
    title: "Product Ordering",
    version: "4.0.0",
    base: "productOrderingManagement",
    aliases: &["productOrdering"],
    v5: Some(V5 {
        version: "5.0.0",
        base: "productOrderingManagement",
        aliases: &["productOrdering"],
    }),
    resources: &[
        Resource {
            name: "productOrder",
            key: "productOrder",
            shape: "ProductOrder",
            mandatory: &["productOrderItem"],
            server: &[
                "id",
                "href",
                "state",
                "orderDate",
                "creationDate",
                "completionDate",
                "expectedCompletionDate",
                "productOrderErrorMessage",
                "productOrderJeopardyAlert",
                "productOrderMilestone",
            ],
            fixed: &["id", "href", "orderDate"],
            lifecycle: Some(lifecycle::ORDER),
            indexed: &[
                "externalId",
                "category",
                "relatedParty.id",
                "billingAccount.id",
                "channel.id",
                "quote.id",
                "productOrderItem.quoteItem.quoteId",
                "productOrderItem.productOffering.id",
                "productOrderItem.product.id",
                "productOrderItem.product.place.id",
                "productOrderItem.productOrderItem.product.place.id",
                "productOrderItem.productOrderItem.productOrderItem.product.place.id",
            ],
            owner: Owner::Order,
            dates: &["orderDate"],
            ..DEFAULT
        },
        Resource {
            name: "cancelProductOrder",
            key: "cancelProductOrder",
            shape: "CancelProductOrder",
            operations: TASK,
            mandatory: &["productOrder"],
            server: &["id", "href", "state", "effectiveCancellationDate", "creationDate"],
            lifecycle: Some(lifecycle::TASK),
            references: &[Reference {
                path: "productOrder",
                to: &["productOrder"],
                is_acted_on: true,
            }],
            indexed: &["productOrder.id"],
            owner: Owner::Order,
            ..DEFAULT
        },
    ],
};
