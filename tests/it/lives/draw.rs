//! Random prices, as a seed has them.

use super::calendar::Cycle;
use super::exact::{Exact, decimals};
use super::facts::{Alteration, Change, Kind, Price, Tariff, Tax, Unit};
use crate::world::Dice;

const UNITS: [Unit; 10] = [
    Unit { name: "month", length: 1 },
    Unit { name: "month", length: 1 },
    Unit { name: "month", length: 1 },
    Unit { name: "day", length: 1 },
    Unit { name: "week", length: 1 },
    Unit { name: "week", length: 2 },
    Unit { name: "month", length: 2 },
    Unit { name: "quarter", length: 1 },
    Unit { name: "year", length: 1 },
    Unit { name: "day", length: 10 },
];

pub(crate) fn one_in(dice: &mut Dice, count: u64) -> bool {
    dice.up_to(count) == 1
}

/// A number from one to another.
pub(crate) fn between(dice: &mut Dice, low: i64, high: i64) -> i64 {
    low + i64::try_from(dice.up_to(u64::try_from(high - low + 1).unwrap())).unwrap() - 1
}

pub(crate) fn pick<T: Clone>(dice: &mut Dice, from: &[T]) -> T {
    from[usize::try_from(dice.up_to(from.len() as u64)).unwrap() - 1].clone()
}

pub(crate) fn cycle(dice: &mut Dice) -> Cycle {
    let months = pick(dice, &[1, 1, 1, 1, 0, 3, 6, 12]);
    let last = if months == 0 { 6 } else { 30 };
    let shift = if one_in(dice, 3) { 0 } else { between(dice, 0, last) };
    Cycle { months, shift }
}

/// An amount with all digits of its currency.
pub(crate) fn amount(dice: &mut Dice, currency: &str) -> Exact {
    let power = 10_i128.pow(decimals(currency));
    let most = if one_in(dice, 4) { 99 } else { 99_999 };
    let digits = i128::from(between(dice, 1, most));
    if currency == "JPY" { Exact::whole(digits) } else { Exact::new(digits, power) }
}

fn taxes(dice: &mut Dice) -> Vec<Tax> {
    let tax = |category: &str, over: i128, under: i128| Tax {
        category: category.into(),
        rate: Exact::new(over, under),
    };
    match dice.up_to(6) {
        1 => vec![tax("VAT", 0, 1)],
        2 => vec![tax("VAT", 75, 10)],
        3 => vec![tax("state", 625, 100), tax("city", 15, 10)],
        _ => vec![tax("VAT", 19, 1)],
    }
}

pub(crate) fn alteration(dice: &mut Dice, name: &str, currency: &str) -> Alteration {
    let is_surcharge = one_in(dice, 4);
    let change = if one_in(dice, 2) {
        Change::Percent(Exact::new(i128::from(between(dice, 1, 40)) * 25, 10))
    } else {
        Change::Amount(amount(dice, currency))
    };
    let lasts = (!one_in(dice, 4)).then(|| {
        let unit = pick(dice, &["day", "week", "month", "month", "month"]);
        (between(dice, 1, 4), Unit { name: unit, length: 1 })
    });
    Alteration { name: name.into(), is_surcharge, change, lasts }
}

/// The prices of a product, of which one may be there twice.
pub(crate) fn prices(dice: &mut Dice, currency: &'static str, others: &[String]) -> Vec<Price> {
    let mut prices = Vec::new();
    for name in ["Alpha", "Beta", "Gamma"].into_iter().take(usize::try_from(dice.up_to(3)).unwrap())
    {
        let kind = match dice.up_to(5) {
            1 => Kind::Once,
            _ => Kind::Recurring(pick(dice, &UNITS)),
        };
        prices.push(price(dice, name, kind, currency, others));
        if one_in(dice, 6) {
            let again = prices[prices.len() - 1].clone();
            prices.push(again);
        }
    }
    if one_in(dice, 2) {
        let tariff = tariff(dice, currency);
        let mut price = price(dice, "Usage", Kind::Usage(tariff), currency, others);
        price.alterations.clear();
        prices.push(price);
    }
    prices
}

fn price(
    dice: &mut Dice,
    name: &str,
    kind: Kind,
    currency: &'static str,
    others: &[String],
) -> Price {
    let taxes = taxes(dice);
    let includes_tax = one_in(dice, 4);
    let payer = one_in(dice, 7).then(|| pick(dice, others));
    let mut price = Price {
        name: name.into(),
        amount: amount(dice, currency),
        kind,
        currency,
        includes_tax,
        taxes,
        payer,
        alterations: Vec::new(),
    };
    let count = if one_in(dice, 3) { dice.up_to(2) } else { 0 };
    for index in 0..count {
        price.alterations.push(alteration(dice, &format!("first{index}"), currency));
    }
    price
}

fn tariff(dice: &mut Dice, currency: &str) -> Tariff {
    let whole = |number: i64| Exact::whole(i128::from(number));
    let cost = |dice: &mut Dice| match decimals(currency) {
        0 => whole(between(dice, 1, 20)),
        _ => Exact::new(i128::from(between(dice, 1, 500_000)), 1_000_000),
    };
    let allowance = if one_in(dice, 2) { between(dice, 1, 2_000) } else { 0 };
    let first = between(dice, 1, 1_000);
    let tiers = match dice.up_to(3) {
        1 => Vec::new(),
        2 => vec![(Some(whole(first)), cost(dice)), (None, cost(dice))],
        _ => vec![
            (Some(whole(first)), cost(dice)),
            (Some(whole(first + between(dice, 1, 1_000))), cost(dice)),
            (None, cost(dice)),
        ],
    };
    let round_to = one_in(dice, 2).then(|| pick(dice, &[whole(60), whole(30), Exact::new(1, 2)]));
    let band = one_in(dice, 3).then(|| {
        let from = between(dice, 0, 23);
        (from, (from + between(dice, 1, 22)) % 24, whole(between(dice, 0, 200)))
    });
    Tariff {
        per: pick(dice, &[whole(1), whole(60), whole(7)]),
        round_to,
        allowance: whole(allowance),
        tiers,
        band,
    }
}
