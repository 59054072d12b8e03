//! TMF638: services.

use super::ordered::OrderLink;
use super::{Characteristic, DateTime, Reference};
use crate::table::ServiceState;

crate::document! {
    /// Attributes of a service. What an order writes of one has those that it sets.
    #[derive(Default)]
    pub struct Service {
        id?: String,
        href?: String,
        name?: String,
        state?: ServiceState,
        service_type?: String,
        category?: String,
        is_service_enabled?: bool,
        service_date?: DateTime,
        start_date?: DateTime,
        end_date?: DateTime,
        service_specification?: Reference,
        service_characteristic?: Vec<Characteristic>,
        service_order_item?: Vec<OrderLink>,
        supporting_service?: Vec<Reference>,
        supporting_resource?: Vec<Reference>,
        #[serde(rename = "@type")]
        kind?: String,
    }
}
