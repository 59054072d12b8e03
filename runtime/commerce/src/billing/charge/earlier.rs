//! The earlier charges of a product for days, and the parts of them that are still owed.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::billing::left::Left;
use crate::billing::spans::{Span, owed};
use model::pricing::rate::{Rate, RateKind};
use tmf::day::Days;

/// A charge for days, before and after the part that is not owed is refunded.
pub(super) struct Earlier<'a> {
    pub(super) charge: &'a Rate,
    /// The days that are owed.
    pub(super) stands: Vec<Days>,
    /// The days that are to be refunded.
    pub(super) unowed: Vec<Days>,
    /// The amounts that are left of it.
    pub(super) left: Left,
    /// How often these were rounded.
    pub(super) roundings: u32,
}

impl<'a> Earlier<'a> {
    /// The charges for days among the rates of a product.
    pub(super) fn all(rates: &[&'a Rate], spans: &[Span], charged: &[Days]) -> Vec<Self> {
        let mut credits: BTreeMap<&str, Vec<&Rate>> = BTreeMap::new();
        for credit in rates {
            if let Some(id) = &credit.credits {
                credits.entry(id).or_default().push(credit);
            }
        }
        let charges = rates.iter().filter(|rate| rate.kind == RateKind::Recurring);
        let earlier = charges.map(|charge| {
            let credits = credits.get(charge.id.as_str()).map_or(&[][..], Vec::as_slice);
            let kept = without(charge, credits);
            let owed = owed(charge, spans, charged);
            Self {
                stands: kept
                    .iter()
                    .flat_map(|days| owed.iter().filter_map(|owed| days.common(*owed)))
                    .collect(),
                unowed: kept.iter().flat_map(|days| days.without(&owed)).collect(),
                left: credits.iter().fold(Left::of(charge), |left, credit| left.after(credit)),
                roundings: u32::try_from(credits.len()).unwrap_or(u32::MAX).saturating_add(1),
                charge,
            }
        });
        earlier.collect()
    }

    /// The amount that is left of it with tax.
    pub(super) fn gross(&self) -> Decimal {
        self.left.net.amount + self.left.taxes.iter().map(|tax| tax.amount).sum::<Decimal>()
    }

    /// Notes a credit of it.
    pub(super) fn note(&mut self, credit: &Rate) {
        self.left.add(credit);
        self.roundings = self.roundings.saturating_add(1);
    }
}

/// The days of a charge that were not refunded.
pub(super) fn without(charge: &Rate, credits: &[&Rate]) -> Vec<Days> {
    let given_back: Vec<Days> = credits.iter().filter_map(|credit| credit.covers).collect();
    charge.covers.map(|days| days.without(&given_back)).unwrap_or_default()
}
