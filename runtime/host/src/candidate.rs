//! A version that only some new orders use, until it is promoted or aborted. Which ones is decided by the
//! order alone, so each gets the same version however often it is planned.

use std::collections::BTreeSet;

use model::{Digest, PluginId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::provenance::Moment;

/// Max share, in percent.
pub const SHARE_MAX: u8 = 100;

/// Max customers that are named.
pub const CUSTOMERS_MAX: usize = 1_000;

/// The new orders that use a candidate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trial {
    /// The share of new orders, in percent, by a hash of their id.
    pub share: u8,
    /// The customers all of whose new orders use it, by their ids.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub customers: BTreeSet<String>,
}

/// A version on trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// Its digest.
    pub digest: Digest,
    /// The orders that use it.
    pub trial: Trial,
    /// Since when.
    pub since: Moment,
}

/// What the choice of a version depends on.
#[derive(Clone, Copy, Debug)]
pub struct Chooser<'a> {
    /// The id of the order or run.
    pub order: &'a str,
    /// The id of its customer.
    pub customer: Option<&'a str>,
}

impl Trial {
    /// Whether an order uses the candidate of a plugin.
    pub(crate) fn takes(&self, id: &PluginId, chooser: Chooser<'_>) -> bool {
        chooser.customer.is_some_and(|customer| self.customers.contains(customer))
            || percent(id, chooser.order) < u64::from(self.share)
    }
}

/// A number from 0 to 99 that an order has for a plugin: two plugins on trial get different orders.
fn percent(id: &PluginId, order: &str) -> u64 {
    let hash = Sha256::digest(format!("{id}/{order}"));
    let number = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    number % u64::from(SHARE_MAX)
}

#[cfg(test)]
mod tests;
