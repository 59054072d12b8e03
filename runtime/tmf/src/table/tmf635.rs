//! TMF635: usage.

use super::{DEFAULT, lifecycle};
use crate::resource::{Api, Lifecycle, Resource, Words};

pub(super) static API: Api = Api {
    number: 635,
    title: "Usage Management",
    version: "4.0.0",
    base: "usageManagement",
    aliases: &["usage"],
    v5: None,
    resources: &[
        Resource {
            name: "usage",
            key: "usage",
            shape: "Usage",
            lifecycle: Some(USAGE),
            indexed: &[
                "usageType",
                "relatedParty.id",
                "usageSpecification.id",
                "ratedProductUsage.productRef.id",
            ],
            ..DEFAULT
        },
        Resource {
            name: "usageSpecification",
            key: "usageSpecification",
            shape: "UsageSpecification",
            server: &["id", "href", "lastUpdate"],
            fixed: &["id", "href", "lastUpdate"],
            lifecycle: Some(lifecycle::CATALOG),
            indexed: &["name", "relatedParty.id"],
            stamp: Some("lastUpdate"),
            ..DEFAULT
        },
    ],
};

/// What becomes of a usage record: it is rejected and comes again, or is rated and billed. One that
/// was billed is not rated again; what was wrong with it is adjusted on a bill.
const USAGE: Lifecycle = Lifecycle {
    attribute: "status",
    initial: "received",
    next: &[
        ("received", &["guided", "rated", "rejected"]),
        ("rejected", &["recycled"]),
        ("recycled", &["guided", "rated", "rejected"]),
        ("guided", &["rated", "rejected"]),
        ("rated", &["rerated", "billed", "rejected", "recycled"]),
        ("rerated", &["billed", "rejected", "recycled"]),
        ("billed", &[]),
    ],
    words: Words::Listed,
};
