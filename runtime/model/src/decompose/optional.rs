//! Which parts a bundle can do without, by the catalog: those fail on their own. Where the
//! catalog gives no lower limit, the bundle fails with the part.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::id::ItemId;
use crate::order::{Line, Order};
use crate::plan::Action;

/// The lines of new parts whose bundle can do without them. Lines are the first items of a plan.
pub(super) fn parts(order: &Order, catalog: &Catalog) -> BTreeSet<ItemId> {
    let lines = order.lines.iter().enumerate();
    let optional =
        lines.filter(|(_, line)| line.action == Action::Add && is_part(line, order, catalog));
    optional.map(|(index, _)| ItemId::at(index)).collect()
}

fn is_part(line: &Line, order: &Order, catalog: &Catalog) -> bool {
    let bundle = line.bundle.and_then(|bundle| order.lines[bundle].offering.as_ref());
    let bundle = bundle.and_then(|id| catalog.offerings.get(id));
    let (Some(bundle), Some(offering)) = (bundle, &line.offering) else {
        return false;
    };
    bundle.bundles.iter().any(|part| part.offering == *offering && part.is_optional)
}
