//! The quotes that an order is about.

use std::collections::BTreeSet;

use serde_json::Value;

/// The quotes that an order names, itself or in its items.
pub fn quotes_of(order: &Value) -> BTreeSet<&str> {
    let mut quotes = BTreeSet::new();
    let named = order.get("quote").and_then(Value::as_array).into_iter().flatten();
    quotes.extend(named.filter_map(|quote| quote.get("id")?.as_str()));
    let mut open = vec![order];
    while let Some(holder) = open.pop() {
        let items = holder.get("productOrderItem").and_then(Value::as_array);
        for item in items.into_iter().flatten() {
            quotes.extend(item.get("quoteItem").and_then(|item| item.get("quoteId")?.as_str()));
            open.push(item);
        }
    }
    quotes
}
