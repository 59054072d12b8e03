//! The charges of a product up to a day, and the refunds of earlier ones.
//!
//! The rule: a price is owed for every day that the product is charged ([`super::timeline`]) and has
//! that price ([`crate::billing::spans`]), from its first day on. Days that a rate covers already are not
//! charged again, so charging twice costs once. Days that a rate covers and that turn out not to be
//! owed, as when the price was changed, are given back.
//!
//! A charge is for days in a row that cost the same. A price for months costs, each day, its share
//! of the month that the day is in, counted from bill day to bill day; so does one for years. A
//! price for days or weeks costs the same share every day. A price whose period is longer than
//! the bill cycle is charged to the end of that period, ahead. Charges of one period are computed
//! exactly, added up and rounded once: each is the increase of the rounded sum. Taxes are computed from
//! the rounded amounts.

mod earlier;
mod exact;
mod until;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use self::earlier::{Earlier, without};
use super::left::Left;
use super::periods::Periods;
use super::terms::Terms;
use super::timeline::Timeline;
use crate::billing::spans::Span;
use model::pricing::product_price::{Alteration, AlterationKey, Period, ProductPrice};
use model::pricing::rate::{Rate, RateKind};
use tmf::Malformed;
use tmf::day::{Day, Days};
use tmf::document::id_of;
use tmf::document::product::Product;
use tmf::money::PriceKind;
use tmf::time::Timestamp;

pub(super) use self::exact::{Exact, Exacts};
pub use self::until::Until;

/// Lists the charges and refunds of a product up to a day that are not among its rates yet. `rates` are
/// all rates of the product, billed or not; `at` is when the new ones are made.
pub fn due(
    product: &Product,
    timeline: &Timeline,
    rates: &[Rate],
    until: &Until,
    terms: &Terms,
    at: Timestamp,
) -> Result<Vec<Rate>, Malformed> {
    let mine: Vec<&Rate> =
        rates.iter().filter(|rate| rate.product.as_ref() == Some(&product.id)).collect();
    owed(product, timeline, &mine, Window { until, reach: Reach::PricePeriod }, terms, at)
}

/// The days to charge for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window<'a> {
    pub(super) until: &'a Until,
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

/// As [`due`], for a window, with the rates of the product alone.
pub(super) fn owed(
    product: &Product,
    timeline: &Timeline,
    rates: &[&Rate],
    window: Window<'_>,
    terms: &Terms,
    at: Timestamp,
) -> Result<Vec<Rate>, Malformed> {
    let Some(mut charging) = Charging::new(product, timeline, rates, terms, at)? else {
        return Ok(Vec::new());
    };
    let credits = charging.credits(window.until);
    for span in timeline.spans() {
        let account = span.price.account.as_deref().or(charging.account);
        let Some(until) = window.until.of(account) else { continue };
        match (span.price.kind, span.price.period) {
            (PriceKind::OneOff, _) => charging.one_off(span, until),
            (PriceKind::Recurring, Some(each)) => {
                charging.recurring(span, each, until, window.reach);
            }
            // Usage is rated when it comes in; a recurring price without a period was refused.
            (PriceKind::Usage, _) | (PriceKind::Recurring, None) => {}
        }
    }
    let mut made = charging.made;
    made.extend(credits);
    number(&product.id, rates.iter().copied(), &mut made);
    Ok(made)
}

/// Gives the charges and credits of a product their ids: they are counted, so none is given twice.
pub fn number<'a>(product: &str, earlier: impl IntoIterator<Item = &'a Rate>, made: &mut [Rate]) {
    let number = |rate: &Rate| -> Option<usize> {
        let rest = rate.id.strip_prefix(product)?.strip_prefix("-b")?;
        rest.split('-').next()?.parse().ok()
    };
    let (mut count, mut last) = (0, 0);
    for rate in earlier {
        count += 1;
        last = last.max(number(rate).unwrap_or(0));
    }
    for (index, rate) in made.iter_mut().enumerate() {
        rate.id = format!("{product}-b{}", last.max(count) + index + 1);
    }
}

