//! What is owed, kept up to date as tasks change, so that asking costs what is owed and not what
//! there is.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::id::TaskId;
use crate::plan::Plan;
use crate::task::TaskState;

/// Which tasks are undone rather than done.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Turned {
    /// All but those that stay.
    pub(super) is_whole: bool,
    /// These, where not all are.
    pub(super) tasks: BTreeSet<TaskId>,
    /// What stays done all the same: work past a point of no return, and what it needed.
    pub(super) stays: BTreeSet<TaskId>,
}

impl Turned {
    /// Whether a task is undone rather than done.
    pub(super) fn is(&self, task: TaskId) -> bool {
        (self.is_whole || self.tasks.contains(&task)) && !self.stays.contains(&task)
    }
}

/// What is owed, so that `due` need not look at every task after every event. It holds nothing
/// that could not be derived: `ReadySet::derive` is its definition, and a test holds it to that.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ReadySet {
    /// The tasks that need a task.
    pub(super) dependents: Arc<Vec<Vec<TaskId>>>,
    /// How many tasks stand before it: of one that has not begun, needs that are not settled; of
    /// one that is undone, dependents that are undone too and not settled.
    pub(super) blockers: Vec<u32>,
    /// Tasks without a blocker that are not settled.
    pub(super) active: BTreeSet<TaskId>,
    /// How long each task and all that follows it take if all goes well; empty if no step states a
    /// duration, and when all is undone.
    pub(super) left_ms: Arc<Vec<u64>>,
    /// How many tasks are not settled: not done, or not clear where they are undone.
    pub(super) unsettled: usize,
}

impl ReadySet {
    /// Derives what is owed from the states alone.
    pub(super) fn derive(plan: &Plan, tasks: &[TaskState], turned: &Turned) -> Self {
        let mut dependents = vec![Vec::new(); tasks.len()];
        for (index, task) in plan.tasks.iter().enumerate() {
            for need in &task.needs {
                dependents[need.index()].push(TaskId::at(index));
            }
        }
        let mut watch = Self {
            dependents: Arc::new(dependents),
            blockers: vec![0; tasks.len()],
            ..Self::default()
        };
        if !turned.is_whole && plan.steps.iter().any(|step| step.expected_ms.is_some()) {
            watch.left_ms = Arc::new(left_ms(plan, &watch.dependents));
        }
        for task in (0..tasks.len()).map(TaskId::at) {
            watch.look(plan, tasks, turned, task);
        }
        let settled = |task: &TaskId| is_settled(tasks, turned, *task);
        watch.unsettled = (0..tasks.len()).map(TaskId::at).filter(|task| !settled(task)).count();
        watch
    }

    /// Follows the change of one task.
    pub(super) fn changed(
        &mut self,
        plan: &Plan,
        tasks: &[TaskState],
        turned: &Turned,
        task: TaskId,
    ) {
        if !is_settled(tasks, turned, task) || !self.active.remove(&task) {
            return;
        }
        self.unsettled -= 1;
        let dependents = Arc::clone(&self.dependents);
        let after = dependents[task.index()].iter().filter(|next| waits(tasks, turned, **next));
        let before = plan.task(task).needs.iter();
        let before = before.filter(|next| turned.is(task) && turned.is(**next));
        for next in after.chain(before) {
            self.blockers[next.index()] -= 1;
            if self.blockers[next.index()] == 0 && !is_settled(tasks, turned, *next) {
                self.active.insert(*next);
            }
        }
    }

    /// Follows that more tasks are undone from now on: looks anew at them and their neighbours.
    pub(super) fn turn(
        &mut self,
        plan: &Plan,
        tasks: &[TaskState],
        turned: &Turned,
        more: &BTreeSet<TaskId>,
    ) {
        let dependents = Arc::clone(&self.dependents);
        for task in more {
            let was = is_settled(tasks, &Turned::default(), *task);
            let is = is_settled(tasks, turned, *task);
            self.unsettled = self.unsettled + usize::from(!is) - usize::from(!was);
            // A task of the whole order may need many: its count is moved, not made anew.
            let after = dependents[task.index()].iter();
            for next in after.filter(|next| waits(tasks, turned, **next)) {
                let blockers = &mut self.blockers[next.index()];
                *blockers = *blockers + u32::from(!is) - u32::from(!was);
                self.sort(tasks, turned, *next);
            }
        }
        for task in more {
            self.look(plan, tasks, turned, *task);
            for need in plan.task(*task).needs.iter().filter(|need| !more.contains(need)) {
                self.look(plan, tasks, turned, *need);
            }
        }
    }

    /// Counts what stands before a task.
    fn look(&mut self, plan: &Plan, tasks: &[TaskState], turned: &Turned, task: TaskId) {
        let open = |next: &&TaskId| !is_settled(tasks, turned, **next);
        let count = if turned.is(task) {
            let after = self.dependents[task.index()].iter();
            after.filter(|next| turned.is(**next)).filter(open).count()
        } else if waits(tasks, turned, task) {
            plan.task(task).needs.iter().filter(open).count()
        } else {
            0
        };
        self.blockers[task.index()] = u32::try_from(count).unwrap_or(u32::MAX);
        self.sort(tasks, turned, task);
    }

    /// Puts a task among the active ones, or not.
    fn sort(&mut self, tasks: &[TaskState], turned: &Turned, task: TaskId) {
        if self.blockers[task.index()] == 0 && !is_settled(tasks, turned, task) {
            self.active.insert(task);
        } else {
            self.active.remove(&task);
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

/// Whether a task that is to be done has not begun. What has begun goes on, even if what it came
/// after is undone meanwhile: that can only be what it did not rely on.
fn waits(tasks: &[TaskState], turned: &Turned, task: TaskId) -> bool {
    !turned.is(task) && matches!(tasks[task.index()], TaskState::Pending)
}

/// Whether nothing is owed for a task, in the direction in which it goes. A task that an
/// operator gave up is settled in both.
pub(super) fn is_settled(tasks: &[TaskState], turned: &Turned, task: TaskId) -> bool {
    let state = &tasks[task.index()];
    if turned.is(task) {
        state.is_clear()
    } else {
        state.is_done() || matches!(state, TaskState::GivenUp { .. })
    }
}
