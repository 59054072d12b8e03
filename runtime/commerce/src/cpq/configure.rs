//! Completes what somebody chose: bundles are filled up, defaults filled in, and the whole is held
//! against the same checks as an order. What is complete already comes out unchanged.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use model::catalog::{Catalog, RESOURCES};
use model::decompose::{CheckedLine, Mistake, check};
use model::id::SpecId;
use model::order::{Form, LINES_MAX, Line, LineDates, Order, OrderError};
use model::plan::Action;
use tmf::time::Timestamp;

/// What somebody chose, complete.
#[derive(Clone, Debug, PartialEq)]
pub struct Configuration {
    /// The document, its items with all their characteristics and bundles with their parts.
    pub document: Value,
    /// The order that it is, or asks about.
    pub order: Order,
    /// Its lines with their defaults.
    pub lines: Vec<CheckedLine>,
    /// What is wrong with it.
    pub mistakes: Vec<Mistake>,
}

/// Completes a document with items, and says what is wrong with it.
pub fn configure(
    form: Form,
    document: &Value,
    catalog: &Catalog,
    at: Timestamp,
) -> Result<Configuration, OrderError> {
    let mut document = document.clone();
    let chosen = Order::read(form, &document)?;
    let filled = filled(chosen, catalog);
    if filled.added > 0 {
        let mut writer = Writer { form, order: &filled.order, next: 0 };
        writer.parts(&mut document, filled.order.lines.len() - filled.added);
    }
    let order = Order::read(form, &document)?.at(at);
    let checked = check(&order, catalog);
    let mut writer = Writer { form, order: &order, next: 0 };
    writer.characteristics(&mut document, &checked.lines);
    // Read again: the lines carry what was filled in.
    let order = Order::read(form, &document)?.at(at);
    Ok(Configuration { document, order, lines: checked.lines, mistakes: checked.mistakes })
}

/// An order with the parts of bundles that nobody named, at its end.
struct Filled {
    order: Order,
    added: usize,
}

/// A bundle of which nothing was chosen has the default number of each; one of which something was
/// chosen has what it must have.
fn filled(mut order: Order, catalog: &Catalog) -> Filled {
    let chosen = order.lines.len();
    let mut ids: BTreeSet<String> = order.lines.iter().map(|line| line.id.clone()).collect();
    let mut index = 0;
    while index < order.lines.len() {
        for offering in missing(&order, index, catalog) {
            if order.lines.len() >= LINES_MAX {
                break;
            }
            let id = unused(&order.lines[index].id, &mut ids);
            let spec = catalog.offerings.get(&offering).and_then(|o| o.spec.clone());
            order.lines.push(part(id, offering, spec, index));
        }
        index += 1;
    }
    let added = order.lines.len() - chosen;
    Filled { order, added }
}

/// The offerings that a bundle lacks, each as often as it does.
fn missing(order: &Order, index: usize, catalog: &Catalog) -> Vec<SpecId> {
    let line = &order.lines[index];
    let offering = line.offering.as_ref().and_then(|id| catalog.offerings.get(id));
    let Some(offering) = offering.filter(|_| line.action == Action::Add) else {
        return Vec::new();
    };
    let inside: Vec<&Line> = order.lines.iter().filter(|l| l.bundle == Some(index)).collect();
    let mut missing = Vec::new();
    for bundled in &offering.bundles {
        let own = inside.iter().filter(|l| l.offering.as_ref() == Some(&bundled.offering));
        let count: u64 = own.map(|line| u64::from(line.quantity)).sum();
        let wanted = if inside.is_empty() {
            bundled.default.clamp(bundled.min, bundled.max.max(bundled.min))
        } else {
            bundled.min
        };
        // A bundle within itself would have no end.
        if !is_within(order, index, &bundled.offering) {
            let lacks = usize::try_from(wanted.saturating_sub(count)).unwrap_or(LINES_MAX);
            missing.extend(std::iter::repeat_n(bundled.offering.clone(), lacks.min(LINES_MAX)));
        }
    }
    missing
}

fn is_within(order: &Order, index: usize, offering: &SpecId) -> bool {
    let mut outwards =
        std::iter::successors(Some(index), |line| order.lines[*line].bundle).take(LINES_MAX);
    outwards.any(|line| order.lines[line].offering.as_ref() == Some(offering))
}

