//! Random packs: trees and DAGs of services below products and bundles, with every way of saying how
//! they are delivered. Practices that the guide advises against are not generated.

use std::collections::BTreeSet;

use super::pack::{
    Act, Char, ELEMENTS, Edge, Pack, Product, Quantity, Read, Scope, Service, Source, Step, When,
};
use crate::world::Dice;

/// The characteristics of every product; `n` is for quantities.
pub(super) const NAMES: [&str; 4] = ["a", "b", "c", "n"];

/// A pack by the dice. Every second one is plain: each service has work of its own or below it, what is
/// shared is made of nothing, and only what is made of nothing has needs. Where one kind of thing goes
/// wrong, the others can still be seen.
pub(super) fn pack(dice: &mut Dice) -> Pack {
    let is_plain = dice.seed().is_multiple_of(2);
    let mut pack = Pack { pools: 2, has_hooks: chance(dice, 30), ..Pack::default() };
    let count = 1 + pick(dice, 3);
    for number in 0..count {
        pack.products.push(product(dice, format!("P{number}")));
    }
    if chance(dice, 60) {
        let mut bundle = product(dice, "BUNDLE".into());
        bundle.parts = (0..count).collect();
        pack.products.push(bundle);
    }
    for number in 0..4 + pick(dice, 6) {
        add_service(dice, &mut pack, number);
    }
    if is_plain {
        grow_plainly(dice, &mut pack);
    }
    for number in 0..pack.services.len() {
        add_needs(dice, &mut pack, number);
    }
    for number in 0..pack.services.len() {
        let mut steps = steps(dice, &pack, number);
        if let Some(first) = steps.first_mut().filter(|_| is_plain) {
            first.when = When::Always;
        }
        pack.services[number].steps = steps;
    }
    if is_plain {
        need_plainly(&mut pack);
    }
    for number in 0..pack.services.len() {
        read_upstream(dice, &mut pack, number);
    }
    pack
}

/// A shared service has no parts; each other service that has parts has one at all times.
fn grow_plainly(dice: &mut Dice, pack: &mut Pack) {
    for number in 0..pack.services.len() {
        let service = &mut pack.services[number];
        if service.scope != Scope::Item {
            service.edges.clear();
        }
        if service.is_customer_facing || !service.edges.is_empty() {
            let (scope, name) = (service.scope, format!("L{}", pack.services.len()));
            let is_customer_facing = false;
            let (chars, has_resource) = (Vec::new(), chance(dice, 20));
            let (edges, depends, needs, steps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            let to = pack.services.len();
            let edge = Edge { to, when: When::Always, quantity: None, maps: Vec::new() };
            pack.services[number].edges.push(edge);
            pack.services.push(Service {
                name,
                is_customer_facing,
                chars,
                edges,
                depends,
                needs,
                scope,
                has_resource,
                steps,
            });
        }
    }
}

fn need_plainly(pack: &mut Pack) {
    let has_parts: Vec<bool> =
        pack.services.iter().map(|service| !service.edges.is_empty()).collect();
    for (service, own) in pack.services.iter_mut().zip(&has_parts) {
        service.depends.retain(|other| !own && !has_parts[*other]);
        service.needs.retain(|other| !own && !has_parts[*other]);
    }
}

/// True with this probability in percent.
pub(super) fn chance(dice: &mut Dice, percent: u64) -> bool {
    dice.up_to(100) <= percent
}

/// A number below a bound.
pub(super) fn pick(dice: &mut Dice, bound: usize) -> usize {
    usize::try_from(dice.up_to(bound as u64) - 1).expect("it is small")
}

fn product(dice: &mut Dice, name: String) -> Product {
    let chars = NAMES.iter().map(|name| {
        let mut values = if *name == "n" { vec![1, 2, 0, 3] } else { vec![0, 1, 2] };
        values.rotate_left(pick(dice, 2));
        Char { name: (*name).to_string(), values }
    });
    Product { name, chars: chars.collect(), edges: Vec::new(), parts: Vec::new() }
}

/// Who an edge begins at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Above {
    Product(usize),
    Service(usize),
}

