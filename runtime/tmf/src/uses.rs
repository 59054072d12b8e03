//! Uses of a document by others that need it while they live. A document in use
//! is not removed.
//!
//! The `references` of a resource must lead to a document when they are written. The uses
//! here may lead into another system; if they lead here, they protect their target.

use serde_json::Value;

use crate::resource::Resource;
use crate::table::of_key;

/// Documents of one resource that protect those of others.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// The keys of the protected resources.
    pub of: &'static [&'static str],
    /// The key of the resource that refers to them.
    pub by: &'static str,
    /// The path of the reference, such as `supportingResource`; its `id` is indexed.
    pub path: &'static str,
    /// How long it protects them.
    pub lasting: Lasting,
}

/// How long a document protects its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// Until it is in a final state.
    UntilFinal,
    /// While it is in one of these states.
    In(&'static [&'static str]),
    /// Until it is in one of these states.
    Until(&'static [&'static str]),
}

/// Types of relations that protect the other end: others, such as `migration`, name a peer.
const KEEPING: &[&str] =
    &["bundles", "contains", "dependency", "dependsOn", "reliesOn", "requires", "requiresProduct"];

const PARTIES: &[&str] = &["individual", "organization", "customer", "partyRole"];
const ACCOUNTS: &[&str] =
    &["billingAccount", "partyAccount", "settlementAccount", "financialAccount"];
const SOLD: Lasting = Lasting::In(&["Active", "Launched"]);
const CLOSED: Lasting = Lasting::Until(&["closed", "Closed", "inactive"]);

const fn until_final(of: &'static [&'static str], by: &'static str, path: &'static str) -> Use {
    Use { of, by, path, lasting: Lasting::UntilFinal }
}

const fn sold(of: &'static [&'static str], by: &'static str, path: &'static str) -> Use {
    Use { of, by, path, lasting: SOLD }
}

const fn until_closed(of: &'static [&'static str], by: &'static str, path: &'static str) -> Use {
    Use { of, by, path, lasting: CLOSED }
}

pub const USES: &[Use] = &[
    until_final(&["resource"], "service", "supportingResource"),
    until_final(&["resource"], "product", "realizingResource"),
    until_final(&["resource"], "resource", "resourceRelationship.resource"),
    until_final(&["service"], "service", "supportingService"),
    until_final(&["service"], "service", "serviceRelationship.service"),
    until_final(&["service"], "product", "realizingService"),
    until_final(&["product"], "product", "productRelationship.product"),
    until_final(PARTIES, "product", "relatedParty"),
    until_final(PARTIES, "service", "relatedParty"),
    until_final(PARTIES, "resource", "relatedParty"),
    until_final(PARTIES, "productOrder", "relatedParty"),
    until_final(PARTIES, "serviceOrder", "relatedParty"),
    until_final(PARTIES, "resourceOrder", "relatedParty"),
    until_final(PARTIES, "quote", "relatedParty"),
    until_final(PARTIES, "customerBill", "relatedParty"),
    until_closed(PARTIES, "billingAccount", "relatedParty"),
    until_closed(PARTIES, "partyAccount", "relatedParty"),
    until_closed(PARTIES, "settlementAccount", "relatedParty"),
    until_final(&["organization"], "organization", "organizationParentRelationship.organization"),
    until_final(&["billingAccount"], "product", "billingAccount"),
    until_final(&["billingAccount"], "productOrder", "billingAccount"),
    until_final(&["billingAccount"], "customerBill", "billingAccount"),
    until_closed(ACCOUNTS, "customer", "account"),
    until_closed(ACCOUNTS, "partyRole", "account"),
    until_final(&["productOffering"], "product", "productOffering"),
    until_final(&["productOffering"], "productOrder", "productOrderItem.productOffering"),
    until_final(&["productOffering"], "quote", "quoteItem.productOffering"),
    sold(&["productOffering"], "productOffering", "bundledProductOffering"),
    sold(&["productOfferingPrice"], "productOffering", "productOfferingPrice"),
    sold(&["category"], "productOffering", "category"),
    sold(&["productSpecification"], "productOffering", "productSpecification"),
    until_final(&["productSpecification"], "product", "productSpecification"),
    sold(&["serviceSpecification"], "productSpecification", "serviceSpecification"),
    sold(&["serviceSpecification"], "serviceSpecification", "serviceSpecRelationship"),
    until_final(&["serviceSpecification"], "service", "serviceSpecification"),
    sold(&["resourceSpecification"], "productSpecification", "resourceSpecification"),
    sold(&["resourceSpecification"], "serviceSpecification", "resourceSpecification"),
    until_final(&["resourceSpecification"], "resource", "resourceSpecification"),
];

/// The supports of a live document: it is ended by an order, which ends its supports
/// too.
pub const STANDS_ON: &[(&str, &str, &str)] = &[
    ("product", "realizingService", "service"),
    ("product", "realizingResource", "resource"),
    ("service", "supportingService", "service"),
    ("service", "supportingResource", "resource"),
];

impl Use {
    /// The indexed path of the reference.
    pub fn indexed(&self) -> String {
        format!("{}.id", self.path)
    }

    /// Whether this document protects the one of another resource with this id.
    pub fn keeps(&self, document: &Value, of: &Resource, id: &str) -> bool {
        let Some((_, by)) = of_key(self.by) else { return false };
        let lasts = match (self.lasting, by.state_of(document)) {
            (Lasting::UntilFinal, state) => !state.is_some_and(|state| is_over(by, state)),
            (Lasting::In(states), state) => state.is_some_and(|state| states.contains(&state)),
            (Lasting::Until(states), state) => !state.is_some_and(|state| states.contains(&state)),
        };
        lasts && refers(document, self.path, of, id)
    }
}

/// Whether a document of a resource has ended.
pub fn is_over(resource: &Resource, state: &str) -> bool {
    resource.lifecycle.is_some_and(|lifecycle| lifecycle.is_final(state))
}

/// Whether a path of a document leads to an id of a resource.
fn refers(value: &Value, path: &str, of: &Resource, id: &str) -> bool {
    if let Value::Array(entries) = value {
        return entries.iter().any(|entry| refers(entry, path, of, id));
    }
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let Some(next) = value.get(name) else { return false };
    let entries = next.as_array().map_or_else(|| std::slice::from_ref(next), Vec::as_slice);
    if !rest.is_empty() {
        let kept = entries.iter().filter(|entry| {
            let kind = entry.get("relationshipType").and_then(Value::as_str);
            !name.ends_with("Relationship") || kind.is_none_or(|kind| KEEPING.contains(&kind))
        });
        return kept.into_iter().any(|entry| refers(entry, rest, of, id));
    }
    entries.iter().any(|entry| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let is_kind = text("@referredType").is_none_or(|kind| {
            // Subclasses have their own `@type`; a target with another type is another document.
            of_type(kind).is_none_or(|other| other.key == of.key)
        });
        text("id") == Some(id) && is_kind
    })
}

/// The resource whose documents are of this type.
fn of_type(kind: &str) -> Option<&'static Resource> {
    let mut resources = super::table::APIS.iter().flat_map(|api| api.resources);
    resources.find(|resource| resource.shape == kind)
}

#[cfg(test)]
mod tests;
