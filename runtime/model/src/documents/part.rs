//! The changes of a commit in parts: an order of 10,000 lines changes 10,000 products at once, and
//! no other change would be written meanwhile.

use std::num::NonZero;
use std::ops::Range;

use super::Changes;
use super::orders::Order;
use crate::fulfilment::Fulfilment;
use crate::id::ItemId;
use crate::journal::Event;
use crate::plan::{Item, Plan};
use tmf::table::OrderState;

/// Items of an order that are written at once, for each item of the plan that is: more is written of
/// an item of the plan.
const ENTRIES_OF_ITEM: usize = 4;

/// A part of the changes of a commit. The parts, one after the other, are the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    #[default]
    Whole,
    /// Changes that are not about instances of the whole plan. They come first.
    First,
    /// Changes of the instances of these items when the order is planned or ends.
    Items(Range<usize>),
    /// One of the orders.
    Order(Order),
    /// Some items of one of the orders, which is too long to be written at once; the number is
    /// their place among such parts.
    Piece(Order, usize, Range<usize>),
    /// One of the orders without its items, and the number of pieces that they are written in.
    Head(Order, usize),
    /// The documents that follow when everything else is written.
    Last,
}

impl Part {
    /// Whether changes that are not about instances of the whole plan are in it.
    pub(super) fn has_first(&self) -> bool {
        matches!(self, Self::Whole | Self::First)
    }

    /// Whether the documents that are written last are in it.
    pub(super) fn has_last(&self) -> bool {
        matches!(self, Self::Whole | Self::Last)
    }

    /// The items of a plan that are in it.
    pub(super) fn items<'a>(
        &self,
        plan: &'a Plan,
    ) -> impl Iterator<Item = (ItemId, &'a Item)> + use<'a> {
        let all = plan.items.len();
        let range = match self {
            Self::Whole => 0..all,
            Self::Items(range) => range.start.min(all)..range.end.min(all),
            Self::First | Self::Order(_) | Self::Piece(..) | Self::Head(..) | Self::Last => 0..0,
        };
        let begin = range.start;
        let items = plan.items[range].iter().enumerate();
        items.map(move |(index, item)| (ItemId::at(begin + index), item))
    }
}

impl Fulfilment {
    /// The parts in which the changes of events are written, if they are too many to be written at
    /// once. Empty if they are not: for orders and plans of no more items than may be written at once,
    /// and for changes of a few of many.
    pub fn parts(
        &self,
        events: &[Event],
        before: Option<OrderState>,
        items_at_once: NonZero<usize>,
    ) -> Vec<Part> {
        let is_about_all = |event: &Event| {
            let returns = event.turns() && self.has_returned();
            matches!(event, Event::Planned { .. } | Event::Ended { .. }) || returns
        };
        let is_about_all = events.iter().any(is_about_all);
        let shows = self.shows_orders(events, before);
        if !is_about_all && !shows {
            return Vec::new();
        }
        let (items, at_once) = (self.plan().items.len(), items_at_once.get());
        let orders: Vec<(Order, usize)> = self.orders_with_lengths().collect();
        let is_long = |(_, length): &(Order, usize)| *length > at_once * ENTRIES_OF_ITEM;
        if orders.is_empty() || (items <= at_once && !orders.iter().any(is_long)) {
            return Vec::new();
        }
        let mut parts = vec![Part::First];
        if is_about_all {
            let begins = (0..items).step_by(at_once);
            parts.extend(begins.map(|begin| Part::Items(begin..begin + at_once)));
        }
        for (order, length) in orders.into_iter().filter(|_| shows) {
            parts.extend(parts_of_order(order, length, at_once * ENTRIES_OF_ITEM));
        }
        parts.push(Part::Last);
        parts
    }

    /// A part of [`Fulfilment::changes`].
    pub fn changes_in(&self, part: Part, events: &[Event], before: Option<OrderState>) -> Changes {
        let mut changes = Changes { part, ..Changes::default() };
        self.follow_events(events, before, &mut changes);
        changes
    }
}

/// The parts that an order of a given length is written in.
fn parts_of_order(order: Order, length: usize, at_once: usize) -> Vec<Part> {
    if length <= at_once {
        return vec![Part::Order(order)];
    }
    let begins = (0..length).step_by(at_once).enumerate();
    let mut parts: Vec<Part> = begins
        .map(|(index, begin)| Part::Piece(order, index, begin..length.min(begin + at_once)))
        .collect();
    parts.push(Part::Head(order, parts.len()));
    parts
}

#[cfg(test)]
pub(crate) mod tests;
