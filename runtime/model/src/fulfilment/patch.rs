//! Attributes of an order that nothing is decided by, and that may change at any time: notes,
//! descriptions, parties. Steps read the order as it came, so an attempt that is made again is the
//! same whatever was changed meanwhile; the order's documents show the change.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::Fulfilment;
use crate::bounds::depth;
use crate::journal::{Event, Kind};
use crate::resource::patch::merge;

/// What follows from a fulfilment's life alone, or decides it.
const FIXED: &[&str] = &[
    "id",
    "href",
    "state",
    "orderDate",
    "completionDate",
    "cancellationDate",
    "cancellationReason",
    "productOrderItem",
    "serviceOrderItem",
    "orderItem",
    "errorMessage",
    "productOrderErrorMessage",
    "jeopardyAlert",
    "productOrderJeopardyAlert",
    "milestone",
    "productOrderMilestone",
];

/// Levels of arrays and objects in a patch, as in any document that comes in.
const PATCH_LEVELS_MAX: usize = 64;

/// Why a patch is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// It would change what may not change.
    #[error("`{0}` cannot be changed by a patch")]
    Fixed(String),
    /// It is about an order that follows from another.
    #[error("this order follows from a `{0}` of the same id: change that one")]
    NotRoot(&'static str),
    /// It nests too deep to be kept.
    #[error("objects and arrays may nest {PATCH_LEVELS_MAX} deep")]
    TooDeep,
    /// It is about a run, which has no attributes.
    #[error("a run of a workflow has no attributes to change")]
    Run,
}

impl Fulfilment {
    /// What follows from a patch of one of its orders.
    pub fn patched(
        &self,
        resource: &str,
        patch: Map<String, Value>,
    ) -> Result<Vec<Event>, PatchError> {
        let Some(root) = self.root_resource() else {
            return Err(PatchError::Run);
        };
        if resource != root {
            return Err(PatchError::NotRoot(root));
        }
        if let Some(fixed) = patch.keys().find(|name| FIXED.contains(&name.as_str())) {
            return Err(PatchError::Fixed(fixed.clone()));
        }
        if patch.values().any(|value| depth(value) >= PATCH_LEVELS_MAX) {
            return Err(PatchError::TooDeep);
        }
        Ok(if patch.is_empty() { Vec::new() } else { vec![Event::Patched { patch }] })
    }

    /// The order that came in with what was changed of it since.
    pub(crate) fn shown(&self) -> Cow<'_, Value> {
        if self.changed.is_empty() || matches!(self.kind, Kind::Run { .. }) {
            return Cow::Borrowed(&self.document);
        }
        let mut document = (*self.document).clone();
        if let Some(fields) = document.as_object_mut() {
            for (name, value) in &self.changed {
                if value.is_null() {
                    fields.remove(name);
                } else {
                    fields.insert(name.clone(), value.clone());
                }
            }
        }
        Cow::Owned(document)
    }

    /// Follows a patch: what each attribute of it is now, `null` where it is no more.
    pub(super) fn follow(&mut self, patch: &Map<String, Value>) {
        for (name, value) in patch {
            let own = self.changed.get(name).or_else(|| self.document.get(name));
            let mut now = own.cloned().unwrap_or_default();
            merge(&mut now, value);
            self.changed.insert(name.clone(), now);
        }
    }
}
