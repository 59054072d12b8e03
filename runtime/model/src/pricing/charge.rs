//! One price of one product, with all that alters it, as quotes (TMF648 `QuotePrice`) and orders
//! (TMF622 `OrderPrice`) write it: `price` is the list price of one product, and each
//! `priceAlteration` says by how much it changes that, and for how many periods.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::pricing::effect::Effect;
use crate::pricing::sold::{Price, PriceAlteration};
use tmf::money::{
    AMOUNT_MAX, Money, PERCENT_MAX, PriceKind, Tax, USAGE_DECIMALS, decimal, decimals, is_currency,
    is_too_fine, number, rounded,
};
use tmf::period::{LENGTH_MAX, Period, Term};

/// A price of one product.
#[derive(Clone, Debug, PartialEq)]
pub struct Charge {
    /// Its id in the catalog; empty if it has none.
    pub price: String,
    /// Its name on the bill.
    pub name: String,
    /// When it is charged.
    pub kind: PriceKind,
    /// The period of a recurring one.
    pub period: Option<Period>,
    /// What is counted, of usage.
    pub unit: Option<String>,
    /// What part of the usage it is for, such as `volume 0 to 100`.
    pub tier: Option<String>,
    /// The list price, before tax unless it includes tax.
    pub list: Money,
    /// Whether the list price and what alters it include tax, as a quote from elsewhere may tell it.
    pub includes_tax: bool,
    /// What alters it, in order.
    pub alterations: Vec<Alteration>,
    /// The taxes on it; the category is empty if a rate alone is known. None if nothing is known.
    pub taxes: Vec<Tax>,
}

/// Something that alters a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alteration {
    /// Its id in the catalog; empty for one that was granted by hand.
    pub price: String,
    /// Its name on the bill.
    pub name: String,
    /// The percentage; `None` if it is an amount.
    pub percentage: Option<Decimal>,
    /// By how much it changes the price: below zero for a discount.
    pub change: Decimal,
    /// How long it lasts; for good if `None`.
    pub lasts: Option<Term>,
    /// Its place among others.
    pub priority: i64,
}

/// What is about to alter a price.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub price: String,
    pub name: String,
    pub effect: Effect,
    pub by: By,
    pub lasts: Option<Term>,
    pub priority: i64,
}

impl Change {
    /// How long it lasts on a price of a period: its own periods are told if they are others.
    pub fn lasts_on(&self, price: Option<Period>) -> Option<Term> {
        let each = |term: Term| term.each.filter(|each| Some(*each) != price);
        self.lasts.map(|term| Term { each: each(term), ..term })
    }
}

/// By how much a price is altered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    Percent(Decimal),
    Amount(Money),
}

/// Why a price cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The attribute.
    pub at: &'static str,
    /// What was expected.
    pub message: &'static str,
}

impl Charge {
    /// What one product costs, before tax, once alterations that end have ended.
    pub fn regular(&self) -> Decimal {
        let lasting = self.alterations.iter().filter(|change| change.lasts.is_none());
        self.list.amount + lasting.map(|change| change.change).sum::<Decimal>()
    }

    /// What one product costs, before tax, in the first period.
    pub fn first(&self) -> Decimal {
        self.list.amount + self.alterations.iter().map(|change| change.change).sum::<Decimal>()
    }

    /// The tax on an amount, each tax rounded; `None` if no tax is known.
    pub fn tax_on(&self, net: Decimal) -> Option<Decimal> {
        let tax = |tax: &Tax| rounded(net * tax.rate / Decimal::ONE_HUNDRED, self.decimals());
        (!self.taxes.is_empty()).then(|| self.taxes.iter().map(tax).sum())
    }

    pub fn decimals(&self) -> u32 {
        match self.kind {
            PriceKind::OneOff | PriceKind::Recurring => decimals(&self.list.currency),
            PriceKind::Usage => USAGE_DECIMALS,
        }
    }

    /// Alters it. A discount takes away what is there at most, and an amount in another currency
    /// changes nothing. Answers with what is left of an amount. What lasts is taken off the list
    /// price, and what ends off what is left by that, whichever comes first.
    pub fn apply(&mut self, change: &Change) -> Decimal {
        if change.lasts.is_some() {
            return self.add(change, self.first());
        }
        let ending = self.alterations.extract_if(.., |other| other.lasts.is_some());
        let ending: Vec<Alteration> = ending.collect();
        let left = self.add(change, self.regular());
        for other in ending {
            self.add(&other.again(&self.list.currency), self.first());
        }
        left
    }

