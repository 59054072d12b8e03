//! How the items of an order relate to each other, and the order to other orders: nesting, waiting,
//! and relations that are only for people.

use std::collections::BTreeMap;

use tmf::document::order::{Item, RelatedOrder, Relation};

use super::{After, Extent, Line, OrderError, Reader, Reliance, inconsistent};
use crate::plan::Action;

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

/// The part of an item that waits by a relation of this type; `None` if it means no waiting.
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

impl<'a> Reader<'a> {
    /// Reads the relations of an item.
    pub(super) fn relations(&mut self, item: &'a Item<'a>, line: usize) -> Result<(), OrderError> {
        self.related.extend(item.relations.iter().map(|relation| (line, relation)));
        item.other_orders.iter().try_for_each(|other| self.after(other))
    }

    /// Reads the relations of the order to others.
    pub(super) fn order_relations(&mut self) -> Result<(), OrderError> {
        self.document.relations.iter().try_for_each(|other| self.after(other))
    }

    fn after(&mut self, other: &RelatedOrder<'_>) -> Result<(), OrderError> {
        let is_known = self.after.iter().any(|known| known.order == other.order);
        if is_known || !waits(other.kind) {
            return Ok(());
        }
        if self.after.len() >= AFTER_MAX {
            let message = format!("an order waits for at most {AFTER_MAX} others");
            return Err(inconsistent(&other.path, &message));
        }
        self.after.push(After { order: other.order.into(), path: other.path.clone() });
        Ok(())
    }

    /// Resolves relations: each leads to another item, none in a circle, and `bundles` is the same
    /// as nesting, from whichever side.
    pub(super) fn relate(&mut self) -> Result<(), OrderError> {
        let lines = self.lines.iter().enumerate();
        let positions: BTreeMap<&str, usize> =
            lines.map(|(index, line)| (line.id.as_str(), index)).collect();
        let related = self.related.iter();
        let targets: Vec<Option<usize>> =
            related.map(|(_, relation)| positions.get(relation.to).copied()).collect();
        let mut relies_on: Vec<BTreeMap<usize, Extent>> = vec![BTreeMap::new(); self.lines.len()];
        for ((line, relation), to) in self.related.iter().zip(targets) {
            let Some(to) = to else {
                let message = format!("no item `{}` in this order", relation.to);
                return Err(inconsistent(&relation.path, &message));
            };
            if to == *line {
                let message = format!(
                    "the item `{}` relates to itself: name another item, or leave it out",
                    relation.to
                );
                return Err(inconsistent(&relation.path, &message));
            }
            let (outer, inner) = match relation.kind {
                "bundles" => (*line, to),
                "bundledBy" => (to, *line),
                kind => {
                    if let Some(extent) = extent(kind) {
                        self.check_may_rely(*line, relation, to)?;
                        let known = relies_on[*line].entry(to).or_insert(extent);
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
        let path = format!("{}.{}", self.lines[line].path, self.form.relations());
        Err(inconsistent(&path, &message))
    }

    /// Instances are terminated after everything else of an order is done, so an item that stays cannot
    /// wait for that.
    fn check_may_rely(
        &self,
        line: usize,
        relation: &Relation<'_>,
        to: usize,
    ) -> Result<(), OrderError> {
        let (own, other) = (&self.lines[line], &self.lines[to]);
        let is_order = self.form.names().is_order;
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

    /// A line that would have to wait for itself: a line waits with everything that it bundles, until
    /// everything that the other bundles is delivered.
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
