//! TMF620: product catalogs.

use super::{IN_CATALOG, JOB};
use crate::resource::{Api, Resource, V5};

pub(super) static API: Api = Api {
    number: 620,
    title: "Product Catalog Management",
    version: "4.1.0",
    base: "productCatalogManagement",
    aliases: &["productCatalog"],
    v5: Some(V5 {
        version: "5.0.0",
        base: "productCatalogManagement",
        aliases: &["productCatalog"],
    }),
    resources: &[
        Resource {
            name: "catalog",
            key: "productCatalog",
            name_v5: Some("productCatalog"),
            shape: "Catalog",
            indexed: &["name", "catalogType", "category.id", "relatedParty.id"],
            ..ENTRY
        },
        Resource {
            name: "category",
            key: "category",
            shape: "Category",
            indexed: &["name", "parentId", "productOffering.id", "subCategory.id"],
            ..ENTRY
        },
        Resource {
            name: "productOffering",
            key: "productOffering",
            shape: "ProductOffering",
            indexed: &[
                "name",
                "category.id",
                "channel.id",
                "marketSegment.id",
                "productSpecification.id",
                "productOfferingPrice.id",
                "bundledProductOffering.id",
            ],
            ..ENTRY
        },
        Resource {
            name: "productOfferingPrice",
            key: "productOfferingPrice",
            shape: "ProductOfferingPrice",
            indexed: &["name", "priceType", "popRelationship.id", "bundledPopRelationship.id"],
            // Late usage is rated by the tariff of its time.
            history: true,
            ..ENTRY
        },
        Resource {
            name: "productSpecification",
            key: "productSpecification",
            shape: "ProductSpecification",
            indexed: &[
                "name",
                "brand",
                "productNumber",
                "relatedParty.id",
                "serviceSpecification.id",
                "resourceSpecification.id",
            ],
            ..ENTRY
        },
        Resource { name: "importJob", key: "productCatalogImportJob", shape: "ImportJob", ..JOB },
        Resource { name: "exportJob", key: "productCatalogExportJob", shape: "ExportJob", ..JOB },
    ],
};

/// The class of an entry is fixed here as well.
const ENTRY: Resource =
    Resource { fixed: &["id", "href", "lastUpdate", "@type", "@baseType"], ..IN_CATALOG };
