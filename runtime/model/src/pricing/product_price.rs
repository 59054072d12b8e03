//! The prices of a product (TMF637 `productPrice`) and their alterations.

mod check;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::pricing::effect::Effect;
use tmf::Malformed;
use tmf::day::Day;
use tmf::document::product::{self, Price, PriceAlteration, Product};
use tmf::document::{Amount, Number, id_of};
use tmf::money::{Money, PERCENT_MAX, PriceKind, Tax};
use tmf::period::LENGTH_MAX;
pub use tmf::period::Period;

pub use self::check::check;

/// The attribute of a price that has its alterations.
const ALTERATIONS: &str = "productPriceAlteration";

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
    /// The taxes that it names; the category is empty if it names only a rate. If it names none, those
    /// of the catalog or the operator apply.
    pub taxes: Vec<Tax>,
    /// The period of a recurring price.
    pub period: Option<Period>,
    /// The account that pays it, if not the product's.
    pub account: Option<String>,
    alterations: Vec<Alteration>,
}

/// An alteration of a price, for some time or for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alteration {
    /// Identifies it among those that its price has or had.
    pub key: AlterationKey,
    /// Its name on the bill.
    pub name: String,
    effect: Effect,
    change: Change,
    priority: u32,
    /// How long it applies; for good if `None`.
    lasts: Option<Period>,
}

/// Identifies an alteration of a price. One that another quote agrees under the same name is another
/// alteration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlterationKey {
    /// Its id in the catalog, or its name if it has none.
    id: String,
    /// The quote that it was agreed in.
    quote: Option<String>,
    /// Its place among those with the same id and quote.
    place: usize,
}

/// By how much a price is altered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    /// Per cent of the price after the alterations before it.
    Percent(Decimal),
    /// An amount of each period, with tax if the price includes it.
    Amount(Decimal),
}

impl ProductPrice {
    /// Reads the prices of a product.
    pub fn all(product: &Product) -> Result<Vec<Self>, Malformed> {
        let prices = product.prices()?.into_iter().enumerate();
        let read = |(index, (path, price)): (usize, (String, &product::ProductPrice))| {
            Self::read(price, index).map_err(|wrong| wrong.within(&path))
        };
        prices.map(read).collect()
    }

    fn read(document: &product::ProductPrice, index: usize) -> Result<Self, Malformed> {
        let kind = document.price_type.as_deref().ok_or_else(|| missing("priceType"))?;
        let kind = PriceKind::from_tmf(kind).ok_or_else(|| {
            Malformed::new("priceType", "is none of `oneTime`, `recurring`, `usage`")
        })?;
        let name = document.name.clone().unwrap_or_else(|| format!("p{}", index + 1));
        let id = id_of(document.product_offering_price.as_ref(), "productOfferingPrice")?;
        let price = document.price.as_ref().ok_or_else(|| missing("price"))?;
        let taxes = taxes(document, price)?;
        let period = match kind {
            PriceKind::Recurring => Some(Recurrence::of_price(document).period()?),
            PriceKind::OneOff | PriceKind::Usage => None,
        };
        let listed = Listed::read(price, &taxes)?;
        let mut alterations = Vec::with_capacity(document.product_price_alteration.len());
        for (index, one) in document.product_price_alteration.iter().enumerate() {
            let within = |wrong: Malformed| wrong.within(&format!("{ALTERATIONS}[{index}]"));
            alterations.push(Alteration::read(one, &listed, period).map_err(within)?);
        }
        alterations.sort_by_key(|alteration| alteration.priority);
        place(&mut alterations);
        let account = id_of(document.billing_account.as_ref(), "billingAccount")?;
        Ok(Self {
            id: id.unwrap_or(&name).to_owned(),
            kind,
            account: account.map(str::to_owned),
            amount: listed.amount,
            includes_tax: listed.includes_tax,
            name,
            taxes,
            period,
            alterations,
        })
    }

    /// Whether a product costs the same by both, whatever they are called.
    pub fn costs_as(&self, other: &Self) -> bool {
        let Self { id, name: _, kind, amount, includes_tax, taxes, period, account, alterations } =
            self;
        *id == other.id
            && *kind == other.kind
            && *amount == other.amount
            && *includes_tax == other.includes_tax
            && *taxes == other.taxes
            && *period == other.period
            && *account == other.account
            && *alterations == other.alterations
    }