fn add_service(dice: &mut Dice, pack: &mut Pack, number: usize) {
    let mut above = vec![random_above(dice, pack)];
    if chance(dice, 40) {
        let other = random_above(dice, pack);
        let scopes = [shared_scope(pack, above[0]), shared_scope(pack, other)];
        // No page defines for whom there would be one below two scopes.
        let is_clear = scopes[0].is_none() || scopes[1].is_none() || scopes[0] == scopes[1];
        if is_clear && !above.contains(&other) {
            above.push(other);
        }
    }
    let is_below = |one: &Above| match one {
        Above::Product(_) => true,
        Above::Service(service) => pack.services[*service].is_customer_facing,
    };
    let is_customer_facing = number < 3 && above.iter().all(is_below) && chance(dice, 60);
    let letter = if is_customer_facing { 'C' } else { 'R' };
    let scope = scope(dice, pack, &above);
    let mut chars: Vec<String> =
        NAMES[..3].iter().filter(|_| chance(dice, 45)).map(|name| (*name).to_string()).collect();
    if scope != Scope::Item && chance(dice, 60) {
        chars.clear();
    }
    if is_customer_facing && scope == Scope::Item {
        chars = NAMES.iter().map(|name| (*name).to_string()).collect();
    }
    pack.services.push(Service {
        name: format!("{letter}{number}"),
        is_customer_facing,
        chars: chars.clone(),
        edges: Vec::new(),
        depends: Vec::new(),
        needs: Vec::new(),
        scope,
        has_resource: !is_customer_facing && chance(dice, 20),
        steps: Vec::new(),
    });
    let is_clear = above.iter().all(|one| is_exclusive(pack, *one));
    // Where there are several ways to it, all give it the same.
    let given: Vec<Source> = chars.iter().map(|name| given(dice, name, is_clear)).collect();
    let is_leaf = !is_customer_facing;
    let has_quantity =
        above.len() == 1 && is_leaf && scope == Scope::Item && is_clear && chance(dice, 25);
    for one in &above {
        let mut maps = Vec::new();
        for (name, given) in chars.iter().zip(&given) {
            let is_copied = has_char(pack, *one, name) && (above.len() == 1 || is_customer_facing);
            if !(is_copied && (is_customer_facing || chance(dice, 60))) {
                maps.push((name.clone(), given.clone()));
            }
        }
        let when = condition(dice, pack, *one, 40);
        let quantity = has_quantity.then(|| match chance(dice, 50) {
            true => Quantity::Times(Source::Product("n".into())),
            false => Quantity::SitesBut(Source::Product(NAMES[pick(dice, 3)].into())),
        });
        let edge = Edge { to: number, when, quantity, maps };
        match one {
            Above::Product(product) => pack.products[*product].edges.push(edge),
            Above::Service(service) => pack.services[*service].edges.push(edge),
        }
    }
}

fn random_above(dice: &mut Dice, pack: &Pack) -> Above {
    // A service with a quantity has no parts: no page defines for which of its instances they would be.
    let has_quantity = |service: usize| {
        let edges = pack.products.iter().flat_map(|product| &product.edges);
        let mut edges = edges.chain(pack.services.iter().flat_map(|service| &service.edges));
        edges.any(|edge| edge.to == service && edge.quantity.is_some())
    };
    let services: Vec<usize> = (0..pack.services.len()).filter(|one| !has_quantity(*one)).collect();
    if services.is_empty() || chance(dice, 45) {
        return Above::Product(pick(dice, pack.products.len()));
    }
    Above::Service(services[pick(dice, services.len())])
}

/// A part of a shared service is shared as widely.
fn scope(dice: &mut Dice, pack: &Pack, above: &[Above]) -> Scope {
    if let Some(shared) = above.iter().find_map(|one| shared_scope(pack, *one)) {
        return shared;
    }
    match dice.up_to(100) {
        1..=55 => Scope::Item,
        56..=72 => Scope::Bundle,
        73..=88 => Scope::Order,
        89..=94 => Scope::Place,
        _ => Scope::Customer,
    }
}

/// The scope of what may be shared.
fn shared_scope(pack: &Pack, above: Above) -> Option<Scope> {
    match above {
        Above::Product(_) => None,
        Above::Service(service) => {
            Some(pack.services[service].scope).filter(|scope| *scope != Scope::Item)
        }
    }
}

fn is_exclusive(pack: &Pack, above: Above) -> bool {
    match above {
        Above::Product(_) => true,
        Above::Service(service) => pack.is_exclusive(service),
    }
}

fn has_char(pack: &Pack, above: Above, name: &str) -> bool {
    match above {
        Above::Product(_) => true,
        Above::Service(service) => pack.services[service].chars.iter().any(|own| own == name),
    }
}

fn given(dice: &mut Dice, name: &str, is_clear: bool) -> Source {
    if is_clear && chance(dice, 75) {
        let name = if chance(dice, 70) { name } else { NAMES[pick(dice, 3)] };
        return Source::Product(name.into());
    }
    Source::Fixed(i64::try_from(dice.up_to(3)).expect("it is small"))
}

/// A condition on what can be read above.
fn condition(dice: &mut Dice, pack: &Pack, above: Above, percent: u64) -> When {
    if !chance(dice, percent) {
        return When::Always;
    }
    let name = NAMES[pick(dice, 3)];
    let value = i64::try_from(dice.up_to(2) - 1).expect("it is small");
    if has_char(pack, above, name) && chance(dice, 60) {
        return When::Equals(Source::Item(name.into()), value);
    }
    if is_exclusive(pack, above) {
        return When::Equals(Source::Product(name.into()), value);
    }
    When::Always
}

