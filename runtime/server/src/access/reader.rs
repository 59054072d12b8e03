//! What an identity may do with documents that a route reaches besides its own: those that an answer
//! gathers, that a body refers to, that an event is about. Deny by default: what the roles do not
//! allow to read does not exist for it.

use std::sync::Arc;

use engine::documents::Document;
use serde::Serialize;
use tmf::resource::Operation;
use tmf::table;

use super::{Hidden, Identity, Permission, Roles, Scope, Verb};

/// The resources of orders, by their keys.
pub const ORDERS: [&str; 3] = ["productOrder", "serviceOrder", "resourceOrder"];

/// Decides about documents for one identity. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub enum Reader {
    /// Everything: access is off, or the server itself asks.
    All,
    /// What the roles of an identity allow. It notes what they hide.
    Of(Arc<Identity>, Roles, Hidden),
    /// Nothing: the gate has not let it in.
    #[default]
    Nothing,
}

impl Reader {
    /// The same, without a note of what is hidden.
    #[must_use]
    pub(super) fn quietly(&self) -> Self {
        match self {
            Self::All => Self::All,
            Self::Of(identity, roles, _) => {
                Self::Of(Arc::clone(identity), roles.to_owned(), Hidden::default())
            }
            Self::Nothing => Self::Nothing,
        }
    }

    /// Whether nothing is hidden from it.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// What it may do with the documents of a resource, by its key. Documents without a resource of
    /// the standard are none of its business.
    pub fn scope(&self, key: &str, verb: Verb) -> Scope {
        match self {
            Self::All => Scope::All,
            Self::Of(_, _, hidden) => {
                let nothing = || Scope::Nothing(hidden.to_owned());
                Permission::about(key, verb)
                    .map_or_else(nothing, |permission| self.may(&permission))
            }
            Self::Nothing => Scope::default(),
        }
    }

    /// What a permission covers.
    pub fn may(&self, permission: &Permission) -> Scope {
        match self {
            Self::All => Scope::All,
            Self::Of(identity, roles, hidden) => {
                Scope::of(roles.decide(identity, permission), hidden)
            }
            Self::Nothing => Scope::default(),
        }
    }

    /// Whether it may read a document of a resource.
    pub fn sees(&self, key: &str, document: &impl Serialize) -> bool {
        self.scope(key, Verb::Read).covers(document)
    }

    /// A document that it may read; another one is as one that is not there.
    pub fn seen(&self, key: &str, document: Option<Document>) -> Option<Document> {
        document.filter(|document| self.sees(key, &document.body))
    }

    /// Whether it may read all documents of some resources.
    pub fn sees_all(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| self.scope(key, Verb::Read).is_all())
    }

    /// Whether it may read all orders and runs.
    pub fn sees_all_work(&self) -> bool {
        self.sees_all(&ORDERS) && self.may(&Permission::own("/runs", Verb::Read)).is_all()
    }

    /// Whether it may read all documents there are.
    pub fn sees_everything(&self) -> bool {
        let all = table::APIS.iter().flat_map(|api| {
            let readable = api.resources.iter().filter(|resource| resource.takes(Operation::Get));
            readable.map(|resource| Permission::standard(api.number, resource.name, Verb::Read))
        });
        self.is_all() || all.into_iter().all(|permission| self.may(&permission).is_all())
    }
}
