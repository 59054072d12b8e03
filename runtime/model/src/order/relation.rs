//! How the items of an order relate to each other, and the order to other orders: what nests, what
//! waits for what, and what is told for people only.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{After, Extent, Line, OrderError, Reader, Reliance, inconsistent, malformed};
use crate::plan::Action;

/// An item's relation to another, as it stands in the document.
pub(super) struct Relation {
    line: usize,
    kind: String,
    to: String,
    path: String,
}

/// The types of relations, of items and of orders, that mean that one waits for the other. The
/// standards leave the words open and write them in several ways: case and spaces do not count.
const WAITING: [(&str, Extent); 4] = [
    ("dependency", Extent::Whole),
    ("dependson", Extent::Uses),
    ("relieson", Extent::Uses),
    ("requires", Extent::Uses),
];

/// Max other orders that an order waits for.
const AFTER_MAX: usize = 100;

/// What of an item waits by a relation of this type; `None` if it means no waiting.
fn extent(kind: &str) -> Option<Extent> {
    let letters = kind.chars().filter(|letter| letter.is_alphanumeric());
    let word: String = letters.flat_map(char::to_lowercase).collect();
    let found = WAITING.iter().find(|(known, _)| *known == word);
    found.map(|(_, extent)| *extent)
}

/// Whether a relation of a type means that one waits for the other.
fn waits(kind: &str) -> bool {
    extent(kind).is_some()
}

