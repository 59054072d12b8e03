//! Charges as quotes and orders write them.

use rust_decimal::Decimal;

use super::{Alteration, By, Change, Charge};
use crate::pricing::effect::Effect;
use tmf::Malformed;
use tmf::document::item_price::{ItemPrice, ItemPriceAlteration};
use tmf::document::product::{Price, PriceTax};
use tmf::document::{Amount, Number, Reference, Rest};
use tmf::money::{AMOUNT_MAX, Currency, Money, PERCENT_MAX, PriceKind, Tax, is_too_fine};
use tmf::period::{LENGTH_MAX, Period, Term};

impl Charge {
    /// Writes it as a price of a type, `QuotePrice` or `OrderPrice`.
    pub fn into_document(mut self, kind: &str) -> ItemPrice {
        let alterations = std::mem::take(&mut self.alterations).into_iter();
        let alterations = alterations.map(|one| self.alteration(one)).collect();
        let price = self.price_of(self.list.amount);
        let is_listed = self.taxes.len() > 1;
        ItemPrice {
            name: Some(self.name),
            description: self.tier,
            price_type: Some(self.kind.as_tmf().into()),
            recurring_charge_period: self.period.map(|period| period.to_string()),
            unit_of_measure: self.unit,
            price: Some(price),
            product_offering_price: offered(&self.price),
            tax: self.taxes.into_iter().filter(|_| is_listed).map(price_tax).collect(),
            price_alteration: alterations,
            kind: Some(kind.into()),
            rest: Rest::new(),
        }
    }

    fn price_of(&self, net: Decimal) -> Price {
        let money = |amount| Some(Amount::new(amount, self.list.currency));
        let rate = Tax::together(&self.taxes).map(|all| Number(all.rate));
        let tax = self.tax_on(net).filter(|_| rate.is_some());
        Price {
            duty_free_amount: if self.includes_tax && rate.is_some() { None } else { money(net) },
            tax_included_amount: match (rate, tax) {
                (Some(_), _) if self.includes_tax => money(net),
                (_, Some(tax)) => money(net + tax),
                (_, None) => None,
            },
            tax_rate: rate,
            ..Price::default()
        }
    }

    fn alteration(&self, change: Alteration) -> ItemPriceAlteration {
        let raises = change.change > Decimal::ZERO;
        let percentage = change.percentage.map(Number);
        let each = change.lasts.and_then(|lasts| lasts.each).or(self.period);
        ItemPriceAlteration {
            name: Some(change.name),
            price_type: Some(if raises { "surcharge" } else { self.kind.as_tmf() }.into()),
            recurring_charge_period: each.map(|each| each.to_string()),
            application_duration: change.lasts.map(|lasts| lasts.periods),
            priority: Some(change.priority),
            price: Some(Price { percentage, ..self.price_of(change.change) }),
            product_offering_price: offered(&change.price),
            rest: Rest::new(),
        }
    }

    /// Reads a price of a quote or an order. The error has the path of the attribute in the price.
    pub fn read(document: &ItemPrice) -> Result<Self, Malformed> {
        let kind = document.price_type.as_deref().and_then(PriceKind::from_tmf);
        let kind = kind.ok_or_else(|| {
            Malformed::new("priceType", "is one of `oneTime`, `recurring`, `usage`")
        })?;
        let price = document.price.as_ref();
        let taxes = taxes(document)?;
        let net = price.and_then(|price| price.duty_free_amount);
        let gross = price.and_then(|price| price.tax_included_amount);
        let gross = gross.filter(|_| net.is_none() && !taxes.is_empty());
        let includes_tax = gross.is_some();
        let list = listed(gross.or(net), kind)?;
        let period = period(document.recurring_charge_period.as_deref(), "recurringChargePeriod")?;
        if kind == PriceKind::Recurring && period.is_none() {
            return Err(Malformed::new("recurringChargePeriod", "is missing"));
        }
        let alterations = document.price_alteration.iter();
        let alterations =
            alterations.map(|change| alteration_of(change, list.currency, period, includes_tax));
        Ok(Self {
            price: id_of(document.product_offering_price.as_ref()),
            name: document.name.clone().unwrap_or_default(),
            kind,
            period,
            unit: document.unit_of_measure.clone(),
            tier: document.description.clone(),
            alterations: alterations.collect::<Result<_, _>>()?,
            list,
            includes_tax,
            taxes,
        })
    }
}

/// Writes a tax of a price.
fn price_tax(tax: Tax) -> PriceTax {
    PriceTax { tax_category: Some(tax.category), tax_rate: Number(tax.rate), rest: Rest::new() }
}

fn offered(price: &str) -> Option<Reference> {
    (!price.is_empty()).then(|| Reference::of("ProductOfferingPrice", price))
}

/// The taxes of a price: a list of our own, or TM Forum's one rate.
fn taxes(document: &ItemPrice) -> Result<Vec<Tax>, Malformed> {
    let rate = |Number(rate): Number, at: &str| {
        percent(rate).ok_or_else(|| Malformed::new(at, "is a number from 0 to 1000"))
    };
    if !document.tax.is_empty() {
        let tax = |one: &PriceTax| {
            let category = one.tax_category.clone().unwrap_or_default();
            Ok(Tax { rate: rate(one.tax_rate, "tax.taxRate")?, category })
        };
        return document.tax.iter().map(tax).collect();
    }
    match document.price.as_ref().and_then(|price| price.tax_rate) {
        None => Ok(Vec::new()),
        Some(one) => Ok(vec![Tax { rate: rate(one, "price.taxRate")?, category: String::new() }]),
    }
}

