//! TMF634: resource catalogs.

use super::{IN_CATALOG, JOB};
use crate::resource::{Api, Naming, Resource, V5};

pub(super) static API: Api = Api {
    number: 634,
    title: "Resource Catalog Management",
    version: "4.1.0",
    base: "resourceCatalog",
    aliases: &["resourceCatalogManagement"],
    v5: Some(V5 {
        version: "5.0.0",
        base: "resourceCatalog",
        aliases: &["resourceCatalogManagement"],
    }),
    resources: &[
        Resource {
            name: "resourceCatalog",
            key: "resourceCatalog",
            shape: "ResourceCatalog",
            indexed: &["name", "category.id", "relatedParty.id"],
            ..ENTRY
        },
        Resource {
            name: "resourceCategory",
            key: "resourceCategory",
            shape: "ResourceCategory",
            indexed: &["name", "parentId", "category.id", "resourceCandidate.id"],
            ..ENTRY
        },
        Resource {
            name: "resourceCandidate",
            key: "resourceCandidate",
            shape: "ResourceCandidate",
            indexed: &["name", "category.id", "resourceSpecification.id"],
            ..ENTRY
        },
        Resource {
            name: "resourceSpecification",
            key: "resourceSpecification",
            shape: "ResourceSpecification",
            indexed: &["name", "category", "relatedParty.id", "resourceSpecRelationship.id"],
            ..ENTRY
        },
        Resource { name: "importJob", key: "resourceCatalogImportJob", shape: "ImportJob", ..JOB },
        Resource { name: "exportJob", key: "resourceCatalogExportJob", shape: "ExportJob", ..JOB },
    ],
};

const ENTRY: Resource = Resource { naming: Naming::Change, ..IN_CATALOG };
