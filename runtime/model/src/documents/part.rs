//! What a commit writes, bit by bit: an order of 10,000 lines changes 10,000 products at once, and
//! nothing else would be written meanwhile.

use std::num::NonZero;
use std::ops::Range;

use super::Changes;
use crate::fulfilment::Fulfilment;
use crate::id::ItemId;
use crate::journal::Event;
use crate::plan::{Item, Plan};

/// How many orders a fulfilment has at the most.
const ORDERS_MAX: usize = 3;

/// A part of what a commit writes. The parts, one after the other, are the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    #[default]
    Whole,
    /// What is not about instances of the whole plan: it comes first.
    First,
    /// What becomes of the instances of these items when the order is planned or ends.
    Items(Range<usize>),
    /// One of the orders, by its place among them.
    Order(usize),
    /// What follows when all else is written.
    Last,
}

impl Part {
    /// Whether what is not about instances of the whole plan is in it.
    pub(super) fn has_first(&self) -> bool {
        matches!(self, Self::Whole | Self::First)
    }

    /// Whether what follows in the end is in it.
    pub(super) fn has_last(&self) -> bool {
        matches!(self, Self::Whole | Self::Last)
    }

    /// Whether an order is in it.
    pub(super) fn has_order(&self, place: usize) -> bool {
        match self {
            Self::Whole => true,
            Self::Order(own) => *own == place,
            Self::First | Self::Items(_) | Self::Last => false,
        }
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
            Self::First | Self::Order(_) | Self::Last => 0..0,
        };
        let begin = range.start;
        let items = plan.items[range].iter().enumerate();
        items.map(move |(index, item)| (ItemId::at(begin + index), item))
    }
}

impl Fulfilment {
    /// The parts that what events change is written in, where it is too much to be written at once.
    /// None where it is not: plans of no more items than may be written about at once, and whatever
    /// is about a few of many.
    pub fn parts(
        &self,
        events: &[Event],
        before: Option<&str>,
        items_at_once: NonZero<usize>,
    ) -> Vec<Part> {
        let (items, at_once) = (self.plan.items.len(), items_at_once.get());
        if items <= at_once || self.root_resource().is_none() {
            return Vec::new();
        }
        let is_about_all = |event: &Event| {
            let returns = event.turns() && self.has_returned();
            matches!(event, Event::Planned { .. } | Event::Ended { .. }) || returns
        };
        let begins = (0..items).step_by(at_once);
        let windows = begins.map(|begin| Part::Items(begin..begin + at_once));
        let windows = windows.take_while(|_| events.iter().any(is_about_all)).collect::<Vec<_>>();
        let shows = windows.is_empty() && self.shows_orders(events, before);
        if windows.is_empty() && !shows {
            return Vec::new();
        }
        let orders = (0..ORDERS_MAX).map(Part::Order);
        [Part::First].into_iter().chain(windows).chain(orders).chain([Part::Last]).collect()
    }

    /// A part of what [`Fulfilment::changes`] gives.
    pub fn changes_in(&self, part: Part, events: &[Event], before: Option<&str>) -> Changes {
        let mut changes = Changes { part, ..Changes::default() };
        self.follow_events(events, before, &mut changes);
        changes
    }
}

#[cfg(test)]
pub(crate) mod tests;
