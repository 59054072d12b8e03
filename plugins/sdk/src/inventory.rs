//! Reads the inventories.

use serde_json::Value;

use crate::bindings::step::ferrule::plugin::inventory;
use crate::{Failure, host};

/// Which document to read.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// `product`, `service`, `customer` or another resource of the APIs.
    pub kind: &'a str,
    /// The id of the document.
    pub id: &'a str,
}

/// The document as last committed; `None` if there is none. Fails with `NOT_GRANTED` for a
/// kind that was not granted.
pub fn get(key: Key<'_>) -> Result<Option<Value>, Failure> {
    let Some(document) = host::get(key.kind, key.id)? else {
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

/// The documents as last committed, those with the latest ids first, at most a hundred. Fails
/// with `NOT_GRANTED` for a kind that was not granted, and with `NOT_INDEXED` for an attribute that
/// the kind is not indexed by.
pub fn find(query: Query<'_>) -> Result<Vec<Value>, Failure> {
    let found = host::find(query.kind, query.attribute, query.value)?;
    found.iter().map(|document| read(document, query.kind)).collect()
}

/// A condition on documents: one of these attributes has one of these values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The dotted paths of attributes, such as `relatedParty.id`.
    pub attributes: Vec<String>,
    /// The values.
    pub values: Vec<String>,
}

impl Condition {
    /// That an attribute has this value.
    pub fn is(attribute: &str, value: &str) -> Self {
        Self::any(&[attribute], &[value])
    }

    /// That one of these attributes has one of these values.
    pub fn any(attributes: &[&str], values: &[&str]) -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).into()).collect();
        Self { attributes: texts(attributes), values: texts(values) }
    }
}

/// Which documents to search for.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// What they are, as in [`Key`].
    pub kind: &'a str,
    /// The conditions, all of which they meet.
    pub conditions: &'a [Condition],
    /// The attributes of them to read; all if it is empty.
    pub shown: &'a [&'a str],
    /// Max documents, at most a thousand.
    pub limit: u32,
}

/// The documents that meet all of some conditions, as last committed, those with the latest ids
/// first. It takes as long as the rarest condition does, however many documents meet another. Fails
/// as [`find`] does, and with `SEARCH_TOO_WIDE` if too many documents would have to be read.
pub fn search(search: Search<'_>) -> Result<Vec<Value>, Failure> {
    let Search { kind, conditions, shown, limit } = search;
    let conditions: Vec<inventory::Condition> = conditions
        .iter()
        .cloned()
        .map(|Condition { attributes, values }| inventory::Condition { attributes, values })
        .collect();
    let shown: Vec<String> = shown.iter().map(|name| (*name).into()).collect();
    let found = host::search(kind, &conditions, &shown, limit)?;
    found.iter().map(|document| read(document, kind)).collect()
}

fn read(document: &str, kind: &str) -> Result<Value, Failure> {
    serde_json::from_str(document).map_err(|cause| {
        let message = format!("a {kind} in the inventory is no JSON: {cause}");
        Failure::operator("INVENTORY_DOCUMENT", message)
    })
}
