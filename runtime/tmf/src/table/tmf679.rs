//! TMF679: whether an offering can be sold.

use super::{DEFAULT, lifecycle};
use crate::resource::{Api, Resource, Served, V5};

pub(super) static API: Api = Api {
    number: 679,
    title: "Product Offering Qualification",
    version: "4.0.0",
    base: "productOfferingQualification",
    aliases: &["productOfferingQualificationManagement"],
    v5: Some(V5 {
        version: "5.0.0",
        base: "productOfferingQualification",
        aliases: &["productOfferingQualificationManagement"],
    }),
    resources: &[
        Resource {
            name: "productOfferingQualification",
            key: "productOfferingQualification",
            name_v5: Some("checkProductOfferingQualification"),
            shape: "ProductOfferingQualification",
            server: &[
                "id",
                "href",
                "state",
                "productOfferingQualificationDate",
                "effectiveQualificationDate",
                "expectedPOQCompletionDate",
                "expirationDate",
                "qualificationResult",
            ],
            fixed: &["id", "href", "productOfferingQualificationDate"],
            lifecycle: Some(lifecycle::TASK),
            indexed: &["relatedParty.id", "qualificationResult", "place.id", "channel.id"],
            dates: &["productOfferingQualificationDate"],
            ..DEFAULT
        },
        Resource {
            name: "queryProductOfferingQualification",
            key: "queryProductOfferingQualification",
            shape: "QueryProductOfferingQualification",
            mandatory: &["searchCriteria"],
            server: &[
                "id",
                "href",
                "state",
                "creationDate",
                "effectiveQualificationDate",
                "expectedQualificationCompletionDate",
                "expirationDate",
                "qualifiedProductOfferingItem",
            ],
            fixed: &["id", "href", "creationDate"],
            lifecycle: Some(lifecycle::TASK),
            indexed: &["relatedParty.partyOrPartyRole.id"],
            served: Served::V5,
            dates: &["creationDate"],
            ..DEFAULT
        },
    ],
};
