//! Lines that are delivered while others of their order are open: their products are active, and
//! charged, from then on.
//!
//! Here a line is a product that came in, with all of its parts. It is delivered when all that is
//! done for it is done, and so is all that the lines do that it relies on: where one of those fails,
//! so does this one. Changed products show what became of them when the order ends, since what they
//! were before is not known to a plan. An order of one line ends with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::derived::Derived;
use super::index::Index;
use super::lines::relies;
use super::{Fulfilment, Phase};
use crate::id::{ItemId, TaskId};
use crate::journal::{Event, Kind};
use crate::plan::{Action, Level, Plan};
use tmf::table::OrderState;

/// Max products of a line whose documents are written when it is delivered. Those of a larger one
/// are written when the order ends, bit by bit.
const PRODUCTS_MAX: usize = 256;

/// Which lines rely on which, as far as these can be delivered by themselves. It is derived from
/// the plan.
#[derive(Debug, Default)]
struct Reliance {
    /// The lines that each item is for.
    of: Vec<Vec<ItemId>>,
    /// The lines that may be delivered before the order ends, each with those that it relies on.
    lines: BTreeMap<ItemId, BTreeSet<ItemId>>,
    /// The lines that rely on a line.
    relying: BTreeMap<ItemId, Vec<ItemId>>,
}

/// The lines that were delivered before the order ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Delivered {
    lines: BTreeSet<ItemId>,
    /// Lines that were delivered and are rolled back.
    returned: BTreeSet<ItemId>,
    reliance: Derived<Reliance>,
}

impl Reliance {
    fn derive(plan: &Plan, index: &Index) -> Self {
        let lines = lines(plan);
        if lines.len() < 2 {
            return Self::default();
        }
        let mut reliance = Self { of: lines_of(plan, index), lines, relying: BTreeMap::new() };
        for (index, item) in plan.items.iter().enumerate() {
            if matches!(item.action, Action::Add | Action::Modify) {
                let own = ItemId::at(index);
                item.needs.iter().for_each(|need| reliance.add(own, *need));
            }
        }
        for (index, task) in plan.tasks.iter().enumerate() {
            let Some(own) = task.item else { continue };
            for need in &task.needs {
                if let Some(other) = plan.task(*need).item
                    && relies(plan, TaskId::at(index), *need)
                {
                    reliance.add(own, other);
                }
            }
        }
        for (line, on) in &reliance.lines {
            for other in on {
                reliance.relying.entry(*other).or_default().push(*line);
            }
        }
        reliance
    }

    /// Notes that an item relies on another: the lines of the one on those of the other.
    fn add(&mut self, item: ItemId, need: ItemId) {
        let Self { of, lines, .. } = self;
        for line in &of[item.index()] {
            if !of[need.index()].contains(line)
                && let Some(on) = lines.get_mut(line)
            {
                on.extend(&of[need.index()]);
            }
        }
    }
}

/// The lines that may be delivered by themselves: new products and products that cease.
fn lines(plan: &Plan) -> BTreeMap<ItemId, BTreeSet<ItemId>> {
    let items = plan.items.iter().enumerate();
    let lines = items.filter(|(_, item)| {
        item.level == Level::Product
            && item.parents.is_empty()
            && matches!(item.action, Action::Add | Action::Delete)
    });
    lines.map(|(index, _)| (ItemId::at(index), BTreeSet::new())).collect()
}

/// The items without a parent that each item stands below, itself where it has none.
fn lines_of(plan: &Plan, index: &Index) -> Vec<Vec<ItemId>> {
    let mut of: Vec<Vec<ItemId>> = vec![Vec::new(); plan.items.len()];
    for line in (0..plan.items.len()).filter(|index| plan.items[*index].parents.is_empty()) {
        let line = ItemId::at(line);
        let mut open = vec![line];
        while let Some(item) = open.pop() {
            if of[item.index()].last() != Some(&line) {
                of[item.index()].push(line);
                open.extend(index.children(item));
            }
        }
    }
    of
}

