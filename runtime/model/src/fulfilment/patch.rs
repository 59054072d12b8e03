//! Attributes of an order that may change at any time: those that nothing is decided by, such as notes
//! and descriptions, and those that are acted on when the order completes, such as who pays. Steps read
//! the order as it came, so an attempt that is made again is the same whatever was changed meanwhile;
//! the order's documents show the change.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::Fulfilment;
use crate::bounds::depth;
use crate::journal::{Event, Kind};
use tmf::patch::merge;
use tmf::time::Timestamp;

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

/// The attributes that the plan of an order depends on: a new value would have no effect.
const DECIDED: &[&str] =
    &["orderRelationship", "quote", "requestedInitialState", "requestedStartDate"];

/// The attributes that are read when they are needed: the payer and the parties of products, and when
/// the order is late.
#[cfg(test)]
const FOLLOWED: &[&str] = &["billingAccount", "relatedParty", COMPLETION];

const COMPLETION: &str = "requestedCompletionDate";

/// Levels of arrays and objects in a patch, as in any document that comes in.
const PATCH_LEVELS_MAX: usize = 64;

/// Why a patch is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// It would change what may not change.
    #[error("`{0}` cannot be changed by a patch")]
    Fixed(String),
    /// It would change what the plan was decided by.
    #[error(
        "`{0}` has decided the plan of this order: cancel the order, and send it anew with another"
    )]
    Decided(String),
    /// It wants the order complete before it begins.
    #[error("`{wanted}` is before `requestedStartDate`, `{start}`: name a later date")]
    TooEarly {
        /// The date on which the order is wanted complete.
        wanted: Timestamp,
        /// The date on which it begins.
        start: Timestamp,
    },
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

/// Whether a patch may change an attribute of an open order. Its state and the reason for that ask to
/// have it cancelled.
pub fn may_change(name: &str) -> bool {
    let asks = ["state", "cancellationReason"].contains(&name);
    asks || !(FIXED.contains(&name) || DECIDED.contains(&name))
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
        if let Some(decided) = patch.keys().find(|name| DECIDED.contains(&name.as_str())) {
            return Err(PatchError::Decided(decided.clone()));
        }
        let date = |value: Option<&Value>| Timestamp::parse(value?.as_str()?);
        let start = date(self.document.get("requestedStartDate"));
        if let (Some(wanted), Some(start)) = (date(patch.get(COMPLETION)), start)
            && wanted < start
        {
            return Err(PatchError::TooEarly { wanted, start });
        }
        if patch.values().any(|value| depth(value) >= PATCH_LEVELS_MAX) {
            return Err(PatchError::TooDeep);
        }
        Ok(if patch.is_empty() { Vec::new() } else { vec![Event::Patched { patch }] })
    }

    /// An attribute at the top of the order, as it is now.
    pub(crate) fn top(&self, name: &str) -> Option<&Value> {
        let value = self.changed.get(name).or_else(|| self.document.get(name));
        value.filter(|value| !value.is_null())
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

    /// Follows a patch: the new value of each attribute, `null` if it was removed.
    pub(super) fn follow(&mut self, patch: &Map<String, Value>) {
        for (name, value) in patch {
            let own = self.changed.get(name).or_else(|| self.document.get(name));
            let mut now = own.cloned().unwrap_or_default();
            merge(&mut now, value);
            self.changed.insert(name.clone(), now);
        }
    }
}

#[cfg(test)]
mod tests;
