//! Usage on a bill: one rate for all usage of a product by a price.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{IllegalStep, Rated, State, Step, changed, status_of};
use crate::billing::charge::Until;
use crate::billing::terms::Terms;
use model::pricing::rate::{Rate, RateKind};
use model::pricing::tax::AppliedTax;
use tmf::day::{Day, Days};
use tmf::field::{Field, Malformed};
use tmf::money::Tax;
use tmf::time::Timestamp;

/// What billing usage makes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Billed {
    /// The rates, one for each product, price and tax.
    pub rates: Vec<Rate>,
    /// The usages as they are then.
    pub usages: Vec<Value>,
}

/// Makes rates of the usage before a day that is rated and not billed, each for the account that pays.
/// What was used is added up exactly and rounded once. `products` are the products by id; `at` is when
/// the rates are made.
pub fn bill(
    usages: &[Value],
    products: &BTreeMap<String, Value>,
    until: &Until,
    terms: &Terms,
    at: Timestamp,
) -> Result<Billed, Malformed> {
    let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
    let mut billed = Billed::default();
    for usage in usages {
        let Some(rated) = Rated::read(usage)? else { continue };
        let Ok(state) = Step::Bill.after(status_of(usage)?) else { continue };
        let day = terms.zone.day_of(rated.at);
        // Earlier versions noted no payer.
        let root = products.get(&rated.product).map(Field::root);
        let own = root.as_ref().map(|root| root.reference("billingAccount")).transpose()?;
        let account = rated.account.clone().or_else(|| own.flatten());
        if until.of(account.as_deref()).is_none_or(|until| day >= until) {
            continue;
        }
        let key = Key {
            product: rated.product.clone(),
            price: rated.price.clone(),
            taxes: rated.taxes.iter().map(|tax| (tax.category.clone(), tax.rate)).collect(),
            currency: rated.net.currency.clone(),
            account,
            includes_tax: rated.gross.is_some(),
        };
        groups.entry(key).or_insert_with(|| Group::new(&rated, day)).add(&rated, day);
        billed.usages.push(noted(usage, state));
    }
    for (Key { product, price, taxes, currency, account, includes_tax }, group) in groups {
        let taxes = taxes.into_iter().map(|(category, rate)| Tax { rate, category });
        let taxes: Vec<Tax> = taxes.collect();
        let rounded = terms.rounding.of(group.sum, &currency);
        let (net, taxes) = if includes_tax {
            AppliedTax::within(&rounded, &taxes, terms.rounding)
        } else {
            let applied = AppliedTax::on(&rounded, &taxes, terms.rounding);
            (rounded, applied)
        };
        billed.rates.push(Rate {
            id: format!("{}-b", group.first),
            name: group.name.clone(),
            description: group.described(),
            kind: RateKind::Usage,
            date: at,
            account,
            product: Some(product),
            price: Some(price),
            credits: None,
            covers: Some(group.days),
            taxes,
            net,
            bill: None,
        });
    }
    Ok(billed)
}

/// What has a line of its own on a bill.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    product: String,
    price: String,
    /// Category and percentage of each.
    taxes: Vec<(String, Decimal)>,
    currency: String,
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

impl Group {
    fn new(rated: &Rated, day: Day) -> Self {
        Self {
            first: rated.id.clone(),
            name: rated.name.clone(),
            count: 0,
            units: Decimal::ZERO,
            free: Decimal::ZERO,
            sum: Decimal::ZERO,
            days: Days { from: day, until: day.plus_days(1) },
        }
    }

    fn add(&mut self, rated: &Rated, day: Day) {
        self.first = self.first.clone().min(rated.id.clone());
        self.count += 1;
        self.units += rated.units;
        self.free += rated.free;
        self.sum += rated.charged().amount;
        self.days.from = self.days.from.min(day);
        self.days.until = self.days.until.max(day.plus_days(1));
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
pub fn unbilled(usage: &Value) -> Result<Value, IllegalStep> {
    let state = Step::Unbill.after(status_of(usage).unwrap_or(State::Received))?;
    Ok(marked(usage, state, false))
}

fn noted(usage: &Value, state: State) -> Value {
    marked(usage, state, true)
}

fn marked(usage: &Value, state: State, is_billed: bool) -> Value {
    let mut usage = changed(usage, state, &[]);
    let lines = usage.get_mut("ratedProductUsage").and_then(Value::as_array_mut);
    for line in lines.into_iter().flatten().filter_map(Value::as_object_mut) {
        line.insert("isBilled".into(), json!(is_billed));
    }
    usage
}
