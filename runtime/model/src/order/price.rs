//! The prices of an order that comes from a quote, made here or elsewhere. In any other order,
//! `itemPrice` is only the price that the client expects: the catalog's prices count.

use tmf::document::order::Item;

use super::{OrderError, Reader};
use crate::plan::Action;
use crate::pricing::charge::Charge;
use crate::pricing::sold::Price;

impl Reader<'_> {
    /// The agreed prices of an item. One that cannot be read is kept on the order, and reported
    /// ([`commerce::cpq::unread`]). If none can be read, the catalog's count.
    pub(super) fn agreed(
        &self,
        item: &Item<'_>,
        action: Action,
    ) -> Result<Option<Vec<Price>>, OrderError> {
        // The prices of an instance that ends, or stays as it is, do not change.
        if matches!(action, Action::Delete | Action::NoChange) {
            return Ok(None);
        }
        let Some(quote) = item.quote.or(self.document.quote) else { return Ok(None) };
        let prices = item.prices()?.unwrap_or_default();
        let charges = prices.iter().filter_map(|price| Charge::read(price.ok()?).ok());
        let agreed: Vec<Price> = charges.map(|charge| charge.billed(Some(quote))).collect();
        Ok((!agreed.is_empty()).then_some(agreed))
    }
}
