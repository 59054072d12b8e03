//! The charges of a product for a period, and what is given back of earlier ones.
//!
//! The rule: a price is owed for every day that the product is charged ([`super::timeline`]). Days
//! that a rate covers already are not charged again, so the same period can be charged twice and
//! costs once. Days that a rate covers and that turn out not to be owed are given back.
//!
//! A charge is for days in a row that cost the same. A price for months costs, each day, its share
//! of the month that the day is in, counted from bill day to bill day; so does one for years. A
//! price for days or weeks costs the same share every day. A price whose period is longer than
//! the bill cycle is charged to the end of that period, ahead. Each charge is computed exactly,
//! rounded once, and taxed from what was rounded.

use rust_decimal::Decimal;
use serde_json::Value;

use super::amount::Rounding;
use super::cycle::Cycle;
use super::day::{Day, Days};
use super::field::{Field, Malformed};
use super::price::{Period, ProductPrice};
use super::rate::{Rate, RateKind};
use super::timeline::Timeline;
use crate::money::{Money, PriceKind};
use crate::time::Timestamp;

/// What applies to all charges alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// When bills are cut.
    pub cycle: Cycle,
    /// The tax, in per cent, of a price that does not say its own and was never charged before.
    pub tax_rate: Decimal,
    /// What tax it is, such as `VAT`.
    pub tax_category: String,
    /// Which way ties go.
    pub rounding: Rounding,
}

impl Default for Terms {
    /// Monthly on the first; no tax but what prices say.
    fn default() -> Self {
        Self {
            cycle: Cycle::default(),
            tax_rate: Decimal::ZERO,
            tax_category: "VAT".into(),
            rounding: Rounding::default(),
        }
    }
}

/// Lists what a product owes for a period, and what it is given back, beyond the rates that there
/// are: all of the product's, billed or not. `at` is when the new ones are made.
pub fn due(
    product: &Value,
    timeline: &Timeline,
    rates: &[Rate],
    period: Days,
    terms: &Terms,
    at: Timestamp,
) -> Result<Vec<Rate>, Malformed> {
    owed(product, timeline, rates, Window { period, reach: Reach::PricePeriod }, terms, at)
}

/// The days to charge for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) period: Days,
    pub(super) reach: Reach,
}

/// How far prices that are paid ahead are charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// To the end of the window.
    Window,
    /// To the end of their own period.
    PricePeriod,
}

/// As [`due`], for a window.
pub(super) fn owed(
    product: &Value,
    timeline: &Timeline,
    rates: &[Rate],
    window: Window,
    terms: &Terms,
    at: Timestamp,
) -> Result<Vec<Rate>, Malformed> {
    let root = Field::root(product);
    let id = root.need("id")?.text()?.to_owned();
    let mine: Vec<&Rate> = rates.iter().filter(|rate| rate.product.as_ref() == Some(&id)).collect();
    let mut charging = Charging {
        name: root.text_or("name", &id)?.to_owned(),
        account: root.reference("billingAccount")?,
        charged: timeline.charged(),
        id,
        rates: mine,
        terms,
        at,
        made: Vec::new(),
    };
    for price in ProductPrice::all(product)? {
        match (price.kind, price.period) {
            (PriceKind::OneOff, _) => charging.one_off(&price, window.period),
            (PriceKind::Recurring, Some(each)) => charging.recurring(&price, each, window),
            // Usage is rated where it happens; a recurring price without a period was refused.
            (PriceKind::Usage, _) | (PriceKind::Recurring, None) => {}
        }
    }
    charging.credits();
    Ok(charging.made)
}

/// The days of a product that a recurring price is paid for.
pub fn covered(rates: &[&Rate], product: &str, price: &str) -> Vec<Days> {
    let charges = rates.iter().filter(|rate| {
        rate.kind == RateKind::Recurring
            && rate.product.as_deref() == Some(product)
            && rate.price.as_deref() == Some(price)
    });
    charges.flat_map(|charge| kept(charge, rates)).collect()
}

/// The days of a charge that were not given back.
pub(super) fn kept(charge: &Rate, rates: &[&Rate]) -> Vec<Days> {
    let credits = rates.iter().filter(|rate| rate.credits.as_ref() == Some(&charge.id));
    let given_back: Vec<Days> = credits.filter_map(|credit| credit.covers).collect();
    charge.covers.map(|days| days.without(&given_back)).unwrap_or_default()
}

struct Charging<'a> {
    id: String,
    name: String,
    account: Option<String>,
    charged: Vec<Days>,
    rates: Vec<&'a Rate>,
    terms: &'a Terms,
    at: Timestamp,
    made: Vec<Rate>,
}