/// The days of a charge that were not refunded.
pub(super) fn kept(charge: &Rate, rates: &[&Rate]) -> Vec<Days> {
    let credits = rates.iter().filter(|rate| rate.credits.as_ref() == Some(&charge.id));
    without(charge, &credits.copied().collect::<Vec<_>>())
}

/// The first day that was charged of a product that is not charged after all.
fn first_covered(rates: &[&Rate]) -> Option<Day> {
    rates.iter().filter_map(|rate| rate.covers).map(|days| days.from).min()
}

/// An alteration of a price: the key of the price, and its own.
type Altering<'a> = (&'a str, &'a AlterationKey);

/// When each alteration began: the first charged day on which the product had it.
fn begins<'a>(spans: &'a [Span], charged: &[Days]) -> BTreeMap<Altering<'a>, Day> {
    let mut begins = BTreeMap::new();
    for span in spans.iter().filter(|span| !span.price.alterations().is_empty()) {
        let Some(first) = charged.iter().find_map(|days| days.common(span.days)) else { continue };
        for alteration in span.price.alterations() {
            let begin = begins.entry(altering(span, alteration)).or_insert(first.from);
            *begin = first.from.min(*begin);
        }
    }
    begins
}

fn altering<'a>(span: &'a Span, alteration: &'a Alteration) -> Altering<'a> {
    (&span.key, &alteration.key)
}

struct Charging<'a> {
    product: &'a Product,
    account: Option<&'a str>,
    charged: Vec<Days>,
    /// The first day that is charged.
    begin: Day,
    spans: &'a [Span],
    earlier: Vec<Earlier<'a>>,
    /// The one-off prices that are charged.
    once: BTreeSet<&'a str>,
    begins: BTreeMap<Altering<'a>, Day>,
    terms: &'a Terms,
    at: Timestamp,
    made: Vec<Rate>,
}

/// A recurring price of a product for some days, and the periods that it is for.
#[derive(Clone, Copy)]
struct Row<'a> {
    span: &'a Span,
    periods: Periods,
    days: Days,
}