impl Reader<'_> {
    /// Reads the relations of an item.
    pub(super) fn relations(
        &mut self,
        item: &Value,
        path: &str,
        line: usize,
    ) -> Result<(), OrderError> {
        let path = format!("{path}.{}", self.dialect.relations);
        let entries = match item.get(self.dialect.relations) {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Array(entries)) => entries,
            Some(_) => return Err(malformed(&path, "is an array")),
        };
        for (position, entry) in entries.iter().enumerate() {
            let path = format!("{path}[{position}]");
            // What asks about an order may leave open what its items have to do with each other.
            let is_whole = ["relationshipType", "id"].iter().all(|name| entry.get(*name).is_some());
            if !self.dialect.form.is_order() && !is_whole {
                continue;
            }
            let kind = entry.get("relationshipType").and_then(Value::as_str);
            let kind = kind.ok_or_else(|| {
                malformed(&format!("{path}.relationshipType"), "is mandatory, a text")
            })?;
            // 622 has the id in place, 641 and 652 within `orderItem`, which may be of another order.
            let nested = entry.get("orderItem");
            if let Some(order) = nested.and_then(order_of) {
                if waits(kind) {
                    self.after(order, format!("{path}.orderItem"))?;
                }
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

    /// Reads the relations of the order to others.
    pub(super) fn order_relations(&mut self, body: &Map<String, Value>) -> Result<(), OrderError> {
        const RELATIONS: &str = "orderRelationship";
        if !self.dialect.form.is_order() {
            return Ok(());
        }
        let entries = match body.get(RELATIONS) {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Array(entries)) => entries,
            Some(_) => return Err(malformed(RELATIONS, "is an array")),
        };
        for (position, entry) in entries.iter().enumerate() {
            let path = format!("{RELATIONS}[{position}]");
            let text = |name: &str| {
                let text = entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
                text.ok_or_else(|| malformed(&format!("{path}.{name}"), "is mandatory, a text"))
            };
            let (kind, id) = (text("relationshipType")?, text("id")?);
            if waits(kind) {
                self.after(id.into(), format!("{path}.id"))?;
            }
        }
        Ok(())
    }

    fn after(&mut self, order: String, path: String) -> Result<(), OrderError> {
        if self.after.iter().any(|known| known.order == order) {
            return Ok(());
        }
        if self.after.len() >= AFTER_MAX {
            let message = format!("an order waits for at most {AFTER_MAX} others");
            return Err(inconsistent(&path, &message));
        }
        self.after.push(After { order, path });
        Ok(())
    }

    /// Resolves relations: each leads to another item, none in a circle, and `bundles` is the same
    /// as nesting, from whichever side.
    pub(super) fn relate(&mut self) -> Result<(), OrderError> {
        let positions: BTreeMap<_, _> =
            self.lines.iter().enumerate().map(|(index, line)| (line.id.clone(), index)).collect();
        let mut relies_on: Vec<BTreeMap<usize, Extent>> = vec![BTreeMap::new(); self.lines.len()];
        for relation in &self.related {
            let Some(&to) = positions.get(&relation.to) else {
                let message = format!("no item `{}` in this order", relation.to);
                return Err(inconsistent(&relation.path, &message));
            };
            if to == relation.line {
                let message = format!(
                    "the item `{}` relates to itself: name another item, or leave it out",
                    relation.to
                );
                return Err(inconsistent(&relation.path, &message));
            }
            let (outer, inner) = match relation.kind.as_str() {
                "bundles" => (relation.line, to),
                "bundledBy" => (to, relation.line),
                kind => {
                    if let Some(extent) = extent(kind) {
                        self.check_may_rely(relation, to)?;
                        let known = relies_on[relation.line].entry(to).or_insert(extent);
                        *known = extent.max(*known);
                    }
                    continue;
                }
            };
            if self.lines[inner].bundle.is_some_and(|other| other != outer) {
                let message = format!("the item `{}` is in two bundles", self.lines[inner].id);
                return Err(inconsistent(&relation.path, &message));
            }
            self.lines[inner].bundle = Some(outer);
        }
        for (line, relies_on) in self.lines.iter_mut().zip(relies_on) {
            let relies_on = relies_on.into_iter();
            line.relies_on = relies_on.map(|(on, extent)| Reliance { on, extent }).collect();
        }
        let Some(line) = self.in_circle() else {
            return Ok(());
        };
        let message = format!("the relations of item `{}` run in a circle", self.lines[line].id);
        let path = format!("{}.{}", self.lines[line].path, self.dialect.relations);
        Err(inconsistent(&path, &message))
    }

    /// What ceases does so after all else of an order, so nothing that stays can wait for that.
    fn check_may_rely(&self, relation: &Relation, to: usize) -> Result<(), OrderError> {
        let (own, other) = (&self.lines[relation.line], &self.lines[to]);
        let is_order = self.dialect.form.is_order();
        if !is_order || own.action == Action::Delete || other.action != Action::Delete {
            return Ok(());
        }
        let message = format!(
            "the item `{}` relies on item `{}`, which this order ends: name an item that stays, or \
             order it apart, with an `orderRelationship` of type `dependency` to the order that \
             ends the other",
            own.id, other.id
        );
        Err(inconsistent(&relation.path, &message))
    }

    /// A line that would have to wait for itself: what waits does so with all that it bundles, and
    /// what is waited for has all that it bundles delivered.
    fn in_circle(&self) -> Option<usize> {
        let within: Vec<Vec<usize>> =
            self.lines.iter().map(|line| line.bundle.into_iter().collect()).collect();
        if let Some(line) = circle(&within) {
            return Some(line);
        }
        let count = self.lines.len();
        let (begun, done) = (|line: usize| line, |line: usize| count + line);
        let mut after: Vec<Vec<usize>> = vec![Vec::new(); 2 * count];
        let outwards = |line: usize| {
            std::iter::successors(Some(line), |line| self.lines[*line].bundle).skip(1)
        };
        for (index, line) in self.lines.iter().enumerate() {
            after[begun(index)].push(done(index));
            if let Some(bundle) = line.bundle {
                after[begun(bundle)].push(begun(index));
                after[done(index)].push(done(bundle));
            }
            for to in line.relies_on.iter().map(|reliance| reliance.on) {
                // A part may rely on its bundle, and the other way round.
                let is_nested = outwards(index).any(|outer| outer == to)
                    || outwards(to).any(|outer| outer == index);
                if !is_nested {
                    after[done(to)].push(begun(index));
                }
            }
        }
        let on = |line: &Line| line.relies_on.iter().map(|reliance| reliance.on).collect();
        let apart: Vec<Vec<usize>> = self.lines.iter().map(on).collect();
        circle(&apart).or_else(|| circle(&after).map(|node| node % count))
    }
}

/// The other order that a reference to an item names.
fn order_of(reference: &Value) -> Option<String> {
    let ids = ["serviceOrderId", "resourceOrderId", "productOrderId"];
    let named = ids.iter().find_map(|name| reference.get(*name)?.as_str());
    let href = || {
        let hrefs = ["serviceOrderHref", "resourceOrderHref", "productOrderHref"];
        let href = hrefs.iter().find_map(|name| reference.get(*name)?.as_str())?;
        href.rsplit('/').next()
    };
    named.or_else(href).filter(|id| !id.is_empty()).map(Into::into)
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

#[cfg(test)]
mod tests;
