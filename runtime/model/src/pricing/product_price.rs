//! The prices of a product (TMF637 `productPrice`) and what alters them.

mod check;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::Value;

use crate::pricing::effect::Effect;
use tmf::day::Day;
use tmf::field::{Field, Malformed};
use tmf::money::{Money, PERCENT_MAX, PriceKind, Tax};
use tmf::period::LENGTH_MAX;
pub use tmf::period::Period;

pub use self::check::check;

/// A price of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductPrice {
    /// Its id in the catalog, or its name if it has none.
    pub id: String,
    /// Its name on the bill.
    pub name: String,
    /// When it is charged.
    pub kind: PriceKind,
    /// For one period: before tax, unless it includes tax.
    pub amount: Money,
    /// Whether the amount, and those of its alterations, include tax: then the tax is a part of it.
    pub includes_tax: bool,
    /// The taxes that it names; the category is empty if it names a rate alone. Without any, the
    /// catalog's or the operator's count.
    pub taxes: Vec<Tax>,
    /// What a recurring price is for.
    pub period: Option<Period>,
    /// The account that pays it, if not the product's.
    pub account: Option<String>,
    alterations: Vec<Alteration>,
}

/// What makes a price another one, for a while or for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alteration {
    /// What tells it apart from the others that its price has or had.
    pub key: AlterationKey,
    /// Its name on the bill.
    pub name: String,
    effect: Effect,
    change: Change,
    priority: u32,
    /// How long it applies; for good if `None`.
    lasts: Option<Period>,
}

/// What tells an alteration of a price apart: what another quote agrees under the same name is
/// another alteration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlterationKey {
    /// Its id in the catalog, or its name if it has none.
    id: String,
    /// The quote that it was agreed in.
    quote: Option<String>,
    /// Its place among those that have both.
    place: usize,
}

/// By how much a price is altered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    /// Per cent of what the alterations before it have left.
    Percent(Decimal),
    /// An amount of each period, with tax if the price includes it.
    Amount(Decimal),
}

impl ProductPrice {
    /// Reads the prices of a product.
    pub fn all(product: &Value) -> Result<Vec<Self>, Malformed> {
        let product = Field::root(product);
        let prices = product.items("productPrice")?;
        prices.iter().enumerate().map(|(index, price)| Self::read(price, index)).collect()
    }

    fn read(field: &Field<'_>, index: usize) -> Result<Self, Malformed> {
        let kind_field = field.need("priceType")?;
        let kind = PriceKind::from_tmf(kind_field.text()?)
            .ok_or_else(|| kind_field.wrong("is none of `oneTime`, `recurring`, `usage`"))?;
        let number = format!("p{}", index + 1);
        let name = field.text_or("name", &number)?.to_owned();
        let id = field.reference("productOfferingPrice")?.unwrap_or_else(|| name.clone());
        let price = field.need("price")?;
        let taxes = taxes(field, &price)?;
        let period = match kind {
            PriceKind::Recurring => Some(period(field)?),
            PriceKind::OneOff | PriceKind::Usage => None,
        };
        let told = Told::read(&price, &taxes)?;
        let mut alterations = Vec::new();
        for alteration in field.items("productPriceAlteration")? {
            alterations.push(Alteration::read(&alteration, &told, period)?);
        }
        alterations.sort_by_key(|alteration| alteration.priority);
        place(&mut alterations);
        let account = field.reference("billingAccount")?;
        let Told { amount, includes_tax, .. } = told;
        Ok(Self { id, name, kind, amount, includes_tax, taxes, period, account, alterations })
    }

    /// Whether a product costs the same by both, whatever they are called.
    pub fn costs_as(&self, other: &Self) -> bool {
        let named = Self { name: other.name.clone(), ..self.clone() };
        named == *other
    }

    /// What alters it, in the order in which it applies.
    pub fn alterations(&self) -> &[Alteration] {
        &self.alterations
    }