    fn add(&mut self, change: &Change, now: Decimal) -> Decimal {
        let (wanted, percentage) = match &change.by {
            By::Percent(percent) => {
                let part = now * percent / Decimal::ONE_HUNDRED;
                (rounded(part, self.decimals()), Some(*percent))
            }
            By::Amount(money) if money.currency == self.list.currency => (money.amount.abs(), None),
            By::Amount(money) => return money.amount.abs(),
        };
        let taken = match change.effect {
            Effect::Discount => wanted.min(now.max(Decimal::ZERO)),
            Effect::Surcharge => wanted,
        };
        if !taken.is_zero() {
            self.alterations.push(Alteration {
                price: change.price.clone(),
                name: change.name.clone(),
                percentage,
                change: if change.effect == Effect::Discount { -taken } else { taken },
                lasts: change.lasts_on(self.period),
                priority: change.priority,
            });
        }
        wanted - taken
    }

    /// What a product that is sold at it is billed: the regular price, and what alters it for the
    /// first periods. The discount of a bundle on what is in it has no price of its own, and is all
    /// alteration.
    pub fn billed(&self, quote: Option<&str>) -> Price {
        let is_discount = self.list.amount.is_zero() && self.first() < Decimal::ZERO;
        let kept = self.alterations.iter().filter(|one| is_discount || one.lasts.is_some());
        let alterations = kept.map(|change| PriceAlteration {
            id: change.price.clone(),
            name: change.name.clone(),
            amount: change.change,
            lasts: change.lasts,
        });
        let amount = if is_discount { self.list.amount } else { self.regular() };
        Price {
            id: self.price.clone(),
            name: self.name.clone(),
            kind: self.kind,
            amount: Money { currency: self.list.currency.clone(), amount },
            includes_tax: self.includes_tax,
            period: self.period,
            alterations: alterations.collect(),
            tax: Tax::together(&self.taxes),
            taxes: if self.taxes.len() > 1 { self.taxes.clone() } else { Vec::new() },
            quote: quote.map(Into::into),
        }
    }

    /// Writes it as TM Forum's `QuotePrice` and `OrderPrice`, which are alike.
    pub fn to_tmf(&self, kind: &str) -> Value {
        let mut body = Map::new();
        let mut set = |name: &str, value: Value| body.insert(name.into(), value);
        set("name", json!(self.name));
        set("priceType", json!(self.kind.as_tmf()));
        set("price", self.price_of(self.list.amount));
        if !self.price.is_empty() {
            let reference = json!({ "id": self.price, "@referredType": "ProductOfferingPrice" });
            set("productOfferingPrice", reference);
        }
        if let Some(period) = &self.period {
            set("recurringChargePeriod", json!(period));
        }
        if let Some(unit) = &self.unit {
            set("unitOfMeasure", json!(unit));
        }
        if let Some(tier) = &self.tier {
            set("description", json!(tier));
        }
        if self.taxes.len() > 1 {
            set("tax", Tax::listed(&self.taxes));
        }
        if !self.alterations.is_empty() {
            let alterations = self.alterations.iter().map(|change| self.alteration(change));
            set("priceAlteration", alterations.collect());
        }
        set("@type", json!(kind));
        Value::Object(body)
    }

    /// TM Forum's `Price` of an amount.
    fn price_of(&self, net: Decimal) -> Value {
        let money = |amount| Money { currency: self.list.currency.clone(), amount }.to_tmf();
        match (Tax::together(&self.taxes), self.tax_on(net)) {
            (Some(all), _) if self.includes_tax => json!({
                "taxIncludedAmount": money(net),
                "taxRate": number(all.rate),
            }),
            (Some(all), Some(tax)) => json!({
                "dutyFreeAmount": money(net),
                "taxIncludedAmount": money(net + tax),
                "taxRate": number(all.rate),
            }),
            _ => json!({ "dutyFreeAmount": money(net) }),
        }
    }

