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

states! {
    /// The states of a usage (TMF635). A rejected one may be recycled. One that was billed is not rated
    /// again: an error in it is adjusted on a bill.
    UsageStatus {
        Received = "received" => [Guided, Rated, Rejected],
        Rejected = "rejected" => [Recycled],
        Recycled = "recycled" => [Guided, Rated, Rejected],
        Guided = "guided" => [Rated, Rejected],
        Rated = "rated" => [Rerated, Billed, Rejected, Recycled],
        Rerated = "rerated" => [Billed, Rejected, Recycled],
        Billed = "billed" => [],
    }
}

const USAGE: Lifecycle = Lifecycle {
    attribute: "status",
    initial: "received",
    next: UsageStatus::NEXT,
    words: Words::Listed,
};
