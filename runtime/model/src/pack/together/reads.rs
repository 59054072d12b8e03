//! Checks what expressions read of an item and its product: members and characteristics that no such
//! item has, and items where there is none.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Whole;
use crate::catalog::{Catalog, SpecKind};
use crate::expr::Expr;
use crate::id::SpecId;
use crate::pack::check::{TASK_SCOPE, expressions, mention};
use crate::pack::reader::Reader;
use crate::pack::{Code, Pack, RULES, Severity, WORKFLOWS, WrittenWorkflows};
use crate::places::Place;
use crate::plan::{Item, Level};
use crate::rule::{Produces, WrittenRules};
use tmf::nearest::nearest;

/// What the items of each specification have.
#[derive(Debug, Default)]
pub(super) struct Characteristics<'a> {
    /// Characteristics by specification; what is not among them may have any.
    of: BTreeMap<&'a SpecId, BTreeSet<&'a str>>,
    /// The characteristics of all specifications.
    all: BTreeSet<&'a str>,
    item: Vec<String>,
    product: Vec<String>,
}

/// Where an expression stands, and what it can read there.
#[derive(Clone, Copy)]
struct Spot<'a> {
    file: &'static str,
    /// What the item may be of; none if there is no item.
    specs: Option<&'a BTreeSet<&'a SpecId>>,
}

impl<'a> Characteristics<'a> {
    pub(super) fn of(packs: &'a [&'a Pack], catalog: &'a Catalog) -> Self {
        let mut own: BTreeMap<&SpecId, BTreeSet<&str>> = BTreeMap::new();
        for (id, spec) in &catalog.specs {
            own.insert(id, spec.characteristics.keys().map(String::as_str).collect());
        }
        let rules: Vec<_> = packs.iter().flat_map(|pack| &pack.rules).collect();
        for rule in &rules {
            let Produces::Spec(to) = &rule.to else { continue };
            let names = own.entry(to).or_default();
            names.extend(rule.characteristics.keys().map(String::as_str));
            names.extend(rule.quantity.is_some().then_some("number"));
        }
        let all = own.values().flatten().copied().collect();
        // A decomposer may give what it makes any characteristics.
        if rules.iter().any(|rule| matches!(rule.to, Produces::Plugin(_))) {
            own.retain(|id, _| {
                catalog.specs.get(*id).is_some_and(|spec| spec.kind == SpecKind::Product)
            });
        }
        let any = Item::new(Level::Product, SpecId::new(""), "");
        let names = |view: Value| -> Vec<String> {
            view.as_object().into_iter().flat_map(|fields| fields.keys().cloned()).collect()
        };
        Self { of: own, all, item: names(any.view()), product: names(any.product_view()) }
    }

    /// Whether an item of one of these may have a characteristic.
    fn have(&self, specs: &BTreeSet<&SpecId>, name: &str) -> bool {
        specs.iter().any(|spec| self.of.get(spec).is_none_or(|own| own.contains(name)))
    }

    /// What is wrong with reading a member of a variable, the word that is, and what would be right.
    fn wrong<'p>(&self, path: &[&'p str], spot: Spot<'_>) -> Option<(String, &'p str, String)> {
        let (variable, member) = (*path.first()?, path.get(1).copied());
        let known = match variable {
            "item" => &self.item,
            "product" => &self.product,
            _ => return None,
        };
        let Some(specs) = spot.specs else {
            let message =
                format!("no `{variable}` here: the workflow runs before or after the whole order");
            return Some((message, variable, "read `order` or `products`".into()));
        };
        let member = member?;
        if !known.iter().any(|known| known == member) {
            let message = format!("`{variable}` has no `{member}`");
            return Some((message, member, meant(member, known.iter().map(String::as_str))));
        }
        let name = path.get(2).copied().filter(|_| member == "char")?;
        let (is_known, of, names): (bool, String, BTreeSet<&str>) = if variable == "item" {
            let names = specs.iter().filter_map(|spec| self.of.get(spec)).flatten();
            let of: Vec<String> = specs.iter().map(|spec| format!("`{spec}`")).collect();
            (self.have(specs, name), of.join(", "), names.copied().collect())
        } else {
            (self.all.contains(name), String::new(), self.all.iter().copied().collect())
        };
        if is_known {
            return None;
        }
        let message = if variable == "item" {
            format!("{of} has no characteristic `{name}`")
        } else {
            format!("no specification has a characteristic `{name}`")
        };
        Some((message, name, meant(name, names)))
    }
}

fn meant<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(name, known.iter().copied()) {
        Some(meant) => format!("is `{meant}` meant?"),
        None if known.is_empty() => "it has none".into(),
        None => format!("there are {}", known.join(", ")),
    }
}

