//! The prices of an order that comes from a quote. What a client writes into `itemPrice` of any
//! other order is no more than what it expects: the catalog's prices count.

use serde_json::{Map, Value};

use super::{OrderError, Reader, malformed};
use crate::cpq::Charge;
use crate::money::Price;
use crate::plan::Action;

impl Reader<'_> {
    /// The agreed prices of an item.
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
        if entries.is_empty() {
            return Ok(None);
        }
        let mut agreed = Vec::new();
        for (position, entry) in entries.iter().enumerate() {
            let charge = Charge::of_tmf(entry).map_err(|wrong| {
                malformed(&format!("{path}[{position}].{}", wrong.at), wrong.message)
            })?;
            agreed.push(charge.billed(Some(quote)));
        }
        Ok(Some(agreed))
    }
}

/// The quote that an order names, where it names one only.
pub(super) fn quote_of(body: &Map<String, Value>) -> Option<String> {
    match body.get("quote")?.as_array()?.as_slice() {
        [quote] => quote.get("id")?.as_str().map(Into::into),
        _ => None,
    }
}
