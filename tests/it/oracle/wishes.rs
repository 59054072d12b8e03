//! Random histories: what customers order next, given what they have, and what goes wrong meanwhile.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::generate::{chance, pick};
use super::order::{Added, DEPENDENCY, Key, Line, Order};
use super::pack::{Chars, ELEMENTS, Pack};
use super::state::{State, Verdict};
use crate::world::Dice;

/// Max products: pools are small.
const PRODUCTS_MAX: usize = 12;

/// An order is drawn so often until the rules say what has to come of it.
const DRAWS_MAX: usize = 40;

const CUSTOMERS: [&str; 2] = ["CUST-1", "CUST-2"];
const PLACES: [&str; 2] = ["PLACE-1", "PLACE-2"];

/// One or two orders at one time, with what goes wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Trial {
    /// The number of its first order.
    pub(super) number: usize,
    pub(super) orders: Vec<Order>,
    /// What the elements do wrong until a person looks.
    pub(super) faults: Vec<Value>,
    /// Records of the first order after which the server is killed.
    pub(super) kill: Option<u64>,
    /// Records of the first order after which it is cancelled.
    pub(super) cancel: Option<u64>,
}

/// What happens next; `number` is that of the next order.
pub(super) fn next(dice: &mut Dice, pack: &Pack, state: &State, number: usize) -> Option<Trial> {
    let first = clear(dice, pack, state, number)?;
    let mut trial = Trial { number, orders: vec![first], ..Trial::default() };
    match dice.up_to(100) {
        1..=25 => {
            let second = clear(dice, pack, state, number + 1).filter(|second| {
                either_way(pack, state, (&trial.orders[0], number), (second, number + 1))
            });
            trial.orders.extend(second);
        }
        26..=45 => trial.kill = Some(dice.up_to(8)),
        46..=65 => trial.faults = faults(dice),
        66..=75 => trial.cancel = Some(dice.up_to(8)),
        76..=85 => {
            trial.faults = faults(dice);
            trial.kill = Some(dice.up_to(8));
        }
        86..=92 => trial.orders[0].begins_in_ms = Some(200 * dice.up_to(4)),
        _ => {}
    }
    Some(trial)
}

/// An order of which the rules say what has to come of it.
fn clear(dice: &mut Dice, pack: &Pack, state: &State, number: usize) -> Option<Order> {
    for _ in 0..DRAWS_MAX {
        let order = order(dice, pack, state);
        if order.lines.is_empty() {
            continue;
        }
        match state.after(pack, &order, number) {
            Verdict::Completes(_) => return Some(order),
            Verdict::Refused(_) if chance(dice, 30) => return Some(order),
            Verdict::Refused(_) | Verdict::Unclear(_) => {}
        }
    }
    None
}

/// Whether it is clear what has to come of two orders, whichever is taken first.
fn either_way(pack: &Pack, state: &State, one: (&Order, usize), two: (&Order, usize)) -> bool {
    let is_clear = |first: (&Order, usize), second: (&Order, usize)| {
        let next = match state.after(pack, first.0, first.1) {
            Verdict::Completes(next) => *next,
            Verdict::Refused(_) => state.clone(),
            Verdict::Unclear(_) => return false,
        };
        let about = second.0.products();
        // What the first order ends the second cannot be about: that is refused.
        let is_about = about.into_iter().all(|product| next.products.contains_key(product));
        is_about && !matches!(next.after(pack, second.0, second.1), Verdict::Unclear(_))
    };
    is_clear(one, two) && is_clear(two, one)
}

fn order(dice: &mut Dice, pack: &Pack, state: &State) -> Order {
    let customer = CUSTOMERS[pick(dice, 2)];
    let own: Vec<Key> = state
        .products
        .iter()
        .filter(|(_, product)| product.customer == customer)
        .map(|(key, _)| key.clone())
        .collect();
    let mut lines = Vec::new();
    let may_add = state.products.len() < PRODUCTS_MAX;
    let wish = dice.up_to(100);
    if (own.is_empty() || wish <= 30) && may_add {
        for _ in 0..1 + pick(dice, 3) {
            lines.push(Line::Add(added(dice, pack, None)));
        }
        rely(dice, &mut lines);
        return Order { customer: customer.into(), lines, begins_in_ms: None };
    }
    // No product twice, and no part beside its bundle.
    let mut left = own;
    let count = 1 + pick(dice, 3);
    for _ in 0..count {
        if left.is_empty() {
            break;
        }
        let product = left.remove(pick(dice, left.len()));
        left.retain(|other| !state.is_within(other, &product) && !state.is_within(&product, other));
        lines.push(match wish {
            31..=64 => modify(dice, pack, state, &product),
            65..=74 => status(state, &product),
            75..=94 => Line::Delete { product },
            _ => match dice.up_to(3) {
                1 => modify(dice, pack, state, &product),
                2 => Line::Delete { product },
                _ if may_add => Line::Add(added(dice, pack, None)),
                _ => continue,
            },
        });
    }
    Order { customer: customer.into(), lines, begins_in_ms: None }
}

