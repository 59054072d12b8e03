//! What is installed: for each product, service and resource in use, the fulfilment that made it what
//! it is, and who uses and needs it now. Change orders ask this and nothing else. It is written in
//! the commit that completes an order, and merged by the store: two orders may each add a user.

mod rebuilt;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::rebuilt::Rebuilt;
use crate::id::{FulfilmentId, InstanceId, ItemId, SpecId};
pub use crate::plan::SERVING;

/// The document that holds what is installed, by [`InstanceId`]. No API serves it.
pub const INSTALLED: &str = "installed";

/// The user of what was ordered by itself, and not for a product or a service above it.
pub const ORDERED: &str = "order";

/// An installed instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Installed {
    /// The fulfilment that last added or changed it: its plan tells what it is made of.
    pub owner: FulfilmentId,
    /// Its item there.
    pub item: ItemId,
    /// The instances that it was decomposed for and that still use it; [`ORDERED`] for a line of a
    /// service or resource order.
    #[serde(default)]
    pub users: BTreeMap<InstanceId, bool>,
    /// The instances that were delivered after it and stand on it.
    #[serde(default)]
    pub needed_by: BTreeMap<InstanceId, bool>,
}

/// What serves a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serving {
    /// The instance.
    pub instance: InstanceId,
}

/// What becomes of the record of an instance, or of who serves a customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// [`INSTALLED`] or [`SERVING`].
    pub resource: &'static str,
    /// Its id.
    pub id: String,
    /// What is merged into it (RFC 7396); `None` if it is removed.
    pub patch: Option<Value>,
}

/// The name of a specification's instance for one customer.
pub fn scope_name(spec: &SpecId, customer: &str) -> String {
    format!("{spec}/{customer}")
}
