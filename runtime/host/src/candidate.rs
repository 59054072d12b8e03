//! A version that only some new orders use, or that only repeats their calls in shadow, until it is promoted
//! or aborted. Which ones is decided by the order alone, so each gets the same version however often it is
//! planned.

use std::collections::BTreeSet;

use model::{Digest, PluginId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::provenance::Moment;

/// Max share, in percent.
pub const SHARE_MAX: u8 = 100;

/// Max customers that are named.
pub const CUSTOMERS_MAX: usize = 1_000;

/// The orders that a candidate is tried with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trial {
    /// How it is tried.
    #[serde(default, skip_serializing_if = "Mode::is_live")]
    pub mode: Mode,
    /// The share of orders, in percent, by a hash of their id.
    pub share: u8,
    /// The customers all of whose orders take part, by their ids.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub customers: BTreeSet<String>,
}

/// How a candidate is tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// New orders use it.
    #[default]
    Live,
    /// No order uses it: it repeats calls of the version in use, without effects, and is compared.
    Shadow,
}

/// Whether an order takes part in a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lot {
    /// It does.
    Drawn,
    /// It does if it is of a customer that is named.
    ByCustomer,
    /// It does not.
    NotDrawn,
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

impl Mode {
    fn is_live(&self) -> bool {
        *self == Self::Live
    }
}

impl Trial {
    /// Whether an order uses the candidate of a plugin.
    pub(crate) fn takes(&self, id: &PluginId, chooser: Chooser<'_>) -> bool {
        self.mode == Mode::Live
            && match self.lot(id, chooser.order) {
                Lot::Drawn => true,
                Lot::ByCustomer => chooser.customer.is_some_and(|one| self.customers.contains(one)),
                Lot::NotDrawn => false,
            }
    }

    /// Whether an order takes part, as far as its id tells.
    pub(crate) fn lot(&self, id: &PluginId, order: &str) -> Lot {
        match percent(id, order) < u64::from(self.share) {
            true => Lot::Drawn,
            false if self.customers.is_empty() => Lot::NotDrawn,
            false => Lot::ByCustomer,
        }
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
