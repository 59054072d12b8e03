//! What the inventories hold.

use serde_json::Value;

use crate::Failure;
use crate::bindings::step::ferrule::plugin::inventory;

/// Which document to read.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// `product`, `service`, `customer` or another resource of the APIs.
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
    read(&document, key.kind).map(Some)
}

/// Which documents to find.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// What they are, as in [`Key`].
    pub kind: &'a str,
    /// The dotted path of an attribute, such as `relatedParty.id`.
    pub attribute: &'a str,
    /// The value that it has.
    pub value: &'a str,
}

/// The documents as last committed, those with the latest ids first, a hundred at the most. Fails
/// with `NOT_GRANTED` for a kind that was not granted, and with `NOT_INDEXED` for an attribute by
/// which they are not found.
pub fn find(query: Query<'_>) -> Result<Vec<Value>, Failure> {
    let found = inventory::find(query.kind, query.attribute, query.value)?;
    found.iter().map(|document| read(document, query.kind)).collect()
}

fn read(document: &str, kind: &str) -> Result<Value, Failure> {
    serde_json::from_str(document).map_err(|cause| {
        let message = format!("a {kind} in the inventory is no JSON: {cause}");
        Failure::person("INVENTORY_DOCUMENT", message)
    })
}
