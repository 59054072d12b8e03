//! TMF633: service catalogs.

use super::{IN_CATALOG, JOB};
use crate::resource::{Api, Naming, Resource};

pub(super) static API: Api = Api {
    number: 633,
    title: "Service Catalog Management",
    version: "4.0.0",
    base: "serviceCatalogManagement",
    aliases: &["serviceCatalog"],
    v5: None,
    resources: &[
        Resource {
            name: "serviceCatalog",
            key: "serviceCatalog",
            shape: "ServiceCatalog",
            indexed: &["name", "category.id", "relatedParty.id"],
            ..ENTRY
        },
        Resource {
            name: "serviceCategory",
            key: "serviceCategory",
            shape: "ServiceCategory",
            indexed: &["name", "parentId", "category.id", "serviceCandidate.id"],
            ..ENTRY
        },
        Resource {
            name: "serviceCandidate",
            key: "serviceCandidate",
            shape: "ServiceCandidate",
            mandatory: &["name", "serviceSpecification"],
            indexed: &["name", "category.id", "serviceSpecification.id"],
            ..ENTRY
        },
        Resource {
            name: "serviceSpecification",
            key: "serviceSpecification",
            shape: "ServiceSpecification",
            indexed: &[
                "name",
                "relatedParty.id",
                "resourceSpecification.id",
                "serviceSpecRelationship.id",
            ],
            ..ENTRY
        },
        Resource { name: "importJob", key: "serviceCatalogImportJob", shape: "ImportJob", ..JOB },
        Resource { name: "exportJob", key: "serviceCatalogExportJob", shape: "ExportJob", ..JOB },
    ],
};

const ENTRY: Resource = Resource { naming: Naming::Change, ..IN_CATALOG };