/// A line may rely on another, whichever comes first.
fn rely(dice: &mut Dice, lines: &mut [Line]) {
    let count = lines.len();
    if count < 2 || !chance(dice, 30) {
        return;
    }
    let own = pick(dice, count);
    let other = (own + 1 + pick(dice, count - 1)) % count;
    if let Line::Add(added) = &mut lines[own] {
        let word = if chance(dice, 50) { DEPENDENCY } else { "reliesOn" };
        added.relies_on = Some(((other + 1).to_string(), word));
    }
}

fn added(dice: &mut Dice, pack: &Pack, product: Option<usize>) -> Added {
    let product = product.unwrap_or_else(|| pick(dice, pack.products.len()));
    let parts = pack.products[product].parts.clone();
    let some: Vec<usize> = match parts.is_empty() {
        true => Vec::new(),
        false => (0..1 + pick(dice, 3)).map(|_| parts[pick(dice, parts.len())]).collect(),
    };
    Added {
        product,
        chars: some_chars(dice, pack, product, 50),
        // Whether a part has the place of its bundle is not looked at.
        place: (parts.is_empty() && chance(dice, 50)).then(|| PLACES[pick(dice, 2)].to_string()),
        parts: some.into_iter().map(|part| added(dice, pack, Some(part))).collect(),
        relies_on: None,
    }
}

fn modify(dice: &mut Dice, pack: &Pack, state: &State, product: &Key) -> Line {
    let spec = state.products[product].spec;
    let parts: Vec<Key> = state
        .products
        .keys()
        .filter(|key| state.products[*key].bundle.as_ref() == Some(product))
        .cloned()
        .collect();
    if !parts.is_empty() && chance(dice, 60) {
        let some: BTreeSet<Key> =
            (0..1 + pick(dice, 2)).map(|_| parts[pick(dice, parts.len())].clone()).collect();
        let lines = some.into_iter().map(|part| modify(dice, pack, state, &part)).collect();
        return Line::Within { bundle: product.clone(), lines };
    }
    // Bundles have no place of their own.
    let moves = pack.products[spec].parts.is_empty() && chance(dice, 25);
    let place = moves.then(|| PLACES[pick(dice, 2)].to_string());
    Line::Modify { product: product.clone(), chars: some_chars(dice, pack, spec, 45), place }
}

fn status(state: &State, product: &Key) -> Line {
    let found = &state.products[product];
    Line::Status { product: product.clone(), is_suspended: !found.is_suspended }
}

/// Values for some of a product's characteristics, at least one.
fn some_chars(dice: &mut Dice, pack: &Pack, spec: usize, percent: u64) -> Chars {
    let all = &pack.products[spec].chars;
    let sure = pick(dice, all.len());
    let some = all.iter().enumerate().filter_map(|(at, one)| {
        let is_given = at == sure || chance(dice, percent);
        is_given.then(|| (one.name.clone(), one.values[pick(dice, one.values.len())]))
    });
    some.collect()
}

/// Elements that refuse, are out of order, lose answers, are slow, or answer later: well or not.
fn faults(dice: &mut Dice) -> Vec<Value> {
    let count = 1 + pick(dice, 2);
    let one = |dice: &mut Dice| {
        let element = match chance(dice, 40) {
            true => "*",
            false => ELEMENTS[pick(dice, ELEMENTS.len())].name,
        };
        let (times, every) = (dice.up_to(6), dice.up_to(3));
        let mut fault = json!({ "element": element, "times": times, "every": every });
        let fields = match dice.up_to(6) {
            1 => json!({ "fault": "error", "status": 422 }),
            2 => json!({ "fault": "error", "status": 503 }),
            3 => json!({ "fault": "lost" }),
            4 => json!({ "fault": "slow", "delayMs": 30 }),
            5 => json!({ "fault": "async", "delayMs": 30 }),
            _ => json!({ "fault": "async", "delayMs": 30, "outcome": "failed" }),
        };
        for (name, value) in fields.as_object().expect("it is one") {
            fault[name] = value.clone();
        }
        fault
    };
    (0..count).map(|_| one(dice)).collect()
}
