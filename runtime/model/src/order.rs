//! Orders as they come in: product orders (TMF622), service orders (TMF641) and resource orders
//! (TMF652), read into one shape. What the standards call by different names is a table here.

pub mod attributes;
mod dates;
pub mod described;
mod form;
mod line;
mod price;
mod quotes;
mod relation;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use self::relation::Relation;
use crate::id::SpecId;
use crate::plan::{Action, Level};
use crate::pricing::sold::Price;
pub use dates::{Dates, LineDates};
use form::Dialect;
pub use form::Form;
pub use quotes::quotes_of;
use tmf::time::Timestamp;

/// An order, its items in one list: what was nested comes after what it was nested in.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Which order it is.
    pub level: Level,
    /// Its items.
    pub lines: Vec<Line>,
    /// The customer's id, where the order names one.
    pub customer: Option<String>,
    /// The time at which what it asks for must be on sale; nothing for an order that was taken on
    /// already.
    pub at: Option<Timestamp>,
    /// When it is wanted.
    pub dates: Dates,
    /// The other orders that must have completed first.
    pub after: Vec<After>,
}

/// That an item relies on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reliance {
    /// The position of the other.
    pub on: usize,
    /// What of it waits.
    pub extent: Extent,
}

/// What of an item waits for an item that it relies on.
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
    /// What is wanted.
    pub action: Action,
    /// How many.
    pub quantity: u32,
    /// Whether the order names how many; one, where it does not.
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
    pub characteristics: Map<String, Value>,
    /// The id of its place.
    pub place: Option<String>,
    /// What its place is called and lies in: ids, names, post codes, cities, countries.
    pub areas: BTreeSet<String>,
    /// The prices that were agreed in a quote, for one; the catalog's count where there are none.
    pub agreed: Option<Vec<Price>>,
    /// The position of the bundle that it is in.
    pub bundle: Option<usize>,
    /// The lists of its instance that it names, such as `relatedParty`.
    pub lists: Vec<String>,
    /// Where it stands in the document, such as `productOrderItem[0]`.
    pub path: String,
    /// The items that it relies on, in order.
    pub relies_on: Vec<Reliance>,
    /// When its instance is wanted.
    pub dates: LineDates,
}

/// Why an order is refused at the door.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct OrderError {
    /// Whether the document itself is wrong (400) or what it says (422).
    pub kind: OrderErrorKind,
    /// The attribute, such as `productOrderItem[0].action`.
    pub path: String,
    /// What is wrong and what was expected.
    pub message: String,
}

/// What is wrong with an order (the validation matrix, by TMF630 and the conformance tests).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderErrorKind {
    /// Something is missing, or of the wrong type, or no word of the standard.
    Malformed,
    /// It can be read, but it contradicts itself.
    Inconsistent,
}

/// An order may have so many items.
pub const LINES_MAX: usize = 20_000;

/// An id may be so long: what an item makes is stored under it.
const ID_BYTES_MAX: usize = 200;

/// Items may nest so deep.
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

    /// Reads the order that a document is, or asks about.
    pub fn read(form: Form, document: &Value) -> Result<Self, OrderError> {
        let dialect = form.dialect();
        let Some(body) = document.as_object() else {
            return Err(malformed("$", "an order is a JSON object"));
        };
        let quote = price::quote_of(body);
        attributes::check(form, body)?;
        let dates = Dates::read(form, body)?;
        let (lines, related, after) = (Vec::new(), Vec::new(), Vec::new());
        let mut reader = Reader { dialect, quote, dates, lines, related, after };
        match body.get(dialect.items) {
            None if dialect.level == Level::Resource => {}
            None => return Err(malformed(dialect.items, "is mandatory: the items of the order")),
            Some(items) => reader.items(items, "", None, 0)?,
        }
        if reader.lines.is_empty() && dialect.level != Level::Resource {
            return Err(malformed(dialect.items, "an order has at least one item"));
        }
        reader.check_ids()?;
        reader.check_instances()?;
        reader.relate()?;
        reader.order_relations(body)?;
        let Reader { lines, after, .. } = reader;
        let level = dialect.level;
        Ok(Self { level, lines, customer: customer(body)?, at: None, dates, after })
    }

    /// The same order, taken on at a time: what it asks for must be on sale then.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.at = Some(now);
        self
    }

    /// The place of a line, or of the bundle that it is in.
    pub fn place_of<'a>(&'a self, line: &'a Line) -> Option<&'a str> {
        self.outwards(line).find_map(|line| line.place.as_deref())
    }

    /// What the place of a line, or of the bundle that it is in, is called and lies in.
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
    dialect: &'a Dialect,
    /// The quote that the whole order comes from.
    quote: Option<String>,
    /// When the whole order is wanted.
    dates: Dates,
    lines: Vec<Line>,
    related: Vec<Relation>,
    after: Vec<After>,
}

impl Reader<'_> {
    fn items(
        &mut self,
        items: &Value,
        within: &str,
        bundle: Option<usize>,
        depth: usize,
    ) -> Result<(), OrderError> {
        let name = self.dialect.items;
        let path = if within.is_empty() { name.to_string() } else { format!("{within}.{name}") };
        let Some(items) = items.as_array() else {
            return Err(malformed(&path, "is an array"));
        };
        if depth > DEPTH_MAX {
            return Err(malformed(&path, &format!("items may nest {DEPTH_MAX} deep")));
        }
        for (position, item) in items.iter().enumerate() {
            let path = format!("{path}[{position}]");
            if self.lines.len() >= LINES_MAX {
                return Err(malformed(&path, &format!("an order may have {LINES_MAX} items")));
            }
            let line = self.line(item, &path, bundle, position)?;
            let index = self.lines.len();
            self.lines.push(line);
            self.relations(item, &path, index)?;
            if let Some(nested) = item.get(name).filter(|nested| !nested.is_null()) {
                self.items(nested, &path, Some(index), depth + 1)?;
            }
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
        for line in self.lines.iter().filter(|_| self.dialect.form.is_order()) {
            let Some(instance) = line.instance.as_deref() else {
                continue;
            };
            if let Some(first) = named.insert(instance, &line.id) {
                let subject = self.dialect.subject;
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

fn customer(body: &Map<String, Value>) -> Result<Option<String>, OrderError> {
    let parties = match body.get("relatedParty") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(parties)) => parties,
        Some(_) => return Err(malformed("relatedParty", "is an array")),
    };
    let customer = parties.iter().find(|party| {
        let says = |name: &str| party.get(name).and_then(Value::as_str);
        let is_customer =
            |text: Option<&str>| text.is_some_and(|text| text.eq_ignore_ascii_case("customer"));
        is_customer(says("role")) || is_customer(says("@referredType"))
    });
    Ok(customer.and_then(|party| party.get("id")?.as_str().map(Into::into)))
}

fn reference(
    body: &Map<String, Value>,
    name: &str,
    path: &str,
) -> Result<Option<String>, OrderError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(reference)) => {
            mandatory_text(reference, "id", &format!("{path}.{name}")).map(Some)
        }
        Some(_) => Err(malformed(&format!("{path}.{name}"), "is a JSON object with an `id`")),
    }
}

fn mandatory_text(body: &Map<String, Value>, name: &str, path: &str) -> Result<String, OrderError> {
    match optional_text(body, name, path)? {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(malformed(&format!("{path}.{name}"), "is mandatory")),
    }
}

fn optional_text(
    body: &Map<String, Value>,
    name: &str,
    path: &str,
) -> Result<Option<String>, OrderError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(malformed(&format!("{path}.{name}"), "is a text")),
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
