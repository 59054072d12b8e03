//! The TM Forum resources that are served: a table. What is not said here is the same for all of
//! them, see [`super::tmf`].

use model::Kind;

/// A resource of one of the APIs.
#[derive(Debug)]
pub(super) struct Resource {
    /// Its name, as paths, stored documents and events have it.
    pub(super) name: &'static str,
    /// The names under which clients know its API.
    pub(super) apis: &'static [&'static str],
    /// Where its documents are.
    pub(super) source: Source,
    /// What it becomes when it is created; nothing where it is only read.
    pub(super) create: Option<Creates>,
    /// Attributes that only the server sets: what a client sends of them is left out.
    pub(super) server_only: &'static [&'static str],
}

/// Where the documents of a resource are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// In the store, under the resource's name.
    Store,
    /// In the catalogs of the packs, under the resource's name.
    Catalog,
}

/// What a resource that can be created is carried out as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Creates {
    Product,
    Service,
    Resource,
}

/// The version of the APIs.
pub(super) const VERSION: &str = "v4";

/// Every resource.
pub(super) static RESOURCES: [Resource; 12] = [
    Resource {
        create: Some(Creates::Product),
        server_only: &[
            "id",
            "href",
            "state",
            "orderDate",
            "completionDate",
            "expectedCompletionDate",
            "productOrderErrorMessage",
        ],
        ..stored("productOrder", &["productOrderingManagement", "productOrdering"])
    },
    Resource {
        create: Some(Creates::Service),
        server_only: &[
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
        ..stored("serviceOrder", &["serviceOrdering", "serviceOrderingManagement"])
    },
    Resource {
        create: Some(Creates::Resource),
        server_only: &["id", "href", "state", "orderDate", "completionDate", "errorMessage"],
        ..stored("resourceOrder", &["resourceOrdering", "resourceOrderingManagement"])
    },
    stored("product", &["productInventory", "productInventoryManagement"]),
    stored("service", &["serviceInventory", "serviceInventoryManagement"]),
    stored("resource", &["resourceInventoryManagement", "resourceInventory"]),
    stored("appliedCustomerBillingRate", &["customerBillManagement", "customerBill"]),
    in_catalog("productOffering", PRODUCT_CATALOG),
    in_catalog("productSpecification", PRODUCT_CATALOG),
    in_catalog("productOfferingPrice", PRODUCT_CATALOG),
    in_catalog("serviceSpecification", &["serviceCatalogManagement", "serviceCatalog"]),
    in_catalog("resourceSpecification", &["resourceCatalog", "resourceCatalogManagement"]),
];

const PRODUCT_CATALOG: &[&str] = &["productCatalogManagement", "productCatalog"];

const fn stored(name: &'static str, apis: &'static [&'static str]) -> Resource {
    Resource { name, apis, source: Source::Store, create: None, server_only: &[] }
}

const fn in_catalog(name: &'static str, apis: &'static [&'static str]) -> Resource {
    Resource { name, apis, source: Source::Catalog, create: None, server_only: &[] }
}

/// The resource at a place in the APIs.
pub(super) fn find(api: &str, name: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|resource| resource.name == name && resource.apis.contains(&api))
}

/// The resource of this name, wherever it is served.
pub(super) fn named(name: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|resource| resource.name == name)
}

impl From<Creates> for Kind {
    fn from(creates: Creates) -> Self {
        match creates {
            Creates::Product => Self::ProductOrder,
            Creates::Service => Self::ServiceOrder,
            Creates::Resource => Self::ResourceOrder,
        }
    }
}

impl Resource {
    /// The path of its documents, where hrefs lead.
    pub(super) fn path(&self) -> String {
        let api = self.apis.first().copied().unwrap_or_default();
        format!("/tmf-api/{api}/{VERSION}/{}", self.name)
    }
}
