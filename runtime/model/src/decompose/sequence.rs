//! The order in which items are worked on. An item and all its parts wait for the items that
//! it needs. A needed item has been delivered when all its parts have.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::rule_failure;
use crate::codes::FailureCode;
use crate::id::{ItemId, TaskId};
use crate::outcome::Failure;
use crate::plan::{Item, Task, closure};

/// A moment in the delivery of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// It, and what it is made of, may begin.
    Start(ItemId),
    /// Its own work is done.
    Own(ItemId),
    /// It and all that it is made of are done.
    Done(ItemId),
}

impl Moment {
    fn index(self) -> usize {
        match self {
            Self::Start(id) => 3 * id.index(),
            Self::Own(id) => 3 * id.index() + 1,
            Self::Done(id) => 3 * id.index() + 2,
        }
    }

    fn at(index: usize) -> Self {
        let id = ItemId::at(index / 3);
        match index % 3 {
            0 => Self::Start(id),
            1 => Self::Own(id),
            _ => Self::Done(id),
        }
    }
}

/// The parts of each item.
pub(super) type Below = Rc<[Vec<ItemId>]>;

/// Works out what each item is made of.
pub(super) fn below(items: &[Item]) -> Below {
    let mut below = vec![Vec::new(); items.len()];
    for (index, item) in items.iter().enumerate() {
        for parent in &item.parents {
            below[parent.index()].push(ItemId::at(index));
        }
    }
    below.into()
}

/// Which item waits for which.
pub(super) struct Sequence<'a> {
    items: &'a [Item],
    below: Below,
    /// The moments that each item waits for with all its parts, besides those of its parents.
    start: Vec<Vec<Moment>>,
    /// What only its own work waits for: parts of itself that it needs.
    own: Vec<Vec<ItemId>>,
    /// Shared items, which cannot wait for everything that their parents wait for: one parent may need
    /// another. Their own waits are in `start`.
    apart: BTreeSet<ItemId>,
    /// The items, what is needed first; among equals as they are.
    order: Vec<ItemId>,
}

impl<'a> Sequence<'a> {
    /// Puts items in order.
    pub(super) fn new(items: &'a [Item], below: Below) -> Result<Self, Failure> {
        let nothing = vec![Vec::new(); items.len()];
        let (apart, order) = (BTreeSet::new(), Vec::new());
        let mut sequence = Self { items, below, start: nothing, own: Vec::new(), apart, order };
        sequence.own = vec![Vec::new(); items.len()];
        for index in 0..items.len() {
            sequence.sort_needs(ItemId::at(index));
        }
        let Err(stuck) = sequence.put_in_order() else {
            return Ok(sequence);
        };
        sequence.set_apart(&stuck);
        match sequence.put_in_order() {
            Ok(()) => Ok(sequence),
            Err(stuck) => Err(sequence.circle(&stuck)),
        }
    }

    /// The items, what is needed first.
    pub(super) fn order(&self) -> &[ItemId] {
        &self.order
    }

    /// Sorts the needs of an item: it needs the whole of another item, but of an item that it is part of
    /// only that one's own work; its own parts come before its own work only.
    fn sort_needs(&mut self, id: ItemId) {
        let needs = &self.items[id.index()].needs;
        if needs.is_empty() {
            return;
        }
        let has_parts = |id: &ItemId| !self.below[id.index()].is_empty();
        let mut above = BTreeSet::new();
        if needs.iter().any(has_parts) {
            above = closure(vec![id], |id| self.items[id.index()].parents.iter().copied());
        }
        let mut within = BTreeSet::new();
        if has_parts(&id) {
            within = closure(vec![id], |id| self.below[id.index()].iter().copied());
        }
        for need in needs.iter().filter(|need| **need != id) {
            if above.contains(need) {
                self.start[id.index()].push(Moment::Own(*need));
            } else if within.contains(need) {
                self.own[id.index()].push(*need);
            } else {
                self.start[id.index()].push(Moment::Done(*need));
            }
        }
    }

    /// What must have come before a moment.
    fn before(&self, moment: Moment) -> Vec<Moment> {
        match moment {
            Moment::Start(id) => {
                let is_apart = self.apart.contains(&id);
                let parents = self.items[id.index()].parents.iter().filter(|_| !is_apart);
                let parents = parents.map(|parent| Moment::Start(*parent));
                self.start[id.index()].iter().copied().chain(parents).collect()
            }
            Moment::Own(id) => {
                let parts = self.own[id.index()].iter().map(|part| Moment::Done(*part));
                std::iter::once(Moment::Start(id)).chain(parts).collect()
            }
            Moment::Done(id) => {
                let parts = self.below[id.index()].iter().map(|part| Moment::Done(*part));
                std::iter::once(Moment::Own(id)).chain(parts).collect()
            }
        }
    }

