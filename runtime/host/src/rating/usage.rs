//! A usage and its tariff, which are attributes of a price in a step's input.

use std::collections::BTreeMap;

use model::Failure;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Price, attribute, first_amount, wrong};
use crate::contract::usage_rating::{Band, Request, Tier, Weekday};

/// A tier as the attribute `tiers` has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenTier {
    #[serde(default)]
    up_to: Option<String>,
    price: String,
}

/// A band as the attribute `bands` has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenBand {
    name: String,
    from: String,
    until: String,
    percent: String,
    #[serde(default)]
    days: Vec<u32>,
}

/// The usage of a price; `None` if there is nothing to rate yet.
pub(super) fn usage(price: Price, tax_rate: &str) -> Result<Option<Request>, Failure> {
    let mut tariff = Tariff { price: price.id, attributes: price.attributes };
    let Some(units) = tariff.take("units") else { return Ok(None) };
    let zero = || "0".to_owned();
    let bands = tariff.list::<WrittenBand>("bands")?;
    let weekday = tariff.take("weekday").map(|day| {
        let number = day.parse().ok();
        number.and_then(weekday).ok_or_else(|| tariff.wrong("weekday", &day))
    });
    Ok(Some(Request {
        name: price.name,
        amount: first_amount(price.amount, &price.alterations),
        per: tariff.take("per").unwrap_or_else(|| "1".into()),
        units,
        round_to: tariff.take("round-to").filter(|units| units != "0"),
        allowance_left: tariff.take("allowance-left").unwrap_or_else(zero),
        units_before: tariff.take("units-before").unwrap_or_else(zero),
        tiers: tariff.list("tiers")?.into_iter().map(tier).collect(),
        bands: bands.into_iter().map(|band| tariff.band(band)).collect::<Result<_, _>>()?,
        minute: match tariff.take("time") {
            Some(time) => minute(&time).ok_or_else(|| tariff.wrong("time", &time))?,
            None => 0,
        },
        weekday: weekday.transpose()?,
        tax_rate: price.tax.map_or_else(|| tax_rate.to_owned(), |tax| tax.rate),
        price: tariff.price,
        attributes: tariff.attributes.into_iter().map(attribute).collect(),
    }))
}

fn tier(written: WrittenTier) -> Tier {
    Tier { up_to: written.up_to, price: written.price }
}

/// The attributes of a price that are not read yet.
struct Tariff {
    /// The id of the price.
    price: String,
    attributes: BTreeMap<String, String>,
}

impl Tariff {
    fn take(&mut self, name: &str) -> Option<String> {
        self.attributes.remove(name)
    }

    fn list<T: DeserializeOwned>(&mut self, name: &str) -> Result<Vec<T>, Failure> {
        let Some(text) = self.take(name) else { return Ok(Vec::new()) };
        serde_json::from_str(&text).map_err(|error| {
            wrong(&format!("`{name}` of price `{}` cannot be read: {error}", self.price))
        })
    }

    fn band(&self, written: WrittenBand) -> Result<Band, Failure> {
        let minute = |text: &str| minute(text).ok_or_else(|| self.wrong("bands", text));
        let day = |day: &u32| weekday(*day).ok_or_else(|| self.wrong("bands", &day.to_string()));
        Ok(Band {
            first_minute: minute(&written.from)?,
            end_minute: minute(&written.until)?,
            days: written.days.iter().map(day).collect::<Result<_, _>>()?,
            name: written.name,
            percent: written.percent,
        })
    }

    fn wrong(&self, name: &str, value: &str) -> Failure {
        let value: String = value.chars().take(40).collect();
        wrong(&format!("`{name}` of price `{}` has `{value}`", self.price))
    }
}

/// The minutes from midnight of a time such as `20:30`; 24:00 is the end of the day.
fn minute(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let minute = hours.checked_mul(60)?.checked_add(minutes)?;
    (minutes < 60 && minute <= 24 * 60).then_some(minute)
}

/// A day of the week by its number, from 1 for Monday.
fn weekday(number: u32) -> Option<Weekday> {
    match number {
        1 => Some(Weekday::Monday),
        2 => Some(Weekday::Tuesday),
        3 => Some(Weekday::Wednesday),
        4 => Some(Weekday::Thursday),
        5 => Some(Weekday::Friday),
        6 => Some(Weekday::Saturday),
        7 => Some(Weekday::Sunday),
        _ => None,
    }
}
