//! What applies to all charges of a product alike: when bills are cut, and what tax there is.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use super::amount::Rounding;
use super::cycle::Cycle;
use super::price::ProductPrice;
use super::zone::Zone;
use crate::id::SpecId;
use crate::money::{TAX_CATEGORY, Tax};
use crate::rulebook::Rulebook;

/// What applies to all charges alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// When bills are cut.
    pub cycle: Cycle,
    /// The tax on a price that neither says its own nor is listed in `taxes`.
    pub tax: Tax,
    /// The taxes that the catalog names, by the id of the price.
    pub taxes: BTreeMap<String, Tax>,
    /// Which way ties go.
    pub rounding: Rounding,
    /// The zone of days.
    pub zone: Zone,
}

impl Default for Terms {
    /// Monthly on the first; no tax but what prices say.
    fn default() -> Self {
        Self {
            cycle: Cycle::default(),
            tax: Tax { rate: Decimal::ZERO, category: TAX_CATEGORY.into() },
            taxes: BTreeMap::new(),
            rounding: Rounding::default(),
            zone: Zone::default(),
        }
    }
}

impl Terms {
    /// The terms of nothing in particular: the tax is the operator's own.
    pub fn general(rulebook: &Rulebook, cycle: Cycle) -> Self {
        let usual = Self::default();
        let tax = rulebook.usual_tax().cloned().unwrap_or(usual.tax);
        Self { cycle, tax, zone: rulebook.zone(), ..usual }
    }

    /// The terms of a product: as quotes of its offering have them. A tax that changes in the
    /// catalog counts from the next charge on.
    pub fn of_product(product: &Value, rulebook: &Rulebook, cycle: Cycle) -> Self {
        let general = Self::general(rulebook, cycle);
        let offering = product.pointer("/productOffering/id").and_then(Value::as_str);
        let tax = offering.and_then(|offering| rulebook.tax(&SpecId::new(offering)));
        let prices = product.get("productPrice").and_then(Value::as_array).into_iter().flatten();
        let ids = prices
            .filter_map(|price| price.pointer("/productOfferingPrice/id").and_then(Value::as_str));
        let catalog = rulebook.catalog();
        let taxes = ids.filter_map(|id| Some((id.to_owned(), catalog.prices.get(id)?.tax()?)));
        Self { tax: tax.unwrap_or_else(|| general.tax.clone()), taxes: taxes.collect(), ..general }
    }

    /// The tax on a price: its own, else that of the catalog, else the usual one.
    pub fn tax_on(&self, price: &ProductPrice) -> Tax {
        let known = self.tax_of(&price.id);
        Tax { rate: price.tax_rate.unwrap_or(known.rate), category: known.category.clone() }
    }

    /// The tax that a price of the catalog bears.
    pub(super) fn tax_of(&self, price: &str) -> &Tax {
        self.taxes.get(price).unwrap_or(&self.tax)
    }
}