    /// What comes after each moment, and how many come before it.
    fn graph(&self) -> (Vec<Vec<usize>>, Vec<usize>) {
        let count = 3 * self.items.len();
        let (mut after, mut waits) = (vec![Vec::new(); count], vec![0_usize; count]);
        for (index, waits) in waits.iter_mut().enumerate() {
            for before in self.before(Moment::at(index)) {
                after[before.index()].push(index);
                *waits += 1;
            }
        }
        (after, waits)
    }

    /// Works out the order; the moments that are never reached where there is none.
    fn put_in_order(&mut self) -> Result<(), Vec<Moment>> {
        let (after, mut waits) = self.graph();
        let mut order = Vec::with_capacity(self.items.len());
        let mut own: BTreeSet<usize> = BTreeSet::new();
        let mut others: Vec<usize> = (0..waits.len()).filter(|index| waits[*index] == 0).collect();
        others.reverse();
        while let Some(next) = others.pop().or_else(|| own.pop_first()) {
            if let Moment::Own(id) = Moment::at(next) {
                order.push(id);
            }
            for after in &after[next] {
                waits[*after] -= 1;
                if waits[*after] == 0 {
                    match Moment::at(*after) {
                        Moment::Own(_) => {
                            own.insert(*after);
                        }
                        Moment::Start(_) | Moment::Done(_) => others.push(*after),
                    }
                }
            }
        }
        let stuck = waits.iter().enumerate().filter(|(_, waits)| **waits > 0);
        let stuck: Vec<Moment> = stuck.map(|(index, _)| Moment::at(index)).collect();
        self.order = order;
        if stuck.is_empty() { Ok(()) } else { Err(stuck) }
    }

    /// What is shared waits for what those wait for who share it, but not for what waits for it.
    fn set_apart(&mut self, stuck: &[Moment]) {
        let (after, _) = self.graph();
        let mut apart = Vec::new();
        for moment in stuck {
            let Moment::Start(id) = *moment else { continue };
            if self.items[id.index()].parents.len() < 2 {
                continue;
            }
            let later =
                closure(vec![Moment::Start(id).index()], |index| after[index].iter().copied());
            let above = closure(vec![id], |id| self.items[id.index()].parents.iter().copied());
            let waits = above.iter().flat_map(|above| self.start[above.index()].iter().copied());
            let waits: BTreeSet<Moment> = waits.collect();
            let own = self.start[id.index()].iter().copied();
            let can = waits.into_iter().filter(|moment| !later.contains(&moment.index()));
            let start: BTreeSet<Moment> = own.chain(can).collect();
            apart.push((id, start.into_iter().collect()));
        }
        for (id, start) in apart {
            self.start[id.index()] = start;
            self.apart.insert(id);
        }
    }

    fn circle(&self, stuck: &[Moment]) -> Failure {
        let own = stuck.iter().filter_map(|moment| match moment {
            Moment::Own(id) => Some(self.items[id.index()].name.as_str()),
            Moment::Start(_) | Moment::Done(_) => None,
        });
        let names = own.take(NAMED_MAX).collect::<Vec<_>>().join(", ");
        let message = format!("these need one another in a circle: {names}");
        rule_failure(FailureCode::DecompCircle, message)
    }
}

/// Max items that a message about a circle names.
const NAMED_MAX: usize = 20;

/// Tasks as a set that is cheap to share: many items wait for the same.
type Tasks = Rc<[TaskId]>;

/// Follows the order: which tasks an item's work waits for, as those of others are known.
pub(super) struct Flow<'a> {
    sequence: &'a Sequence<'a>,
    /// What all waits for that waits for nothing else.
    before: Tasks,
    /// The tasks of each item, and the last of them.
    tasks: Vec<Vec<TaskId>>,
    ends: Vec<Option<Tasks>>,
    start: BTreeMap<ItemId, Tasks>,
    done: BTreeMap<ItemId, Tasks>,
}

impl<'a> Flow<'a> {
    /// A flow in which nothing is done yet.
    pub(super) fn new(sequence: &'a Sequence<'a>, before: &[TaskId]) -> Self {
        let count = sequence.items.len();
        Self {
            sequence,
            before: before.into(),
            tasks: vec![Vec::new(); count],
            ends: vec![None; count],
            start: BTreeMap::new(),
            done: BTreeMap::new(),
        }
    }

