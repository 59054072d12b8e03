//! The products in a bundle, as the bundle's document names them.

use serde_json::{Value, json};

use super::href;
use crate::fulfilment::Fulfilment;
use crate::id::ItemId;
use crate::plan::{Action, Item, Level};

/// The attribute of a bundle that names the products in it, among other relations.
pub(super) const RELATIONS: &str = "productRelationship";

/// The type of the relation of a bundle to a product in it.
const BUNDLES: &str = "bundles";

impl Fulfilment {
    /// What an item is made of when the order is done.
    pub(super) fn parts_of(&self, id: ItemId) -> Vec<&Item> {
        let below = self.children_of(id).filter(|child| {
            // A part that came to nothing is no part of a bundle that did not.
            self.has_failed(id) || !self.has_failed(*child)
        });
        let below = below.map(|child| &self.plan().items[child.index()]);
        below.filter(|child| child.action != Action::Delete).collect()
    }

    /// The relations of a bundle to the products in it.
    pub(super) fn bundled(&self, id: ItemId) -> Vec<Value> {
        let parts = self.parts_of(id).into_iter();
        let products = parts.filter(|part| part.level == Level::Product);
        products
            .map(|part| {
                let id = self.product_id(part);
                json!({
                    "relationshipType": BUNDLES,
                    "product": { "id": id, "href": href("product", &id), "@referredType": "Product" },
                })
            })
            .collect()
    }

    /// The relations of a bundle that was there before, with the products that the order adds to it
    /// and without those that it ends; `None` if these are the same. `asked` has those that the
    /// order names.
    pub(super) fn bundled_now(&self, id: ItemId, asked: Option<&Value>) -> Option<Value> {
        let origin = self.plan().items[id.index()].origin.as_ref()?;
        let own = asked.or_else(|| origin.shown.get(RELATIONS)).and_then(Value::as_array);
        let before = own.cloned().unwrap_or_default();
        let ended = self.children_of(id).filter(|child| !self.has_failed(*child));
        let ended = ended.map(|child| &self.plan().items[child.index()]);
        let ended = ended.filter(|child| child.action == Action::Delete);
        let ended: Vec<String> = ended.map(|child| self.product_id(child)).collect();
        let is_ended = |relation: &Value| {
            part_of(relation).is_some_and(|id| ended.iter().any(|ended| ended == id))
        };
        let mut now: Vec<Value> =
            before.iter().filter(|relation| !is_ended(relation)).cloned().collect();
        for relation in self.bundled(id) {
            if !now.iter().any(|own| part_of(own) == part_of(&relation)) {
                now.push(relation);
            }
        }
        (now != before).then_some(Value::Array(now))
    }
}

/// The product that a relation of a bundle has in it.
fn part_of(relation: &Value) -> Option<&str> {
    let is_part = relation.get("relationshipType").and_then(Value::as_str) == Some(BUNDLES);
    let nested = relation.pointer("/product/id").or_else(|| relation.get("id"));
    nested.and_then(Value::as_str).filter(|_| is_part)
}
