//! Orders as they come in: product orders (TMF622), service orders (TMF641) and resource orders
//! (TMF652), read into one shape. The different names of the standards are a table.

pub mod attributes;
mod dates;
pub mod described;
mod form;
mod line;
mod price;
mod relation;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tmf::document::order::{Item, Order as Document, Relation, read};

use crate::id::SpecId;
use crate::plan::{Action, Level};
use crate::pricing::sold::Price;
pub use dates::{Dates, LineDates};
pub use form::Form;
use tmf::document::Characteristics;
pub use tmf::document::order::quotes_of;
use tmf::malformed::Malformed;
use tmf::time::Timestamp;

/// An order, its items in one list: what was nested comes after what it was nested in.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Which order it is.
    pub level: Level,
    /// Its items.
    pub lines: Vec<Line>,
    /// The customer's id, if the order names one.
    pub customer: Option<String>,
    /// The time at which its offerings must be on sale; `None` for an order that was accepted before.
    pub at: Option<Timestamp>,
    /// The dates on which it is to begin and to be complete.
    pub dates: Dates,
    /// The other orders that must have completed first.
    pub after: Vec<After>,
}

/// That an item relies on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reliance {
    /// The position of the other.
    pub on: usize,
    /// The part of the item that waits.
    pub extent: Extent,
}

/// The part of an item that waits for an item that it relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// All that it is made of, unless the catalog tells which of its services needs which of the
    /// other's.
    Uses,
    /// All that it is made of.
    Whole,
}

/// Another order that must have completed before anything of this one is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// The id of that order.
    pub order: String,
    /// The attribute that names it.
    pub path: String,
}

/// An item of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its id, unique in the order.
    pub id: String,
    /// What to do with its instance.
    pub action: Action,
    /// The number of instances.
    pub quantity: u32,
    /// Whether the order names the quantity. It is one otherwise.
    pub is_counted: bool,
    /// The offering, of a product.
    pub offering: Option<SpecId>,
    /// The specification.
    pub spec: Option<SpecId>,
    /// The instance in the inventory that it is about.
    pub instance: Option<String>,
    /// The state that is wanted of it: a product's `status`, a service's `state`.
    pub state: Option<String>,
    /// Its characteristics.
    pub characteristics: Characteristics,
    /// The id of its place.
    pub place: Option<String>,
    /// The names of its place and of the areas that it lies in: ids, post codes, cities, countries.
    pub areas: BTreeSet<String>,
    /// The prices of one, as agreed in a quote; `None` if those of the catalog count.
    pub agreed: Option<Vec<Price>>,
    /// The position of the bundle that it is in.
    pub bundle: Option<usize>,
    /// The lists of its instance that it names, such as `relatedParty`.
    pub lists: Vec<String>,
    /// Where it stands in the document, such as `productOrderItem[0]`.
    pub path: String,
    /// The items that it relies on, in order.
    pub relies_on: Vec<Reliance>,
    /// The dates of its instance.
    pub dates: LineDates,
}

/// Why an order is refused before it is planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct OrderError {
    /// Whether the document cannot be read (400) or contradicts itself (422).
    pub kind: OrderErrorKind,
    /// The attribute, such as `productOrderItem[0].action`.
    pub path: String,
    /// The error, and the expected value.
    pub message: String,
}

/// The kind of an error of an order (the validation matrix, by TMF630 and the conformance tests).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderErrorKind {
    /// An attribute is missing, or of the wrong type, or no word of the standard.
    Malformed,
    /// It can be read, but it contradicts itself.
    Inconsistent,
}

/// Max items of an order.
pub const LINES_MAX: usize = 20_000;

/// Max length of the id of an item: its instances are stored under it.
const ID_BYTES_MAX: usize = 200;

/// Max levels of nested items.
const DEPTH_MAX: usize = 16;

impl Order {
    /// The ids of its lines, if they are in one namespace with the items that decomposition makes:
    /// products have an order of their own.
    pub(crate) fn ids_among_items(&self) -> BTreeSet<&str> {
        match self.level {
            Level::Product => BTreeSet::new(),
            Level::CustomerService | Level::ResourceService | Level::Resource => {
                self.lines.iter().map(|line| line.id.as_str()).collect()
            }
        }
    }

    /// Reads an order of a level; [`Level::CustomerService`] stands for any service order.
    pub fn parse(level: Level, document: &Value) -> Result<Self, OrderError> {
        Self::read(Form::of(level), document)
    }

