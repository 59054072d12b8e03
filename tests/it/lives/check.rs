//! Compares what the server charged with what the rules say, line by line and day by day.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::{Day, Period, written};
use super::exact::{Exact, decimals};
use super::facts::{Kind, Price, Product, Tax};
use super::life::Life;
use super::line::Line;
use super::rules::{Owed, rating, usage_price};

/// Days of the longest price, and some.
const AHEAD: i64 = 400;

/// What is wrong, a line each.
pub(crate) struct Findings(pub(crate) Vec<String>);

impl Findings {
    fn add(&mut self, what: impl Into<String>) {
        self.0.push(what.into());
    }

    fn same(&mut self, what: &str, said: Exact, right: Exact) {
        if said != right {
            self.add(format!("{what}: {}, not {}", shown(said), shown(right)));
        }
    }
}

fn shown(amount: Exact) -> String {
    if amount.rounded(9) == amount { amount.json().to_string() } else { format!("{amount:?}") }
}

/// Compares all lines with the debts of accounts that were just charged. `new` are the lines that
/// were not there before.
pub(crate) fn check(
    life: &mut Life,
    lines: &[Line],
    new: &BTreeSet<String>,
    charged: &[String],
) -> Findings {
    let mut findings = Findings(Vec::new());
    for product in &life.products {
        for name in names(product) {
            let own: Vec<&Line> = lines
                .iter()
                .filter(|line| line.product == product.id && line.price.starts_with(name))
                .collect();
            match sample(product, name).kind {
                Kind::Once => once(life, product, name, &own, charged, &mut findings),
                Kind::Recurring(_) => {
                    for account in charged {
                        recurring(life, product, name, &own, account, &mut findings);
                    }
                    let fresh =
                        own.iter().filter(|line| new.contains(&line.id) && !line.is_credit());
                    fresh.for_each(|line| one_line(life, product, name, line, &mut findings));
                }
                Kind::Usage(_) => {}
            }
            own.iter().for_each(|line| taxes(line, sample(product, name), &mut findings));
        }
    }
    usage(life, lines, new, charged, &mut findings);
    for line in lines.iter().filter(|line| charged.contains(&line.account) && line.bill.is_none()) {
        // What another's run charged for days after those of a bill is on the next one.
        let is_early = life.until.get(&line.account).is_some_and(|until| line.days.0 >= *until);
        // What is given back makes no bill by itself.
        let charges = lines.iter().filter(|one| one.account == line.account && !one.is_credit());
        let is_alone = line.is_credit() && !charges.into_iter().any(|one| new.contains(&one.id));
        if (!is_early || new.contains(&line.id)) && !is_alone {
            findings.add(format!("{} of {} is on no bill", line.id, line.account));
        }
    }
    findings
}

/// The names of the prices that a product ever had.
fn names(product: &Product) -> BTreeSet<&str> {
    let all = product.versions.iter().flat_map(|version| &version.prices);
    all.map(|price| price.name.as_str()).collect()
}

fn sample<'a>(product: &'a Product, name: &str) -> &'a Price {
    let mut all = product.versions.iter().flat_map(|version| &version.prices);
    all.find(|price| price.name == name).expect("the product had the price")
}

/// Of one name at most this many prices are on a product at once.
fn places(product: &Product, name: &str) -> usize {
    let count = |version: &super::facts::Version| {
        version.prices.iter().filter(|price| price.name == name).count()
    };
    product.versions.iter().map(count).max().unwrap_or(0)
}

/// Whether each day is charged as often as it is to be; if not, that is a finding.
fn are_charged_as_wanted(
    what: &str,
    covered: &BTreeMap<Day, i64>,
    wanted: &BTreeMap<Day, i64>,
    findings: &mut Findings,
) -> bool {
    let days: BTreeSet<Day> = covered.keys().chain(wanted.keys()).copied().collect();
    let count = |from: &BTreeMap<Day, i64>, day| from.get(&day).copied().unwrap_or(0);
    let wrong = days.into_iter().filter(|day| count(covered, *day) != count(wanted, *day));
    let wrong: Vec<Day> = wrong.collect();
    let (Some(first), Some(last)) = (wrong.first(), wrong.last()) else { return true };
    findings.add(format!(
        "{what}: {} days from {} to {} are charged {} times, not {}",
        wrong.len(),
        written(*first),
        written(*last),
        count(covered, *first),
        count(wanted, *first),
    ));
    false
}

