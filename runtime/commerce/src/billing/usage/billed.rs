//! Usage on a bill: one rate for all usage of a product by a price.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{IllegalStep, Rated, State, Step};
use crate::billing::charge::Until;
use crate::billing::terms::Terms;
use model::pricing::rate::{Rate, RateKind};
use model::pricing::tax::AppliedTax;
use tmf::Malformed;
use tmf::day::{Day, Days};
use tmf::document::usage::Usage;
use tmf::money::{Currency, Tax};
use tmf::time::Timestamp;

/// The result of billing usage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Billed {
    /// The rates, one for each product, price and tax.
    pub rates: Vec<Rate>,
    /// The usages in them, which are `billed` now.
    pub usages: Vec<Usage>,
}

/// Makes rates of the usage before a day that is rated and not billed, each for the account that pays.
/// The amounts are added up exactly and rounded once. A usage from before its product had an account is
/// charged to the present one, by `account_of` the product. `at` is when the rates are made.
pub fn bill<'a>(
    usages: impl IntoIterator<Item = Usage>,
    account_of: impl Fn(&str) -> Option<&'a str>,
    until: &Until,
    terms: &Terms,
    at: Timestamp,
) -> Result<Billed, Malformed> {
    let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
    let mut billed = Billed::default();
    for usage in usages {
        let Some(mut rated) = Rated::read(&usage)? else { continue };
        let Ok(state) = Step::Bill.after(usage.state()) else { continue };
        let day = terms.zone.day_of(rated.at);
        if rated.account.is_none() {
            rated.account = account_of(&rated.product).map(str::to_owned);
        }
        if until.of(rated.account.as_deref()).is_none_or(|until| day >= until) {
            continue;
        }
        billed.usages.push(marked(usage, state, true));
        let (key, group) = parts(rated, day);
        match groups.get_mut(&key) {
            Some(sum) => sum.add(group),
            None => drop(groups.insert(key, group)),
        }
    }
    billed.rates.extend(groups.into_iter().map(|(key, group)| group.rate(key, terms, at)));
    Ok(billed)
}

/// Usage with a common line on a bill.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    product: String,
    price: String,
    /// Category and percentage of each.
    taxes: Vec<(String, Decimal)>,
    currency: Currency,
    account: Option<String>,
    includes_tax: bool,
}

/// Usage of a product by a price.
struct Group {
    /// The least of the usages' ids: a usage is billed once, so no other group has it.
    first: String,
    name: String,
    count: usize,
    units: Decimal,
    free: Decimal,
    sum: Decimal,
    days: Days,
}

/// A usage of a day as a group of its own.
fn parts(rated: Rated, day: Day) -> (Key, Group) {
    let group = Group {
        count: 1,
        units: rated.units,
        free: rated.free,
        sum: rated.charged().amount,
        days: Days { from: day, until: day.plus_days(1) },
        first: rated.id,
        name: rated.name,
    };
    let key = Key {
        product: rated.product,
        price: rated.price,
        taxes: rated.taxes.into_iter().map(|tax| (tax.category, tax.rate)).collect(),
        currency: rated.net.currency,
        account: rated.account,
        includes_tax: rated.gross.is_some(),
    };
    (key, group)
}

impl Group {
    fn add(&mut self, other: Self) {
        if other.first < self.first {
            self.first = other.first;
        }
        self.count += other.count;
        self.units += other.units;
        self.free += other.free;
        self.sum += other.sum;
        self.days.from = self.days.from.min(other.days.from);
        self.days.until = self.days.until.max(other.days.until);
    }

    fn rate(self, key: Key, terms: &Terms, at: Timestamp) -> Rate {
        let taxes = key.taxes.into_iter().map(|(category, rate)| Tax { rate, category });
        let taxes: Vec<Tax> = taxes.collect();
        let rounded = terms.rounding.of(self.sum, key.currency);
        let (net, taxes) = if key.includes_tax {
            AppliedTax::within(&rounded, &taxes, terms.rounding)
        } else {
            let applied = AppliedTax::on(&rounded, &taxes, terms.rounding);
            (rounded, applied)
        };
        Rate {
            id: format!("{}-b", self.first),
            description: self.described(),
            name: self.name,
            kind: RateKind::Usage,
            date: at,
            account: key.account,
            product: Some(key.product),
            price: Some(key.price),
            credits: None,
            covers: Some(self.days),
            taxes,
            net,
            bill: None,
        }
    }

    fn described(&self) -> String {
        let (units, free) = (self.units.normalize(), self.free.normalize());
        match free.is_zero() {
            true => format!("{} usages, {units} units", self.count),
            false => format!("{} usages, {units} units, {free} of them free", self.count),
        }
    }
}

/// Notes on a usage that the run that billed it is undone.
pub fn unbilled(mut usage: Usage) -> Result<Usage, IllegalStep> {
    let state = Step::Unbill.after(usage.state())?;
    usage.bill_run = None;
    Ok(marked(usage, state, false))
}

fn marked(mut usage: Usage, state: State, is_billed: bool) -> Usage {
    usage.status = Some(state);
    for line in &mut usage.rated_product_usage {
        line.is_billed = Some(is_billed);
    }
    usage
}
