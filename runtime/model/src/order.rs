//! Orders as they come in: product orders (TMF622), service orders (TMF641) and resource orders
//! (TMF652), read into one shape. What the standards call by different names is a table here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::id::SpecId;
use crate::plan::{Action, Level};

/// An order, its items in one list: what was nested comes after what it was nested in.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Which order it is.
    pub level: Level,
    /// Its items.
    pub lines: Vec<Line>,
    /// The customer's id, where the order names one.
    pub customer: Option<String>,
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
    /// The position of the bundle that it is in.
    pub bundle: Option<usize>,
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

/// What one of the standards calls the parts of an order.
struct Dialect {
    level: Level,
    items: &'static str,
    subject: &'static str,
    spec: &'static str,
    characteristics: &'static str,
    state: Option<&'static str>,
    relations: &'static str,
}

const DIALECTS: [Dialect; 3] = [
    Dialect {
        level: Level::Product,
        items: "productOrderItem",
        subject: "product",
        spec: "productSpecification",
        characteristics: "productCharacteristic",
        state: Some("status"),
        relations: "productOrderItemRelationship",
    },
    Dialect {
        level: Level::CustomerService,
        items: "serviceOrderItem",
        subject: "service",
        spec: "serviceSpecification",
        characteristics: "serviceCharacteristic",
        state: Some("state"),
        relations: "serviceOrderItemRelationship",
    },
    Dialect {
        level: Level::Resource,
        items: "orderItem",
        subject: "resource",
        spec: "resourceSpecification",
        characteristics: "resourceCharacteristic",
        state: None,
        relations: "orderItemRelationship",
    },
];

impl Order {
    /// Reads an order of a level; [`Level::CustomerService`] stands for any service order.
    pub fn parse(level: Level, document: &Value) -> Result<Self, OrderError> {
        let dialect = match level {
            Level::Product => &DIALECTS[0],
            Level::CustomerService | Level::ResourceService => &DIALECTS[1],
            Level::Resource => &DIALECTS[2],
        };
        let Some(body) = document.as_object() else {
            return Err(malformed("$", "an order is a JSON object"));
        };
        let mut reader = Reader { dialect, lines: Vec::new(), related: Vec::new() };
        match body.get(dialect.items) {
            None if level == Level::Resource => {}
            None => return Err(malformed(dialect.items, "is mandatory: the items of the order")),
            Some(items) => reader.items(items, "", None, 0)?,
        }
        if reader.lines.is_empty() && level != Level::Resource {
            return Err(malformed(dialect.items, "an order has at least one item"));
        }
        reader.check_ids()?;
        reader.relate()?;
        Ok(Self { level: dialect.level, lines: reader.lines, customer: customer(body)? })
    }
}

/// An item's relation to another, as it stands in the document.
struct Relation {
    line: usize,
    kind: String,
    to: String,
    path: String,
}

