//! The tasks that change what was made before: steps are done again in another way, or what they
//! did is taken back, last first; the rest stands.

use std::collections::BTreeMap;

use super::items::Items;
use super::tasks::Builder;
use crate::id::{ItemId, TaskId};
use crate::plan::{Action, Made, Step, Task, Work};

impl Builder<'_> {
    /// What is to be done of a step; nothing where what was done of it stands: what it took out of
    /// pools is kept.
    pub(super) fn work(&mut self, item: Option<ItemId>, step: &Step) -> Option<Work> {
        let Some(standing) = item.and_then(|item| self.standing.get_mut(&item)) else {
            return Some(Work::Do);
        };
        let is_it =
            |(made, _): &(Step, Made)| made.workflow == step.workflow && made.step == step.step;
        let Some(position) = standing.iter().position(is_it) else {
            return Some(Work::Do);
        };
        if !standing[position].1.holds.is_empty() {
            self.kept.insert((item?, step.step.clone()));
            return None;
        }
        let (step, mut made) = standing.remove(position);
        made.step = self.step_like(&step);
        Some(Work::Redo(Box::new(made)))
    }

    /// Takes back what ceases: after all that is new, and in reverse.
    pub(super) fn cease(&mut self, order: &[ItemId], items: &Items) {
        let first = self.ends();
        let mut last: BTreeMap<ItemId, Vec<TaskId>> = BTreeMap::new();
        for id in order {
            let item = &items.items[id.index()];
            let ceases = item.action == Action::Delete;
            let is_changed = item.action == Action::Modify && !items.unchanged.contains(id);
            if !ceases && !is_changed {
                continue;
            }
            let needed = item.needs.iter().flat_map(|need| last.get(need).into_iter().flatten());
            let mut needs: Vec<TaskId> = needed.filter(|_| ceases).copied().collect();
            if needs.is_empty() {
                needs.clone_from(&first);
            }
            needs.sort_unstable();
            needs.dedup();
            for (step, mut made) in self.ceasing(*id, ceases).into_iter().rev() {
                if !step.undo && made.holds.is_empty() {
                    continue;
                }
                let step = self.step_like(&step);
                made.step = step;
                let work = Work::TakeBack(Box::new(made));
                let task = Task { item: Some(*id), step, needs, not_before: None, work };
                self.plan.tasks.push(task);
                needs = vec![TaskId::at(self.plan.tasks.len() - 1)];
            }
            last.insert(*id, needs);
        }
    }

    /// The work for an item that is taken back: all of it, or steps that it is not made of any
    /// more.
    fn ceasing(&mut self, id: ItemId, ceases: bool) -> Vec<(Step, Made)> {
        let Some(standing) = self.standing.remove(&id) else {
            return Vec::new();
        };
        let (kept, gone): (Vec<_>, Vec<_>) = standing
            .into_iter()
            .partition(|(step, _)| !ceases && self.kept.contains(&(id, step.step.clone())));
        self.standing.insert(id, kept);
        gone
    }

    /// Notes with the items what of them stands.
    pub(super) fn keep(&mut self, items: &mut Items) {
        for task in &mut self.plan.tasks {
            if let Some(item) = task.item {
                task.work.trim(&items.items[item.index()].characteristics);
            }
        }
        for (id, standing) in std::mem::take(&mut self.standing) {
            let made = standing.into_iter().map(|(step, made)| {
                let step = self.step_like(&step);
                // Whoever asks again is told those of the item.
                Made { step, characteristics: None, ..made }
            });
            let made = made.collect();
            if let Some(origin) = &mut items.items[id.index()].origin {
                origin.made = made;
            }
        }
    }

    /// The position of a step as it was when it was done; the packs may have another by now.
    fn step_like(&mut self, step: &Step) -> u32 {
        let steps = &mut self.plan.steps;
        let known = steps.iter().position(|known| known == step);
        let position = known.unwrap_or_else(|| {
            steps.push(step.clone());
            steps.len() - 1
        });
        u32::try_from(position).unwrap_or(u32::MAX)
    }
}
