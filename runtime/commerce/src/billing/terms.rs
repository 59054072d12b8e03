//! The terms of all charges of a product: when bills are cut, and the taxes.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::cycle::Cycle;
use model::id::SpecId;
use model::pricing::amount::Rounding;
use model::pricing::product_price::ProductPrice;
use model::pricing::tax::AppliedTax;
use model::rulebook::Rulebook;
use tmf::document::product::Product;
use tmf::document::{Deferred, Reference};
use tmf::money::{Money, TAX_CATEGORY, Tax};
use tmf::zone::Zone;

/// The terms of all charges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// When bills are cut.
    pub cycle: Cycle,
    /// The tax on a price that neither names its own nor is listed in `taxes`.
    pub tax: Tax,
    /// The taxes that the catalog names, by the id of the price.
    pub taxes: BTreeMap<String, Vec<Tax>>,
    /// The direction in which ties are rounded.
    pub rounding: Rounding,
    /// The zone of days.
    pub zone: Zone,
}

impl Default for Terms {
    /// Monthly on the first; no tax except those that prices name.
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
    /// The terms without a product: the tax is the operator's own.
    pub fn general(rulebook: &Rulebook, cycle: Cycle) -> Self {
        let usual = Self::default();
        let tax = rulebook.usual_tax().cloned().unwrap_or(usual.tax);
        Self { cycle, tax, zone: rulebook.zone(), ..usual }
    }

    /// The terms of a product: as quotes of its offering have them. A tax that changes in the
    /// catalog counts from the next charge on.
    pub fn of_product(product: &Product, rulebook: &Rulebook, cycle: Cycle) -> Self {
        fn id(reference: Option<&Reference>) -> Option<&str> {
            reference.and_then(|reference| reference.id.as_deref())
        }
        let mut terms = Self::general(rulebook, cycle);
        let offering = id(product.product_offering.as_ref());
        if let Some(tax) = offering.and_then(|offering| rulebook.tax(&SpecId::new(offering))) {
            terms.tax = tax;
        }
        let catalog = rulebook.catalog();
        for price in product.product_price.iter().filter_map(Deferred::ok) {
            let Some(id) = id(price.product_offering_price.as_ref()) else { continue };
            let taxes = catalog.prices.get(id).map_or(&[][..], |price| price.taxes.as_slice());
            if !taxes.is_empty() {
                terms.taxes.insert(id.to_owned(), taxes.to_vec());
            }
        }
        terms
    }

    /// The taxes on a price: its own, else those of the catalog, else the usual one. A rate without
    /// a category is of the category that is known.
    pub fn taxes_on(&self, price: &ProductPrice) -> Vec<Tax> {
        let known = self.taxes_of(&price.id);
        if price.taxes.is_empty() {
            return known.to_vec();
        }
        let usual = match known {
            [one] => &one.category,
            _ => &self.tax.category,
        };
        let named = |tax: &Tax| {
            let category = if tax.category.is_empty() { usual } else { &tax.category };
            Tax { category: category.clone(), rate: tax.rate }
        };
        price.taxes.iter().map(named).collect()
    }

    /// An amount of a price as it is charged: before tax, and the taxes. An amount that includes tax is
    /// rounded with it, and the tax is the difference.
    pub(super) fn charged(
        &self,
        price: &ProductPrice,
        amount: Decimal,
    ) -> (Money, Vec<AppliedTax>) {
        let (taxes, rounding) = (self.taxes_on(price), self.rounding);
        let rounded = rounding.of(amount, price.amount.currency);
        if price.includes_tax {
            return AppliedTax::within(&rounded, &taxes, rounding);
        }
        let applied = AppliedTax::on(&rounded, &taxes, rounding);
        (rounded, applied)
    }

    /// The taxes that a price of the catalog bears.
    fn taxes_of(&self, price: &str) -> &[Tax] {
        self.taxes.get(price).map_or_else(|| std::slice::from_ref(&self.tax), Vec::as_slice)
    }
}
