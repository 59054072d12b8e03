//! Moves open work to another version of a plugin. Nothing of the past changes: an attempt that was begun
//! ends, or is found out about, with the version that it began with.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Fulfilment, Phase};
use crate::id::{Digest, PluginId, TaskId};
use crate::journal::{Decision, Event};
use crate::task::TaskState;

/// Another version of a plugin for open work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The plugin.
    pub plugin: PluginId,
    /// The version that is used.
    pub from: Digest,
    /// The version that is to be used.
    pub to: Digest,
}

/// What open work still asks of a plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// A task may have to be undone.
    pub undo: bool,
    /// A task waits for a callback.
    pub callbacks: bool,
}

impl Fulfilment {
    /// The event of a move; none if the fulfilment has no such version or has ended.
    pub fn moved(&self, to: Move, decision: Decision) -> Vec<Event> {
        let Move { plugin, from, to } = to;
        match self.uses(&plugin, &from) && from != to {
            true => vec![Event::Moved { plugin, from, to, decision }],
            false => Vec::new(),
        }
    }

    /// Whether it is open and its next tasks use a version of a plugin.
    pub fn uses(&self, plugin: &PluginId, digest: &Digest) -> bool {
        let is_open = matches!(self.phase, Phase::Running | Phase::RollingBack(_));
        is_open && self.plan.plugins.get(plugin) == Some(digest)
    }

    /// What its tasks may still ask of a plugin.
    pub fn asks(&self, plugin: &PluginId) -> Asked {
        let mut asked = Asked::default();
        for (index, state) in self.tasks.iter().enumerate() {
            let step = self.plan.step(TaskId::at(index));
            if step.plugin != *plugin {
                continue;
            }
            let is_over = matches!(state, TaskState::Undone | TaskState::GivenUp { .. });
            asked.undo |= step.undo && !is_over;
            asked.callbacks |= matches!(
                state,
                TaskState::Waiting { .. }
                    | TaskState::CalledBack { .. }
                    | TaskState::UndoWaiting { .. }
                    | TaskState::UndoCalledBack { .. }
            );
        }
        asked
    }

    /// The version of its plugin that a task uses.
    pub fn version(&self, task: TaskId) -> Option<&Digest> {
        let pinned = || self.plan.plugins.get(&self.plan.step(task).plugin);
        self.begun_with.get(&task).or_else(pinned)
    }

    /// All versions of plugins that its tasks use.
    pub fn versions(&self) -> BTreeSet<&Digest> {
        self.plan.plugins.values().chain(self.begun_with.values()).collect()
    }

    /// Uses another version from now on; `None` if that of before is not used.
    pub(super) fn follow_move(
        &mut self,
        plugin: &PluginId,
        from: &Digest,
        to: &Digest,
    ) -> Option<()> {
        if !self.uses(plugin, from) || from == to {
            return None;
        }
        for (index, state) in self.tasks.iter().enumerate() {
            let task = TaskId::at(index);
            let is_begun = matches!(state, TaskState::Running { .. });
            if is_begun && self.plan.step(task).plugin == *plugin {
                self.begun_with.entry(task).or_insert_with(|| from.clone());
            }
        }
        let plan = Arc::make_mut(&mut self.plan);
        plan.plugins.get_mut(plugin)?.clone_from(to);
        Some(())
    }
}
