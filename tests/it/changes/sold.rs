//! What one order of a pack sold, and what it should be by now: the order as it would be sent for
//! the products as they are.

use serde_json::{Map, Value, json};

use crate::world::{items_of, text};

/// The products of an order.
pub(super) struct Sold {
    /// The order that would make them as they are to be.
    pub(super) order: Value,
    /// The order that made them.
    pub(super) id: String,
    /// Every order about them.
    pub(super) orders: Vec<String>,
}

/// A line of the order.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) offering: String,
}

impl Sold {
    pub(super) fn new(order: Value, id: String) -> Self {
        Self { order, orders: vec![id.clone()], id }
    }

    /// All lines, those within bundles too.
    pub(super) fn lines(&self) -> Vec<Line> {
        let items = items_of(&self.order, "productOrderItem").into_iter();
        let line = |item: &Value| Line {
            id: text(&item["id"]),
            offering: text(&item["productOffering"]["id"]),
        };
        items.map(line).collect()
    }

    /// The lines that are no parts of others, nested or named by them.
    pub(super) fn roots(&self) -> Vec<String> {
        let lines = self.lines().into_iter().map(|line| line.id);
        lines.filter(|line| !line.contains('.')).collect()
    }

    /// The product that a line made.
    pub(super) fn product(&self, line: &str) -> String {
        format!("{}-{line}", self.id)
    }

    /// The characteristics that the order gives a line.
    pub(super) fn characteristics(&self, line: &str) -> Map<String, Value> {
        let items = items_of(&self.order, "productOrderItem").into_iter();
        let item = items.into_iter().find(|item| item["id"] == line).unwrap();
        let all = item["product"]["productCharacteristic"].as_array();
        let all = all.into_iter().flatten();
        all.map(|one| (text(&one["name"]), one["value"].clone())).collect()
    }

    /// The line is to be so from now on.
    pub(super) fn becomes(&mut self, line: &str, changed: &Map<String, Value>) {
        let mut all = self.characteristics(line);
        all.extend(changed.clone());
        let item = item_mut(&mut self.order, line).expect("the order has the line");
        item["product"]["productCharacteristic"] = characteristics(&all);
    }

    /// An order about one of the products.
    pub(super) fn change(&self, action: &str, line: &str, product: &Value) -> Value {
        let mut product = product.clone();
        product["id"] = self.product(line).into();
        let item = json!({ "id": "1", "action": action, "product": product });
        json!({
            "relatedParty": self.order["relatedParty"],
            "billingAccount": self.order["billingAccount"],
            "productOrderItem": [item],
        })
    }

    /// An order that gives one of the products other characteristics.
    pub(super) fn modify(&self, line: &str, changed: &Map<String, Value>) -> Value {
        self.change("modify", line, &json!({ "productCharacteristic": characteristics(changed) }))
    }
}

/// Characteristics as orders have them.
pub(super) fn characteristics(all: &Map<String, Value>) -> Value {
    all.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn item_mut<'a>(order: &'a mut Value, line: &str) -> Option<&'a mut Value> {
    let items = order["productOrderItem"].as_array_mut()?;
    let exact = items.iter().position(|item| item["id"] == line);
    if let Some(position) = exact {
        return Some(&mut items[position]);
    }
    items.iter_mut().find_map(|item| item_mut(item, line))
}
