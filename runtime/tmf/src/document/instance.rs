//! Instances of all three inventories (TMF637, 638, 639), as far as it matters whether they are in use,
//! what they are made of and which orders made them.

use serde_json::Value;

use super::ordered::OrderLink;
use super::resource::UsageState;
use super::{Attributes, Reference};
use crate::malformed::Malformed;
use crate::table::{ProductStatus, ResourceStatus, ServiceState};

/// An instance of an inventory.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    pub id: String,
    pub state: State,
    /// The items of orders that made or changed it, in that order.
    pub links: Vec<OrderLink>,
    /// The attributes that lead to the instances that it is made of, each with its references.
    parts: Vec<(&'static str, Vec<Reference>)>,
}

/// The state of an instance, which tells its inventory too. It is `None` if its document has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Product(Option<ProductStatus>),
    Service(Option<ServiceState>),
    Resource { status: Option<ResourceStatus>, usage: Option<UsageState> },
}

/// The attributes by which instances lead to those that they are made of.
const PARTS: [&str; 4] =
    ["realizingService", "realizingResource", "supportingService", "supportingResource"];

impl Instance {
    /// Reads an instance. `None` if the resource has no instances.
    pub fn read(resource: &str, document: &Value) -> Result<Option<Self>, Malformed> {
        let own = Attributes::of(document);
        let state = match resource {
            "product" => State::Product(own.read("status")?),
            "service" => State::Service(own.read("state")?),
            "resource" => State::Resource {
                status: own.read("resourceStatus")?,
                usage: own.read("usageState")?,
            },
            _ => return Ok(None),
        };
        let id = own.read("id")?.ok_or_else(|| Malformed::new("id", "is missing"))?;
        let links = own.read(links(resource))?.unwrap_or_default();
        let parts = PARTS.iter().filter_map(|name| {
            let references = own.read(name).transpose()?;
            Some(references.map(|references| (*name, references)))
        });
        Ok(Some(Self { id, state, links, parts: parts.collect::<Result<_, _>>()? }))
    }

    /// The key of its resource.
    pub fn resource(&self) -> &'static str {
        match self.state {
            State::Product(_) => "product",
            State::Service(_) => "service",
            State::Resource { .. } => "resource",
        }
    }

    /// The ids of the orders that made or changed it, in that order.
    pub fn orders(&self) -> impl Iterator<Item = &str> {
        self.links.iter().filter_map(OrderLink::order)
    }

    /// Whether it leads to an instance of this id by an attribute.
    pub fn leads_to(&self, attribute: &str, id: &str) -> bool {
        let parts = self.parts.iter().filter(|(name, _)| *name == attribute);
        parts.flat_map(|(_, references)| references).any(|reference| reference.is_to(id))
    }
}

/// The attribute that has the links of an instance to orders.
fn links(resource: &str) -> &'static str {
    match resource {
        "product" => "productOrderItem",
        "service" => "serviceOrderItem",
        _ => "resourceOrderItem",
    }
}

/// The items of orders that a product or a service names as having made or changed it.
pub fn links_of(document: &Value) -> Result<Vec<OrderLink>, Malformed> {
    let own = Attributes::of(document);
    for name in [links("product"), links("service")] {
        if let Some(links) = own.read(name)? {
            return Ok(links);
        }
    }
    Ok(Vec::new())
}

/// The ids of the orders that an instance's document names as having made or changed it.
pub fn orders_of<'a>(resource: &str, document: &'a Value) -> impl Iterator<Item = &'a str> {
    let id = match resource {
        "product" => "productOrderId",
        "service" => "serviceOrderId",
        _ => "resourceOrderId",
    };
    let links = Attributes::of(document).entries(links(resource));
    links.filter_map(move |link| Attributes::of(link).text(id))
}

#[cfg(test)]
mod tests;