    /// Reads an order, or a question that has the items of one.
    pub fn read(form: Form, document: &Value) -> Result<Self, OrderError> {
        let level = form.dialect().level;
        let document = read(form.names(), document)?;
        attributes::check(form, document.attributes)?;
        let (lines, related, after) = (Vec::new(), Vec::new(), Vec::new());
        let mut reader = Reader { form, level, document: &document, lines, related, after };
        let items = form.items();
        match &document.items {
            None if level == Level::Resource => {}
            None => return Err(malformed(items, "is mandatory: the items of the order")),
            Some(items) => reader.items(items, None, 0)?,
        }
        if reader.lines.is_empty() && level != Level::Resource {
            return Err(malformed(items, "an order has at least one item"));
        }
        reader.check_ids()?;
        reader.check_instances()?;
        reader.relate()?;
        reader.order_relations()?;
        let Reader { lines, after, .. } = reader;
        let customer = document.customer.map(Into::into);
        let dates = Dates { start: document.start, completion: document.completion };
        Ok(Self { level, lines, customer, at: None, dates, after })
    }

    /// The same order, accepted at a time: its offerings must be on sale then.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.at = Some(now);
        self
    }

    /// The place of a line, or of the bundle that it is in.
    pub fn place_of<'a>(&'a self, line: &'a Line) -> Option<&'a str> {
        self.outwards(line).find_map(|line| line.place.as_deref())
    }

    /// The names of the place of a line, or of the bundle that it is in, and of its areas.
    pub fn areas_of<'a>(&'a self, line: &'a Line) -> &'a BTreeSet<String> {
        let mut named = self.outwards(line).map(|line| &line.areas);
        named.find(|areas| !areas.is_empty()).unwrap_or(&line.areas)
    }

    /// A line and the bundles that it is in, from the inside out.
    fn outwards<'a>(&'a self, line: &'a Line) -> impl Iterator<Item = &'a Line> {
        std::iter::successors(Some(line), |line| line.bundle.map(|index| &self.lines[index]))
    }
}

struct Reader<'a> {
    form: Form,
    level: Level,
    document: &'a Document<'a>,
    lines: Vec<Line>,
    /// The relations of the lines at these positions.
    related: Vec<(usize, &'a Relation<'a>)>,
    after: Vec<After>,
}

impl<'a> Reader<'a> {
    fn items(
        &mut self,
        items: &'a [Item<'a>],
        bundle: Option<usize>,
        depth: usize,
    ) -> Result<(), OrderError> {
        for (position, item) in items.iter().enumerate() {
            if self.lines.len() >= LINES_MAX {
                return Err(malformed(&item.path, &format!("an order may have {LINES_MAX} items")));
            }
            let line = self.line(item, bundle, position)?;
            let index = self.lines.len();
            self.lines.push(line);
            self.relations(item, index)?;
            if depth >= DEPTH_MAX && !item.items.is_empty() {
                let path = format!("{}.{}", item.path, self.form.items());
                return Err(malformed(&path, &format!("items may nest {DEPTH_MAX} deep")));
            }
            self.items(&item.items, Some(index), depth + 1)?;
        }
        Ok(())
    }

    fn check_ids(&self) -> Result<(), OrderError> {
        let mut seen = BTreeSet::new();
        match self.lines.iter().find(|line| !seen.insert(&line.id)) {
            Some(line) => {
                let message = format!("the item id `{}` occurs twice", line.id);
                Err(inconsistent(&format!("{}.id", line.path), &message))
            }
            None => Ok(()),
        }
    }

    /// One item of an order names all that is wanted of an instance.
    fn check_instances(&self) -> Result<(), OrderError> {
        let mut named: BTreeMap<&str, &str> = BTreeMap::new();
        for line in self.lines.iter().filter(|_| self.form.names().is_order) {
            let Some(instance) = line.instance.as_deref() else {
                continue;
            };
            if let Some(first) = named.insert(instance, &line.id) {
                let subject = self.form.subject();
                let message = format!(
                    "item `{first}` is about the {subject} `{instance}` too: put all that is \
                     wanted of it into one item"
                );
                return Err(inconsistent(&format!("{}.{subject}.id", line.path), &message));
            }
        }
        Ok(())
    }
}

impl From<Malformed> for OrderError {
    fn from(Malformed { attribute, problem }: Malformed) -> Self {
        malformed(&attribute, &problem)
    }
}

fn malformed(path: &str, message: &str) -> OrderError {
    OrderError { kind: OrderErrorKind::Malformed, path: path.into(), message: message.into() }
}

fn inconsistent(path: &str, message: &str) -> OrderError {
    OrderError { kind: OrderErrorKind::Inconsistent, path: path.into(), message: message.into() }
}

#[cfg(test)]
mod tests;