fn unused(base: &str, ids: &mut BTreeSet<String>) -> String {
    let mut number = 1;
    loop {
        let id = format!("{base}.{number}");
        if ids.insert(id.clone()) {
            return id;
        }
        number += 1;
    }
}

fn part(id: String, offering: SpecId, spec: Option<SpecId>, bundle: usize) -> Line {
    Line {
        id,
        action: Action::Add,
        quantity: 1,
        is_counted: false,
        offering: Some(offering),
        spec,
        instance: None,
        state: None,
        characteristics: Map::new(),
        place: None,
        areas: BTreeSet::new(),
        agreed: None,
        relies_on: Vec::new(),
        bundle: Some(bundle),
        lists: Vec::new(),
        path: String::new(),
        dates: LineDates::default(),
    }
}

/// Writes lines into the items of a document, which are gone through in the order in which they
/// are read.
struct Writer<'a> {
    form: Form,
    order: &'a Order,
    next: usize,
}

impl Writer<'_> {
    /// Adds the lines from `first` on as items nested in their bundles.
    fn parts(&mut self, document: &mut Value, first: usize) {
        let Some(items) = document.get_mut(self.form.items()).and_then(Value::as_array_mut) else {
            return;
        };
        for item in items {
            let index = self.next;
            self.next += 1;
            self.parts(item, first);
            self.nest(item, index, first);
        }
    }

    fn nest(&self, item: &mut Value, bundle: usize, first: usize) {
        let lines = self.order.lines.iter().enumerate().skip(first);
        let parts: Vec<Value> = lines
            .filter(|(_, line)| line.bundle == Some(bundle))
            .map(|(index, line)| {
                let mut part = json!({
                    "id": line.id,
                    "action": line.action.as_str(),
                    "quantity": line.quantity,
                    "productOffering": reference("productOffering", line.offering.as_ref()),
                });
                self.nest(&mut part, index, first);
                part
            })
            .collect();
        if let (false, Some(fields)) = (parts.is_empty(), item.as_object_mut()) {
            let nested = fields.entry(self.form.items()).or_insert_with(|| json!([]));
            if let Some(nested) = nested.as_array_mut() {
                nested.extend(parts);
            }
        }
    }

    /// Writes the characteristics of each line, and its specification.
    fn characteristics(&mut self, document: &mut Value, lines: &[CheckedLine]) {
        let Some(items) = document.get_mut(self.form.items()).and_then(Value::as_array_mut) else {
            return;
        };
        for item in items {
            let line = &self.order.lines[self.next];
            let checked = &lines[self.next];
            self.next += 1;
            if let Some(fields) = item.as_object_mut() {
                self.complete(fields, line, checked);
            }
            self.characteristics(item, lines);
        }
    }

    fn complete(&self, item: &mut Map<String, Value>, line: &Line, checked: &CheckedLine) {
        item.entry("id").or_insert_with(|| json!(line.id));
        item.entry("action").or_insert_with(|| json!(line.action.as_str()));
        item.entry("quantity").or_insert_with(|| json!(line.quantity));
        let Some(spec) = &checked.spec else {
            return;
        };
        let subject = item.entry(self.form.subject()).or_insert_with(|| json!({}));
        if subject.is_null() {
            *subject = json!({});
        }
        let Some(subject) = subject.as_object_mut() else {
            return;
        };
        let named = subject.entry(self.form.spec()).or_insert(Value::Null);
        if named.is_null() {
            *named = reference(self.form.spec(), Some(spec));
        }
        let known = subject.entry(self.form.characteristics()).or_insert_with(|| json!([]));
        if known.is_null() {
            *known = json!([]);
        }
        let Some(known) = known.as_array_mut() else {
            return;
        };
        for entry in model::documents::characteristics(&checked.characteristics) {
            if !known.iter().any(|own| own.get("name") == entry.get("name")) {
                known.push(entry);
            }
        }
    }
}

pub(super) fn reference(resource: &str, id: Option<&SpecId>) -> Value {
    let Some(id) = id else {
        return Value::Null;
    };
    let base = RESOURCES.iter().find(|(known, _)| *known == resource).map_or("", |(_, path)| path);
    json!({ "id": id, "href": format!("{base}/{id}") })
}