fn recurring(
    life: &Life,
    product: &Product,
    name: &str,
    lines: &[&Line],
    account: &String,
    findings: &mut Findings,
) {
    let Some(until) = life.until.get(account).copied() else { return };
    let strict = life.strict.get(account).copied().unwrap_or(until);
    let what = format!("{} {name} of {account}", product.id);
    let mut covered: BTreeMap<Day, i64> = BTreeMap::new();
    let mut sums: BTreeMap<Day, (Exact, i128)> = BTreeMap::new();
    let first = product.first_day(until + AHEAD, life.zone, |_| true);
    let cycle = life.cycle_of(&product.account);
    let includes_tax = sample(product, name).includes_tax;
    let owed = |place| Owed {
        product,
        name,
        place,
        zone: life.zone,
        cycle,
        first: first.unwrap_or(until),
    };
    // Of prices for days and weeks a line may be for several periods: all of them count together.
    let is_days = matches!(sample(product, name).kind, Kind::Recurring(unit) if matches!(unit.period(), Period::Days(_)));
    let period = |day: Day| match is_days {
        true => (0, 0),
        false => owed(0).period(sample(product, name), day),
    };
    for line in lines.iter().filter(|line| line.account == *account) {
        for day in line.days.0..line.days.1 {
            *covered.entry(day).or_default() += if line.is_credit() { -1 } else { 1 };
        }
        let sum = sums.entry(period(line.days.0).0).or_insert((Exact::ZERO, 0));
        sum.0 = sum.0 + if includes_tax { line.gross() } else { line.net };
        // Credits are rounded before tax and in their tax (5.3).
        let is_both = line.is_credit() && includes_tax;
        sum.1 += i128::from(line.is_credit() || is_days) + i128::from(is_both);
    }
    let mut wanted: BTreeMap<Day, i64> = BTreeMap::new();
    let mut costs: BTreeMap<Day, Exact> = BTreeMap::new();
    let places = if first.is_some() { places(product, name) } else { 0 };
    for place in 0..places {
        let owed = owed(place);
        let mut by_period: BTreeMap<Day, Vec<Day>> = BTreeMap::new();
        for day in owed.first..until + AHEAD {
            let is_late = day >= strict && !covered.contains_key(&day);
            if owed.is_owed(day, account, until) && !is_late {
                *wanted.entry(day).or_default() += 1;
                by_period.entry(period(day).0).or_default().push(day);
            }
        }
        for (begin, days) in by_period {
            let cost = owed.cost(&days).rounded(decimals(sample(product, name).currency));
            let sum = costs.entry(begin).or_insert(Exact::ZERO);
            *sum = *sum + cost;
        }
    }
    if !are_charged_as_wanted(&what, &covered, &wanted, findings) {
        return;
    }
    let unit = Exact::new(1, 10_i128.pow(decimals(sample(product, name).currency)));
    for begin in sums.keys().chain(costs.keys()).collect::<BTreeSet<_>>() {
        let (sum, credits) = sums.get(begin).copied().unwrap_or((Exact::ZERO, 0));
        let cost = costs.get(begin).copied().unwrap_or(Exact::ZERO);
        // Credits are rounded by themselves.
        if (sum - cost).abs() > unit * Exact::whole(credits) {
            findings.same(&format!("{what}, period of {}", written(*begin)), sum, cost);
        }
    }
}

/// A charge is for days of one period that cost the same, in one currency, for one account.
fn one_line(life: &Life, product: &Product, name: &str, line: &Line, findings: &mut Findings) {
    let what =
        format!("{} {} {}..{}", line.id, line.price, written(line.days.0), written(line.days.1));
    let until = line.days.1.max(life.until.values().copied().max().unwrap_or(0));
    let Some(first) = product.first_day(until, life.zone, |_| true) else {
        return findings.add(format!("{what}: the product was never charged"));
    };
    let cycle = life.cycle_of(&product.account);
    let owed = Owed { product, name, place: 0, zone: life.zone, cycle, first };
    let mut costs = BTreeSet::new();
    for day in line.days.0..line.days.1 {
        let Some(price) = product.price_on(name, 0, day, life.zone) else {
            return findings.add(format!("{what}: no price on {}", written(day)));
        };
        let amount = product.amount_on(price, 0, day, life.zone);
        let period = owed.period(price, day);
        let is_days =
            matches!(price.kind, Kind::Recurring(unit) if matches!(unit.period(), Period::Days(_)));
        costs.insert((if is_days { (0, 0) } else { period }, amount));
        let payer = price.payer.as_deref().unwrap_or(&product.account);
        if line.account != payer || line.currency != price.currency {
            return findings.add(format!("{what}: {} {}", line.account, line.currency));
        }
    }
    if costs.len() > 1 && places(product, name) == 1 {
        findings.add(format!("{what} is for days that cost differently: {costs:?}"));
    }
}