/// Checks what rules and deliveries read.
pub(super) fn rules(reader: &mut Reader<'_>, written: &WrittenRules, whole: &Whole<'_>) {
    let tree = reader.tree(RULES);
    for (index, entry) in written.decompose.iter().enumerate() {
        let place = tree.root().get("decompose").at(index);
        let from = SpecId::new(&entry.from);
        let specs = BTreeSet::from([&from]);
        let spot = Spot { file: RULES, specs: Some(&specs) };
        for (key, source) in [
            ("when", &entry.when),
            ("quantity", &entry.quantity),
            ("for-each", &entry.for_each),
            ("key", &entry.key),
        ] {
            if let Some(source) = source {
                expression(reader, (place.get(key), source), spot, whole);
            }
        }
        for (name, value) in &entry.characteristics {
            let place = place.get("characteristics").get(name);
            for part in expressions(place, value) {
                expression(reader, part, spot, whole);
            }
        }
    }
    for (index, entry) in written.deliver.iter().enumerate() {
        let place = tree.root().get("deliver").at(index).get("not-before");
        let spec = SpecId::new(&entry.spec);
        let specs = BTreeSet::from([&spec]);
        if let Some(source) = &entry.not_before {
            let spot = Spot { file: RULES, specs: Some(&specs) };
            expression(reader, (place, source), spot, whole);
        }
    }
}

/// Checks what the steps of workflows read.
pub(super) fn workflows(
    reader: &mut Reader<'_>,
    written: &WrittenWorkflows,
    pack: &Pack,
    whole: &Whole<'_>,
) {
    let tree = reader.tree(WORKFLOWS);
    for (index, entry) in written.workflows.iter().enumerate() {
        let Some(specs) = served(pack, &entry.workflow, whole) else { continue };
        let specs = Some(&specs).filter(|specs| !specs.is_empty());
        let spot = Spot { file: WORKFLOWS, specs };
        let place = tree.root().get("workflows").at(index);
        for (index, step) in entry.steps.iter().enumerate() {
            let place = place.get("steps").at(index);
            for (key, source) in [("when", &step.when), ("not-before", &step.not_before)] {
                if let Some(source) = source {
                    expression(reader, (place.get(key), source), spot, whole);
                }
            }
            for part in expressions(place.get("input"), &step.input) {
                expression(reader, part, spot, whole);
            }
        }
    }
}

/// The specifications of a workflow's items: none if it runs around orders, `None` if they are not
/// known.
fn served<'a>(pack: &'a Pack, workflow: &str, whole: &Whole<'a>) -> Option<BTreeSet<&'a SpecId>> {
    let is_it = |name: &Option<String>| name.as_deref() == Some(workflow);
    if is_it(&pack.hooks.before) || is_it(&pack.hooks.after) {
        return Some(BTreeSet::new());
    }
    let deliveries = pack.deliveries.values().filter(|delivery| is_it(&delivery.workflow));
    let mut specs: BTreeSet<&SpecId> = deliveries.map(|delivery| &delivery.spec).collect();
    if is_it(&pack.hooks.each_product) {
        let specs_of_all = whole.catalog.specs.iter();
        let products = specs_of_all.filter(|(_, spec)| spec.kind == SpecKind::Product);
        specs.extend(products.map(|(id, _)| id));
    }
    (!specs.is_empty()).then_some(specs)
}

fn expression(
    reader: &mut Reader<'_>,
    (place, source): (Place<'_>, &str),
    spot: Spot<'_>,
    whole: &Whole<'_>,
) {
    // It was compiled before, with the names that it may use.
    let scope: Vec<&str> = TASK_SCOPE.iter().copied().chain(["each", "number"]).collect();
    let Ok(expr) = Expr::parse(source, &scope) else { return };
    let paths = expr.paths();
    let mut told = BTreeSet::new();
    for path in &paths {
        let Some((message, word, help)) = whole.characteristics.wrong(&path.names, spot) else {
            continue;
        };
        if !told.insert(message.clone()) {
            continue;
        }
        // What is asked for first may be what an earlier version had.
        let is_asked = paths.iter().any(|other| other.is_asked && other.names == path.names);
        let is_close = help.starts_with("is `");
        let severity = if is_asked && !is_close { Severity::Warning } else { Severity::Error };
        let code =
            if path.names.len() > 2 { Code::UnknownCharacteristic } else { Code::Expression };
        let at = mention(reader, (spot.file, place), source, word);
        reader.found_at(severity, code, (spot.file, at), (message, Some(help)));
    }
}
