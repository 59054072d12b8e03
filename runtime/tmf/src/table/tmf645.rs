//! TMF645: whether a service can be delivered.

use super::{DEFAULT, lifecycle};
use crate::resource::{Api, Resource};

pub(super) static API: Api = Api {
    number: 645,
    title: "Service Qualification Management",
    version: "4.0.0",
    base: "serviceQualificationManagement",
    aliases: &["serviceQualification"],
    v5: None,
    resources: &[
        Resource {
            name: "checkServiceQualification",
            key: "checkServiceQualification",
            shape: "CheckServiceQualification",
            mandatory: &["serviceQualificationItem"],
            server: &[
                "id",
                "href",
                "state",
                "checkServiceQualificationDate",
                "effectiveQualificationDate",
                "estimatedResponseDate",
                "expirationDate",
                "qualificationResult",
            ],
            fixed: &["id", "href", "checkServiceQualificationDate"],
            lifecycle: Some(lifecycle::TASK_ACCEPTED),
            indexed: &["externalId", "relatedParty.id", "qualificationResult"],
            dates: &["checkServiceQualificationDate"],
            ..DEFAULT
        },
        Resource {
            name: "queryServiceQualification",
            key: "queryServiceQualification",
            shape: "QueryServiceQualification",
            mandatory: &["searchCriteria"],
            server: &[
                "id",
                "href",
                "state",
                "queryServiceQualificationDate",
                "effectiveQualificationDate",
                "estimatedResponseDate",
                "expirationDate",
                "serviceQualificationItem",
            ],
            fixed: &["id", "href", "queryServiceQualificationDate"],
            lifecycle: Some(lifecycle::TASK_ACCEPTED),
            indexed: &["externalId", "relatedParty.id"],
            dates: &["queryServiceQualificationDate"],
            ..DEFAULT
        },
    ],
};