/// The list price: an amount that can be charged.
fn listed(amount: Option<Amount>, kind: PriceKind) -> Result<Money, Malformed> {
    let wrong = |problem| Malformed::new("price.dutyFreeAmount", problem);
    let list = amount.and_then(money).ok_or_else(|| {
        wrong("is an amount below 10^12: `unit` (a currency of ISO 4217) and `value` (a number)")
    })?;
    if list.amount < Decimal::ZERO {
        return Err(wrong("is below zero"));
    }
    if is_too_fine(&list, kind) {
        return Err(wrong("has more decimals than its currency"));
    }
    Ok(list)
}

fn alteration_of(
    change: &ItemPriceAlteration,
    currency: Currency,
    period: Option<Period>,
    includes_tax: bool,
) -> Result<Alteration, Malformed> {
    let problem = "needs `dutyFreeAmount`, by how much it changes the price, in its currency";
    let wrong = || Malformed::new("priceAlteration.price", problem);
    let price = change.price.as_ref().ok_or_else(wrong)?;
    let amount = if includes_tax { price.tax_included_amount } else { price.duty_free_amount };
    let amount = amount.and_then(money).filter(|amount| amount.currency == currency);
    Ok(Alteration {
        price: id_of(change.product_offering_price.as_ref()),
        name: change.name.clone().unwrap_or_default(),
        percentage: price.percentage.and_then(|Number(percentage)| percent(percentage)),
        change: amount.ok_or_else(wrong)?.amount,
        lasts: lasts(change, period)?,
        priority: change.priority.unwrap_or(0),
    })
}

/// Reads the alterations that are granted by hand: percentages and amounts, whatever their sign. One
/// lowers the price unless its type is a surcharge. Those of the catalog are computed anew.
pub fn granted(document: &ItemPrice) -> Result<Vec<Change<'_>>, Malformed> {
    let changes = document.price_alteration.iter();
    let by_hand = changes.filter(|change| change.product_offering_price.is_none());
    by_hand.map(|change| granted_by(change, document.recurring_charge_period.as_deref())).collect()
}

fn granted_by<'a>(
    change: &'a ItemPriceAlteration,
    of_price: Option<&str>,
) -> Result<Change<'a>, Malformed> {
    let problem = "has `percentage` from 0 to 100 (of a surcharge 1000), or `dutyFreeAmount`";
    let wrong = || Malformed::new("priceAlteration.price", problem);
    let price = change.price.as_ref().ok_or_else(wrong)?;
    let period = change.recurring_charge_period.as_deref();
    if period.is_some() && change.application_duration.is_none() && period != of_price {
        return Err(Malformed::new(
            "priceAlteration.applicationDuration",
            "is missing: `recurringChargePeriod` tells the periods that it counts",
        ));
    }
    let effect = change.price_type.as_deref().and_then(Effect::parse);
    let effect = effect.unwrap_or(Effect::Discount);
    let fits = |percent: &Decimal| effect == Effect::Surcharge || *percent <= Decimal::ONE_HUNDRED;
    let by = match price.percentage {
        Some(Number(percentage)) => {
            By::Percent(percent(percentage).filter(fits).ok_or_else(wrong)?)
        }
        None => {
            let amount = price.duty_free_amount.and_then(money);
            By::Amount(amount.ok_or_else(wrong)?)
        }
    };
    Ok(Change {
        price: "",
        name: change.name.as_deref().unwrap_or("discount"),
        effect,
        by,
        lasts: lasts(change, None)?,
        priority: change.priority.unwrap_or(0),
    })
}

/// How long an alteration lasts, with its own period if it is not that of the price.
fn lasts(change: &ItemPriceAlteration, price: Option<Period>) -> Result<Option<Term>, Malformed> {
    let each = change.recurring_charge_period.as_deref();
    let each = period(each, "priceAlteration.recurringChargePeriod")?;
    let Some(periods) = change.application_duration else { return Ok(None) };
    if !(1..=LENGTH_MAX).contains(&periods) {
        let at = "priceAlteration.applicationDuration";
        return Err(Malformed::new(at, "is a whole number from 1 to 1200"));
    }
    Ok(Some(Term { periods, each: each.filter(|each| Some(*each) != price) }))
}

fn period(text: Option<&str>, at: &str) -> Result<Option<Period>, Malformed> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    Period::parse(text).map(Some).ok_or_else(|| {
        let problem = "is one of `day`, `week`, `month`, `quarter`, `year`, or a number of them";
        Malformed::new(at, problem)
    })
}

fn money(Amount(money): Amount) -> Option<Money> {
    let fits = money.currency.is_known() && money.amount.abs() <= Decimal::from(AMOUNT_MAX);
    fits.then_some(money)
}

fn percent(percent: Decimal) -> Option<Decimal> {
    let percent = percent.abs();
    (percent <= Decimal::from(PERCENT_MAX)).then_some(percent)
}

fn id_of(reference: Option<&Reference>) -> String {
    reference.and_then(|reference| reference.id.clone()).unwrap_or_default()
}
