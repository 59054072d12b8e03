//! `[catalog]`, `[inventory]` and `[references]` of `ferrule.toml`: how strictly documents are checked.

use serde::Deserialize;

use crate::settings::{References as Check, Strict, Strictness};

/// How strictly catalogs are checked.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Catalog {
    /// Whether an offering that cannot be delivered can be launched by a change of its status.
    pub launch: Strict,
    /// Whether a change may make an orderable entity unusable.
    pub changes: Strict,
    /// Whether a price that cannot be billed is refused; if not, it cannot be sold.
    pub prices: Strict,
    /// Whether a pattern that cannot be compiled is refused; if not, its entity cannot be ordered.
    pub patterns: Strict,
}

/// How strictly inventories are checked.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Inventory {
    /// Whether a price of a product that cannot be billed is refused; if not, bill runs skip
    /// and report it.
    pub prices: Strict,
}

/// How strictly references are checked.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct References {
    /// Which references must lead to a document of this server.
    pub check: Check,
}

impl Default for Catalog {
    fn default() -> Self {
        let Strictness { launch, changes, offering_prices, patterns, .. } = Strictness::default();
        Self { launch, changes, prices: offering_prices, patterns }
    }
}

impl Default for Inventory {
    fn default() -> Self {
        Self { prices: Strictness::default().product_prices }
    }
}

impl super::Config {
    pub(super) fn strictness(&self) -> Strictness {
        let Catalog { launch, changes, prices: offering_prices, patterns } = self.catalog;
        let (product_prices, references) = (self.inventory.prices, self.references.check);
        Strictness { launch, changes, offering_prices, patterns, product_prices, references }
    }
}
