//! The right amounts of charges, for revenue assurance: computed for each of them from the prices that
//! were known when it was made.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::Charging;
use crate::billing::periods::Periods;
use crate::billing::spans::Span;
use crate::billing::terms::Terms;
use crate::billing::timeline::Timeline;
use model::pricing::rate::{Rate, RateKind};
use tmf::Malformed;
use tmf::day::{Day, Days};
use tmf::document::product::Product;
use tmf::money::Tax;
use tmf::time::Timestamp;

/// The last day of a month on which bills are cut.
const BILL_DAY_MAX: u32 = 31;

/// A charge as it should have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::billing) struct Exact<'a> {
    /// Whether its amount is one that its price gives.
    pub(in crate::billing) is_right: bool,
    /// Its amount by the cycle of now, with tax if the price includes it.
    pub(in crate::billing) amount: Decimal,
    /// The accounts that prices of it name; `None` for the product's.
    pub(in crate::billing) payers: BTreeSet<Option<&'a str>>,
    /// The taxes that its price names.
    pub(in crate::billing) taxes: Option<Vec<Tax>>,
    /// Whether its price includes tax.
    pub(in crate::billing) includes_tax: bool,
}

/// The charges of a product as they should have been.
pub(in crate::billing) struct Exacts<'a>(Charging<'a>);

impl<'a> Exacts<'a> {
    /// Those of a product with its rates. `None` if it was never charged, nor is to be.
    pub(in crate::billing) fn new(
        product: &'a Product,
        timeline: &'a Timeline,
        rates: &[&'a Rate],
        terms: &'a Terms,
    ) -> Result<Option<Self>, Malformed> {
        Ok(Charging::new(product, timeline, rates, terms, Timestamp(0))?.map(Self))
    }

    /// A charge as it should have been. `None` if the product never had its price.
    pub(in crate::billing) fn of(&self, charge: &Rate, rates: &[&Rate]) -> Option<Exact<'_>> {
        self.0.exact(charge, rates)
    }
}

impl Charging<'_> {
    fn exact(&self, charge: &Rate, rates: &[&Rate]) -> Option<Exact<'_>> {
        let days = charge.covers?;
        let known = self.known(charge);
        // The first known price counts from the beginning.
        let on_days =
            || known.iter().enumerate().filter(|(at, (from, _))| *at == 0 || *from < days.until);
        let (_, (_, last)) = on_days().next_back()?;
        let price = &last.price;
        let mut exact = Exact {
            is_right: false,
            amount: Decimal::ZERO,
            payers: on_days().map(|(_, (_, span))| span.price.account.as_deref()).collect(),
            taxes: (!price.taxes.is_empty()).then(|| self.terms.taxes_on(price)),
            includes_tax: price.includes_tax,
        };
        if charge.net.currency != price.amount.currency {
            return Some(exact);
        }
        let told = if exact.includes_tax { charge.gross().amount } else { charge.net.amount };
        if charge.kind == RateKind::OneOff {
            exact.amount = self.rounded(self.altered(last, days.from).0, last);
            exact.is_right = told == exact.amount;
            return Some(exact);
        }
        let each = price.period?;
        let is_near = |begin, bill_day| {
            let periods = Periods::by_bill_day(each, begin, bill_day);
            let cost = self.cost(&known, days, bill_day, begin);
            cost.is_some_and(|cost| (told - cost).abs() <= roundings(charge, days, rates, periods))
        };
        let bill_day = self.terms.cycle.bill_day();
        exact.amount = self.rounded(self.cost(&known, days, bill_day, self.begin)?, last);
        // The bill day, and the first day of the product, may have been others.
        let first = rates.iter().filter_map(|rate| rate.covers).map(|days| days.from).min();
        exact.is_right = is_near(self.begin, bill_day)
            || [self.begin, first.unwrap_or(self.begin)]
                .into_iter()
                .any(|begin| (1..=BILL_DAY_MAX).any(|bill_day| is_near(begin, bill_day)));
        Some(exact)
    }

    /// The prices of a charge as they were known when it was made, each with the first day that it
    /// counts for.
    fn known(&self, charge: &Rate) -> Vec<(Day, &Span)> {
        let own = self.spans.iter().filter(|span| charge.price.as_ref() == Some(&span.key));
        let mut known: Vec<(Day, &Span)> = Vec::new();
        for span in own {
            if known.is_empty() || span.since <= charge.date {
                known.push((span.days.from, span));
            }
        }
        known
    }

    /// The exact cost of days by prices and a bill day.
    fn cost(
        &self,
        known: &[(Day, &Span)],
        days: Days,
        bill_day: u32,
        begin: Day,
    ) -> Option<Decimal> {
        let mut cost = Decimal::ZERO;
        for (index, (from, span)) in known.iter().enumerate() {
            let from = if index == 0 { days.from } else { *from };
            let until = known.get(index + 1).map_or_else(Day::never, |(from, _)| *from);
            let part = Days::new(from, until).and_then(|own| own.common(days));
            let Some(part) = part else { continue };
            let periods = Periods::by_bill_day(span.price.period?, begin, bill_day);
            let mut cuts = periods.cuts(part);
            cuts.extend(self.changes(span));
            for piece in part.split_at(cuts) {
                let of = Decimal::from(periods.around(piece.from).count());
                let amount = self.altered(span, piece.from).0;
                cost += amount * Decimal::from(piece.count()) / of;
            }
        }
        Some(cost)
    }
}

/// The max difference that rounding makes to a charge: of several that share a period, each is the
/// increase of the rounded sum.
fn roundings(charge: &Rate, days: Days, rates: &[&Rate], periods: Periods) -> Decimal {
    let from = periods.around(days.from).from;
    let until = periods.around(days.until.before()).until;
    let others = rates.iter().filter(|rate| {
        rate.id != charge.id
            && rate.price == charge.price
            && rate.covers.is_some_and(|covers| covers.from < until && from < covers.until)
    });
    let unit = Decimal::new(1, charge.net.currency.decimals());
    match others.count() {
        0 => unit / Decimal::TWO,
        more => unit * Decimal::from(more),
    }
}