    /// Its alterations, in the order in which they apply.
    pub fn alterations(&self) -> &[Alteration] {
        &self.alterations
    }

    /// The price on a day of a product that began on another, and the names of its alterations then.
    pub fn on(&self, day: Day, begin: Day) -> (Decimal, Vec<&str>) {
        self.altered(|alteration| day < alteration.end(begin))
    }

    /// The price with those of its alterations that apply, and their names.
    pub fn altered(&self, applies: impl Fn(&Alteration) -> bool) -> (Decimal, Vec<&str>) {
        self.altered_from(self.amount.amount, applies)
    }

    /// The same for another list price, such as that of a tier.
    pub fn altered_from(
        &self,
        listed: Decimal,
        applies: impl Fn(&Alteration) -> bool,
    ) -> (Decimal, Vec<&str>) {
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
    fn read(
        document: &PriceAlteration,
        price: &Listed,
        of: Option<Period>,
    ) -> Result<Self, Malformed> {
        let own = document.price.as_ref().ok_or_else(|| missing("price"))?;
        let effect = document.price_type.as_deref().and_then(Effect::parse);
        let effect = effect.unwrap_or(Effect::Discount);
        let within = |wrong: Malformed| wrong.within("price");
        let change = match own.percentage {
            Some(percent) => Change::Percent(percentage(percent, effect).map_err(within)?),
            None => Change::Amount(price.share(own)?.abs()),
        };
        let recurrence = Recurrence::of_alteration(document);
        let each = recurrence.is_there().then(|| recurrence.period()).transpose()?;
        let count = document.application_duration.unwrap_or(0);
        let lasts = (count > 0).then(|| each.or(of).unwrap_or(Period::Months(1)).times(count));
        let priority = document.priority.unwrap_or(u32::MAX);
        let name = document.name.clone().unwrap_or_else(|| "discount".into());
        let id = id_of(document.product_offering_price.as_ref(), "productOfferingPrice")?;
        let quote = id_of(document.quote.as_ref(), "quote")?.map(str::to_owned);
        let key = AlterationKey { id: id.unwrap_or(&name).to_owned(), quote, place: 0 };
        Ok(Self { key, name, effect, change, priority, lasts })
    }

    /// The day from which it does not apply any more, if it begins on a day.
    pub fn end(&self, begin: Day) -> Day {
        self.lasts.map_or_else(Day::never, |lasts| lasts.after(begin))
    }

    /// Applies it to an amount of a price with a list price. A discount makes the amount zero at the
    /// least; if the list price is zero, it is a discount on other prices, and the amount is negative.
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

/// `recurringChargePeriod`, or the type and length that later versions split it into.
#[derive(Clone, Copy)]
struct Recurrence<'a> {
    period: Option<&'a str>,
    unit: Option<&'a str>,
    length: Option<u32>,
}

impl<'a> Recurrence<'a> {
    fn of_price(price: &'a product::ProductPrice) -> Self {
        Self {
            period: price.recurring_charge_period.as_deref(),
            unit: price.recurring_charge_period_type.as_deref(),
            length: price.recurring_charge_period_length,
        }
    }

    fn of_alteration(alteration: &'a PriceAlteration) -> Self {
        Self {
            period: alteration.recurring_charge_period.as_deref(),
            unit: alteration.recurring_charge_period_type.as_deref(),
            length: alteration.recurring_charge_period_length,
        }
    }

    fn is_there(self) -> bool {
        self.period.or(self.unit).is_some()
    }

