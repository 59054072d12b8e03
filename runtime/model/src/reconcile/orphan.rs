//! Which instances of the inventories are in use by themselves, and which only as a part of others. A
//! part that nothing in use leads to is an orphan: it costs capacity, and no order will ever end it.
//! Only documents are read here, so that a fault in what orders keep beside them is found too.

use std::sync::Arc;

use serde_json::Value;

use crate::documents::fulfilments_of;
use crate::fulfilment::Fulfilment;
use crate::journal::Kind;

/// What an instance is to those that it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// It has ended: it uses nothing any more.
    Ended,
    /// It is in use by itself: a product, an instance that was ordered directly, one that no order
    /// of ours made, or one that an order is at work on.
    Root,
    /// Orders made it for others: it is in use as long as one of them leads to it.
    Part,
}

/// Documents that may lead to an instance, with the attribute that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// The resource of the documents.
    pub resource: &'static str,
    /// The attribute, a list of references; documents are indexed by their ids.
    pub attribute: &'static str,
    /// The path under which they are indexed.
    pub path: &'static str,
}

const USERS_OF_SERVICES: [User; 2] = [
    User { resource: "product", attribute: "realizingService", path: "realizingService.id" },
    User { resource: "service", attribute: "supportingService", path: "supportingService.id" },
];

const USERS_OF_RESOURCES: [User; 2] = [
    User { resource: "service", attribute: "supportingResource", path: "supportingResource.id" },
    User { resource: "product", attribute: "realizingResource", path: "realizingResource.id" },
];

/// The documents that may lead to an instance of a resource.
pub fn users(resource: &str) -> &'static [User] {
    match resource {
        "service" => &USERS_OF_SERVICES,
        "resource" => &USERS_OF_RESOURCES,
        _ => &[],
    }
}

/// Whether a document leads to an instance. Indexes cut long ids, so what they find is compared.
pub fn leads_to(user: &User, document: &Value, id: &str) -> bool {
    let references = document.get(user.attribute).and_then(Value::as_array);
    references.into_iter().flatten().any(|reference| text(reference, "id") == id)
}

/// The rank of an instance. `known` are the fulfilments of ours among those that its document names:
/// where one is not kept any more, it may have been an order of the instance itself.
pub fn rank(resource: &str, document: &Value, known: &[Arc<Fulfilment>]) -> Rank {
    if has_ended(resource, document) {
        return Rank::Ended;
    }
    let named = fulfilments_of(resource, document);
    let is_whole = !named.is_empty() && named.len() == known.len();
    let is_root = |maker: &Arc<Fulfilment>| !maker.is_ended() || is_line(resource, document, maker);
    if resource == "product" || !is_whole || known.iter().any(is_root) {
        return Rank::Root;
    }
    Rank::Part
}

fn has_ended(resource: &str, document: &Value) -> bool {
    match resource {
        "product" => {
            matches!(text(document, "status").trim(), "cancelled" | "terminated" | "aborted")
        }
        "service" => text(document, "state") == "terminated",
        _ => {
            let is_used = matches!(text(document, "usageState"), "busy" | "active");
            !is_used && text(document, "resourceStatus") != "reserved"
        }
    }
}

/// Whether the order that came in asked for the instance itself.
fn is_line(resource: &str, document: &Value, maker: &Fulfilment) -> bool {
    let id = text(document, "id");
    match (maker.kind(), resource) {
        (Kind::ServiceOrder, "service") => {
            let items = maker.plan().items.iter();
            items.clone().any(|item| item.parents.is_empty() && maker.service_id(item) == id)
        }
        (Kind::ResourceOrder, "resource") => true,
        (Kind::ProductOrder | Kind::ServiceOrder | Kind::ResourceOrder | Kind::Run { .. }, _) => {
            false
        }
    }
}

fn text<'a>(document: &'a Value, name: &str) -> &'a str {
    document.get(name).and_then(Value::as_str).unwrap_or_default()
}
