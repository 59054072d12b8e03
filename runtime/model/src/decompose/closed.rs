//! Holds an order that touches what belongs to a pack that is left out: rather not at all than by half
//! of the rules.

use super::Blocked;
use crate::order::Order;
use crate::plan::{Action, Item};
use crate::rulebook::Rulebook;

/// Stops at a line about what such a pack sells.
pub(super) fn lines(order: &Order, rulebook: &Rulebook) -> Result<(), Blocked> {
    for line in order.lines.iter().filter(|line| line.action != Action::NoChange) {
        let mut ids = line.offering.iter().chain(&line.spec);
        if let Some(failure) = ids.find_map(|id| rulebook.closed(id)) {
            return Err(Blocked::Failure(failure.about(&line.path)));
        }
    }
    Ok(())
}

/// Stops at an item that such a pack has a say in.
pub(super) fn items(items: &[Item], rulebook: &Rulebook) -> Result<(), Blocked> {
    let mut touched = items.iter().filter(|item| item.action != Action::NoChange);
    let failure = touched.find_map(|item| {
        let mut ids = item.offering.iter().chain([&item.spec]).chain(&item.resources);
        ids.find_map(|id| rulebook.closed(id))
    });
    failure.map_or(Ok(()), |failure| Err(Blocked::Failure(failure)))
}