impl<'a> Charging<'a> {
    /// The charging of a product whose rates these are. `None` if it was never charged, nor is to be.
    fn new(
        product: &'a Product,
        timeline: &'a Timeline,
        rates: &[&'a Rate],
        terms: &'a Terms,
        at: Timestamp,
    ) -> Result<Option<Self>, Malformed> {
        let charged = timeline.charged();
        let begin = charged.first().map(|days| days.from).or_else(|| first_covered(rates));
        let Some(begin) = begin else { return Ok(None) };
        let once = rates.iter().filter(|rate| rate.kind == RateKind::OneOff);
        Ok(Some(Self {
            product,
            account: id_of(product.billing_account.as_ref(), "billingAccount")?,
            once: once.filter_map(|rate| rate.price.as_deref()).collect(),
            earlier: Earlier::all(rates, timeline.spans(), &charged),
            begins: begins(timeline.spans(), &charged),
            spans: timeline.spans(),
            charged,
            begin,
            terms,
            at,
            made: Vec::new(),
        }))
    }

    fn one_off(&mut self, span: &'a Span, until: Day) {
        let price = &span.price;
        // On the first day on which the product is charged and has it.
        let begin = self.charged.iter().find_map(|days| days.common(span.days));
        let begin = begin.map(|days| days.from).filter(|begin| *begin < until);
        let is_new = !self.once.contains(span.key.as_str());
        let Some(begin) = begin.filter(|_| is_new) else { return };
        let (amount, altered_by) = price.on(begin, begin);
        let day = Days { from: begin, until: begin.plus_days(1) };
        let rate = self.charge(span, RateKind::OneOff, amount, &altered_by, day);
        self.once.insert(&span.key);
        self.made.push(rate);
    }

    fn recurring(&mut self, span: &'a Span, each: Period, until: Day, reach: Reach) {
        if until <= self.begin {
            return;
        }
        let periods = Periods::new(each, self.begin, self.terms.cycle);
        let is_ahead = reach == Reach::PricePeriod && self.terms.cycle.is_shorter_than(each);
        let until = if is_ahead { periods.around(until.before()).until } else { until };
        let Some(wanted) = Days::new(self.begin, until).and_then(|all| all.common(span.days))
        else {
            return;
        };
        let paid = self.paid(&span.key);
        let rows: Vec<Days> = self.charged.iter().filter_map(|days| days.common(wanted)).collect();
        for days in rows.into_iter().flat_map(|days| days.without(&paid)) {
            let mut cuts = periods.cuts(days);
            cuts.extend(self.changes(span));
            for days in days.split_at(cuts) {
                let row = Row { span, periods, days };
                let of = periods.around(days.from);
                let (_, altered_by) = self.altered(span, days.from);
                let amount = self.amount(row);
                let mut rate = self.charge(span, RateKind::Recurring, amount, &altered_by, days);
                if matches!(each, Period::Months(_)) && days.count() != of.count() {
                    let fraction = format!("{}/{} days", days.count(), of.count());
                    rate.description = joined(&rate.description, &fraction);
                }
                self.made.push(rate);
            }
        }
    }

    /// The days of a price that are charged and owed.
    fn paid(&self, key: &str) -> Vec<Days> {
        let same = self.earlier.iter().filter(|one| one.charge.price.as_deref() == Some(key));
        same.flat_map(|one| one.stands.iter().copied()).collect()
    }

    /// The charge of a row of days: the exact cost of all charged days of its periods with it, rounded
    /// once, less what was charged for them before.
    fn amount(&self, row: Row<'_>) -> Decimal {
        let Days { from, until } = row.days;
        let mut periods = vec![row.periods.around(from), row.periods.around(until.before())];
        periods.dedup();
        let of = Decimal::from(periods.first().map_or(1, |period| period.count()));
        let (mut days, mut charged) = (self.weight(row), Decimal::ZERO);
        for period in periods {
            for (covers, left, roundings) in self.charges_of(row.span) {
                let inside: Vec<Days> =
                    covers.iter().filter_map(|days| days.common(period)).collect();
                let here = inside.iter().map(|days| self.weight_of(row, *days)).sum::<Decimal>();
                if inside.is_empty() {
                    continue;
                }
                days += here;
                let exact = self.rounded(here / of, row.span);
                // A charge for more than this period, and one of another amount, as of a rater of
                // an operator's own, counts as what its days cost here.
                let is_exact = inside == covers && {
                    let unit = Decimal::new(1, row.span.price.amount.currency.decimals());
                    (left - here / of).abs() <= unit * Decimal::from(roundings)
                };
                charged += if is_exact { left } else { exact };
            }
        }
        self.rounded(days / of, row.span) - charged
    }

    /// The earlier and new charges of a price: the days, the amount that is left, with tax if the price
    /// includes it, and how often it was rounded.
    fn charges_of(&self, span: &Span) -> impl Iterator<Item = (&[Days], Decimal, u32)> {
        let (key, price) = (span.key.as_str(), &span.price);
        let is_same = move |rate: &Rate| {
            rate.price.as_deref() == Some(key) && rate.net.currency == price.amount.currency
        };
        let earlier = self.earlier.iter().filter(move |one| is_same(one.charge));
        let earlier = earlier.map(move |one| {
            let left = if price.includes_tax { one.gross() } else { one.left.net.amount };
            (one.stands.as_slice(), left, one.roundings)
        });
        let made =
            self.made.iter().filter(move |rate| rate.kind == RateKind::Recurring && is_same(rate));
        let made = made.map(move |rate| {
            let left = if price.includes_tax { rate.gross().amount } else { rate.net.amount };
            (rate.covers.as_slice(), left, 1)
        });
        earlier.chain(made)
    }

    /// The amounts of a row's days, added up: the cost of them times the days of a period.
    fn weight(&self, row: Row<'_>) -> Decimal {
        self.altered(row.span, row.days.from).0 * Decimal::from(row.days.count())
    }

    /// The same of other days of its price, at what that cost on them. Days on which it was for
    /// other periods count for nothing.
    fn weight_of(&self, row: Row<'_>, days: Days) -> Decimal {
        let same = self.spans.iter().filter(|span| {
            span.key == row.span.key
                && span.price.period == row.span.price.period
                && span.price.amount.currency == row.span.price.amount.currency
                && span.price.includes_tax == row.span.price.includes_tax
        });
        let weights = same.filter_map(|span| Some((span, days.common(span.days)?)));
        let weights = weights.flat_map(|(span, days)| {
            let parts = days.split_at(self.changes(span)).into_iter();
            parts.map(move |days| self.weight(Row { span, days, ..row }))
        });
        weights.sum()
    }

    fn rounded(&self, amount: Decimal, span: &Span) -> Decimal {
        self.terms.rounding.of(amount, span.price.amount.currency).amount
    }

    /// A price on a day, and the names of its alterations then.
    fn altered<'b>(&self, span: &'b Span, day: Day) -> (Decimal, Vec<&'b str>) {
        span.price.altered(|alteration| day < self.end(span, alteration))
    }

