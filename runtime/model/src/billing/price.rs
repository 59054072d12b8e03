//! The prices of a product (TMF637 `productPrice`) and what alters them.

use rust_decimal::Decimal;
use serde_json::Value;

use super::day::{Day, Days};
use super::field::{Field, Malformed};
use crate::money::{Money, PriceKind};

/// A price of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductPrice {
    /// Its id in the catalog, or its name where it has none.
    pub id: String,
    /// Its name on the bill.
    pub name: String,
    /// When it is charged.
    pub kind: PriceKind,
    /// Before tax, for one period.
    pub amount: Money,
    /// The tax that it bears, in per cent, where it says so.
    pub tax_rate: Option<Decimal>,
    /// What a recurring price is for.
    pub period: Option<Period>,
    /// The account it is billed to, where that is not the product's.
    pub account: Option<String>,
    alterations: Vec<Alteration>,
}

/// What a recurring price is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// So many days: each costs the same.
    Days(u32),
    /// So many months: the days of a month share its price.
    Months(u32),
}

/// What makes a price lower, for a while or for good.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Alteration {
    name: String,
    change: Change,
    priority: u32,
    /// How long it applies from the day on which the product begins; for good where nothing.
    lasts: Option<Period>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    /// So many per cent of what other alterations have left.
    Percent(Decimal),
    /// So much of each period.
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
        let tax_rate = price.get("taxRate").map(|rate| rate.decimal()).transpose()?;
        let period = match kind {
            PriceKind::Recurring => Some(Period::read(field)?),
            PriceKind::OneOff | PriceKind::Usage => None,
        };
        let amount = net(&price, tax_rate)?;
        let mut alterations = Vec::new();
        for alteration in field.items("productPriceAlteration")? {
            alterations.push(Alteration::read(&alteration, &amount, period)?);
        }
        alterations.sort_by_key(|alteration| alteration.priority);
        let account = field.reference("billingAccount")?;
        Ok(Self { id, name, kind, amount, tax_rate, period, account, alterations })
    }

    /// Whether a product costs the same by both, whatever they are called.
    pub fn costs_as(&self, other: &Self) -> bool {
        let named = Self { name: other.name.clone(), ..self.clone() };
        named == *other
    }

    /// The price on a day of a product that began on another, and the names of what alters it.
    pub fn on(&self, day: Day, begin: Day) -> (Decimal, Vec<&str>) {
        let mut amount = self.amount.amount;
        let mut names = Vec::new();
        for alteration in self.alterations.iter().filter(|one| day < one.end(begin)) {
            let less = match &alteration.change {
                Change::Percent(percent) => amount * percent / Decimal::ONE_HUNDRED,
                Change::Amount(amount) => *amount,
            };
            // A discount makes nothing negative.
            amount = (amount - less).max(Decimal::ZERO.min(amount));
            names.push(alteration.name.as_str());
        }
        (amount, names)
    }

    /// The days on which the price becomes another one.
    pub fn changes(&self, begin: Day) -> Vec<Day> {
        self.alterations.iter().map(|alteration| alteration.end(begin)).collect()
    }
}

impl Alteration {
    fn read(field: &Field<'_>, price: &Money, of: Option<Period>) -> Result<Self, Malformed> {
        let value = field.need("price")?;
        let change = match value.get("percentage") {
            Some(percent) => Change::Percent(percentage(&percent)?),
            None => {
                let tax_rate = value.get("taxRate").map(|rate| rate.decimal()).transpose()?;
                let less = net(&value, tax_rate)?;
                if less.currency != price.currency {
                    return Err(value.wrong("is in another currency than the price"));
                }
                Change::Amount(less.amount.abs())
            }
        };
        let own = field.get("recurringChargePeriod").map(|_| Period::read(field)).transpose()?;
        let count = field.get("applicationDuration").map_or(Ok(0), |count| count.count())?;
        let lasts = (count > 0).then(|| own.or(of).unwrap_or(Period::Months(1)).times(count));
        let priority = field.get("priority").map_or(Ok(u32::MAX), |number| number.count())?;
        let name = field.text_or("name", "discount")?.to_owned();
        Ok(Self { name, change, priority, lasts })
    }