    /// The price on a day of a product that began on another, and the names of what alters it.
    pub fn on(&self, day: Day, begin: Day) -> (Decimal, Vec<&str>) {
        self.altered(|alteration| day < alteration.end(begin))
    }

    /// The price with those of its alterations that apply, and their names.
    pub fn altered(&self, applies: impl Fn(&Alteration) -> bool) -> (Decimal, Vec<&str>) {
        let listed = self.amount.amount;
        let mut amount = listed;
        let mut names = Vec::new();
        for alteration in self.alterations.iter().filter(|one| applies(one)) {
            amount = alteration.apply(amount, listed);
            names.push(alteration.name.as_str());
        }
        (amount, names)
    }
}

impl Alteration {
    fn read(field: &Field<'_>, price: &Told, of: Option<Period>) -> Result<Self, Malformed> {
        let value = field.need("price")?;
        let effect = match field.get("priceType") {
            Some(kind) => Effect::parse(kind.text()?).unwrap_or(Effect::Discount),
            None => Effect::Discount,
        };
        let change = match value.get("percentage") {
            Some(percent) => Change::Percent(percentage(&percent, effect)?),
            None => Change::Amount(price.share(&value)?.abs()),
        };
        let own = ["recurringChargePeriod", "recurringChargePeriodType"];
        let own = own.iter().find_map(|name| field.get(name)).map(|_| period(field)).transpose()?;
        let count = field.get("applicationDuration").map_or(Ok(0), |count| count.count())?;
        let lasts = (count > 0).then(|| own.or(of).unwrap_or(Period::Months(1)).times(count));
        let priority = field.get("priority").map_or(Ok(u32::MAX), |number| number.count())?;
        let name = field.text_or("name", "discount")?.to_owned();
        let id = field.reference("productOfferingPrice")?.unwrap_or_else(|| name.clone());
        let key = AlterationKey { id, quote: field.reference("quote")?, place: 0 };
        Ok(Self { key, name, effect, change, priority, lasts })
    }

    /// The day from which it does not apply any more, if it begins on a day.
    pub fn end(&self, begin: Day) -> Day {
        self.lasts.map_or_else(Day::never, |lasts| lasts.after(begin))
    }

    /// What it makes of an amount of a price that is listed at another one. A discount takes at most
    /// what is there; on a price of nothing it is a discount on other prices, and is below zero.
    fn apply(&self, amount: Decimal, listed: Decimal) -> Decimal {
        let change = match &self.change {
            Change::Percent(percent) => amount * percent / Decimal::ONE_HUNDRED,
            Change::Amount(change) => *change,
        };
        match self.effect {
            Effect::Surcharge => amount + change,
            Effect::Discount if listed.is_zero() => amount - change,
            Effect::Discount => (amount - change).max(Decimal::ZERO.min(amount)),
        }
    }
}

/// Reads `recurringChargePeriod`, or the type and length that later versions split it into.
fn period(field: &Field<'_>) -> Result<Period, Malformed> {
    let unit = match field.get("recurringChargePeriodType") {
        Some(unit) => unit,
        None => field.need("recurringChargePeriod")?,
    };
    let one = Period::parse(unit.text()?).ok_or_else(|| {
        unit.wrong("is none of `day`, `week`, `month`, `quarter`, `year`, nor a number of them")
    })?;
    let Some(length) = field.get("recurringChargePeriodLength") else { return Ok(one) };
    let count = length.count()?;
    if count == 0 || count > LENGTH_MAX {
        return Err(length.wrong("is not 1 to 1200"));
    }
    Ok(one.times(count))
}

/// Notes the place of each alteration among those of the same id and quote.
fn place(alterations: &mut [Alteration]) {
    let mut places: BTreeMap<AlterationKey, usize> = BTreeMap::new();
    for alteration in alterations {
        let next = places.entry(alteration.key.clone()).or_default();
        alteration.key.place = *next;
        *next += 1;
    }
}

/// The amount of TM Forum's `Price`, as it is told.
struct Told {
    amount: Money,
    includes_tax: bool,
    /// All taxes together, in per cent, if they are named.
    rate: Option<Decimal>,
}