impl Fulfilment {
    /// Follows a record: which lines are delivered by its events, and which of these are rolled back.
    pub(super) fn follow_lines(&mut self, events: &[Event]) {
        if self.kind != Kind::ProductOrder {
            return;
        }
        if events.iter().any(Event::turns) && !self.delivered.lines.is_empty() {
            let is_back = |line: &ItemId| {
                let is_new = self.plan.items[line.index()].action == Action::Add;
                is_new && (self.turned.is_whole || self.has_failed(*line))
            };
            let back: Vec<ItemId> =
                self.delivered.lines.iter().copied().filter(|line| is_back(line)).collect();
            for line in back {
                self.delivered.lines.remove(&line);
                self.delivered.returned.insert(line);
            }
        }
        if self.phase != Phase::Running {
            return;
        }
        let mut open: Vec<ItemId> = self.lines_done_for(events).into_iter().collect();
        while let Some(line) = open.pop() {
            if self.delivered.lines.contains(&line) || !self.is_whole(line) {
                continue;
            }
            self.delivered.lines.insert(line);
            open.extend(self.reliance().relying.get(&line).into_iter().flatten());
        }
    }

    /// The lines that are delivered by the events of a record, by the state after it.
    pub(crate) fn lines_delivered_by(&self, events: &[Event]) -> BTreeSet<ItemId> {
        if self.delivered.lines.is_empty() {
            return BTreeSet::new();
        }
        let mut found = BTreeSet::new();
        let mut open: Vec<ItemId> = self.lines_done_for(events).into_iter().collect();
        while let Some(line) = open.pop() {
            if self.delivered.lines.contains(&line) && found.insert(line) {
                open.extend(self.reliance().relying.get(&line).into_iter().flatten());
            }
        }
        found
    }

    /// Whether an item was delivered before the order ended, with all lines that it is for.
    pub(crate) fn is_delivered_early(&self, item: ItemId) -> bool {
        if self.delivered.lines.is_empty() {
            return false;
        }
        let reliance = self.reliance();
        let lines = reliance.of.get(item.index()).map_or(&[][..], Vec::as_slice);
        !lines.is_empty() && lines.iter().all(|line| self.delivered.lines.contains(line))
    }

    /// Whether an item was delivered, and was rolled back since.
    pub(crate) fn is_returned(&self, item: ItemId) -> bool {
        if self.delivered.returned.is_empty() {
            return false;
        }
        let reliance = self.reliance();
        let mut lines = reliance.of.get(item.index()).into_iter().flatten();
        lines.any(|line| self.delivered.returned.contains(line))
    }

    /// Whether an item was delivered, and is rolled back from an event on, by the state after it.
    pub(crate) fn is_returned_by(&self, item: ItemId, event: &Event) -> bool {
        let is_new = if let Event::RollingBackLines { lines, .. } = event {
            let reliance = self.reliance();
            let own = reliance.of.get(item.index());
            own.into_iter().flatten().any(|line| lines.contains(line))
        } else {
            // A line that had failed before is rolled back already.
            event.turns() && !self.has_failed(item)
        };
        is_new && self.is_returned(item)
    }

    /// Whether any line was delivered, and was rolled back since.
    pub(crate) fn has_returned(&self) -> bool {
        !self.delivered.returned.is_empty()
    }

    fn reliance(&self) -> Arc<Reliance> {
        self.delivered.reliance.get(|| Reliance::derive(&self.plan, &self.index))
    }

    /// The lines for which something was done.
    fn lines_done_for(&self, events: &[Event]) -> BTreeSet<ItemId> {
        let mut lines = BTreeSet::new();
        for event in events {
            if let Event::Succeeded { task, .. }
            | Event::CompletedByHand { task, .. }
            | Event::GivenUp { task, .. } = event
                && let Some(item) = self.plan.tasks.get(task.index()).and_then(|task| task.item)
            {
                lines.extend(self.reliance().of.get(item.index()).into_iter().flatten());
            }
        }
        lines
    }

    /// Whether all is done for a line and for those that it relies on.
    fn is_whole(&self, line: ItemId) -> bool {
        let reliance = self.reliance();
        let Some(on) = reliance.lines.get(&line) else { return false };
        let is_due =
            self.plan.items[line.index()].not_before.is_none_or(|at| at <= self.updated_at);
        let is_done =
            is_due && self.state_of_work(line) == OrderState::Completed && !self.has_failed(line);
        is_done
            && on.iter().all(|other| self.delivered.lines.contains(other))
            && self.is_small(line)
    }

    /// Whether the documents of a line can be written at once.
    fn is_small(&self, line: ItemId) -> bool {
        let products =
            self.within(line).filter(|item| self.plan.items[item.index()].level == Level::Product);
        products.take(PRODUCTS_MAX + 1).count() <= PRODUCTS_MAX
    }
}