    fn end(&self, begin: Day) -> Day {
        self.lasts.map_or_else(Day::never, |lasts| lasts.after(begin))
    }
}

impl Period {
    /// Reads `recurringChargePeriod`, or the type and length that later versions split it into.
    fn read(field: &Field<'_>) -> Result<Self, Malformed> {
        let unit = match field.get("recurringChargePeriodType") {
            Some(unit) => unit,
            None => field.need("recurringChargePeriod")?,
        };
        let length = field.get("recurringChargePeriodLength").map_or(Ok(1), |one| one.count())?;
        let one = match unit.text()?.to_ascii_lowercase().as_str() {
            "day" | "days" | "daily" => Self::Days(1),
            "week" | "weeks" | "weekly" => Self::Days(7),
            "month" | "months" | "monthly" => Self::Months(1),
            "quarter" | "quarters" | "quarterly" => Self::Months(3),
            "year" | "years" | "yearly" | "annual" | "annually" => Self::Months(12),
            _ => return Err(unit.wrong("is none of `day`, `week`, `month`, `quarter`, `year`")),
        };
        if length == 0 || length > LENGTH_MAX {
            return Err(field.wrong("has a `recurringChargePeriodLength` that is not 1 to 1200"));
        }
        Ok(one.times(length))
    }

    /// So many times as long.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        match self {
            Self::Days(days) => Self::Days(days.saturating_mul(count)),
            Self::Months(months) => Self::Months(months.saturating_mul(count)),
        }
    }

    /// The day after the last one of the period that begins on a day.
    pub fn after(self, begin: Day) -> Day {
        match self {
            Self::Days(days) => begin.plus_days(i64::from(days)),
            Self::Months(months) => begin.plus_months(months),
        }
    }

    /// The period that a day is in, where they follow each other from an anchor on or before it.
    pub fn around(self, day: Day, anchor: Day) -> Days {
        let nth = |number: u32| self.times(number).after(anchor);
        let passed = anchor.days_until(day).max(0);
        // Low by at most a period or two: no month is longer than 31 days.
        let guess = match self {
            Self::Days(days) => passed / i64::from(days),
            Self::Months(months) => passed / (31 * i64::from(months)),
        };
        let mut number = u32::try_from(guess).unwrap_or(0);
        while nth(number + 1) <= day && nth(number + 1) < Day::never() {
            number += 1;
        }
        let from = if number == 0 { anchor } else { nth(number) };
        Days { from, until: nth(number + 1) }
    }
}

/// A period has at most so many of its unit.
const LENGTH_MAX: u32 = 1200;

/// The amount before tax of TM Forum's `Price`.
fn net(price: &Field<'_>, tax_rate: Option<Decimal>) -> Result<Money, Malformed> {
    if let Some(amount) = price.get("dutyFreeAmount") {
        return amount.money();
    }
    let (Some(gross), Some(rate)) = (price.get("taxIncludedAmount"), tax_rate) else {
        return price.need("dutyFreeAmount")?.money();
    };
    let gross = gross.money()?;
    let divisor = Decimal::ONE + rate / Decimal::ONE_HUNDRED;
    let amount = gross.amount.checked_div(divisor);
    let amount = amount.ok_or_else(|| price.wrong("has a `taxRate` of -100"))?;
    Ok(Money { currency: gross.currency, amount })
}

fn percentage(field: &Field<'_>) -> Result<Decimal, Malformed> {
    let percent = field.decimal()?.abs();
    if percent > Decimal::ONE_HUNDRED {
        return Err(field.wrong("is more than the whole price"));
    }
    Ok(percent)
}

#[cfg(test)]
mod tests;
