//! The tasks that change what was made before: steps are repeated with other input, or
//! undone, last first. Other prior work stays as it is.

mod compare;
mod reverse;

use std::collections::BTreeMap;

use self::compare::Input;
use self::reverse::Reverse;
use super::draft::Items;
use super::schedule::{Builder, Outputs};
use crate::id::{ItemId, TaskId};
use crate::plan::{Action, PriorWork, Step, Task, Work};

impl<'a> Builder<'a> {
    /// What is to be done of a step; `None` if what was done of it stands.
    ///
    /// A step is done again if its item has other characteristics, or its input would be another by
    /// now. What it took out of pools follows from the input alone.
    pub(super) fn work(
        &mut self,
        item: Option<ItemId>,
        step: &'a Step,
        items: &Items,
    ) -> Option<Work> {
        let Some(id) = item.filter(|id| items.compared.contains_key(id)) else {
            return Some(Work::Do);
        };
        let mut prior_work = self.prior_work.remove(&id).unwrap_or_default();
        let work = self.work_again(id, step, &mut prior_work, items);
        self.prior_work.insert(id, prior_work);
        work
    }

    /// What is to be done of a step of an existing item, by the prior work for that.
    fn work_again(
        &mut self,
        id: ItemId,
        step: &'a Step,
        prior_work: &mut Vec<(Step, PriorWork)>,
        items: &Items,
    ) -> Option<Work> {
        let is_it = |(made, _): &(Step, PriorWork)| {
            made.workflow == step.workflow && made.step == step.step && made.plugin == step.plugin
        };
        let Some(position) = prior_work.iter().position(is_it) else {
            self.unsure.entry(id).or_default().insert(&step.step, Outputs::Any);
            return Some(Work::Do);
        };
        let (_, made) = &prior_work[position];
        let takes = !made.reservations.is_empty();
        let is_changed = items.items[id.index()].action == Action::Modify && !takes;
        let input = self.compare(id, step, made, items);
        if !is_changed && input == Input::Same {
            self.kept.insert((id, step.step.as_str()));
            return None;
        }
        let place = self.place(id, step, made, items);
        if place == Input::Another {
            // It is about something else now: what stands is left for what ceases.
            self.unsure.entry(id).or_default().insert(&step.step, Outputs::Any);
            return Some(Work::Do);
        }
        let outputs = if takes { Outputs::Any } else { Outputs::of(step, made) };
        self.unsure.entry(id).or_default().insert(&step.step, outputs);
        let (step, mut made) = prior_work.remove(position);
        if place == Input::Unsure {
            let made = PriorWork { if_moved: true, ..made.clone() };
            self.moving.entry(id).or_default().push((step.clone(), made));
        }
        made.step = self.step_like(step);
        made.if_changed = !is_changed && input == Input::Unsure;
        Some(Work::Modify(Box::new(made)))
    }

    /// Forgets the outputs of a step that is left out now, so that no later step reads them.
    pub(super) fn leave_out(&mut self, item: Option<ItemId>, step: &Step) {
        if let Some(earlier) = item.and_then(|item| self.earlier_work.get_mut(&item)) {
            earlier.retain(|(own, _)| own.workflow != step.workflow || own.step != step.step);
        }
    }

    /// Undoes the work for items that cease: after all new work, in reverse order.
    pub(super) fn cease(&mut self, items: &Items) {
        let first = self.ends();
        let reverse = Reverse::new(&items.items);
        let mut last: BTreeMap<ItemId, TaskId> = BTreeMap::new();
        let changed = items.compared.keys().copied();
        let changed = changed.filter(|id| items.items[id.index()].action != Action::Delete);
        let order: Vec<ItemId> = reverse.order().into_iter().chain(changed).collect();
        for id in order {
            let ceases = items.items[id.index()].action == Action::Delete;
            let work = self.ceasing(id, ceases);
            let work: Vec<_> = work
                .into_iter()
                .rev()
                .filter(|(step, made)| step.undo || !made.reservations.is_empty())
                .collect();
            if work.is_empty() {
                continue;
            }
            let mut needs = if ceases { reverse.before(id, &last) } else { Vec::new() };
            if needs.is_empty() {
                needs.clone_from(&first);
            }
            for (step, mut made) in work {
                let step = self.step_like(step);
                made.step = step;
                let work = Work::Undo(Box::new(made));
                let not_before = items.begins(id);
                let task = Task { item: Some(id), step, needs, not_before, work };
                self.plan.tasks.push(task);
                let own = TaskId::at(self.plan.tasks.len() - 1);
                needs = vec![own];
                last.insert(id, own);
            }
        }
    }

    /// Items of which something is done are changed, whatever of them is.
    pub(super) fn mark_changed(&self, items: &mut Items) {
        for id in self.plan.tasks.iter().filter_map(|task| task.item) {
            let item = &mut items.items[id.index()];
            if item.action == Action::NoChange && items.compared.contains_key(&id) {
                item.action = Action::Modify;
                if let Some(origin) = &mut item.origin {
                    origin.stays = false;
                }
            }
        }
    }

    /// The work for an item that is undone: all of it, or only the steps that its workflow has no
    /// longer.
    fn ceasing(&mut self, id: ItemId, ceases: bool) -> Vec<(Step, PriorWork)> {
        let Some(prior_work) = self.prior_work.remove(&id) else {
            return Vec::new();
        };
        let (kept, gone): (Vec<_>, Vec<_>) = prior_work
            .into_iter()
            .partition(|(step, _)| !ceases && self.kept.contains(&(id, step.step.as_str())));
        self.prior_work.insert(id, kept);
        let moving = self.moving.remove(&id).unwrap_or_default();
        self.in_order(gone.into_iter().chain(moving).collect())
    }

    /// Work in the order of its workflow, as far as that is known: what was changed was done later
    /// than what stands after it.
    fn in_order(&self, mut work: Vec<(Step, PriorWork)>) -> Vec<(Step, PriorWork)> {
        let position = |(step, _): &(Step, PriorWork)| {
            let (_, workflow) = self.rulebook.workflow(&step.workflow)?;
            workflow.steps.iter().position(|entry| entry.step.step == step.step)
        };
        if work.iter().all(|entry| position(entry).is_some()) {
            work.sort_by_key(position);
        }
        work
    }

    /// Notes with the items what of them stands.
    pub(super) fn keep(&mut self, items: &mut Items) {
        for task in &mut self.plan.tasks {
            if let Some(item) = task.item {
                task.work.trim(&items.items[item.index()].characteristics);
            }
        }
        for (id, prior_work) in std::mem::take(&mut self.prior_work) {
            let made = prior_work.into_iter().map(|(step, made)| {
                let step = self.step_like(step);
                // A plugin that is asked again is told those of the item.
                PriorWork { step, characteristics: None, ..made }
            });
            let made = made.collect();
            if let Some(origin) = &mut items.items[id.index()].origin {
                origin.made = made;
            }
        }
    }

    /// The position of a step as it was when it was done; the packs may have another by now.
    fn step_like(&mut self, step: Step) -> u32 {
        let steps = &mut self.plan.steps;
        let known = steps.iter().position(|known| *known == step);
        let position = known.unwrap_or_else(|| {
            steps.push(step);
            steps.len() - 1
        });
        u32::try_from(position).unwrap_or(u32::MAX)
    }
}