    fn alteration(&self, change: &Alteration) -> Value {
        let mut price = self.price_of(change.change);
        let mut body = Map::new();
        body.insert("name".into(), json!(change.name));
        let raises = change.change > Decimal::ZERO;
        let kind = if raises { "surcharge" } else { self.kind.as_tmf() };
        body.insert("priceType".into(), json!(kind));
        if let (Some(percentage), Some(fields)) = (change.percentage, price.as_object_mut()) {
            fields.insert("percentage".into(), number(percentage));
        }
        body.insert("price".into(), price);
        body.insert("priority".into(), json!(change.priority));
        if let Some(lasts) = change.lasts {
            body.insert("applicationDuration".into(), json!(lasts.periods));
        }
        if let Some(period) = change.lasts.and_then(|lasts| lasts.each).or(self.period) {
            body.insert("recurringChargePeriod".into(), json!(period));
        }
        if !change.price.is_empty() {
            let reference = json!({ "id": change.price, "@referredType": "ProductOfferingPrice" });
            body.insert("productOfferingPrice".into(), reference);
        }
        Value::Object(body)
    }

    /// Reads what [`Charge::to_tmf`] writes.
    pub fn of_tmf(entry: &Value) -> Result<Self, Wrong> {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let kind = text("priceType").and_then(PriceKind::from_tmf);
        let kind = kind.ok_or(Wrong {
            at: "priceType",
            message: "is one of `oneTime`, `recurring`, `usage`",
        })?;
        let price = entry.get("price");
        let taxes = taxes(entry, price)?;
        let told = |name: &str| price?.get(name).filter(|amount| !amount.is_null());
        let net = told("dutyFreeAmount");
        let gross = told("taxIncludedAmount").filter(|_| net.is_none() && !taxes.is_empty());
        let includes_tax = gross.is_some();
        let list = listed(gross.or(net), kind)?;
        let period = period(entry, "recurringChargePeriod")?;
        if kind == PriceKind::Recurring && period.is_none() {
            return Err(Wrong { at: "recurringChargePeriod", message: "is missing" });
        }
        let mut alterations = Vec::new();
        for change in entry.get("priceAlteration").and_then(Value::as_array).into_iter().flatten() {
            alterations.push(alteration_of(change, &list.currency, period, includes_tax)?);
        }
        Ok(Self {
            price: id_of(entry),
            name: text("name").unwrap_or_default().into(),
            kind,
            period,
            unit: text("unitOfMeasure").map(Into::into),
            tier: text("description").map(Into::into),
            list,
            includes_tax,
            alterations,
            taxes,
        })
    }
}

/// The taxes of a price: a list of our own, or TM Forum's one rate.
fn taxes(entry: &Value, price: Option<&Value>) -> Result<Vec<Tax>, Wrong> {
    let wrong = |at| Wrong { at, message: "is a number from 0 to 1000" };
    if let Some(listed) = entry.get("tax").filter(|listed| !listed.is_null()) {
        let listed = listed.as_array().ok_or(Wrong { at: "tax", message: "is an array" })?;
        let tax = |one: &Value| {
            let rate = one.get("taxRate").and_then(percent).ok_or_else(|| wrong("tax.taxRate"))?;
            let category = one.get("taxCategory").and_then(Value::as_str).unwrap_or_default();
            Ok(Tax { rate, category: category.into() })
        };
        return listed.iter().map(tax).collect();
    }
    match price.and_then(|price| price.get("taxRate")) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(rate) => {
            let rate = percent(rate).ok_or_else(|| wrong("price.taxRate"))?;
            Ok(vec![Tax { rate, category: String::new() }])
        }
    }
}

/// The list price: an amount that can be charged.
fn listed(amount: Option<&Value>, kind: PriceKind) -> Result<Money, Wrong> {
    let at = "price.dutyFreeAmount";
    let list = amount.and_then(money).ok_or(Wrong {
        at,
        message: "is an amount below 10^12: `unit` (a currency of ISO 4217) and `value` (a number)",
    })?;
    if list.amount < Decimal::ZERO {
        return Err(Wrong { at, message: "is below zero" });
    }
    if is_too_fine(&list, kind) {
        return Err(Wrong { at, message: "has more decimals than its currency" });
    }
    Ok(list)
}

fn alteration_of(
    change: &Value,
    currency: &str,
    period: Option<Period>,
    includes_tax: bool,
) -> Result<Alteration, Wrong> {
    let wrong = Wrong {
        at: "priceAlteration.price",
        message: "needs `dutyFreeAmount`, by how much it changes the price, in its currency",
    };
    let price = change.get("price").ok_or(wrong)?;
    let name = if includes_tax { "taxIncludedAmount" } else { "dutyFreeAmount" };
    let amount = price.get(name).and_then(money).ok_or(wrong)?;
    if amount.currency != currency {
        return Err(wrong);
    }
    Ok(Alteration {
        price: id_of(change),
        name: change.get("name").and_then(Value::as_str).unwrap_or_default().into(),
        percentage: price.get("percentage").and_then(percent),
        change: amount.amount,
        lasts: lasts(change, period)?,
        priority: change.get("priority").and_then(Value::as_i64).unwrap_or(0),
    })
}

