//! TMF639: resources.

use serde::{Deserialize, Serialize};

use super::ordered::OrderLink;
use super::{Characteristic, DateTime, Reference};
use crate::table::ResourceStatus;

crate::document! {
    /// Attributes of a resource. What an order writes of one has those that it sets.
    #[derive(Default)]
    pub struct Resource {
        id?: String,
        href?: String,
        name?: String,
        category?: String,
        administrative_state?: AdministrativeState,
        operational_state?: OperationalState,
        resource_status?: ResourceStatus,
        usage_state?: UsageState,
        start_operating_date?: DateTime,
        resource_specification?: Reference,
        resource_characteristic?: Vec<Characteristic>,
        resource_relationship?: Vec<ResourceRelationship>,
        resource_order_item?: Vec<OrderLink>,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

crate::document! {
    /// A relationship of a resource to another one.
    pub struct ResourceRelationship {
        relationship_type: String,
        resource: Resource,
    }
}

/// Whether a resource may be used (ITU-T X.731).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AdministrativeState {
    Locked,
    Unlocked,
    Shutdown,
}

/// Whether a resource works (ITU-T X.731).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OperationalState {
    Enable,
    Disable,
}

/// Whether a resource is in use (ITU-T X.731).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UsageState {
    Idle,
    Active,
    Busy,
}
