//! The plan as text, as it stands next to every example order and as `ferrule` draws it.

use std::collections::BTreeMap;
use std::fmt;

use super::{Action, Level, Plan, Work};
use crate::id::{ItemId, TaskId};

impl Plan {
    /// The waves: items that are delivered by tasks, in groups of which each needs only earlier
    /// ones.
    pub fn waves(&self) -> Vec<Vec<ItemId>> {
        let mut wave_of: BTreeMap<ItemId, usize> = BTreeMap::new();
        for task in &self.tasks {
            let Some(item) = task.item.filter(|item| !self.is_product(*item)) else {
                continue;
            };
            let last = match self.items[item.index()].action {
                // What ceases waits for all else; its waves are among what ceases.
                Action::Delete => {
                    let needs = &self.items[item.index()].needs;
                    needs.iter().filter_map(|need| wave_of.get(need)).max()
                }
                Action::Add | Action::Modify | Action::NoChange => {
                    let needs = task.needs.iter().filter_map(|need| self.task(*need).item);
                    let others = needs.filter(|other| *other != item);
                    others.filter_map(|other| wave_of.get(&other)).max()
                }
            };
            let wave = last.map_or(0, |last| last + 1);
            let known = wave_of.entry(item).or_insert(wave);
            *known = wave.max(*known);
        }
        let mut waves: Vec<Vec<ItemId>> = Vec::new();
        for (item, wave) in wave_of {
            if waves.len() <= wave {
                waves.resize(wave + 1, Vec::new());
            }
            waves[wave].push(item);
        }
        for wave in &mut waves {
            wave.sort_by_key(|item| &self.items[item.index()].name);
        }
        waves
    }

    fn is_product(&self, item: ItemId) -> bool {
        self.items[item.index()].level == Level::Product
    }

    fn names(&self, items: &[ItemId]) -> String {
        let names = items.iter().map(|item| self.items[item.index()].name.as_str());
        names.collect::<Vec<_>>().join(", ")
    }

    /// The items as a tree: each with its depth, followed by those that it was decomposed into. A
    /// shared item stands once, below the first of its parents.
    fn tree(&self) -> Vec<(usize, ItemId)> {
        let mut below: Vec<Vec<ItemId>> = vec![Vec::new(); self.items.len()];
        let mut roots = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            // A plan that a program submits may have its items in any order: only a parent that
            // stands before is followed, so the tree ends.
            match item.parents.iter().find(|parent| parent.index() < index) {
                Some(parent) => below[parent.index()].push(ItemId::at(index)),
                None => roots.push(ItemId::at(index)),
            }
        }
        let mut tree = Vec::with_capacity(self.items.len());
        let mut open: Vec<(usize, ItemId)> =
            roots.into_iter().rev().map(|root| (0, root)).collect();
        while let Some((depth, item)) = open.pop() {
            tree.push((depth, item));
            open.extend(below[item.index()].iter().rev().map(|child| (depth + 1, *child)));
        }
        tree
    }

    fn write_item(
        &self,
        f: &mut fmt::Formatter<'_>,
        depth: usize,
        id: ItemId,
        tasks: &[TaskId],
    ) -> fmt::Result {
        let (indent, item) = (2 + 2 * depth, &self.items[id.index()]);
        write!(f, "{:indent$}{} {}", "", item.action.as_str(), item.name)?;
        if !item.title.is_empty() && item.title != item.name {
            write!(f, " ({})", item.title)?;
        }
        if item.parents.len() > 1 {
            write!(f, " shared by {}", self.names(&item.parents))?;
        }
        if !item.needs.is_empty() {
            write!(f, " needs {}", self.names(&item.needs))?;
        }
        if let Some(time) = item.not_before {
            write!(f, " not before {time}")?;
        }
        writeln!(f)?;
        for (name, value) in &item.characteristics {
            writeln!(f, "{:indent$}    {name} = {value}", "")?;
        }
        if !item.resources.is_empty() {
            let resources: Vec<_> = item.resources.iter().map(ToString::to_string).collect();
            write!(f, "{:indent$}    resources {}", "", resources.join(", "))?;
            match &item.adapter {
                Some(adapter) => writeln!(f, " by {adapter}")?,
                None => writeln!(f)?,
            }
        }
        for made in item.origin.iter().flat_map(|origin| &origin.made) {
            let step = &self.steps[made.step as usize];
            writeln!(f, "{:indent$}    keeps {} of {}", "", step.step, made.key)?;
        }
        for task in tasks {
            let step = self.step(*task);
            write!(f, "{:indent$}    ", "")?;
            match &self.task(*task).work {
                Work::Do => write!(f, "task {} by {}", step.step, step.plugin)?,
                Work::Modify(made) => {
                    write!(f, "redo {} of {} by {}", step.step, made.key, step.plugin)?;
                }
                Work::Undo(made) => {
                    write!(f, "undo {} of {} by {}", step.step, made.key, step.plugin)?;
                    if made.if_moved {
                        write!(f, " if it moves")?;
                    }
                }
            }
            match self.milestone(*task) {
                Some(milestone) => writeln!(f, " reaches {milestone}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.items.is_empty() {
            writeln!(f, "items")?;
        }
        let mut tasks: Vec<Vec<TaskId>> = vec![Vec::new(); self.items.len()];
        for (index, task) in self.tasks.iter().enumerate() {
            if let Some(item) = task.item {
                tasks[item.index()].push(TaskId::at(index));
            }
        }
        for (depth, item) in self.tree() {
            self.write_item(f, depth, item, &tasks[item.index()])?;
        }
        let waves = self.waves();
        if !waves.is_empty() {
            writeln!(f, "waves")?;
        }
        for (number, wave) in waves.iter().enumerate() {
            writeln!(f, "  {}: {}", number + 1, self.names(wave))?;
        }
        writeln!(f, "tasks")?;
        for index in 0..self.tasks.len() {
            let id = TaskId::at(index);
            let task = self.task(id);
            write!(f, "  {}", self.task_name(id))?;
            if !task.needs.is_empty() {
                let needs: Vec<_> = task.needs.iter().map(|need| self.task_name(*need)).collect();
                write!(f, " needs {}", needs.join(", "))?;
            }
            if let Some(time) = task.not_before {
                write!(f, " not before {time}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