impl Told {
    fn read(price: &Field<'_>, taxes: &[Tax]) -> Result<Self, Malformed> {
        let rate = (!taxes.is_empty()).then(|| taxes.iter().map(|tax| tax.rate).sum());
        if let Some(amount) = price.get("dutyFreeAmount") {
            return Ok(Self { amount: amount.money()?, includes_tax: false, rate });
        }
        let (Some(gross), Some(rate)) = (price.get("taxIncludedAmount"), rate) else {
            price.need("dutyFreeAmount")?;
            return Err(price.wrong("needs `dutyFreeAmount`"));
        };
        let amount = gross.money()?;
        Ok(Self { amount, includes_tax: true, rate: Some(rate) })
    }

    /// By how much an alteration changes the price, with tax if the price includes it.
    fn share(&self, value: &Field<'_>) -> Result<Decimal, Malformed> {
        let own = value.get("taxRate").map(|rate| tax_rate(&rate)).transpose()?;
        let rate = own.or(self.rate);
        let (field, with_tax) = match (value.get("dutyFreeAmount"), value.get("taxIncludedAmount"))
        {
            (Some(net), _) => (net, false),
            (None, Some(gross)) if rate.is_some() => (gross, true),
            (None, _) => (value.need("dutyFreeAmount")?, false),
        };
        let money = field.money()?;
        if money.currency != self.amount.currency {
            return Err(value.wrong("is in another currency than the price"));
        }
        let factor = Decimal::ONE + rate.unwrap_or_default() / Decimal::ONE_HUNDRED;
        match (with_tax, self.includes_tax) {
            (true, true) | (false, false) => Ok(money.amount),
            (false, true) => Ok(money.amount * factor),
            (true, false) => {
                // No tax rate is below zero, so there is something to divide by.
                Ok(money.amount / factor)
            }
        }
    }
}

/// The taxes that a price names: a list of our own (`tax`), or TM Forum's one rate.
fn taxes(field: &Field<'_>, price: &Field<'_>) -> Result<Vec<Tax>, Malformed> {
    let listed = field.items("tax")?;
    if listed.is_empty() {
        let Some(rate) = price.get("taxRate") else { return Ok(Vec::new()) };
        return Ok(vec![Tax { rate: tax_rate(&rate)?, category: String::new() }]);
    }
    let tax = |one: &Field<'_>| {
        let category = one.text_or("taxCategory", "")?.to_owned();
        Ok(Tax { rate: tax_rate(&one.need("taxRate")?)?, category })
    };
    listed.iter().map(tax).collect()
}

fn tax_rate(field: &Field<'_>) -> Result<Decimal, Malformed> {
    let rate = field.decimal()?;
    if rate < Decimal::ZERO || rate > Decimal::from(PERCENT_MAX) {
        return Err(field.wrong("is not a tax rate from 0 to 1000"));
    }
    Ok(rate)
}

fn percentage(field: &Field<'_>, effect: Effect) -> Result<Decimal, Malformed> {
    let percent = field.decimal()?.abs();
    let most = match effect {
        Effect::Discount => Decimal::ONE_HUNDRED,
        Effect::Surcharge => Decimal::from(PERCENT_MAX),
    };
    if percent > most {
        return Err(field.wrong("is more than the whole price, or than 1000"));
    }
    Ok(percent)
}

/// What tells the prices of a product apart: the id of each, or its name if it has none. Of several
/// that have the same, the first has that alone, as its rates always had, and the others their place
/// with it.
pub fn keys(ids: &[&str]) -> Vec<String> {
    let mut taken: BTreeSet<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let keys = ids.iter().map(|id| {
        let place = places.entry(id).or_default();
        *place += 1;
        let mut key = (*id).to_owned();
        while *place > 1 {
            key = format!("{id}#{place}");
            if taken.insert(key.clone()) {
                break;
            }
            *place += 1;
        }
        key
    });
    keys.collect()
}

#[cfg(test)]
mod tests;
