//! TMF648: quotes.

use super::item::item;
use super::item_price::ItemPrice;
use super::{DateTime, Reference, TimePeriod};
use crate::table::QuoteState;

crate::document! {
    /// A quote.
    pub struct Quote {
        id?: String,
        href?: String,
        version?: String,
        state?: QuoteState,
        quote_date?: DateTime,
        effective_quote_completion_date?: DateTime,
        valid_for?: TimePeriod,
        instant_sync_quote?: bool,
        quote_item*: QuoteItem,
        #[serde(default, deserialize_with = "super::list")]
        quote_total_price: Vec<ItemPrice>,
        authorization*: Authorization,
        billing_account*: Reference,
        quote_relationship*: QuoteRelationship,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

item! {
    /// An item of a quote.
    QuoteItem(product: WantedProduct, quote_item_relationship, quote_item) {
        state?: String,
        quote_item_price?: Vec<ItemPrice>,
    }
}

crate::document! {
    /// The approval of a quote by a person.
    pub struct Authorization {
        state?: String,
        approver*: Reference,
    }
}

impl Authorization {
    /// Whether a person is named who approved.
    pub fn is_granted(&self) -> bool {
        let state = self.state.as_deref().unwrap_or_default();
        let is_approved =
            ["approved", "validated"].iter().any(|granted| state.eq_ignore_ascii_case(granted));
        let is_named = |person: &Reference| {
            let name = person.id.as_ref().or(person.name.as_ref());
            name.is_some_and(|name| !name.is_empty())
        };
        is_approved && self.approver.iter().any(is_named)
    }
}

crate::document! {
    /// The relation of a quote to another version of it.
    pub struct QuoteRelationship {
        relationship_type?: String,
        id?: String,
        href?: String,
        version?: String,
        #[serde(rename = "@referredType")]
        referred_type?: String,
    }
}

impl QuoteRelationship {
    /// The relation to a version.
    pub fn to(quote: &Quote, relationship_type: &str) -> Self {
        Self {
            relationship_type: Some(relationship_type.into()),
            id: quote.id.clone(),
            href: quote.href.clone(),
            version: quote.version.clone(),
            referred_type: Some("Quote".into()),
            rest: super::Rest::new(),
        }
    }
}

impl QuoteState {
    /// The state of the items of a quote: they are not accepted one by one.
    pub fn of_item(self) -> &'static str {
        match self {
            Self::Acknowledged | Self::InProgress => "inProgress",
            Self::Pending => "pending",
            Self::Approved | Self::Accepted => "approved",
            Self::Rejected | Self::Declined | Self::Cancelled => "rejected",
        }
    }
}
