//! Which of several instances of one specification below one parent an instance is, when what a
//! product becomes now is compared with what it was.

use std::borrow::Cow;

use super::draft::{NUMBER, Requested};
use crate::plan::{Item, Part};

/// How well an instance of an earlier plan fits what an item wants now; the best is the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// It is the one.
    Same,
    /// A rule asks for it that is an alternative to the one that made it.
    Alternative,
}

/// Whether an instance of an earlier plan is the one that is wanted now as a part. Both are of one
/// specification, and so are their parents. An instance that an alternative rule asks for
/// is the same one, changed, unless the rule that made it still asks for its own.
pub(super) fn fit(
    before: &Item,
    part: Option<&Part>,
    is_wanted: impl Fn(&Part) -> bool,
) -> Option<Fit> {
    let before = part_of(before);
    let before = before.as_deref();
    if before == part {
        return Some(Fit::Same);
    }
    let is_fixed = |part: Option<&Part>| matches!(part, Some(Part::Number(_) | Part::Each(_)));
    if is_fixed(before) || is_fixed(part) {
        return None;
    }
    (!before.is_some_and(is_wanted)).then_some(Fit::Alternative)
}

/// Whether an instance of an earlier plan is the one that is wanted now by another item within its
/// scope. Which rule asks for it tells only those apart that are several.
pub(super) fn is_shared(before: &Item, wanted: &Requested<'_>) -> bool {
    let before = part_of(before);
    if wanted.is_one_of_several {
        return before.as_deref() == wanted.part.as_ref();
    }
    matches!(before.as_deref(), None | Some(Part::Rule(_)))
}

/// Which part an item is; in plans of before its number is all that tells.
fn part_of(item: &Item) -> Option<Cow<'_, Part>> {
    let number = || item.characteristics.get(NUMBER)?.as_u64();
    let numbered = || number().map(Part::Number).map(Cow::Owned);
    item.part.as_ref().map(Cow::Borrowed).or_else(numbered)
}
