//! Parts that the documents of orders and of what was ordered share.

use super::{DateTime, Reference};
use crate::href;

crate::document! {
    /// An item of an order, as the instance that it is about names it. Each API has other words.
    #[derive(Default, Eq)]
    pub struct OrderLink {
        product_order_id?: String,
        product_order_href?: String,
        order_item_id?: String,
        order_item_action?: String,
        service_order_id?: String,
        service_order_href?: String,
        resource_order_id?: String,
        resource_order_href?: String,
        item_id?: String,
        item_action?: String,
        #[serde(rename = "@referredType")]
        referred_type?: String,
    }
}

impl OrderLink {
    /// The link of a product to an item.
    pub fn of_product(order: &str, item: &str, action: &str) -> Self {
        Self {
            product_order_id: Some(order.into()),
            product_order_href: Some(href::of("productOrder", order)),
            order_item_id: Some(item.into()),
            order_item_action: Some(action.into()),
            referred_type: Some("ProductOrder".into()),
            ..Self::default()
        }
    }

    /// The link of a service to an item.
    pub fn of_service(order: &str, item: &str, action: &str) -> Self {
        Self {
            service_order_id: Some(order.into()),
            service_order_href: Some(href::of("serviceOrder", order)),
            item_id: Some(item.into()),
            item_action: Some(action.into()),
            referred_type: Some("ServiceOrderItem".into()),
            ..Self::default()
        }
    }

    /// The link of a resource to an item.
    pub fn of_resource(order: &str, item: &str) -> Self {
        Self {
            resource_order_id: Some(order.into()),
            resource_order_href: Some(href::of("resourceOrder", order)),
            item_id: Some(item.into()),
            ..Self::default()
        }
    }

    /// The id of the order.
    pub fn order(&self) -> Option<&str> {
        let ids = [&self.product_order_id, &self.service_order_id, &self.resource_order_id];
        ids.into_iter().find_map(Option::as_deref)
    }

    /// The id of the item.
    pub fn item(&self) -> Option<&str> {
        self.order_item_id.as_deref().or(self.item_id.as_deref())
    }
}

crate::document! {
    /// Something that failed (`ErrorMessage`), with the item and the element that it is about.
    #[derive(Default, Eq)]
    pub struct ErrorMessage {
        code?: String,
        reason?: String,
        message?: String,
        reference_error?: String,
        item?: String,
        element?: String,
    }
}

crate::document! {
    /// A note.
    #[derive(Eq)]
    pub struct Note {
        id?: String,
        author?: String,
        date?: DateTime,
        text: String,
    }
}

crate::document! {
    /// A point that an order passes. An API names its items in one of two lists.
    #[derive(Default)]
    pub struct Milestone {
        id?: String,
        name?: String,
        status?: String,
        milestone_date?: DateTime,
        product_order_item?: Vec<MilestoneProductItem>,
        service_order_item?: Vec<MilestoneServiceItem>,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

crate::document! {
    /// An item of a product order at a milestone.
    pub struct MilestoneProductItem {
        product_order_item_id: String,
        product_order_id: String,
        /// The standard capitalises it.
        #[serde(rename = "ProductOrderHref")]
        product_order_href: String,
    }
}

crate::document! {
    /// An item of a service order at a milestone.
    pub struct MilestoneServiceItem {
        id: String,
        item_id: String,
        service_order_id: String,
        service_order_href: String,
    }
}

crate::document! {
    /// A warning that an order is or will be late.
    #[derive(Default)]
    pub struct JeopardyAlert {
        id?: String,
        name?: String,
        jeopardy_type?: String,
        alert_date?: DateTime,
        exception?: String,
        message?: String,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

crate::document! {
    /// A relationship of an order to another one.
    pub struct OrderRelationship {
        relationship_type: String,
        id: String,
        href?: String,
        #[serde(rename = "@referredType")]
        referred_type?: String,
    }
}

crate::document! {
    /// A relationship of an item to another one. Resource orders name it by `id`, service orders within
    /// `orderItem`.
    pub struct ItemRelationship {
        relationship_type: String,
        id?: String,
        order_item?: OrderItemReference,
    }
}

crate::document! {
    /// An item of a service order.
    pub struct OrderItemReference {
        id: String,
        item_id: String,
        service_order_id: String,
    }
}

crate::document! {
    /// An entity of another system that an order follows from.
    pub struct ExternalReference {
        id: String,
        external_reference_type: String,
        entity_type?: String,
        owner?: String,
        name?: String,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

crate::document! {
    /// A request to cancel an order (TMF622, 641, 652). Each API names the order by an attribute of its
    /// own.
    #[derive(Default)]
    pub struct CancelOrder {
        id?: String,
        href?: String,
        state?: crate::table::TaskState,
        product_order?: Reference,
        service_order?: Reference,
        resource_order?: Reference,
        cancellation_reason?: String,
        requested_cancellation_date?: DateTime,
        effective_cancellation_date?: DateTime,
        /// Why the order is not cancelled, which TM Forum has no attribute for.
        refusal_reason?: String,
        #[serde(rename = "@type")]
        kind?: String,
    }
}
