//! TMF632: parties.

use super::DEFAULT;
use crate::resource::{Api, Lifecycle, Resource, V5, Words};

pub(super) static API: Api = Api {
    number: 632,
    title: "Party Management",
    version: "4.0.0",
    base: "party",
    aliases: &["partyManagement"],
    v5: Some(V5 { version: "5.0.0", base: "partyManagement", aliases: &["party"] }),
    resources: &[
        Resource {
            name: "individual",
            key: "individual",
            shape: "Individual",
            mandatory: &["givenName", "familyName"],
            lifecycle: Some(INDIVIDUAL),
            indexed: &[
                "familyName",
                "givenName",
                "fullName",
                "externalReference.id",
                "externalReference.name",
                "individualIdentification.identificationId",
                "contactMedium.characteristic.emailAddress",
                "contactMedium.characteristic.phoneNumber",
                "relatedParty.id",
            ],
            history: true,
            ..DEFAULT
        },
        Resource {
            name: "organization",
            key: "organization",
            shape: "Organization",
            mandatory: &["tradingName"],
            lifecycle: Some(ORGANIZATION),
            indexed: &[
                "tradingName",
                "name",
                "externalReference.id",
                "externalReference.name",
                "organizationIdentification.identificationId",
                "organizationParentRelationship.organization.id",
                "contactMedium.characteristic.emailAddress",
                "contactMedium.characteristic.phoneNumber",
                "relatedParty.id",
            ],
            history: true,
            ..DEFAULT
        },
    ],
};

/// Version 4 spells the last state in its own way; both spellings are known.
const INDIVIDUAL: Lifecycle = Lifecycle {
    attribute: "status",
    initial: "initialized",
    next: &[
        ("initialized", &["validated", "deceased", "deceaded"]),
        ("validated", &["deceased", "deceaded"]),
        ("deceased", &[]),
        ("deceaded", &[]),
    ],
    words: Words::Listed,
};

const ORGANIZATION: Lifecycle = Lifecycle {
    attribute: "status",
    initial: "initialized",
    next: &[("initialized", &["validated", "closed"]), ("validated", &["closed"]), ("closed", &[])],
    words: Words::Listed,
};
