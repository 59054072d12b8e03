//! TMF641: service orders.

use super::{DEFAULT, TASK, lifecycle};
use crate::resource::{Api, Owner, Reference, Resource, V5};

pub(super) static API: Api = Api {
    number: 641,
    title: "Service Ordering",
    version: "4.1.0",
    base: "serviceOrdering",
    aliases: &["serviceOrderingManagement"],
    v5: Some(V5 {
        version: "5.0.0",
        base: "serviceOrdering",
        aliases: &["serviceOrderingManagement"],
    }),
    resources: &[
        Resource {
            name: "serviceOrder",
            key: "serviceOrder",
            shape: "ServiceOrder",
            mandatory: &["serviceOrderItem"],
            server: &[
                "id",
                "href",
                "state",
                "orderDate",
                "startDate",
                "completionDate",
                "expectedCompletionDate",
                "errorMessage",
                "jeopardyAlert",
                "milestone",
            ],
            fixed: &[
                "id",
                "href",
                "@type",
                "@baseType",
                "@schemaLocation",
                "cancellationDate",
                "cancellationReason",
                "category",
                "completionDate",
                "errorMessage",
                "jeopardyAlert",
                "milestone",
                "orderDate",
                "startDate",
            ],
            lifecycle: Some(lifecycle::ORDER),
            indexed: &[
                "externalId",
                "category",
                "relatedParty.id",
                "externalReference.id",
                "orderRelationship.id",
                "serviceOrderItem.service.id",
                "serviceOrderItem.service.serviceSpecification.id",
            ],
            owner: Owner::Order,
            dates: &["orderDate"],
            ..DEFAULT
        },
        Resource {
            name: "cancelServiceOrder",
            key: "cancelServiceOrder",
            shape: "CancelServiceOrder",
            operations: TASK,
            mandatory: &["serviceOrder"],
            server: &[
                "id",
                "href",
                "state",
                "effectiveCancellationDate",
                "completionMessage",
                "errorMessage",
            ],
            lifecycle: Some(lifecycle::TASK_ACCEPTED),
            references: &[Reference {
                path: "serviceOrder",
                to: &["serviceOrder"],
                is_acted_on: true,
            }],
            indexed: &["serviceOrder.id"],
            owner: Owner::Order,
            ..DEFAULT
        },
    ],
};
