//! TMF648: quotes.

use super::DEFAULT;
use crate::resource::{Api, Lifecycle, Reference, Resource, V5, Words};

pub(super) static API: Api = Api {
    number: 648,
    title: "Quote Management",
    version: "4.0.0",
    base: "quoteManagement",
    aliases: &["quote"],
    v5: Some(V5 { version: "5.0.0", base: "quoteManagement", aliases: &["quote"] }),
    resources: &[Resource {
        name: "quote",
        key: "quote",
        shape: "Quote",
        mandatory: &["quoteItem"],
        server: &[
            "id",
            "href",
            "state",
            "quoteDate",
            "effectiveQuoteCompletionDate",
            "expectedQuoteCompletionDate",
            "quoteTotalPrice",
            "validFor",
        ],
        fixed: &["id", "href", "quoteDate"],
        lifecycle: Some(QUOTE),
        references: &[Reference {
            path: "billingAccount",
            to: &["billingAccount"],
            is_acted_on: false,
        }],
        indexed: &[
            "externalId",
            "category",
            "relatedParty.id",
            "billingAccount.id",
            "productOfferingQualification.id",
            "quoteItem.productOffering.id",
        ],
        dates: &["quoteDate"],
        ..DEFAULT
    }],
};

/// A quote that was not accepted is not reopened: it gets a new version.
const QUOTE: Lifecycle = Lifecycle {
    attribute: "state",
    initial: "inProgress",
    next: &[
        ("acknowledged", &["inProgress", "pending", "rejected", "cancelled"]),
        ("inProgress", &["pending", "approved", "cancelled"]),
        ("pending", &["inProgress", "approved", "rejected", "cancelled"]),
        ("approved", &["accepted", "rejected", "declined", "cancelled"]),
        ("accepted", &[]),
        ("rejected", &[]),
        ("declined", &[]),
        ("cancelled", &[]),
    ],
    words: Words::Listed,
};
