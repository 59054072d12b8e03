//! The products in a bundle, as the bundle's document names them.

use tmf::document::product::ProductRelationship;
use tmf::document::{Attributes, Deferred, Overlay};

use super::Document;
use crate::fulfilment::Fulfilment;
use crate::id::ItemId;
use crate::plan::{Action, Item, Level};

/// The attribute of a bundle that names the products in it, among other relations.
pub(super) const RELATIONS: &str = "productRelationship";

impl Fulfilment {
    /// The parts of an item when the order is done.
    pub(super) fn parts_of(&self, id: ItemId) -> Vec<&Item> {
        let below = self.children_of(id).filter(|child| {
            // A part that failed is no part of a bundle that did not.
            self.has_failed(id) || !self.has_failed(*child)
        });
        let below = below.map(|child| &self.plan().items[child.index()]);
        below.filter(|child| child.action != Action::Delete).collect()
    }

    /// The relations of a bundle to the products in it.
    pub(super) fn bundled(&self, id: ItemId) -> Vec<ProductRelationship> {
        let parts = self.parts_of(id).into_iter();
        let products = parts.filter(|part| part.level == Level::Product);
        products.map(|part| ProductRelationship::bundling(&self.product_id(part))).collect()
    }

    /// Writes the relations of a bundle that was there before, if the order adds products to it or
    /// ends some: in addition to those that the document has by now, else to those that it had.
    pub(super) fn show_bundled(&self, id: ItemId, document: &mut Document) {
        let Some(origin) = self.plan().items[id.index()].origin.as_ref() else { return };
        let asked = Attributes::of(&document.body);
        let before =
            if asked.contains(RELATIONS) { asked } else { Attributes::of_rest(&origin.shown) };
        let before: Vec<Deferred<ProductRelationship>> =
            before.read(RELATIONS).ok().flatten().unwrap_or_default();
        let ended = self.children_of(id).filter(|child| !self.has_failed(*child));
        let ended = ended.map(|child| &self.plan().items[child.index()]);
        let ended = ended.filter(|child| child.action == Action::Delete);
        let ended: Vec<String> = ended.map(|child| self.product_id(child)).collect();
        let is_ended = |relation: &&Deferred<ProductRelationship>| {
            part_of(relation).is_some_and(|id| ended.iter().any(|ended| ended == id))
        };
        let mut now: Vec<_> =
            before.iter().filter(|relation| !is_ended(relation)).cloned().collect();
        let bundled = self.bundled(id);
        let is_bundle = !bundled.is_empty();
        for relation in bundled.into_iter().map(Deferred::from) {
            if !now.iter().any(|own| part_of(own) == part_of(&relation)) {
                now.push(relation);
            }
        }
        if now != before
            && let Some(mut fields) = Overlay::on(&mut document.body)
        {
            fields.set("isBundle", &is_bundle);
            fields.set(RELATIONS, &now);
        }
    }
}

/// The product that a bundle has in it by a relation.
fn part_of(relation: &Deferred<ProductRelationship>) -> Option<&str> {
    relation.ok()?.bundled()
}
