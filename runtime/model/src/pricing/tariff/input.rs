//! The input of a rater plugin for one usage.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::{Band, Measure, Tariff, Tier};
use crate::pricing::product_price::{AlterationKey, ProductPrice};
use tmf::money::Currency;

/// The input of a rater: one price, with the usage and the tariff as attributes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RatingInput<'a> {
    prices: [RatedPrice<'a>; 1],
    quantity: u32,
    start: String,
    bill_day: u32,
    tax_rate: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct RatedPrice<'a> {
    id: &'a str,
    name: &'a str,
    kind: &'static str,
    amount: RatedAmount,
    attributes: BTreeMap<&'static str, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct RatedAmount {
    currency: Currency,
    amount: String,
}

impl Tariff {
    /// The input of a rater for some usage, whose taxes are `tax` per cent together. The alterations
    /// that apply change the price of a unit, in each tier.
    pub fn rating_input<'a>(
        &self,
        price: &'a ProductPrice,
        altered_by: &[AlterationKey],
        tax: Decimal,
        measure: &Measure,
    ) -> RatingInput<'a> {
        let altered = |listed: Decimal| {
            let applies = |key: &AlterationKey| altered_by.contains(key);
            let (amount, _) = price.altered_from(listed, |alteration| applies(&alteration.key));
            amount.max(Decimal::ZERO)
        };
        let tier = |tier: &Tier| Tier { up_to: tier.up_to, price: altered(tier.price) };
        let tiers: Vec<Tier> = self.tiers.iter().map(tier).collect();
        let price = RatedPrice {
            id: &price.id,
            name: &price.name,
            kind: "usage",
            amount: RatedAmount {
                currency: price.amount.currency,
                amount: written(altered(price.amount.amount)),
            },
            attributes: self.attributes(measure, &tiers),
        };
        RatingInput {
            prices: [price],
            quantity: 1,
            start: measure.zone.day_of(measure.at).to_string(),
            bill_day: 0,
            tax_rate: tax.to_string(),
        }
    }

    pub(super) fn attributes(
        &self,
        measure: &Measure,
        tiers: &[Tier],
    ) -> BTreeMap<&'static str, String> {
        let left = (self.allowance - measure.used).max(Decimal::ZERO);
        let paid = (measure.used - self.allowance).max(Decimal::ZERO);
        let minute = measure.zone.minute_of_day(measure.at);
        let weekday = measure.zone.day_of_week(measure.at) + 1;
        let mut attributes = BTreeMap::from([
            ("units", written(measure.quantity)),
            ("round-to", written(self.round_to)),
            ("per", written(self.per)),
            ("allowance-left", written(left)),
            ("units-before", written(paid)),
            ("time", format!("{:02}:{:02}", minute / 60, minute % 60)),
            ("weekday", weekday.to_string()),
        ]);
        if !tiers.is_empty() {
            attributes
                .insert("tiers", json(&tiers.iter().map(WrittenTier::of).collect::<Vec<_>>()));
        }
        if !self.bands.is_empty() {
            let bands: Vec<_> = self.bands.iter().map(WrittenBand::of).collect();
            attributes.insert("bands", json(&bands));
        }
        attributes
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenTier {
    price: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    up_to: Option<String>,
}

impl WrittenTier {
    fn of(tier: &Tier) -> Self {
        Self { price: written(tier.price), up_to: tier.up_to.map(written) }
    }
}

#[derive(Serialize)]
struct WrittenBand<'a> {
    days: &'a [u32],
    from: &'a str,
    name: &'a str,
    percent: String,
    until: &'a str,
}

impl<'a> WrittenBand<'a> {
    fn of(band: &'a Band) -> Self {
        let Band { name, from, until, percent, days } = band;
        Self { days, from, name, percent: written(*percent), until }
    }
}

fn written(number: Decimal) -> String {
    number.normalize().to_string()
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("text and lists can be written")
}