    fn end(&self, span: &Span, alteration: &Alteration) -> Day {
        let begin = self.begins.get(&altering(span, alteration)).copied();
        alteration.end(begin.unwrap_or(self.begin))
    }

    /// When each alteration of a price ends.
    fn changes(&self, span: &Span) -> Vec<Day> {
        span.price.alterations().iter().map(|one| self.end(span, one)).collect()
    }

    /// Refunds days that were charged and are not owed, to the accounts that are charged now.
    fn credits(&mut self, until: &Until) -> Vec<Rate> {
        let mut earlier = std::mem::take(&mut self.earlier);
        let mut credits = Vec::new();
        for one in &mut earlier {
            if until.of(one.charge.account.as_deref()).is_none() {
                continue;
            }
            let count = |days: &[Days]| days.iter().map(|days| days.count()).sum::<i64>();
            let mut left = count(&one.stands) + count(&one.unowed);
            for days in std::mem::take(&mut one.unowed) {
                left -= days.count();
                let credit = self.credit(one, days, left);
                one.note(&credit);
                credits.push(credit);
            }
        }
        self.earlier = earlier;
        credits
    }

    /// Refunds the share of some days of a charge, up to the amount that is left of it; all of that if
    /// no days are left.
    fn credit(&self, earlier: &Earlier<'_>, days: Days, left: i64) -> Rate {
        let Earlier { charge, left: rest, .. } = earlier;
        let of = charge.covers.map_or(1, Days::count);
        let rounding = self.terms.rounding;
        let mut back = rest.all_back(rounding);
        if left != 0 {
            let share = Left::of(charge).share_back(days.count().into(), of.into(), rounding);
            back = share.within(&back);
        }
        Rate {
            id: String::new(),
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
        span: &Span,
        kind: RateKind,
        amount: Decimal,
        altered_by: &[&str],
        covers: Days,
    ) -> Rate {
        let price: &ProductPrice = &span.price;
        let (net, taxes) = self.terms.charged(price, amount);
        Rate {
            id: String::new(),
            name: joined(self.product.name.as_ref().unwrap_or(&self.product.id), &price.name),
            description: altered_by.join(", "),
            kind,
            date: self.at,
            account: price.account.as_deref().or(self.account).map(str::to_owned),
            product: Some(self.product.id.clone()),
            price: Some(span.key.clone()),
            credits: None,
            covers: Some(covers),
            taxes,
            net,
            bill: None,
        }
    }
}

/// Two texts with a comma between, or the one that is not empty.
fn joined(left: &str, right: &str) -> String {
    match (left.is_empty(), right.is_empty()) {
        (false, false) => format!("{left}, {right}"),
        (_, true) => left.into(),
        (true, false) => right.into(),
    }
}

#[cfg(test)]
mod tests;