fn once(
    life: &Life,
    product: &Product,
    name: &str,
    lines: &[&Line],
    charged: &[String],
    findings: &mut Findings,
) {
    let price = sample(product, name);
    let payer = price.payer.as_ref().unwrap_or(&product.account);
    let (true, Some(until)) = (charged.contains(payer), life.until.get(payer)) else { return };
    let what = format!("{} {name} of {payer}", product.id);
    let wanted = |until: Day| {
        let amounts = (0..places(product, name)).filter_map(|place| {
            let has = |day| product.price_on(name, place, day, life.zone).is_some();
            let day = product.first_day(until, life.zone, has)?;
            let then = product.price_on(name, place, day, life.zone)?;
            let amount = product.amount_on(then, place, day, life.zone);
            Some(amount.rounded(decimals(price.currency)))
        });
        let mut amounts: Vec<Exact> = amounts.collect();
        amounts.sort();
        amounts
    };
    let strict = wanted(life.strict.get(payer).copied().unwrap_or(*until));
    let wanted = wanted(*until);
    // What was charged before its product turned out to have ended stays.
    let said = lines.iter().map(|line| if price.includes_tax { line.gross() } else { line.net });
    let mut said: Vec<Exact> = said.collect();
    said.sort();
    let has_ended_early = product.end.is_some() && wanted.is_empty();
    if said != wanted && said != strict && !has_ended_early {
        findings.add(format!("{what}: {said:?} once, not {wanted:?}"));
    }
}

/// Each tax of a line is taken from what was rounded (4.2, 4.3).
fn taxes(line: &Line, price: &Price, findings: &mut Findings) {
    let digits = decimals(&line.currency);
    let unit = Exact::new(1, 10_i128.pow(digits));
    let right: Vec<(String, Exact)> =
        price.taxes.iter().map(|Tax { category, rate }| (category.clone(), *rate)).collect();
    let said: Vec<_> =
        line.taxes.iter().map(|(category, rate, _)| (category.clone(), *rate)).collect();
    if said != right {
        return findings.add(format!("{}: taxes {said:?}, not {right:?}", line.id));
    }
    let percent: Exact = right.iter().map(|(_, rate)| *rate).sum();
    if price.includes_tax && !line.is_credit() {
        let share = Exact::whole(100) * (Exact::whole(100) + percent).inverse();
        return findings.same(
            &format!("{}: net", line.id),
            line.net,
            (line.gross() * share).rounded(digits),
        );
    }
    // A credit gives back its share of the tax, so that nothing is left over.
    let slack = if line.is_credit() { unit * Exact::whole(2) } else { Exact::ZERO };
    for (category, rate, amount) in &line.taxes {
        let right = line.net.percent(*rate).rounded(digits);
        if (*amount - right).abs() > slack {
            findings.same(&format!("{}: {category}", line.id), *amount, right);
        }
    }
}

/// All usage of the days that are charged is on one line for each product and price.
fn usage(
    life: &mut Life,
    lines: &[Line],
    new: &BTreeSet<String>,
    charged: &[String],
    findings: &mut Findings,
) {
    let Life { products, usages, strict, zone, accounts, today, .. } = life;
    for product in products.iter() {
        let mut sums: BTreeMap<&String, (Exact, &Price)> = BTreeMap::new();
        let mut own: Vec<_> = usages.iter_mut().filter(|one| one.product == product.id).collect();
        own.sort_by_key(|one| (!one.is_billed, one.at));
        let mut counters: BTreeMap<Day, Exact> = BTreeMap::new();
        for one in own {
            let Some((price, tariff)) = usage_price(product, one.at) else { continue };
            if !product.is_charged_at(one.at) {
                continue;
            }
            let payer = price.payer.as_ref().unwrap_or(&product.account);
            let cycle =
                accounts.iter().find(|account| account.id == *payer).expect("it is there").cycle;
            let day = zone.day_of(one.at);
            let counter = counters.entry(cycle.last(day)).or_insert(Exact::ZERO);
            let units = one.counted(tariff);
            // The payer of a price of a product is charged with it, up to the payer's bill day.
            let is_due = if charged.contains(payer) {
                strict.get(payer).is_some_and(|until| day < *until)
            } else {
                charged.contains(&product.account) && day < cycle.last(*today)
            };
            if !one.is_billed && is_due {
                let sum = sums.entry(payer).or_insert((Exact::ZERO, price));
                sum.0 = sum.0 + rating(price, tariff, *counter, units, zone.hour_of(one.at));
                one.is_billed = true;
            }
            *counter = *counter + units;
        }
        let fresh = lines.iter().filter(|line| {
            line.product == product.id && line.kind == "usageCharge" && new.contains(&line.id)
        });
        let fresh: Vec<&Line> = fresh.collect();
        if fresh.len() != sums.len() {
            findings.add(format!(
                "{}: {} lines of usage, not {}",
                product.id,
                fresh.len(),
                sums.len()
            ));
        }
        for line in fresh {
            let Some((sum, price)) = sums.get(&line.account) else {
                findings.add(format!("{}: usage of {} by {}", line.id, product.id, line.account));
                continue;
            };
            let said = if price.includes_tax { line.gross() } else { line.net };
            findings.same(
                &format!("{} usage", line.id),
                said,
                sum.rounded(decimals(price.currency)),
            );
        }
    }
}
