//! Checks the values that rules map against the catalog, and the kinds of what is named.

use std::collections::BTreeSet;

use super::Whole;
use crate::catalog::{Spec, SpecKind};
use crate::expr::expressions_of;
use crate::id::SpecId;
use crate::pack::reader::Reader;
use crate::pack::{Code, RULES};
use crate::places::Place;
use crate::rule::{WrittenRule, WrittenRules};
use tmf::nearest::nearest;

/// Checks what rules and deliveries say of specifications that are known.
pub(super) fn rules(reader: &mut Reader<'_>, written: &WrittenRules, whole: &Whole<'_>) {
    let tree = reader.tree(RULES);
    for (index, entry) in written.decompose.iter().enumerate() {
        let place = tree.root().get("decompose").at(index);
        if let Some(spec) = kind_of(whole, &entry.from).filter(|kind| *kind == SpecKind::Resource) {
            kind(reader, place.get("from"), &entry.from, spec, "a product or a service");
        }
        let Some(to) = &entry.to else { continue };
        match kind_of(whole, to) {
            Some(own @ (SpecKind::Product | SpecKind::Resource)) => {
                kind(reader, place.get("to"), to, own, "a service");
            }
            Some(SpecKind::CustomerService | SpecKind::ResourceService) => {
                if let Some(spec) = whole.catalog.specs.get(&SpecId::new(to)) {
                    characteristics(reader, entry, place.get("characteristics"), (to, spec));
                }
            }
            None => {}
        }
    }
    for (index, entry) in written.deliver.iter().enumerate() {
        let place = tree.root().get("deliver").at(index);
        if let Some(own @ SpecKind::Product) = kind_of(whole, &entry.spec) {
            kind(reader, place.get("spec"), &entry.spec, own, "a service");
        }
        for (index, spec) in entry.resources.iter().flatten().enumerate() {
            let own = kind_of(whole, spec).filter(|kind| *kind != SpecKind::Resource);
            if let Some(own) = own {
                kind(reader, place.get("resources").at(index), spec, own, "a resource");
            }
        }
    }
    unreached(reader, written, whole);
}

fn kind_of(whole: &Whole<'_>, spec: &str) -> Option<SpecKind> {
    whole.catalog.specs.get(&SpecId::new(spec)).map(|spec| spec.kind)
}

/// Reports a specification of another kind than can stand there.
pub(super) fn kind(
    reader: &mut Reader<'_>,
    place: Place<'_>,
    spec: &str,
    own: SpecKind,
    wanted: &str,
) {
    let own = word(own);
    let message = format!("`{spec}` is {own}, and {wanted} is meant");
    reader.report(Code::WrongKind, RULES, place, message, None);
}

pub(super) fn word(kind: SpecKind) -> &'static str {
    match kind {
        SpecKind::Product => "a product",
        SpecKind::CustomerService | SpecKind::ResourceService => "a service",
        SpecKind::Resource => "a resource",
    }
}

/// Checks the names and the literals of characteristics that a rule maps.
fn characteristics(
    reader: &mut Reader<'_>,
    entry: &WrittenRule,
    place: Place<'_>,
    (to, spec): (&str, &Spec),
) {
    for (name, value) in &entry.characteristics {
        let Some(known) = spec.characteristics.get(name) else {
            // What declares none may be given any, and so may what is told apart by a number.
            if spec.characteristics.is_empty() {
                continue;
            }
            let names = || spec.characteristics.keys().map(String::as_str);
            let message = format!("`{to}` has no characteristic `{name}`");
            match nearest(name, names()) {
                Some(meant) => {
                    let help = Some(format!("is `{meant}` meant?"));
                    let place = place.key(name);
                    reader.report(Code::UnknownCharacteristic, RULES, place, message, help);
                }
                None => {
                    let known = names().collect::<Vec<_>>().join(", ");
                    let help = Some(format!("it has {known}"));
                    let at = (RULES, place.key(name));
                    reader.warn(Code::UnknownCharacteristic, at, message, help);
                }
            }
            continue;
        };
        if !expressions_of(value).is_empty() {
            continue;
        }
        if let Some(message) = known.mistake(name, value) {
            reader.report(Code::Value, RULES, place.get(name), message, None);
        }
    }
}

/// Warns of rules about what no order leads to. A service may be ordered by itself, so only where
/// products are sold and all other rules are about them.
fn unreached(reader: &mut Reader<'_>, written: &WrittenRules, whole: &Whole<'_>) {
    let products = whole.catalog.specs.iter().filter(|(_, spec)| spec.kind == SpecKind::Product);
    let products: BTreeSet<&SpecId> = products.map(|(id, _)| id).collect();
    let asks_plugins = written.decompose.iter().any(|rule| rule.plugin.is_some());
    if products.is_empty() || asks_plugins {
        return;
    }
    let reached = whole.edges.parts_of(products);
    let tree = reader.tree(RULES);
    for (index, entry) in written.decompose.iter().enumerate() {
        let from = SpecId::new(&entry.from);
        let is_service = matches!(
            kind_of(whole, &entry.from),
            Some(SpecKind::CustomerService | SpecKind::ResourceService)
        );
        if is_service && !reached.contains(&from) {
            let place = tree.root().get("decompose").at(index).get("from");
            let message = format!("no product is made of `{from}`, so this rule never holds");
            let help = "or order the service by itself (TMF641)".to_string();
            reader.warn(Code::Unreachable, (RULES, place), message, Some(help));
        }
    }
}
