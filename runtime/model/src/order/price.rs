//! The prices of an order that comes from a quote, made here or elsewhere. What a client writes into
//! `itemPrice` of any other order is no more than what it expects: the catalog's prices count.

use serde_json::{Map, Value};

use super::{OrderError, Reader, malformed};
use crate::plan::Action;
use crate::pricing::charge::Charge;
use crate::pricing::sold::Price;
use tmf::document;

impl Reader<'_> {
    /// The agreed prices of an item. One that cannot be read is kept on the order, and told
    /// ([`commerce::cpq::unread`]); if none can be read, the catalog's count.
    pub(super) fn agreed(
        &self,
        body: &Map<String, Value>,
        path: &str,
        action: Action,
    ) -> Result<Option<Vec<Price>>, OrderError> {
        // The prices of what ends, or stays as it is, do not change.
        if matches!(action, Action::Delete | Action::NoChange) {
            return Ok(None);
        }
        let own = body.get("quoteItem").and_then(|item| item.get("quoteId")?.as_str());
        let Some(quote) = own.or(self.quote.as_deref()) else {
            return Ok(None);
        };
        let path = format!("{path}.itemPrice");
        let entries = match body.get("itemPrice") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(entries)) => entries,
            Some(_) => return Err(malformed(&path, "is an array")),
        };
        let read = entries
            .iter()
            .filter_map(|entry| document::read(entry).and_then(|entry| Charge::read(&entry)).ok());
        let agreed: Vec<Price> = read.map(|charge| charge.billed(Some(quote))).collect();
        Ok((!agreed.is_empty()).then_some(agreed))
    }
}

/// The quote that an order names, where it names one only.
pub(super) fn quote_of(body: &Map<String, Value>) -> Option<String> {
    match body.get("quote")?.as_array()?.as_slice() {
        [quote] => quote.get("id")?.as_str().map(Into::into),
        _ => None,
    }
}
