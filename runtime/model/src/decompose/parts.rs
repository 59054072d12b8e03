//! Which of several instances of one specification below one parent an instance is, when what a
//! product becomes now is compared with what it was.

use std::collections::BTreeSet;

use serde_json::Value;

use super::produced::NUMBER;
use crate::id::{ItemId, SpecId};
use crate::plan::{Item, Part};

/// The parts of a specification that the items below a parent are wanted as.
pub(super) type WantedParts = BTreeSet<(SpecId, ItemId, Part)>;

/// The parts that items are wanted as now.
pub(super) fn wanted(items: &[Item]) -> WantedParts {
    let parts = items.iter().flat_map(|item| {
        let part = part_of(item);
        let of = |part: &Part, parent: &ItemId| (item.spec.clone(), *parent, part.clone());
        part.iter().flat_map(|part| item.parents.iter().map(|p| of(part, p))).collect::<Vec<_>>()
    });
    parts.collect()
}

/// How well an instance of an earlier plan fits what an item wants now; the best is the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// It is the one.
    Same,
    /// A rule asks for it that is an alternative to the one that made it.
    Alternative,
}

/// Whether an instance of an earlier plan is the one that an item wants now. Both are of one
/// specification, and so are their parents. What an alternative rule asks for is the same one
/// changed, unless the rule that made it still asks for its own.
pub(super) fn fit(before: &Item, now: &Item, wanted: &WantedParts) -> Option<Fit> {
    let (before, part) = (part_of(before), part_of(now));
    if before == part {
        return Some(Fit::Same);
    }
    let is_fixed = |part: &Option<Part>| matches!(part, Some(Part::Number(_) | Part::Each(_)));
    if is_fixed(&before) || is_fixed(&part) {
        return None;
    }
    let still = |parent: &ItemId, before: &Part| {
        wanted.contains(&(now.spec.clone(), *parent, before.clone()))
    };
    let is_wanted = |before: &Part| now.parents.iter().any(|parent| still(parent, before));
    (!before.iter().any(is_wanted)).then_some(Fit::Alternative)
}

/// Which part an item is; in plans of before its number is all that tells.
fn part_of(item: &Item) -> Option<Part> {
    let numbered = || item.characteristics.get(NUMBER).and_then(Value::as_u64).map(Part::Number);
    item.part.clone().or_else(numbered)
}
