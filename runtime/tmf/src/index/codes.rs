//! The numbers of indexed attributes. The keys of index entries have them in place of names, which
//! are longer than many values.
//!
//! A store keeps the numbers, so a pair never gets another one: new pairs go to the end, where a resource
//! may stand again, and a pair whose attribute is no longer indexed keeps its place. After any other
//! change raise the version of the indexes, and the next start rebuilds them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The digits of a number in a key, in the order of their bytes.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The bytes of a number in a key.
pub const CODE_BYTES: usize = 2;

/// The keys of resources, each with indexed attributes. The number of a pair is its place.
const PAIRS: &[(&str, &[&str])] = &[
    (
        "productCatalog",
        &["lifecycleStatus", "name", "catalogType", "category.id", "relatedParty.id"],
    ),
    ("category", &["lifecycleStatus", "name", "parentId", "productOffering.id", "subCategory.id"]),
    (
        "productOffering",
        &[
            "lifecycleStatus",
            "name",
            "category.id",
            "channel.id",
            "marketSegment.id",
            "productSpecification.id",
            "productOfferingPrice.id",
            "bundledProductOffering.id",
        ],
    ),
    (
        "productOfferingPrice",
        &[
            "lifecycleStatus",
            "name",
            "priceType",
            "popRelationship.id",
            "bundledPopRelationship.id",
        ],
    ),
    (
        "productSpecification",
        &[
            "lifecycleStatus",
            "name",
            "brand",
            "productNumber",
            "relatedParty.id",
            "serviceSpecification.id",
            "resourceSpecification.id",
        ],
    ),
    ("productCatalogImportJob", &["status", "url"]),
    ("productCatalogExportJob", &["status", "url"]),
    (
        "productOrder",
        &[
            "state",
            "externalId",
            "category",
            "relatedParty.id",
            "billingAccount.id",
            "channel.id",
            "quote.id",
            "productOrderItem.quoteItem.quoteId",
            "productOrderItem.productOffering.id",
            "productOrderItem.product.id",
            "productOrderItem.product.place.id",
            "productOrderItem.productOrderItem.product.place.id",
            "productOrderItem.productOrderItem.productOrderItem.product.place.id",
        ],
    ),
    ("cancelProductOrder", &["state", "productOrder.id"]),
    ("customer", &["status", "name", "engagedParty.id", "account.id", "relatedParty.id"]),
    (
        "individual",
        &[
            "status",
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
    ),
    (
        "organization",
        &[
            "status",
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
    ),
    ("serviceCatalog", &["lifecycleStatus", "name", "category.id", "relatedParty.id"]),
    (
        "serviceCategory",
        &["lifecycleStatus", "name", "parentId", "category.id", "serviceCandidate.id"],
    ),
    ("serviceCandidate", &["lifecycleStatus", "name", "category.id", "serviceSpecification.id"]),
    (
        "serviceSpecification",
        &[
            "lifecycleStatus",
            "name",
            "relatedParty.id",
            "resourceSpecification.id",
            "serviceSpecRelationship.id",
        ],
    ),
    ("serviceCatalogImportJob", &["status", "url"]),
    ("serviceCatalogExportJob", &["status", "url"]),
    ("resourceCatalog", &["lifecycleStatus", "name", "category.id", "relatedParty.id"]),
    (
        "resourceCategory",
        &["lifecycleStatus", "name", "parentId", "category.id", "resourceCandidate.id"],
    ),
    ("resourceCandidate", &["lifecycleStatus", "name", "category.id", "resourceSpecification.id"]),
    (
        "resourceSpecification",
        &["lifecycleStatus", "name", "category", "relatedParty.id", "resourceSpecRelationship.id"],
    ),
    ("resourceCatalogImportJob", &["status", "url"]),
    ("resourceCatalogExportJob", &["status", "url"]),
    (
        "usage",
        &[
            "status",
            "usageType",
            "relatedParty.id",
            "usageSpecification.id",
            "ratedProductUsage.productRef.id",
        ],
    ),
    ("usageSpecification", &["lifecycleStatus", "name", "relatedParty.id"]),
    (
        "product",
        &[
            "status",
            "name",
            "productSerialNumber",
            "relatedParty.id",
            "billingAccount.id",
            "productPrice.billingAccount.id",
            "productOffering.id",
            "productSpecification.id",
            "productOrderItem.productOrderId",
            "productRelationship.product.id",
            "realizingService.id",
            "realizingResource.id",
            "place.id",
        ],
    ),
    (
        "service",
        &[
            "state",
            "name",
            "category",
            "serviceType",
            "relatedParty.id",
            "serviceSpecification.id",
            "serviceOrderItem.serviceOrderId",
            "serviceRelationship.service.id",
            "supportingService.id",
            "supportingResource.id",
            "place.id",
        ],
    ),
    (
        "resource",
        &[
            "resourceStatus",
            "name",
            "category",
            "@type",
            "usageState",
            "relatedParty.id",
            "resourceSpecification.id",
            "resourceOrderItem.resourceOrderId",
            "resourceRelationship.resource.id",
            "place.id",
        ],
    ),
    ("serviceMonitor", &["state", "sourceHref"]),
    (
        "serviceOrder",
        &[
            "state",
            "externalId",
            "category",
            "relatedParty.id",
            "externalReference.id",
            "orderRelationship.id",
            "serviceOrderItem.service.id",
            "serviceOrderItem.service.serviceSpecification.id",
        ],
    ),
    ("cancelServiceOrder", &["state", "serviceOrder.id"]),
    (
        "checkServiceQualification",
        &["state", "externalId", "relatedParty.id", "qualificationResult"],
    ),
    ("queryServiceQualification", &["state", "externalId", "relatedParty.id"]),
    (
        "quote",
        &[
            "state",
            "externalId",
            "category",
            "relatedParty.id",
            "billingAccount.id",
            "productOfferingQualification.id",
            "quoteItem.productOffering.id",
        ],
    ),
    (
        "resourceOrder",
        &[
            "state",
            "externalId",
            "name",
            "category",
            "orderType",
            "relatedParty.id",
            "externalReference.id",
            "orderItem.resource.id",
            "orderItem.resourceSpecification.id",
        ],
    ),
    ("cancelResourceOrder", &["state", "resourceOrder.id"]),
    ("partyAccount", &["state", "name", "accountType", "relatedParty.id"]),
    (
        "billingAccount",
        &[
            "state",
            "name",
            "accountType",
            "relatedParty.id",
            "financialAccount.id",
            "billStructure.cycleSpecification.id",
        ],
    ),
    ("settlementAccount", &["state", "name", "accountType", "relatedParty.id"]),
    ("financialAccount", &["state", "name", "accountType", "relatedParty.id"]),
    ("billingCycleSpecification", &["name"]),
    ("billFormat", &["name"]),
    ("billPresentationMedia", &["name"]),
    ("partyRole", &["status", "name", "engagedParty.id", "account.id", "relatedParty.id"]),
    ("customerBillOnDemand", &["state", "billingAccount.id", "relatedParty.id", "customerBill.id"]),
    (
        "customerBill",
        &[
            "state",
            "billNo",
            "category",
            "runType",
            "billingAccount.id",
            "billRun.id",
            "financialAccount.id",
            "relatedParty.id",
        ],
    ),
    (
        "appliedCustomerBillingRate",
        &["name", "type", "bill.id", "billingAccount.id", "product.id", "billRun.id"],
    ),
    ("billCycle", &["name"]),
    (
        "productOfferingQualification",
        &["state", "relatedParty.id", "qualificationResult", "place.id", "channel.id"],
    ),
    ("queryProductOfferingQualification", &["state", "relatedParty.partyOrPartyRole.id"]),
    (
        "productStock",
        &[
            "productStockStatusType",
            "name",
            "stockLevelCategory",
            "channel.id",
            "marketSegment.id",
            "place.id",
            "relatedParty.id",
            "resource.id",
            "stockedProduct.id",
            "stockedProduct.productOffering.id",
            "stockedProduct.productSpecification.id",
            "productStockRelationship.stockLevel.id",
        ],
    ),
    ("adjustProductStock", &["state", "adjustProductStockItem.productStockTarget.id"]),
    ("checkProductStock", &["state"]),
    (
        "reserveProductStock",
        &["reserveProductStockState", "relatedParty.id", "channel.id", "relatedEntity.id"],
    ),
    ("queryProductStock", &["state"]),
    ("topic", &["name"]),
    ("processFlow", &["state", "processFlowSpecification", "relatedEntity.id", "relatedParty.id"]),
    ("resourceMonitor", &["state", "sourceHref"]),
];

/// The code of an attribute of a resource; `None` if no documents are found by it.
pub fn code(resource: &str, path: &str) -> Option<&'static str> {
    codes().by_name.get(resource)?.get(path).map(String::as_str)
}

/// The resource and the attribute that have a code.
pub fn named(code: &str) -> Option<(&'static str, &'static str)> {
    codes().by_code.get(code).copied()
}

/// The table from both sides.
#[derive(Default)]
struct Codes {
    by_name: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
    by_code: BTreeMap<String, (&'static str, &'static str)>,
}

fn codes() -> &'static Codes {
    static CODES: OnceLock<Codes> = OnceLock::new();
    CODES.get_or_init(|| {
        let pairs = PAIRS.iter().flat_map(|(of, paths)| paths.iter().map(|path| (*of, *path)));
        let mut codes = Codes::default();
        for (number, (resource, path)) in pairs.enumerate() {
            let code = written(number);
            codes.by_name.entry(resource).or_default().insert(path, code.clone());
            codes.by_code.insert(code, (resource, path));
        }
        codes
    })
}

/// A number in [`CODE_BYTES`] digits.
fn written(number: usize) -> String {
    let digits = [number / DIGITS.len(), number % DIGITS.len()];
    digits.map(|digit| char::from(DIGITS[digit])).iter().collect()
}

#[cfg(test)]
mod tests;
