//! Orders as they come in (TMF622, 641, 652), and the questions that have the items of orders (TMF645,
//! 648, 679): read into one shape by the [`Names`] of each API.

mod read;
mod written;

use serde_json::Value;

pub use read::read;
pub use written::{ItemResult, Items, SingleItem, Written};

use super::item_price::ItemPrice;
use super::{Attributes, DateTime, Deferred};
use crate::malformed::Malformed;
use crate::table::OrderState;
use crate::time::Timestamp;

/// The names that an API has for the parts of an order.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// The attribute that holds the items.
    pub items: &'static str,
    /// The attribute of an item that it is about, such as `product`.
    pub subject: &'static str,
    /// The attribute of the subject that names its specification.
    pub spec: &'static str,
    /// The attribute of the subject that holds its characteristics.
    pub characteristics: &'static str,
    /// The attribute of the subject that is its state; `None` if it follows from the work.
    pub state: Option<&'static str>,
    /// The attribute of an item that holds its relations to others.
    pub relations: &'static str,
    /// The attributes of the subject that are its start and its end.
    pub dates: (&'static str, &'static str),
    /// Whether a document is an order, and not a question about one: items of an order have ids and
    /// actions, and its dates and relations are read.
    pub is_order: bool,
    /// Whether each item names its subject.
    pub needs_subject: bool,
    /// Whether the specification may be an attribute of the item as well.
    pub has_item_spec: bool,
}

/// An order that came in.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// Its attributes as they were written.
    pub attributes: Attributes<'a>,
    /// `None` if it has no such attribute.
    pub items: Option<Vec<Item<'a>>>,
    /// The quote that all of it comes from, if it names exactly one.
    pub quote: Option<&'a str>,
    /// The id of its customer.
    pub customer: Option<&'a str>,
    /// `requestedStartDate`.
    pub start: Option<Timestamp>,
    /// `requestedCompletionDate`.
    pub completion: Option<Timestamp>,
    /// Its relations to other orders.
    pub relations: Vec<RelatedOrder<'a>>,
}

/// A relation of an order, or of one of its items, to another order.
#[derive(Clone, Debug)]
pub struct RelatedOrder<'a> {
    pub kind: &'a str,
    pub order: &'a str,
    /// The path of the attribute that names the order.
    pub path: String,
}

/// An item of an order.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// Its attributes and those of its subject, as they were written.
    pub written: Written<'a>,
    /// Its path, such as `productOrderItem[0]`.
    pub path: String,
    /// `None` in questions only.
    pub id: Option<&'a str>,
    /// `None` in questions only.
    pub action: Option<&'a str>,
    pub quantity: Option<u32>,
    /// The id of its offering.
    pub offering: Option<&'a str>,
    /// The id of the quote that it comes from.
    pub quote: Option<&'a str>,
    pub subject: Subject<'a>,
    /// Its relations to items of the same order.
    pub relations: Vec<Relation<'a>>,
    /// Its relations to items of other orders.
    pub other_orders: Vec<RelatedOrder<'a>>,
    /// The items that are nested in it.
    pub items: Vec<Item<'a>>,
}

/// The instance that an item is about.
#[derive(Clone, Debug, Default)]
pub struct Subject<'a> {
    pub path: String,
    pub id: Option<&'a str>,
    pub state: Option<&'a str>,
    /// The id of its specification.
    pub spec: Option<&'a str>,
    /// Names and values, in order.
    pub characteristics: Vec<(&'a str, &'a Value)>,
    pub place: Option<Place<'a>>,
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
}

/// A place.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    pub id: Option<&'a str>,
    /// Its own names and those of the areas that it lies in.
    pub areas: Vec<&'a str>,
}

/// A relation of an item to another one of the same order.
#[derive(Clone, Debug)]
pub struct Relation<'a> {
    pub kind: &'a str,
    /// The id of the other item.
    pub to: &'a str,
    pub path: String,
}

impl Item<'_> {
    /// Its prices. `None` if it names none.
    pub fn prices(&self) -> Result<Option<Vec<Deferred<ItemPrice>>>, Malformed> {
        const PRICES: &str = "itemPrice";
        if !self.written.item.is_list_or_none(PRICES) {
            return Err(Malformed::new(format!("{}.{PRICES}", self.path), "is an array"));
        }
        self.written.item.read(PRICES)
    }
}

/// The ids of the quotes that an order names, itself or in its items.
pub fn quotes_of(order: &Value) -> std::collections::BTreeSet<&str> {
    let order = Attributes::of(order);
    let quotes = order.entries("quote").filter_map(|quote| Attributes::of(quote).text("id"));
    let mut quotes: std::collections::BTreeSet<&str> = quotes.collect();
    let mut open = vec![order];
    while let Some(holder) = open.pop() {
        for item in holder.entries("productOrderItem").map(Attributes::of) {
            quotes.extend(item.within("quoteItem").text("quoteId"));
            open.push(item);
        }
    }
    quotes
}

crate::document! {
    /// An order without its items, as it is written. Product orders have their own names for some
    /// attributes. In `rest` are the attributes of the order that came in.
    #[derive(Default)]
    pub struct OrderHead {
        id?: String,
        href?: String,
        state?: OrderState,
        order_date?: DateTime,
        completion_date?: DateTime,
        cancellation_date?: DateTime,
        cancellation_reason?: String,
        order_relationship*: super::ordered::OrderRelationship,
        external_reference*: super::ordered::ExternalReference,
        error_message*: super::ordered::ErrorMessage,
        product_order_error_message*: super::ordered::ErrorMessage,
        milestone*: super::ordered::Milestone,
        product_order_milestone*: super::ordered::Milestone,
        jeopardy_alert*: super::ordered::JeopardyAlert,
        product_order_jeopardy_alert*: super::ordered::JeopardyAlert,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

crate::document! {
    /// An item of a service order (TMF641) that was decomposed from another order.
    pub struct ServiceOrderItem {
        id: String,
        action: String,
        state: OrderState,
        quantity: u32,
        service: super::service::Service,
        service_order_item_relationship: Vec<super::ordered::ItemRelationship>,
        error_message*: super::ordered::ErrorMessage,
        #[serde(rename = "@type")]
        kind: String,
    }
}

crate::document! {
    /// An item of a resource order (TMF652) that was decomposed from another order.
    pub struct ResourceOrderItem {
        id: String,
        action: String,
        state: OrderState,
        quantity: u32,
        resource: super::resource::Resource,
        order_item_relationship: Vec<super::ordered::ItemRelationship>,
        error_message*: super::ordered::ErrorMessage,
        #[serde(rename = "@type")]
        kind: String,
    }
}
