//! The charges of a product for a period, and what is given back of earlier ones.
//!
//! The rule: a price is owed for every day that the product is charged ([`super::timeline`]) and has
//! that price ([`super::spans`]). Days that a rate covers already are not charged again, so the same
//! period can be charged twice and costs once. Days that a rate covers and that turn out not to be
//! owed, as when the price was changed, are given back.
//!
//! A charge is for days in a row that cost the same. A price for months costs, each day, its share
//! of the month that the day is in, counted from bill day to bill day; so does one for years. A
//! price for days or weeks costs the same share every day. A price whose period is longer than
//! the bill cycle is charged to the end of that period, ahead. Each charge is computed exactly,
//! rounded once, and taxed from what was rounded.

use rust_decimal::Decimal;
use serde_json::Value;

use super::day::{Day, Days};
use super::field::{Field, Malformed};
use super::left::Left;
use super::price::{Period, ProductPrice};
use super::rate::{Rate, RateKind};
use super::spans::{Span, owed as owed_for};
use super::terms::Terms;
use super::timeline::Timeline;
use crate::money::PriceKind;
use crate::time::Timestamp;

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
        spans: timeline.spans(),
        id,
        rates: mine,
        terms,
        at,
        made: Vec::new(),
    };
    for span in timeline.spans() {
        match (span.price.kind, span.price.period) {
            (PriceKind::OneOff, _) => charging.one_off(span, window.period),
            (PriceKind::Recurring, Some(each)) => charging.recurring(span, each, window),
            // Usage is rated where it happens; a recurring price without a period was refused.
            (PriceKind::Usage, _) | (PriceKind::Recurring, None) => {}
        }
    }
    charging.credits();
    Ok(charging.made)
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
    spans: &'a [Span],
    rates: Vec<&'a Rate>,
    terms: &'a Terms,
    at: Timestamp,
    made: Vec<Rate>,
}

impl Charging<'_> {
    fn one_off(&mut self, span: &Span, period: Days) {
        let price = &span.price;
        let was_charged = self
            .rates
            .iter()
            .any(|rate| rate.kind == RateKind::OneOff && rate.price.as_deref() == Some(&price.id));
        // On the first day on which the product is charged and has it.
        let begin = self.charged.iter().find_map(|days| days.common(span.days));
        let begin = begin.map(|days| days.from);
        let made = self.made.iter().any(|rate| rate.price.as_deref() == Some(&price.id));
        let Some(begin) = begin.filter(|begin| period.holds(*begin) && !was_charged && !made)
        else {
            return;
        };
        let (amount, altered_by) = price.on(begin, begin);
        let day = Days { from: begin, until: begin.plus_days(1) };
        let rate = self.charge(price, RateKind::OneOff, amount, &altered_by, day);
        self.made.push(rate);
    }

    fn recurring(&mut self, span: &Span, each: Period, window: Window) {
        let price = &span.price;
        let Some(begin) = self.charged.first().map(|days| days.from) else { return };
        // What alters a price for a while counts from when the product got it.
        let since = span.begin.unwrap_or(begin).max(begin);
        let anchor = match each {
            Period::Months(_) => begin.back_to(self.terms.cycle.bill_day()),
            Period::Days(_) => begin,
        };
        let Window { mut period, reach } = window;
        if reach == Reach::PricePeriod && self.terms.cycle.is_shorter_than(each) {
            period.until = each.around(period.until.before().max(begin), anchor).until;
        }
        let done = self.paid(&price.id);
        for days in self.to_charge(span, period).into_iter().flat_map(|days| days.without(&done)) {
            for part in days.split_at(self.cuts(price, each, days, anchor, since)) {
                let of = each.around(part.from, anchor);
                let (amount, altered_by) = price.on(part.from, since);
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

    /// The days of a price that are to be charged: those of the period, and those before it that are
    /// or were given back of another price.
    fn to_charge(&self, span: &Span, period: Days) -> Vec<Days> {
        let mut wanted = vec![period];
        let credits = self.rates.iter().filter(|rate| rate.kind == RateKind::Credit);
        let before = credits.filter_map(|credit| credit.covers);
        let back = self.unowed().into_iter().flat_map(|(_, days)| days).chain(before);
        let early = back.filter_map(|days| Days::new(days.from, days.until.min(period.from)));
        for days in early {
            wanted.extend(days.without(&wanted));
        }
        wanted.sort_unstable();
        let own = |days: Days| self.charged.iter().filter_map(move |one| one.common(days));
        let wanted = wanted.into_iter().filter_map(|days| days.common(span.days));
        wanted.flat_map(own).collect()
    }

    /// The charges that cover days that are not owed, each with those.
    fn unowed(&self) -> Vec<(&Rate, Vec<Days>)> {
        let charges = self.rates.iter().filter(|rate| rate.kind == RateKind::Recurring);
        let unowed = charges.map(|charge| {
            let owed = owed_for(charge, self.spans, &self.charged);
            let kept = kept(charge, &self.rates).into_iter();
            (*charge, kept.flat_map(|days| days.without(&owed)).collect())
        });
        unowed.collect()
    }

    /// The days that a recurring price is paid for: what it was charged for and is owed.
    fn paid(&self, price: &str) -> Vec<Days> {
        let mut paid = Vec::new();
        for charge in self
            .rates
            .iter()
            .filter(|rate| rate.kind == RateKind::Recurring && rate.price.as_deref() == Some(price))
        {
            let owed = owed_for(charge, self.spans, &self.charged);
            for days in kept(charge, &self.rates) {
                paid.extend(owed.iter().filter_map(|owed| days.common(*owed)));
            }
        }
        paid
    }

    /// Where the cost of a day changes within some days.
    fn cuts(
        &self,
        price: &ProductPrice,
        each: Period,
        days: Days,
        anchor: Day,
        since: Day,
    ) -> Vec<Day> {
        let mut cuts = price.changes(since);
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
        let unowed: Vec<(Rate, Vec<Days>)> =
            self.unowed().into_iter().map(|(charge, days)| (charge.clone(), days)).collect();
        for (charge, unowed) in &unowed {
            let mut left: i64 = kept(charge, &self.rates).iter().map(|days| days.count()).sum();
            let earlier =
                self.rates.iter().filter(|rate| rate.credits.as_ref() == Some(&charge.id));
            let mut rest = earlier.fold(Left::of(charge), |rest, credit| rest.after(credit));
            for days in unowed.iter().copied() {
                left -= days.count();
                let credit = self.credit(charge, days, left, &rest);
                rest = rest.after(&credit);
                self.made.push(credit);
            }
        }
    }

    /// Of a charge the share of some days; all the rest of it where no days are left.
    fn credit(&self, charge: &Rate, days: Days, left: i64, rest: &Left) -> Rate {
        let of = charge.covers.map_or(1, Days::count);
        let rounding = self.terms.rounding;
        let back = if left == 0 {
            rest.all_back(rounding)
        } else {
            Left::of(charge).share_back(days.count().into(), of.into(), rounding)
        };
        Rate {
            id: self.rate_id(),
            name: charge.name.clone(),
            description: format!("{}/{of} days given back", days.count()),
            kind: RateKind::Credit,
            date: self.at,
            credits: Some(charge.id.clone()),
            covers: Some(days),
            net: back.net,
            taxes: back.taxes,
            bill: None,
            account: charge.account.clone(),
            product: charge.product.clone(),
            price: charge.price.clone(),
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
        let (net, taxes) = self.terms.charged(price, amount);
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
            taxes,
            net,
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
