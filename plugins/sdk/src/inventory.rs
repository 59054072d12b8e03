//! What the inventories hold.

use serde_json::Value;

use crate::Failure;
use crate::bindings::step::ferrule::plugin::inventory;

/// Which document to read.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// `product`, `service` or `resource`.
    pub kind: &'a str,
    /// The id of the document.
    pub id: &'a str,
}

/// The document as last committed; nothing where there is none. Fails with `NOT_GRANTED` for a
/// kind that was not granted.
pub fn get(key: Key<'_>) -> Result<Option<Value>, Failure> {
    let Some(document) = inventory::get(key.kind, key.id)? else {
        return Ok(None);
    };
    serde_json::from_str(&document).map(Some).map_err(|cause| {
        let message = format!("{} `{}` in the inventory is no JSON: {cause}", key.kind, key.id);
        Failure::person("INVENTORY_DOCUMENT", message)
    })
}
