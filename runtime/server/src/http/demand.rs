//! What a route demands, and what becomes of the conditions of roles there.

use std::fmt;

use crate::access::{ORDERS, Permission, Verb};

/// The resources of the catalogs, which orders and what comes before them are checked and priced by.
const CATALOGS: [&str; 5] = [
    "productOffering",
    "productOfferingPrice",
    "productSpecification",
    "serviceSpecification",
    "resourceSpecification",
];

/// A permission that a route demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Demand {
    pub(crate) permission: Permission,
    pub(crate) applies: Applies,
}

/// What becomes of the condition of a role on a permission that a route demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applies {
    /// The handler applies it to each document.
    Each,
    /// It cannot be applied: the permission must cover all documents.
    Whole,
    /// The same, and so must the permissions to read the documents of all resources.
    Everything,
    /// The same, but the permission may be missing: what follows from these documents is told to
    /// those who have no access to them, and not to those from whom some are hidden.
    Unhidden,
}

impl Demand {
    /// The permission of a route itself.
    pub(super) fn own(permission: Permission) -> Self {
        let is_applied = permission.subject().is_some();
        Self { applies: if is_applied { Applies::Each } else { Applies::Whole }, permission }
    }

    /// Permissions about the documents of a resource.
    pub(super) fn about(
        key: &str,
        verbs: &'static [Verb],
        applies: Applies,
    ) -> impl Iterator<Item = Self> {
        let found = verbs.iter().filter_map(|verb| Permission::about(key, *verb));
        let found: Vec<Permission> = found.collect();
        found.into_iter().map(move |permission| Self { permission, applies })
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.permission.fmt(formatter)
    }
}

/// That no order and no run is hidden from the client.
pub(super) fn all_work() -> impl Iterator<Item = Demand> {
    let orders = ORDERS.iter().flat_map(|key| Demand::about(key, &[Verb::Read], Applies::Whole));
    let runs = Permission::own("/runs", Verb::Read);
    orders.chain(std::iter::once(Demand { permission: runs, applies: Applies::Whole }))
}

/// That no catalog has entries which are hidden from the client.
pub(super) fn unhidden_catalogs() -> impl Iterator<Item = Demand> {
    CATALOGS.iter().flat_map(|key| Demand::about(key, &[Verb::Read], Applies::Unhidden))
}
