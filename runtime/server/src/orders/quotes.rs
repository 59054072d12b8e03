//! The quotes that orders are of: each is ordered once, at the prices that were quoted.

use commerce::cpq::{is_from_elsewhere, quote_path, unbacked};
use engine::documents::Document;
use engine::keys;
use model::FulfilmentId;
use serde_json::Value;
use tmf::document::order_request::ProductOrderRequest;
use tmf::document::quote::Quote;
use tmf::document::read;

use super::{Orders, Requested, SubmitError};
use crate::access::Reader;
use crate::documents::Session;

/// Max orders of one quote that are read: all but one of them were rejected, cancelled or failed.
const ORDERS_MAX: usize = 1_000;

/// The attributes of an order that name a quote.
const PATHS: [&str; 2] = ["quote.id", "productOrderItem.quoteItem.quoteId"];

impl Orders {
    /// Checks that the quotes of an order are not ordered yet: their prices were agreed once. Orders
    /// that were rejected, cancelled or failed do not count. The commit of an order records its quote;
    /// orders that were imported are found by their documents.
    pub(super) async fn check_ordered_once(
        &self,
        requested: &Requested,
    ) -> Result<(), SubmitError> {
        for quote in requested.quotes() {
            let id = quote.to_owned();
            let document = self.documents.read(move |session| session.document("quote", &id));
            let is_hidden = |quote: &Document| !requested.reader.sees("quote", &quote.body);
            if document.await?.as_ref().is_some_and(is_hidden) {
                return Err(unknown(quote_path(&order_in(requested)?, quote), quote));
            }
            let key = keys::quote(quote);
            let first = self.documents.read(move |session| session.get(&key)).await?;
            if let Some(first) = first {
                let first = FulfilmentId::new(String::from_utf8_lossy(&first));
                // The journal has the state of an ended order, even if its document was removed. If
                // the journal was removed too, the order may have succeeded.
                let order = self.engine().get(&first).await?;
                if order.is_none_or(|order| counts(order.order_state().as_str())) {
                    return Err(self.ordered_before(&requested.reader, quote, &first).await?);
                }
            }
            let id = quote.to_owned();
            let order = self.documents.read(move |session| order_of(session, &id)).await?;
            if let Some(order) = order {
                return Err(self.ordered_before(&requested.reader, quote, &order).await?);
            }
        }
        Ok(())
    }

    /// Why a quote is not ordered again. An order that the client may not see is not named.
    pub(super) async fn ordered_before(
        &self,
        reader: &Reader,
        quote: &str,
        order: &FulfilmentId,
    ) -> Result<SubmitError, SubmitError> {
        let id = order.to_string();
        let found = self.documents.read(move |session| session.document("productOrder", &id));
        let is_seen = reader.is_all() || reader.seen("productOrder", found.await?).is_some();
        let mut message = format!("`{quote}` is ordered already");
        if is_seen {
            message = format!("{message}: see the productOrder `{order}`");
        }
        Ok(SubmitError::Reference { path: "quote".into(), message })
    }
}

/// An order of a quote that counts, by the documents of orders.
fn order_of(session: &Session, quote: &str) -> Result<Option<FulfilmentId>, SubmitError> {
    for path in PATHS {
        let orders = session.documents_by("productOrder", path, quote, ORDERS_MAX)?;
        let state = |order: &Document| order.body.get("state").and_then(Value::as_str).map(counts);
        if let Some(order) = orders.iter().find(|order| state(order).unwrap_or(true)) {
            let id = order.body.get("id").and_then(Value::as_str).unwrap_or_default();
            return Ok(Some(FulfilmentId::new(id)));
        }
    }
    Ok(None)
}

/// Whether an order in a state succeeded, or may yet.
fn counts(state: &str) -> bool {
    !["rejected", "cancelled", "failed"].contains(&state)
}

fn unknown(path: String, quote: &str) -> SubmitError {
    let message = format!(
        "there is no quote `{quote}` here, and the order tells neither its prices (`itemPrice`) nor \
         where it is (`href`)"
    );
    SubmitError::Reference { path, message }
}

fn order_in(requested: &Requested) -> Result<ProductOrderRequest, SubmitError> {
    read(&requested.document).map_err(|wrong| SubmitError::Reference {
        path: wrong.attribute,
        message: wrong.problem.into(),
    })
}

/// Validates an order against its quote: it has the prices that were quoted.
pub(super) fn check(session: &Session, requested: &Requested) -> Result<(), SubmitError> {
    let quotes = requested.quotes();
    if quotes.is_empty() {
        return Ok(());
    }
    let order = order_in(requested)?;
    let wrong = |path: String, message: String| SubmitError::Reference { path, message };
    if let Some(second) = quotes.iter().nth(1) {
        let message = "an order is of at most one quote";
        return Err(wrong(quote_path(&order, second), message.into()));
    }
    for id in quotes {
        let quote = requested.reader.seen("quote", session.document("quote", id)?);
        let Some(quote) = quote else {
            // An order of a quote of another system has the prices itself.
            if is_from_elsewhere(&order, id) {
                continue;
            }
            return Err(unknown(quote_path(&order, id), id));
        };
        let quote: Quote = read(&quote.body).map_err(|error| {
            wrong(quote_path(&order, id), format!("the quote `{id}` cannot be read: {error}"))
        })?;
        let unbacked = unbacked(&order, &quote);
        if !unbacked.is_empty() {
            return Err(wrong("quote".into(), unbacked.join("; ")));
        }
    }
    Ok(())
}