    fn period(self) -> Result<Period, Malformed> {
        let (attribute, unit) = match (self.unit, self.period) {
            (Some(unit), _) => ("recurringChargePeriodType", unit),
            (None, Some(unit)) => ("recurringChargePeriod", unit),
            (None, None) => return Err(missing("recurringChargePeriod")),
        };
        let one = Period::parse(unit).ok_or_else(|| {
            let problem =
                "is none of `day`, `week`, `month`, `quarter`, `year`, nor a number of them";
            Malformed::new(attribute, problem)
        })?;
        match self.length {
            None => Ok(one),
            Some(count @ 1..=LENGTH_MAX) => Ok(one.times(count)),
            Some(_) => Err(Malformed::new("recurringChargePeriodLength", "is not 1 to 1200")),
        }
    }
}

/// Notes the place of each alteration among those of the same id and quote.
fn place(alterations: &mut [Alteration]) {
    let mut counts: BTreeMap<&AlterationKey, usize> = BTreeMap::new();
    let places = alterations.iter().map(|alteration| {
        let count = counts.entry(&alteration.key).or_default();
        *count += 1;
        *count - 1
    });
    let places: Vec<usize> = places.collect();
    for (alteration, place) in alterations.iter_mut().zip(places) {
        alteration.key.place = place;
    }
}

/// The list price of a price.
struct Listed {
    amount: Money,
    includes_tax: bool,
    /// The sum of all taxes in per cent, if they are named.
    rate: Option<Decimal>,
}

impl Listed {
    fn read(price: &Price, taxes: &[Tax]) -> Result<Self, Malformed> {
        let rate = (!taxes.is_empty()).then(|| taxes.iter().map(|tax| tax.rate).sum());
        if let Some(Amount(amount)) = price.duty_free_amount {
            return Ok(Self { amount, includes_tax: false, rate });
        }
        match price.tax_included_amount {
            Some(Amount(amount)) if rate.is_some() => Ok(Self { amount, includes_tax: true, rate }),
            Some(_) | None => Err(missing("price.dutyFreeAmount")),
        }
    }

    /// The amount by which an alteration changes the price, with tax if the price includes it.
    fn share(&self, own: &Price) -> Result<Decimal, Malformed> {
        let rate = own.tax_rate.map(|rate| tax_rate(rate, "price.taxRate")).transpose()?;
        let rate = rate.or(self.rate);
        let (money, with_tax) = match (own.duty_free_amount, own.tax_included_amount) {
            (Some(Amount(net)), _) => (net, false),
            (None, Some(Amount(gross))) if rate.is_some() => (gross, true),
            (None, _) => return Err(missing("price.dutyFreeAmount")),
        };
        if money.currency != self.amount.currency {
            return Err(Malformed::new("price", "is in another currency than the price"));
        }
        let factor = Decimal::ONE + rate.unwrap_or_default() / Decimal::ONE_HUNDRED;
        match (with_tax, self.includes_tax) {
            (true, true) | (false, false) => Ok(money.amount),
            (false, true) => Ok(money.amount * factor),
            (true, false) => {
                // No tax rate is below zero, so the factor is not zero.
                Ok(money.amount / factor)
            }
        }
    }
}

/// The taxes that a price names: a list of our own (`tax`), or TM Forum's one rate.
fn taxes(document: &product::ProductPrice, price: &Price) -> Result<Vec<Tax>, Malformed> {
    if document.tax.is_empty() {
        let Some(rate) = price.tax_rate else { return Ok(Vec::new()) };
        let rate = tax_rate(rate, "price.taxRate")?;
        return Ok(vec![Tax { rate, category: String::new() }]);
    }
    let tax = |(index, one): (usize, &product::PriceTax)| {
        let rate = tax_rate(one.tax_rate, &format!("tax[{index}].taxRate"))?;
        Ok(Tax { rate, category: one.tax_category.clone().unwrap_or_default() })
    };
    document.tax.iter().enumerate().map(tax).collect()
}

fn tax_rate(Number(rate): Number, attribute: &str) -> Result<Decimal, Malformed> {
    if rate < Decimal::ZERO || rate > Decimal::from(PERCENT_MAX) {
        return Err(Malformed::new(attribute, "is not a tax rate from 0 to 1000"));
    }
    Ok(rate)
}

fn percentage(Number(percent): Number, effect: Effect) -> Result<Decimal, Malformed> {
    let percent = percent.abs();
    let max = match effect {
        Effect::Discount => Decimal::ONE_HUNDRED,
        Effect::Surcharge => Decimal::from(PERCENT_MAX),
    };
    if percent > max {
        return Err(Malformed::new("percentage", "is more than the whole price, or than 1000"));
    }
    Ok(percent)
}

fn missing(attribute: &str) -> Malformed {
    Malformed::new(attribute, "is missing")
}

/// The keys of the prices of a product: the id of each, or its name if it has none. Of several with the
/// same, the first has it as its key, and each other has its place appended.
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
