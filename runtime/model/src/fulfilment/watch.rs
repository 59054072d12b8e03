//! What is owed, kept up to date as tasks change, so that asking costs what is owed and not what
//! there is.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::id::TaskId;
use crate::plan::Plan;
use crate::task::TaskState;

/// What is owed, so that `due` need not look at every task after every event. It holds nothing
/// that could not be derived: `Watch::derive` is its definition, and a test holds it to that.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Watch {
    /// The tasks that need a task.
    pub(super) dependents: Arc<Vec<Vec<TaskId>>>,
    /// How many tasks stand before it: needs that are not done, or, when unwinding, dependents
    /// that are not clear.
    pub(super) blockers: Vec<u32>,
    /// Tasks without a blocker that are not settled.
    pub(super) active: BTreeSet<TaskId>,
    /// How long each task and what comes after it take when all goes well; empty where no step says
    /// so, and when unwinding.
    pub(super) left_ms: Arc<Vec<u64>>,
    /// How many tasks are not settled: not done, or, when unwinding, not clear.
    pub(super) unsettled: usize,
}

impl Watch {
    /// Derives what is owed from the states alone.
    pub(super) fn derive(plan: &Plan, tasks: &[TaskState], unwinding: bool) -> Self {
        let mut watch = Self {
            dependents: Arc::default(),
            blockers: vec![0; tasks.len()],
            active: BTreeSet::new(),
            left_ms: Arc::default(),
            unsettled: tasks.iter().filter(|state| !settled(state, unwinding)).count(),
        };
        let mut dependents = vec![Vec::new(); tasks.len()];
        for (index, task) in plan.tasks.iter().enumerate() {
            for need in &task.needs {
                dependents[need.index()].push(TaskId::at(index));
                let (before, blocked) =
                    if unwinding { (index, need.index()) } else { (need.index(), index) };
                if !settled(&tasks[before], unwinding) {
                    watch.blockers[blocked] += 1;
                }
            }
        }
        if !unwinding && plan.steps.iter().any(|step| step.expected_ms.is_some()) {
            watch.left_ms = Arc::new(left_ms(plan, &dependents));
        }
        watch.dependents = Arc::new(dependents);
        for (index, state) in tasks.iter().enumerate() {
            if watch.blockers[index] == 0 && !settled(state, unwinding) {
                watch.active.insert(TaskId::at(index));
            }
        }
        watch
    }

    /// Follows the change of one task.
    pub(super) fn changed(
        &mut self,
        plan: &Plan,
        tasks: &[TaskState],
        task: TaskId,
        unwinding: bool,
    ) {
        if !settled(&tasks[task.index()], unwinding) || !self.active.remove(&task) {
            return;
        }
        self.unsettled -= 1;
        let after: &[TaskId] =
            if unwinding { &plan.task(task).needs } else { &self.dependents[task.index()] };
        for next in after {
            self.blockers[next.index()] -= 1;
            if self.blockers[next.index()] == 0 && !settled(&tasks[next.index()], unwinding) {
                self.active.insert(*next);
            }
        }
    }
}

/// How long each task and what comes after it take: the longest way to the end.
fn left_ms(plan: &Plan, dependents: &[Vec<TaskId>]) -> Vec<u64> {
    let mut left = vec![0_u64; plan.tasks.len()];
    // What a task needs stands before it.
    for index in (0..plan.tasks.len()).rev() {
        let after = dependents[index].iter().map(|next| left[next.index()]).max();
        let own = plan.step(TaskId::at(index)).expected_ms.unwrap_or_default();
        left[index] = own.saturating_add(after.unwrap_or_default());
    }
    left
}

/// Whether nothing is owed for a task, in the direction in which the fulfilment goes.
fn settled(state: &TaskState, unwinding: bool) -> bool {
    if unwinding { state.is_clear() } else { state.is_done() }
}
