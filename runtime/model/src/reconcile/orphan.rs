//! Which instances of the inventories are in use by themselves, and which only as a part of others. A
//! part that no instance in use leads to is an orphan: it costs capacity, and no order will ever end it.
//! Only documents are read here, so that a fault in the records of installed instances is found too.

use std::sync::Arc;

use tmf::document::instance::{Instance, State};
use tmf::document::resource::UsageState;
use tmf::table::{ProductStatus, ResourceStatus, ServiceState};

use crate::fulfilment::Fulfilment;
use crate::journal::Kind;

/// The rank of an instance among those that it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// It is terminated and uses no other instance.
    Ended,
    /// It is in use by itself: a product, an instance that was ordered directly, one that no order
    /// of ours made, or one that an open order is about.
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

/// Whether an instance leads to another one. Indexes cut long ids, so the instances that they find are
/// compared.
pub fn leads_to(user: &User, instance: &Instance, id: &str) -> bool {
    instance.leads_to(user.attribute, id)
}

/// The rank of an instance. `known` are the fulfilments of ours among those that its document names:
/// one that is not kept any more may have been an order of the instance itself.
pub fn rank(instance: &Instance, known: &[Arc<Fulfilment>]) -> Rank {
    if has_ended(instance.state) {
        return Rank::Ended;
    }
    let named = instance.orders().count();
    let is_whole = named > 0 && named == known.len();
    let is_root = |maker: &Arc<Fulfilment>| !maker.is_ended() || is_line(instance, maker);
    match instance.state {
        State::Product(_) => Rank::Root,
        State::Service(_) | State::Resource { .. } if !is_whole || known.iter().any(is_root) => {
            Rank::Root
        }
        State::Service(_) | State::Resource { .. } => Rank::Part,
    }
}

fn has_ended(state: State) -> bool {
    match state {
        State::Product(status) => status.is_some_and(ProductStatus::is_final),
        State::Service(state) => state == Some(ServiceState::Terminated),
        State::Resource { status, usage } => {
            let is_used = matches!(usage, Some(UsageState::Busy | UsageState::Active));
            !is_used && status != Some(ResourceStatus::Reserved)
        }
    }
}

/// Whether the order that came in asked for the instance itself.
fn is_line(instance: &Instance, maker: &Fulfilment) -> bool {
    match (maker.kind(), instance.state) {
        (Kind::ServiceOrder, State::Service(_)) => {
            let mut items = maker.plan().items.iter();
            items.any(|item| item.parents.is_empty() && maker.service_id(item) == instance.id)
        }
        (Kind::ResourceOrder, State::Resource { .. }) => true,
        (Kind::ProductOrder | Kind::ServiceOrder | Kind::ResourceOrder | Kind::Run { .. }, _) => {
            false
        }
    }
}