struct Reader<'a> {
    dialect: &'a Dialect,
    lines: Vec<Line>,
    related: Vec<Relation>,
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
            let line = self.line(item, &path, bundle)?;
            let index = self.lines.len();
            self.lines.push(line);
            self.relations(item, &path, index)?;
            if let Some(nested) = item.get(name).filter(|nested| !nested.is_null()) {
                self.items(nested, &path, Some(index), depth + 1)?;
            }
        }
        Ok(())
    }

    fn line(&self, item: &Value, path: &str, bundle: Option<usize>) -> Result<Line, OrderError> {
        let Some(body) = item.as_object() else {
            return Err(malformed(path, "an item is a JSON object"));
        };
        let at = |name: &str| format!("{path}.{name}");
        let id = mandatory_text(body, "id", path)?;
        if id.len() > ID_BYTES_MAX || id.chars().any(char::is_control) {
            let message = format!("has at most {ID_BYTES_MAX} bytes and no control characters");
            return Err(malformed(&at("id"), &message));
        }
        let action = mandatory_text(body, "action", path)?;
        let action = Action::parse(&action).ok_or_else(|| {
            let words = "is one of `add`, `modify`, `delete`, `noChange`";
            malformed(&at("action"), &format!("{words}, not `{action}`"))
        })?;
        let quantity = match body.get("quantity") {
            None | Some(Value::Null) => 1,
            Some(value) => value
                .as_u64()
                .and_then(|quantity| u32::try_from(quantity).ok())
                .filter(|quantity| *quantity > 0)
                .ok_or_else(|| malformed(&at("quantity"), "is a whole number from 1"))?,
        };
        let offering = reference(body, "productOffering", path)?;
        let empty = Map::new();
        let subject_path = at(self.dialect.subject);
        let subject = match body.get(self.dialect.subject) {
            Some(Value::Object(subject)) => subject,
            None | Some(Value::Null) if self.dialect.level != Level::CustomerService => &empty,
            None | Some(Value::Null) => return Err(malformed(&subject_path, "is mandatory")),
            Some(_) => return Err(malformed(&subject_path, "is a JSON object")),
        };
        let spec = match reference(subject, self.dialect.spec, &subject_path)? {
            // 652 has it next to the resource too.
            None if self.dialect.level == Level::Resource => {
                reference(body, self.dialect.spec, path)?
            }
            spec => spec,
        };
        Ok(Line {
            id,
            action,
            quantity,
            offering: offering.map(SpecId::new),
            spec: spec.map(SpecId::new),
            instance: optional_text(subject, "id", &subject_path)?,
            state: match self.dialect.state {
                Some(name) => optional_text(subject, name, &subject_path)?,
                None => None,
            },
            characteristics: self.characteristics(subject, &subject_path)?,
            place: place(subject, &subject_path)?,
            bundle,
        })
    }

    fn characteristics(
        &self,
        subject: &Map<String, Value>,
        path: &str,
    ) -> Result<Map<String, Value>, OrderError> {
        let path = format!("{path}.{}", self.dialect.characteristics);
        let entries = match subject.get(self.dialect.characteristics) {
            None | Some(Value::Null) => return Ok(Map::new()),
            Some(Value::Array(entries)) => entries,
            Some(_) => return Err(malformed(&path, "is an array")),
        };
        let mut characteristics = Map::new();
        for (position, entry) in entries.iter().enumerate() {
            let path = format!("{path}[{position}]");
            let Some(body) = entry.as_object() else {
                return Err(malformed(&path, "a characteristic is a JSON object"));
            };
            let name = mandatory_text(body, "name", &path)?;
            let value = body.get("value").cloned();
            let value = value.ok_or_else(|| malformed(&format!("{path}.value"), "is mandatory"))?;
            if characteristics.insert(name.clone(), value).is_some() {
                let message = format!("the characteristic `{name}` occurs twice");
                return Err(inconsistent(&path, &message));
            }
        }
        Ok(characteristics)
    }

    fn relations(&mut self, item: &Value, path: &str, line: usize) -> Result<(), OrderError> {
        let path = format!("{path}.{}", self.dialect.relations);
        let entries = match item.get(self.dialect.relations) {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Array(entries)) => entries,
            Some(_) => return Err(malformed(&path, "is an array")),
        };
        for (position, entry) in entries.iter().enumerate() {
            let path = format!("{path}[{position}]");
            let kind = entry.get("relationshipType").and_then(Value::as_str);
            let kind = kind.ok_or_else(|| {
                malformed(&format!("{path}.relationshipType"), "is mandatory, a text")
            })?;
            // 622 has the id in place, 641 and 652 within `orderItem`, which may be of another order.
            let nested = entry.get("orderItem");
            let order = ["serviceOrderId", "resourceOrderId"];
            if nested.is_some_and(|other| order.iter().any(|name| other.get(name).is_some())) {
                continue;
            }
            let to = nested.and_then(|other| other.get("itemId")).or_else(|| entry.get("id"));
            let to = to
                .and_then(Value::as_str)
                .ok_or_else(|| malformed(&path, "names no item: an `id` is mandatory"))?;
            self.related.push(Relation { line, kind: kind.into(), to: to.into(), path });
        }
        Ok(())
    }

    fn check_ids(&self) -> Result<(), OrderError> {
        let mut seen = BTreeSet::new();
        match self.lines.iter().find(|line| !seen.insert(&line.id)) {
            Some(line) => {
                let message = format!("the item id `{}` occurs twice", line.id);
                Err(inconsistent(self.dialect.items, &message))
            }
            None => Ok(()),
        }
    }

    /// Resolves relations: each leads to an item, none in a circle, and `bundles` is the same as
    /// nesting, whichever side says it.
    fn relate(&mut self) -> Result<(), OrderError> {
        let positions: BTreeMap<_, _> =
            self.lines.iter().enumerate().map(|(index, line)| (line.id.clone(), index)).collect();
        let mut after: Vec<Vec<usize>> = vec![Vec::new(); self.lines.len()];
        for relation in &self.related {
            let Some(&to) = positions.get(&relation.to) else {
                let message = format!("no item `{}` in this order", relation.to);
                return Err(inconsistent(&relation.path, &message));
            };
            let (outer, inner) = match relation.kind.as_str() {
                "bundles" => (relation.line, to),
                "bundledBy" => (to, relation.line),
                _ => {
                    after[relation.line].push(to);
                    continue;
                }
            };
            if self.lines[inner].bundle.is_some_and(|other| other != outer) {
                let message = format!("the item `{}` is in two bundles", self.lines[inner].id);
                return Err(inconsistent(&relation.path, &message));
            }
            self.lines[inner].bundle = Some(outer);
        }
        // Apart, since what is bundled may well rely on its bundle.
        let within: Vec<Vec<usize>> =
            self.lines.iter().map(|line| line.bundle.into_iter().collect()).collect();
        if let Some(line) = circle(&after).or_else(|| circle(&within)) {
            let message =
                format!("the relations of item `{}` run in a circle", self.lines[line].id);
            return Err(inconsistent(self.dialect.relations, &message));
        }
        Ok(())
    }
}

/// A node that can reach itself, found without recursion.
fn circle(after: &[Vec<usize>]) -> Option<usize> {
    let mut before = vec![0_usize; after.len()];
    for next in after.iter().flatten() {
        before[*next] += 1;
    }
    let mut free: Vec<usize> = (0..after.len()).filter(|node| before[*node] == 0).collect();
    while let Some(node) = free.pop() {
        for next in &after[node] {
            before[*next] -= 1;
            if before[*next] == 0 {
                free.push(*next);
            }
        }
    }
    before.iter().position(|count| *count > 0)
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

fn place(subject: &Map<String, Value>, path: &str) -> Result<Option<String>, OrderError> {
    match subject.get("place") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(places)) => Ok(places.first().and_then(place_id)),
        // A resource has one place.
        Some(place @ Value::Object(_)) => Ok(place_id(place)),
        Some(_) => Err(malformed(&format!("{path}.place"), "is an array")),
    }
}

fn place_id(place: &Value) -> Option<String> {
    place.get("id")?.as_str().map(Into::into)
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