    /// What the first tasks of an item wait for; what is before it in the order is known.
    pub(super) fn needs(&mut self, id: ItemId, all: &[Task]) -> Vec<TaskId> {
        let mut parts = vec![self.start(id, all)];
        let sequence = self.sequence;
        for part in &sequence.own[id.index()] {
            parts.push(self.done(*part, all));
        }
        self.merged(parts).to_vec()
    }

    /// Notes the tasks that an item was given, and the last of them.
    pub(super) fn did(&mut self, id: ItemId, tasks: std::ops::Range<usize>, ends: &[TaskId]) {
        self.tasks[id.index()] = tasks.map(TaskId::at).collect();
        self.ends[id.index()] = Some(ends.into());
    }

    /// The last tasks of an item's own work; `None` if there is none.
    pub(super) fn ends(&self, id: ItemId) -> Option<&[TaskId]> {
        let ends = self.ends[id.index()].as_deref();
        ends.filter(|_| !self.tasks[id.index()].is_empty())
    }

    /// The tasks that come before an item and all that it is made of.
    pub(super) fn start(&mut self, id: ItemId, all: &[Task]) -> Tasks {
        if let Some(known) = self.start.get(&id) {
            return Rc::clone(known);
        }
        let mut parts = Vec::new();
        let sequence = self.sequence;
        for moment in &sequence.start[id.index()] {
            parts.push(match *moment {
                Moment::Start(other) => self.start(other, all),
                Moment::Own(other) => self.own(other, all),
                Moment::Done(other) => self.done(other, all),
            });
        }
        if !sequence.apart.contains(&id) {
            let waited = self.waited_within(id);
            for parent in &sequence.items[id.index()].parents {
                if !waited.contains(parent) {
                    parts.push(self.start(*parent, all));
                }
            }
        }
        let start = self.merged(parts);
        self.start.insert(id, Rc::clone(&start));
        start
    }

    /// The items of which an item waits for another part: that has waited for what they wait for.
    fn waited_within(&self, id: ItemId) -> BTreeSet<ItemId> {
        let mut waited = BTreeSet::new();
        for moment in &self.sequence.start[id.index()] {
            match moment {
                Moment::Done(other) | Moment::Start(other) => {
                    if !self.sequence.apart.contains(other) {
                        waited.extend(self.sequence.items[other.index()].parents.iter().copied());
                    }
                }
                Moment::Own(other) => {
                    waited.insert(*other);
                }
            }
        }
        waited
    }

    fn own(&mut self, id: ItemId, all: &[Task]) -> Tasks {
        match &self.ends[id.index()] {
            Some(ends) => Rc::clone(ends),
            None => self.start(id, all),
        }
    }

    /// The last tasks of an item and all that it is made of; where there are none, what it would
    /// have waited for.
    fn done(&mut self, id: ItemId, all: &[Task]) -> Tasks {
        if let Some(known) = self.done.get(&id) {
            return Rc::clone(known);
        }
        let parts = closure(vec![id], |id| self.sequence.below[id.index()].iter().copied());
        let tasks: BTreeSet<TaskId> =
            parts.iter().flat_map(|part| self.tasks[part.index()].iter().copied()).collect();
        let mut sets = Vec::new();
        // What has no work passes on what it waits for; what is apart may wait for less.
        for part in &parts {
            let is_idle = self.tasks[part.index()].is_empty();
            let waits = !self.sequence.start[part.index()].is_empty();
            if (is_idle && waits) || (self.sequence.apart.contains(part) && *part != id) {
                sets.push(self.start(*part, all));
            }
        }
        if tasks.is_empty() || parts.iter().any(|part| self.sequence.apart.contains(part)) {
            sets.push(self.start(id, all));
        }
        let needed: BTreeSet<TaskId> =
            tasks.iter().flat_map(|task| all[task.index()].needs.iter().copied()).collect();
        let last = tasks.iter().copied().filter(|task| !needed.contains(task));
        sets.push(last.collect::<Vec<_>>().into());
        let passed: Vec<Tasks> = sets
            .into_iter()
            .map(|set| set.iter().copied().filter(|task| !needed.contains(task)).collect())
            .collect();
        let done = self.merged(passed);
        self.done.insert(id, Rc::clone(&done));
        done
    }

    /// The union of sets, without what comes before everything.
    fn merged(&self, mut sets: Vec<Tasks>) -> Tasks {
        sets.retain(|set| !set.is_empty() && **set != *self.before);
        match sets.as_slice() {
            [] => Rc::clone(&self.before),
            [only] => Rc::clone(only),
            several => {
                let all: BTreeSet<TaskId> =
                    several.iter().flat_map(|set| set.iter().copied()).collect();
                all.into_iter().collect()
            }
        }
    }
}
