//! Completes a choice: bundles are filled up, defaults filled in, and the whole is validated against the
//! same checks as an order. A complete choice comes out unchanged.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use model::catalog::{Catalog, RESOURCES};
use model::decompose::{CheckedLine, Mistake, check};
use model::id::SpecId;
use model::order::{Form, LINES_MAX, Line, LineDates, Order, OrderError};
use model::plan::Action;
use tmf::document::item::{Item, Subject};
use tmf::document::order_request::{
    ProductOrderRequest, ProductOrderRequestItem, ServiceOrderRequest, ServiceOrderRequestItem,
};
use tmf::document::quote::{Quote, QuoteItem};
use tmf::document::{Characteristic, Characteristics, Reference, write};
use tmf::time::Timestamp;

/// A document with items that can be configured.
pub trait Choice: Serialize + Sized {
    const FORM: Form;
    type Item: Item;

    fn items(&self) -> &[Self::Item];

    fn items_mut(&mut self) -> &mut Vec<Self::Item>;

    /// The order that it is, or asks about.
    fn order(&self) -> Result<Order, OrderError> {
        Order::read(Self::FORM, &write(self))
    }
}

impl Choice for Quote {
    const FORM: Form = Form::Quote;
    type Item = QuoteItem;

    fn items(&self) -> &[QuoteItem] {
        &self.quote_item
    }

    fn items_mut(&mut self) -> &mut Vec<QuoteItem> {
        &mut self.quote_item
    }
}

impl Choice for ProductOrderRequest {
    const FORM: Form = Form::ProductOrder;
    type Item = ProductOrderRequestItem;

    fn items(&self) -> &[ProductOrderRequestItem] {
        &self.product_order_item
    }

    fn items_mut(&mut self) -> &mut Vec<ProductOrderRequestItem> {
        &mut self.product_order_item
    }
}

impl Choice for ServiceOrderRequest {
    const FORM: Form = Form::ServiceOrder;
    type Item = ServiceOrderRequestItem;

    fn items(&self) -> &[ServiceOrderRequestItem] {
        &self.service_order_item
    }

    fn items_mut(&mut self) -> &mut Vec<ServiceOrderRequestItem> {
        &mut self.service_order_item
    }
}

/// A complete choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Configuration<D> {
    /// The document, its items with all their characteristics and bundles with their parts.
    pub document: D,
    /// The order that it is, or asks about.
    pub order: Order,
    /// Its lines with their defaults.
    pub lines: Vec<CheckedLine>,
    /// The errors in it.
    pub mistakes: Vec<Mistake>,
}

/// Completes a document with items and validates it.
pub fn configure<D: Choice>(
    mut document: D,
    catalog: &Catalog,
    at: Timestamp,
) -> Result<Configuration<D>, OrderError> {
    let mut parts = missing_parts(document.order()?, catalog);
    add_parts(document.items_mut(), &mut parts, &mut 0);
    let order = document.order()?.at(at);
    let checked = check(&order, catalog);
    let specification = Form::of(order.level).spec();
    let mut lines = order.lines.into_iter().zip(&checked.lines);
    complete_all(document.items_mut(), specification, &mut lines);
    // Read again: the lines have the added attributes.
    let order = document.order()?.at(at);
    Ok(Configuration { document, order, lines: checked.lines, mistakes: checked.mistakes })
}

/// The missing parts of bundles, by the places of the bundles. Each part has a place as well, for it may
/// be a bundle.
type Parts = BTreeMap<usize, Vec<(usize, Line)>>;

/// The missing parts of bundles. If no part of a bundle was chosen, it has the default number of each;
/// otherwise the minimum.
fn missing_parts(mut order: Order, catalog: &Catalog) -> Parts {
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
    let mut parts = Parts::new();
    for (index, line) in order.lines.into_iter().enumerate().skip(chosen) {
        if let Some(bundle) = line.bundle {
            parts.entry(bundle).or_default().push((index, line));
        }
    }
    parts
}

/// The offerings that a bundle lacks, each as often as it lacks it.
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
        // A bundle within itself would be endless.
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
        characteristics: Characteristics::new(),
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

/// Adds parts as items nested in their bundles. Items are visited in the order in which they are read.
fn add_parts<I: Item>(items: &mut [I], parts: &mut Parts, next: &mut usize) {
    for item in items {
        let index = *next;
        *next += 1;
        let nested = item.parts().items;
        add_parts(nested, parts, next);
        nested.extend(parts_of(index, parts));
    }
}

/// The new items of a bundle.
fn parts_of<I: Item>(bundle: usize, parts: &mut Parts) -> Vec<I> {
    let own = parts.remove(&bundle).unwrap_or_default().into_iter();
    let item = |(index, line): (usize, Line)| {
        let mut item = I::default();
        let attributes = item.parts();
        *attributes.id = Some(line.id);
        *attributes.action = Some(line.action.as_str().into());
        *attributes.quantity = Some(line.quantity);
        *attributes.offering = line.offering.as_ref().map(|id| reference("productOffering", id));
        *attributes.items = parts_of(index, parts);
        item
    };
    own.map(item).collect()
}

/// Completes items with the attributes of their lines.
fn complete_all<'a, I: Item>(
    items: &mut [I],
    specification: &str,
    lines: &mut impl Iterator<Item = (Line, &'a CheckedLine)>,
) {
    for item in items {
        let (line, checked) = lines.next().expect("each item was read as a line");
        complete(item, specification, line, checked);
        complete_all(item.parts().items, specification, lines);
    }
}

fn complete<I: Item>(item: &mut I, specification: &str, line: Line, checked: &CheckedLine) {
    let parts = item.parts();
    parts.id.get_or_insert(line.id);
    parts.action.get_or_insert_with(|| line.action.as_str().into());
    parts.quantity.get_or_insert(line.quantity);
    let Some(spec) = &checked.spec else { return };
    let subject = parts.subject.get_or_insert_default().parts();
    subject.specification.get_or_insert_with(|| reference(specification, spec));
    for (name, value) in checked.characteristics.iter() {
        if !subject.characteristics.iter().any(|own| own.name == *name) {
            subject.characteristics.push(Characteristic::typed(name, value.clone()));
        }
    }
}

/// A reference to an entity of the catalogs.
pub(super) fn reference(resource: &str, id: &SpecId) -> Reference {
    let base = RESOURCES.iter().find(|(known, _)| *known == resource).map_or("", |(_, path)| path);
    Reference {
        id: Some(id.as_str().into()),
        href: Some(format!("{base}/{id}")),
        ..Reference::default()
    }
}