impl Alteration {
    /// What it was made by, to be made again.
    fn again(self, currency: &str) -> Change {
        let amount = Money { currency: currency.into(), amount: self.change };
        Change {
            price: self.price,
            name: self.name,
            effect: if self.change.is_sign_negative() {
                Effect::Discount
            } else {
                Effect::Surcharge
            },
            by: self.percentage.map_or(By::Amount(amount), By::Percent),
            lasts: self.lasts,
            priority: self.priority,
        }
    }
}

/// Reads what is granted by hand: percentages and amounts, whatever their sign. It lowers the price
/// unless its type is a surcharge.
pub fn granted(entry: &Value) -> Result<Vec<Change>, Wrong> {
    let wrong = Wrong {
        at: "priceAlteration.price",
        message: "has `percentage` from 0 to 100 (of a surcharge 1000), or `dutyFreeAmount`",
    };
    let changes = entry.get("priceAlteration").and_then(Value::as_array).into_iter().flatten();
    // What the catalog gives is computed anew; what names no price of it was granted.
    let by_hand = changes.filter(|change| change.get("productOfferingPrice").is_none());
    let read = by_hand.map(|change| {
        let price = change.get("price").ok_or(wrong)?;
        let period = change.get("recurringChargePeriod").filter(|period| !period.is_null());
        let ends = change.get("applicationDuration").is_some_and(|count| !count.is_null());
        if period.is_some() && !ends && period != entry.get("recurringChargePeriod") {
            return Err(Wrong {
                at: "priceAlteration.applicationDuration",
                message: "is missing: `recurringChargePeriod` tells the periods that it counts",
            });
        }
        let kind = change.get("priceType").and_then(Value::as_str);
        let effect = kind.and_then(Effect::parse).unwrap_or(Effect::Discount);
        let fits =
            |percent: &Decimal| effect == Effect::Surcharge || *percent <= Decimal::ONE_HUNDRED;
        let by = match price.get("percentage").filter(|percentage| !percentage.is_null()) {
            Some(percentage) => By::Percent(percent(percentage).filter(fits).ok_or(wrong)?),
            None => By::Amount(price.get("dutyFreeAmount").and_then(money).ok_or(wrong)?),
        };
        Ok(Change {
            price: String::new(),
            name: change.get("name").and_then(Value::as_str).unwrap_or("discount").into(),
            effect,
            by,
            lasts: lasts(change, None)?,
            priority: change.get("priority").and_then(Value::as_i64).unwrap_or(0),
        })
    });
    read.collect()
}

/// How long an alteration lasts. Its own period is told if it is not the price's.
fn lasts(change: &Value, price: Option<Period>) -> Result<Option<Term>, Wrong> {
    let each = period(change, "priceAlteration.recurringChargePeriod")?;
    match change.get("applicationDuration") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
            let periods = count.filter(|count| (1..=LENGTH_MAX).contains(count)).ok_or(Wrong {
                at: "priceAlteration.applicationDuration",
                message: "is a whole number from 1 to 1200",
            })?;
            Ok(Some(Term { periods, each: each.filter(|each| Some(*each) != price) }))
        }
    }
}

fn period(entry: &Value, at: &'static str) -> Result<Option<Period>, Wrong> {
    let wrong = Wrong {
        at,
        message: "is one of `day`, `week`, `month`, `quarter`, `year`, or a number of them",
    };
    match entry.get("recurringChargePeriod") {
        None | Some(Value::Null) => Ok(None),
        Some(period) => {
            let text = period.as_str().ok_or(wrong)?;
            if text.is_empty() { Ok(None) } else { Period::parse(text).map(Some).ok_or(wrong) }
        }
    }
}

fn money(value: &Value) -> Option<Money> {
    Money::from_tmf(value).filter(|money| {
        is_currency(&money.currency) && money.amount.abs() <= Decimal::from(AMOUNT_MAX)
    })
}

fn percent(value: &Value) -> Option<Decimal> {
    let percent = decimal(value)?.abs();
    (percent <= Decimal::from(PERCENT_MAX)).then_some(percent)
}

fn id_of(entry: &Value) -> String {
    let id = entry.get("productOfferingPrice").and_then(|price| price.get("id")?.as_str());
    id.unwrap_or_default().into()
}
