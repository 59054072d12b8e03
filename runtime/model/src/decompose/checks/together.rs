//! Holds the lines of an order against each other and against their places: what requires or
//! excludes what, and where things are sold.

use super::Mistakes;
use crate::catalog::{Catalog, Relation, RelationKind};
use crate::codes::FailureCode;
use crate::id::SpecId;
use crate::order::{Line, Order};
use crate::outcome::FailureClass;
use crate::plan::Action;

/// Checks one line against the others. Offerings that a customer has already count if the order
/// names them with `noChange`.
pub(super) fn line(order: &Order, index: usize, catalog: &Catalog, found: &mut Mistakes) {
    let line = &order.lines[index];
    if line.action != Action::Add {
        return;
    }
    let offering = line.offering.as_ref().and_then(|id| catalog.offerings.get(id));
    let spec = offering.and_then(|offering| offering.spec.as_ref()).or(line.spec.as_ref());
    let of_spec = spec.and_then(|id| catalog.specs.get(id)).map(|spec| spec.relations.as_slice());
    let of_offering = offering.map(|offering| offering.relations.as_slice());
    for relation in of_offering.into_iter().chain(of_spec).flatten() {
        related(order, index, relation, catalog, found);
    }
    if let Some(offering) = offering.filter(|offering| !offering.places.is_empty()) {
        sold_at(order, line, &offering.places, found);
    }
}

fn related(
    order: &Order,
    index: usize,
    relation: &Relation,
    catalog: &Catalog,
    found: &mut Mistakes,
) {
    let line = &order.lines[index];
    let others = order.lines.iter().enumerate().filter(|(other, _)| *other != index);
    let stays = others.map(|(_, other)| other).filter(|other| other.action != Action::Delete);
    let mut near = stays.filter(|other| is_near(order, line, other));
    let there = near.find(|other| is(other, &relation.to, catalog));
    let own = name(line);
    match (relation.kind, there) {
        (RelationKind::Requires, None) => {
            let message = format!(
                "`{own}` requires `{}`: add it, or name the one that is there with `noChange`",
                relation.to
            );
            found.push((FailureCode::OfferingRequires, FailureClass::Reject, message));
        }
        (RelationKind::Excludes, Some(other)) => {
            let message =
                format!("`{own}` cannot be with `{}` of item `{}`", relation.to, other.id);
            found.push((FailureCode::OfferingExcludes, FailureClass::Reject, message));
        }
        (RelationKind::Requires, Some(_)) | (RelationKind::Excludes, None) => {}
    }
}

/// Two lines meet where they are for the same place, or one of them for none.
fn is_near(order: &Order, line: &Line, other: &Line) -> bool {
    match (order.place_of(line), order.place_of(other)) {
        (Some(one), Some(two)) => one == two,
        (None, _) | (_, None) => true,
    }
}

fn is(line: &Line, wanted: &SpecId, catalog: &Catalog) -> bool {
    let offered = line.offering.as_ref().and_then(|id| catalog.offerings.get(id)?.spec.as_ref());
    [line.offering.as_ref(), line.spec.as_ref(), offered].contains(&Some(wanted))
}

fn name(line: &Line) -> &str {
    line.offering.as_ref().or(line.spec.as_ref()).map_or("", SpecId::as_str)
}

/// Whether the place of a line is one where its offering is sold.
fn sold_at(order: &Order, line: &Line, places: &[String], found: &mut Mistakes) {
    let areas = order.areas_of(line);
    if places.iter().any(|place| areas.contains(place)) {
        return;
    }
    let (code, message) = if areas.is_empty() {
        let message = format!("`{}` is not sold everywhere: name its `place`", name(line));
        (FailureCode::PlaceMissing, message)
    } else {
        let sold = places.join(", ");
        (FailureCode::PlaceNotCovered, format!("`{}` is sold at {sold} only", name(line)))
    };
    found.push((code, FailureClass::Reject, message));
}
