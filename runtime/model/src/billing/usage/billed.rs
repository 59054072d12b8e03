//! Usage on a bill: one rate for all usage of a product by a price.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Rated, State, Step, changed};
use crate::billing::day::{Day, Days};
use crate::billing::field::{Field, Malformed};
use crate::billing::rate::{Rate, RateKind};
use crate::billing::tax::AppliedTax;
use crate::billing::terms::Terms;
use crate::money::Tax;
use crate::time::Timestamp;

/// What billing usage makes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Billed {
    /// The rates, one for each product, price and tax.
    pub rates: Vec<Rate>,
    /// The usages as they are then.
    pub usages: Vec<Value>,
}

/// Makes rates of the usage before a day that is rated and not billed. What was used is added up
/// exactly and rounded once. `products` are the products by id; `at` is when the rates are made.
pub fn bill(
    usages: &[Value],
    products: &BTreeMap<String, Value>,
    until: Day,
    terms: &Terms,
    at: Timestamp,
) -> Result<Billed, Malformed> {
    let mut groups: BTreeMap<(String, String, Decimal, String), Group> = BTreeMap::new();
    let mut billed = Billed::default();
    for usage in usages {
        let Some(rated) = Rated::read(usage)? else { continue };
        let Ok(state) = State::of(usage)?.after(Step::Bill) else { continue };
        let day = terms.zone.day_of(rated.at);
        if day >= until {
            continue;
        }
        let currency = rated.net.currency.clone();
        let key = (rated.product.clone(), rated.price.clone(), rated.tax_rate, currency);
        groups.entry(key).or_insert_with(|| Group::new(&rated, day)).add(&rated, day);
        billed.usages.push(noted(usage, state));
    }
    for ((product, price, tax_rate, currency), group) in groups {
        let root = products.get(&product).map(Field::root);
        let account = root.as_ref().map(|root| root.reference("billingAccount")).transpose()?;
        let net = terms.rounding.of(group.net, &currency);
        let taxes = as_rated(terms.taxes_of(&price), tax_rate);
        billed.rates.push(Rate {
            id: format!("{}-b", group.first),
            name: group.name.clone(),
            description: group.described(),
            kind: RateKind::Usage,
            date: at,
            account: account.flatten(),
            product: Some(product),
            price: Some(price),
            credits: None,
            covers: Some(group.days),
            taxes: AppliedTax::on(&net, &taxes, terms.rounding),
            net,
            bill: None,
        });
    }
    Ok(billed)
}

/// Usage of a product by a price.
struct Group {
    /// The least of the usages' ids: a usage is billed once, so no other group has it.
    first: String,
    name: String,
    count: usize,
    units: Decimal,
    free: Decimal,
    net: Decimal,
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
            net: Decimal::ZERO,
            days: Days { from: day, until: day.plus_days(1) },
        }
    }

    fn add(&mut self, rated: &Rated, day: Day) {
        self.first = self.first.clone().min(rated.id.clone());
        self.count += 1;
        self.units += rated.units;
        self.free += rated.free;
        self.net += rated.net.amount;
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

/// The taxes that a price bears, if they are together what the usage was rated with.
fn as_rated(known: Vec<Tax>, rate: Decimal) -> Vec<Tax> {
    match Tax::together(&known) {
        Some(all) if all.rate != rate => vec![Tax { rate, ..all }],
        Some(_) | None => known,
    }
}

fn noted(usage: &Value, state: State) -> Value {
    let mut usage = changed(usage, state, &[]);
    let lines = usage.get_mut("ratedProductUsage").and_then(Value::as_array_mut);
    for line in lines.into_iter().flatten().filter_map(Value::as_object_mut) {
        line.insert("isBilled".into(), json!(true));
    }
    usage
}
