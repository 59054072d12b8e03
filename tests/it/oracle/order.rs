//! Orders as data, and as the documents that a client sends.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::pack::{Chars, Pack};
use super::written::offering;

/// A product of a history: the number of the order that added it, and its line there.
pub(super) type Key = (usize, String);

/// The word by which a line relies on another as a whole.
pub(super) const DEPENDENCY: &str = "dependency";

#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) customer: String,
    pub(super) lines: Vec<Line>,
    /// Its start, in milliseconds after it was sent.
    pub(super) begins_in_ms: Option<u64>,
}

#[derive(Clone, Debug)]
pub(super) enum Line {
    Add(Added),
    /// Other values for some characteristics, and another place.
    Modify {
        product: Key,
        chars: Chars,
        place: Option<String>,
    },
    /// Suspended, or active again.
    Status {
        product: Key,
        is_suspended: bool,
    },
    Delete {
        product: Key,
    },
    /// Changes of parts, nested in a `modify` of their bundle that changes nothing of it itself.
    Within {
        bundle: Key,
        lines: Vec<Line>,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Added {
    /// The position of its specification.
    pub(super) product: usize,
    /// The characteristics that the order gives; others have their defaults.
    pub(super) chars: Chars,
    pub(super) place: Option<String>,
    pub(super) parts: Vec<Added>,
    /// The line of the same order, by its id, that it relies on, and the order's word for that.
    pub(super) relies_on: Option<(String, &'static str)>,
}

impl Added {
    /// The product with its parts, each with its line and that of its bundle.
    pub(super) fn flat(&self, line: &str) -> Vec<(String, Option<String>, &Self)> {
        let mut found = vec![(line.to_string(), None, self)];
        for (at, part) in self.parts.iter().enumerate() {
            let id = format!("{line}.{}", at + 1);
            for (own, bundle, part) in part.flat(&id) {
                found.push((own, bundle.or_else(|| Some(line.to_string())), part));
            }
        }
        found
    }
}

impl Order {
    /// Whether it is about new products alone.
    pub(super) fn only_adds(&self) -> bool {
        self.lines.iter().all(|line| matches!(line, Line::Add(_)))
    }

    /// All lines with their ids, those within others after them.
    pub(super) fn flat(&self) -> Vec<(String, &Line)> {
        fn within<'a>(prefix: &str, lines: &'a [Line], found: &mut Vec<(String, &'a Line)>) {
            for (at, line) in lines.iter().enumerate() {
                let id = format!("{prefix}{}", at + 1);
                found.push((id.clone(), line));
                if let Line::Within { lines, .. } = line {
                    within(&format!("{id}."), lines, found);
                }
            }
        }
        let mut found = Vec::new();
        within("", &self.lines, &mut found);
        found
    }

    /// The existing products that it names.
    pub(super) fn products(&self) -> Vec<&Key> {
        let lines = self.flat().into_iter();
        lines
            .filter_map(|(_, line)| match line {
                Line::Add(_) => None,
                Line::Modify { product, .. }
                | Line::Status { product, .. }
                | Line::Delete { product } => Some(product),
                Line::Within { bundle, .. } => Some(bundle),
            })
            .collect()
    }

    /// The document of a client. `ids` has the ids of the orders that were taken, by their numbers.
    pub(super) fn document(
        &self,
        pack: &Pack,
        ids: &BTreeMap<usize, String>,
        begins: Option<&String>,
    ) -> Value {
        let mut document = json!({
            "relatedParty": [{ "id": self.customer, "name": self.customer, "role": "Customer" }],
            "productOrderItem": lines("", &self.lines, pack, ids),
        });
        if let Some(begins) = begins {
            document["requestedStartDate"] = begins.as_str().into();
        }
        document
    }
}

/// The id that a product has in the inventory.
pub(super) fn product_id(product: &Key, ids: &BTreeMap<usize, String>) -> String {
    format!("{}-{}", ids[&product.0], product.1)
}

fn lines(prefix: &str, lines: &[Line], pack: &Pack, ids: &BTreeMap<usize, String>) -> Vec<Value> {
    let all = lines.iter().enumerate();
    all.map(|(at, one)| line(&format!("{prefix}{}", at + 1), one, pack, ids)).collect()
}

fn line(id: &str, line: &Line, pack: &Pack, ids: &BTreeMap<usize, String>) -> Value {
    let about = |product: &Key, action: &str| json!({ "id": id, "action": action, "product": { "id": product_id(product, ids) } });
    match line {
        Line::Add(added) => add(id, added, pack),
        Line::Modify { product, chars, place } => {
            let mut body = about(product, "modify");
            body["product"]["productCharacteristic"] = characteristics(chars);
            if let Some(place) = place {
                body["product"]["place"] = placed(place);
            }
            body
        }
        Line::Status { product, is_suspended } => {
            let mut body = about(product, "modify");
            body["product"]["status"] = if *is_suspended { "suspended" } else { "active" }.into();
            body
        }
        Line::Delete { product } => about(product, "delete"),
        Line::Within { bundle, lines: nested } => {
            let mut body = about(bundle, "modify");
            body["productOrderItem"] = lines(&format!("{id}."), nested, pack, ids).into();
            body
        }
    }
}

fn add(id: &str, added: &Added, pack: &Pack) -> Value {
    let mut body = json!({
        "id": id,
        "action": "add",
        "quantity": 1,
        "productOffering": { "id": offering(&pack.products[added.product]) },
        "product": { "productCharacteristic": characteristics(&added.chars) },
    });
    if let Some(place) = &added.place {
        body["product"]["place"] = placed(place);
    }
    if let Some((other, word)) = &added.relies_on {
        let relation = json!({ "relationshipType": word, "id": other });
        body["productOrderItemRelationship"] = json!([relation]);
    }
    if !added.parts.is_empty() {
        let parts = added.parts.iter().enumerate();
        let parts = parts.map(|(at, part)| add(&format!("{id}.{}", at + 1), part, pack));
        body["productOrderItem"] = parts.collect();
    }
    body
}

fn placed(place: &str) -> Value {
    json!([{ "id": place, "role": "installation" }])
}

fn characteristics(chars: &Chars) -> Value {
    chars.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}