impl Charging<'_> {
    fn one_off(&mut self, price: &ProductPrice, period: Days) {
        let was_charged = self
            .rates
            .iter()
            .any(|rate| rate.kind == RateKind::OneOff && rate.price.as_deref() == Some(&price.id));
        let begin = self.charged.first().map(|days| days.from);
        let Some(begin) = begin.filter(|begin| period.holds(*begin) && !was_charged) else {
            return;
        };
        let (amount, altered_by) = price.on(begin, begin);
        let day = Days { from: begin, until: begin.plus_days(1) };
        let rate = self.charge(price, RateKind::OneOff, amount, &altered_by, day);
        self.made.push(rate);
    }

    fn recurring(&mut self, price: &ProductPrice, each: Period, window: Window) {
        let Some(begin) = self.charged.first().map(|days| days.from) else { return };
        let anchor = match each {
            Period::Months(_) => begin.back_to(self.terms.cycle.bill_day()),
            Period::Days(_) => begin,
        };
        let Window { mut period, reach } = window;
        if reach == Reach::PricePeriod && self.terms.cycle.is_shorter_than(each) {
            period.until = each.around(period.until.before().max(begin), anchor).until;
        }
        let paid = covered(&self.rates, &self.id, &price.id);
        let owed: Vec<Days> = self.charged.iter().filter_map(|days| days.common(period)).collect();
        for days in owed.iter().flat_map(|days| days.without(&paid)) {
            for part in days.split_at(self.cuts(price, each, days, anchor, begin)) {
                let of = each.around(part.from, anchor);
                let (amount, altered_by) = price.on(part.from, begin);
                let share = amount * Decimal::from(part.count()) / Decimal::from(of.count());
                let mut rate = self.charge(price, RateKind::Recurring, share, &altered_by, part);
                if matches!(each, Period::Months(_)) && part.count() != of.count() {
                    let fraction = format!("{}/{} days", part.count(), of.count());
                    rate.description = joined(&rate.description, &fraction);
                }
                self.made.push(rate);
            }
        }
    }

    /// Where the cost of a day changes within some days.
    fn cuts(
        &self,
        price: &ProductPrice,
        each: Period,
        days: Days,
        anchor: Day,
        begin: Day,
    ) -> Vec<Day> {
        let mut cuts = price.changes(begin);
        if matches!(each, Period::Months(_)) {
            let mut at = each.around(days.from, anchor).until;
            while at < days.until {
                cuts.push(at);
                at = each.around(at, anchor).until;
            }
        }
        cuts
    }

    /// Gives back days that were charged and are not owed.
    fn credits(&mut self) {
        let charges: Vec<&Rate> =
            self.rates.iter().copied().filter(|rate| rate.kind == RateKind::Recurring).collect();
        for charge in charges {
            let mut left: i64 = kept(charge, &self.rates).iter().map(|days| days.count()).sum();
            let earlier =
                self.rates.iter().filter(|rate| rate.credits.as_ref() == Some(&charge.id));
            let (mut net, mut tax) = earlier
                .fold((charge.net.amount, charge.tax.amount), |(net, tax), credit| {
                    (net + credit.net.amount, tax + credit.tax.amount)
                });
            let unowed = kept(charge, &self.rates);
            for days in unowed.into_iter().flat_map(|days| days.without(&self.charged)) {
                left -= days.count();
                let credit = self.credit(charge, days, left, (net, tax));
                net += credit.net.amount;
                tax += credit.tax.amount;
                self.made.push(credit);
            }
        }
    }

    /// Of a charge the share of some days; all the rest of it where no days are left.
    fn credit(&self, charge: &Rate, days: Days, left: i64, rest: (Decimal, Decimal)) -> Rate {
        let of = charge.covers.map_or(1, Days::count);
        let share = |amount: &Money, rest: Decimal| {
            let part = amount.amount * Decimal::from(days.count()) / Decimal::from(of);
            let back = if left == 0 { rest } else { part };
            self.terms.rounding.of(-back, &amount.currency)
        };
        Rate {
            id: self.rate_id(),
            name: charge.name.clone(),
            description: format!("{}/{of} days given back", days.count()),
            kind: RateKind::Credit,
            date: self.at,
            credits: Some(charge.id.clone()),
            covers: Some(days),
            net: share(&charge.net, rest.0),
            tax: share(&charge.tax, rest.1),
            bill: None,
            account: charge.account.clone(),
            product: charge.product.clone(),
            price: charge.price.clone(),
            tax_rate: charge.tax_rate,
            tax_category: charge.tax_category.clone(),
        }
    }

    fn charge(
        &self,
        price: &ProductPrice,
        kind: RateKind,
        amount: Decimal,
        altered_by: &[&str],
        covers: Days,
    ) -> Rate {
        let net = self.terms.rounding.of(amount, &price.amount.currency);
        let before = self.rates.iter().rev().filter(|rate| rate.price.as_ref() == Some(&price.id));
        let before = before.filter_map(|rate| rate.tax_rate).next();
        let tax_rate = price.tax_rate.or(before).unwrap_or(self.terms.tax_rate);
        Rate {
            id: self.rate_id(),
            name: joined(&self.name, &price.name),
            description: altered_by.join(", "),
            kind,
            date: self.at,
            account: price.account.clone().or_else(|| self.account.clone()),
            product: Some(self.id.clone()),
            price: Some(price.id.clone()),
            credits: None,
            covers: Some(covers),
            tax: self.terms.rounding.tax(&net, tax_rate),
            net,
            tax_rate: Some(tax_rate),
            tax_category: self.terms.tax_category.clone(),
            bill: None,
        }
    }

    /// The next id of a rate of the product: they are counted, so none is given twice.
    fn rate_id(&self) -> String {
        format!("{}-b{}", self.id, self.rates.len() + self.made.len() + 1)
    }
}

/// Two texts with a comma between, or the one that says something.
fn joined(left: &str, right: &str) -> String {
    match (left.is_empty(), right.is_empty()) {
        (false, false) => format!("{left}, {right}"),
        (_, true) => left.into(),
        (true, false) => right.into(),
    }
}

#[cfg(test)]
mod tests;
