//! Orders that are made from quotes and questions, and the quotes that an order names.

use super::item::item;
use super::item_price::ItemPrice;
use super::{Deferred, Reference, Rest};

crate::document! {
    /// A product order (TMF622) with the prices of its quote.
    #[derive(Default)]
    pub struct ProductOrderRequest {
        quote*: Reference,
        product_order_item*: ProductOrderRequestItem,
        order_total_price?: Vec<Deferred<ItemPrice>>,
        billing_account?: Reference,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

item! {
    /// An item of a product order.
    ProductOrderRequestItem(product: WantedProduct, product_order_item_relationship, product_order_item) {
        /// A price that cannot be read is kept as the client wrote it.
        item_price?: Vec<Deferred<ItemPrice>>,
        item_total_price?: Vec<Deferred<ItemPrice>>,
        quote_item?: QuoteItemRef,
    }
}

crate::document! {
    /// A service order (TMF641).
    #[derive(Default)]
    pub struct ServiceOrderRequest {
        service_order_item*: ServiceOrderRequestItem,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

item! {
    /// An item of a service order.
    ServiceOrderRequestItem(service: WantedService, service_order_item_relationship, service_order_item) {}
}

crate::document! {
    /// A reference to an item of a quote.
    #[derive(Eq)]
    pub struct QuoteItemRef {
        id?: String,
        quote_id?: String,
        quote_href?: String,
        #[serde(rename = "@referredType")]
        referred_type?: String,
    }
}

impl QuoteItemRef {
    /// A reference to an item of a quote.
    pub fn to(quote: &Reference, item: &str) -> Self {
        Self {
            id: Some(item.into()),
            quote_id: quote.id.clone(),
            quote_href: quote.href.clone(),
            referred_type: Some("QuoteItem".into()),
            rest: Rest::new(),
        }
    }
}

/// The attributes that quotes and questions have in common with orders.
const CARRIED: [&str; 7] = [
    "relatedParty",
    "agreement",
    "note",
    "category",
    "description",
    "externalId",
    "productOfferingQualification",
];

/// The attributes of an order that are those of a quote or a question.
pub fn carried(rest: &Rest) -> Rest {
    let named = CARRIED.into_iter().map(|name| (name, name));
    // The name of a quote for the date on which its order begins.
    let renamed = [("expectedFulfillmentStartDate", "requestedStartDate")];
    let values = named.chain(renamed).filter_map(|(from, to)| Some((to, rest.get(from)?)));
    values.map(|(name, value)| (name.into(), value.clone())).collect()
}