/// Needs go to earlier services, and never in a circle once "all that it is made of" is counted too.
fn add_needs(dice: &mut Dice, pack: &mut Pack, number: usize) {
    for _ in 0..2 {
        if number == 0 || !chance(dice, 55) {
            continue;
        }
        let other = pick(dice, number);
        let (own, others): (BTreeSet<_>, BTreeSet<_>) =
            (pack.within(number).into_iter().collect(), pack.within(other).into_iter().collect());
        let is_new = !pack.needed(number).any(|known| known == other);
        if !is_new || !own.is_disjoint(&others) {
            continue;
        }
        let before = pack.services[number].clone();
        match chance(dice, 60) {
            true => pack.services[number].depends.push(other),
            false => pack.services[number].needs.push(other),
        }
        if runs_in_a_circle(pack) {
            pack.services[number] = before;
        }
    }
}

fn runs_in_a_circle(pack: &Pack) -> bool {
    let count = pack.services.len();
    let mut first: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); count];
    for service in 0..count {
        for need in pack.needed(service) {
            for own in pack.within(service) {
                first[own].extend(pack.within(need));
            }
        }
    }
    for _ in 0..count {
        for service in 0..count {
            let more: BTreeSet<usize> =
                first[service].iter().flat_map(|one| first[*one].clone()).collect();
            first[service].extend(more);
        }
    }
    (0..count).any(|service| first[service].contains(&service))
}

fn steps(dice: &mut Dice, pack: &Pack, number: usize) -> Vec<Step> {
    let service = &pack.services[number];
    let is_composed = !service.edges.is_empty();
    if (service.is_customer_facing && !chance(dice, 12))
        || (!service.is_customer_facing && is_composed && chance(dice, 60))
    {
        return Vec::new();
    }
    let mut steps: Vec<Step> = Vec::new();
    let mut add = |dice: &mut Dice, act: Act, when: When, is_free: bool| {
        steps.push(Step {
            name: format!("t{}", steps.len()),
            act,
            when,
            starts_at_once: is_free && !steps.is_empty() && chance(dice, 25),
            rolls_back: chance(dice, 70),
        });
    };
    let source = |dice: &mut Dice| number_of(dice, pack, number);
    let taken = match dice.up_to(100) {
        1..=45 => {
            let pool = pick(dice, pack.pools);
            add(dice, Act::Take { pool }, When::Always, false);
            true
        }
        46..=65 => {
            let v = source(dice);
            add(dice, Act::Note { v }, When::Always, false);
            false
        }
        _ => false,
    };
    for _ in 0..1 + pick(dice, 2) {
        let when = step_condition(dice, pack, number);
        let mut body = Vec::new();
        for field in 0..pick(dice, 3) {
            body.push((format!("f{field}"), Read::Number(source(dice))));
        }
        if pack.is_exclusive(number) && chance(dice, 30) {
            body.push(("place".into(), Read::Place));
        }
        if taken && chance(dice, 60) {
            body.push(("own".into(), Read::Own(0)));
        }
        let is_free = !body.iter().any(|(_, read)| matches!(read, Read::Own(_)));
        let element = pick(dice, ELEMENTS.len());
        add(dice, Act::Tell { element, body }, when, is_free);
    }
    if !taken && chance(dice, 20) {
        let when = step_condition(dice, pack, number);
        // No step reads a value that may not be there.
        let pool = pick(dice, pack.pools);
        add(dice, Act::Take { pool }, when, true);
    }
    steps
}

/// A number that a step can read.
fn number_of(dice: &mut Dice, pack: &Pack, number: usize) -> Source {
    let chars = &pack.services[number].chars;
    if !chars.is_empty() && chance(dice, 60) {
        return Source::Item(chars[pick(dice, chars.len())].clone());
    }
    if pack.is_exclusive(number) && chance(dice, 80) {
        return Source::Product(NAMES[pick(dice, 3)].into());
    }
    Source::Fixed(7)
}

fn step_condition(dice: &mut Dice, pack: &Pack, number: usize) -> When {
    if !chance(dice, 25) {
        return When::Always;
    }
    match number_of(dice, pack, number) {
        Source::Fixed(_) => When::Always,
        source @ (Source::Item(_) | Source::Product(_)) => {
            When::Equals(source, i64::try_from(dice.up_to(2) - 1).expect("it is small"))
        }
    }
}

/// Steps read what those gave that their item needs, where there can be one of them only.
fn read_upstream(dice: &mut Dice, pack: &mut Pack, number: usize) {
    let gives = |service: &Service| {
        let mut giving = service.steps.iter().filter(|step| !matches!(step.act, Act::Tell { .. }));
        match (giving.next(), giving.next()) {
            (Some(one), None) => matches!(one.when, When::Always),
            (None, _) | (Some(_), Some(_)) => false,
        }
    };
    let own = pack.services[number].scope;
    let reaches = |other: Scope| own == Scope::Item || own == other;
    let needed: Vec<usize> = pack
        .needed(number)
        .filter(|other| gives(&pack.services[*other]) && reaches(pack.services[*other].scope))
        .collect();
    for other in needed {
        let tells = pack.services[number].steps.iter_mut().filter_map(|step| match &mut step.act {
            Act::Tell { body, .. } => Some(body),
            Act::Take { .. } | Act::Note { .. } => None,
        });
        for body in tells {
            if chance(dice, 60) {
                body.push((format!("up{other}"), Read::Upstream(other)));
            }
        }
    }
}
