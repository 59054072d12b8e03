//! Random items, which share one another, and tasks that change at random: what is kept is what a
//! look at every task tells.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::id::{PluginId, SpecId, TaskId};
use crate::outcome::{Failure, FailureClass};
use crate::plan::{Item, Level, OnFailure, Retry, Step, Task, Work};
use crate::{Event, FulfilmentId, Kind};
use tmf::time::Timestamp;

/// Items, each of which has any of the others as parents in an order that is not that of the plan,
/// and tasks for any of them.
fn plans() -> impl Strategy<Value = Plan> {
    let items = prop::collection::vec(any::<u8>(), 1..9);
    let shuffled = Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle();
    let tasks = prop::collection::vec(prop::option::of(0..8_usize), 1..12);
    (items, shuffled, tasks).prop_map(|(parents, rank, tasks)| {
        let count = parents.len().min(rank.len());
        let rank: Vec<usize> = rank.into_iter().filter(|rank| *rank < count).collect();
        let items = (0..count).map(|index| {
            let is_parent =
                |other: &usize| parents[index] & (1 << other) != 0 && rank[*other] < rank[index];
            item((0..count).filter(is_parent).map(ItemId::at).collect())
        });
        Plan {
            steps: vec![step()],
            items: items.collect(),
            tasks: tasks.into_iter().map(|item| task(item.map(|item| item % count))).collect(),
            ..Plan::default()
        }
    })
}

fn item(parents: Vec<ItemId>) -> Item {
    Item { parents, ..Item::new(Level::ResourceService, SpecId::new("S"), "1") }
}

fn step() -> Step {
    Step {
        workflow: "w".into(),
        step: "s".into(),
        plugin: PluginId::new("p"),
        input: Value::Null,
        timeout_ms: 1,
        retry: Retry { attempts: 2, first_ms: 1, max_ms: 1 },
        on_failure: OnFailure::Hold,
        undo: true,
        point_of_no_return: false,
        milestone: None,
        expected_ms: None,
    }
}

fn task(item: Option<usize>) -> Task {
    Task {
        item: item.map(ItemId::at),
        step: 0,
        needs: Vec::new(),
        not_before: None,
        work: Work::Do,
    }
}

/// The state of an item by a look at every task of everything below it.
fn looked_up(fulfilment: &Fulfilment, item: ItemId) -> &'static str {
    let plan = &fulfilment.plan;
    let mut below = std::collections::BTreeSet::from([item]);
    while let Some(more) = (0..plan.items.len()).map(ItemId::at).find(|id| {
        let parents = &plan.items[id.index()].parents;
        !below.contains(id) && parents.iter().any(|parent| below.contains(parent))
    }) {
        below.insert(more);
    }
    let of_item = plan.tasks.iter().zip(&fulfilment.tasks);
    let of_item = of_item.filter(|(task, _)| task.item.is_some_and(|item| below.contains(&item)));
    let states: Vec<&TaskState> = of_item.map(|(_, state)| state).collect();
    assert_eq!(fulfilment.has_tasks(item), !states.is_empty());
    if states.iter().any(|state| has_failed(state) || is_stuck(state)) {
        "held"
    } else if states.iter().all(|state| state.is_done()) {
        "completed"
    } else if states.iter().any(|state| is_begun(state)) {
        "inProgress"
    } else {
        "acknowledged"
    }
}

/// What may happen to a task, by a number; what its state does not allow is refused.
fn happening(task: TaskId, number: u8) -> Event {
    let failure = Failure::new(FailureClass::Operator, "CODE", "why");
    match number % 5 {
        0 | 1 => Event::Started { task, attempt: 1 },
        2 => Event::Failed { task, attempt: 1, failure },
        3 => Event::Retried { task },
        _ => Event::Succeeded {
            task,
            attempt: 1,
            outputs: serde_json::Map::new(),
            reservations: Vec::new(),
        },
    }
}

proptest! {
    #[test]
    fn the_state_of_an_item_follows_from_every_task_below_it(
        plan in plans(),
        happens in prop::collection::vec((any::<u8>(), any::<u8>()), 0..40),
    ) {
        let id = FulfilmentId::new("f");
        let mut fulfilment = Fulfilment::new(id, Kind::ProductOrder, Value::Null, Timestamp(0));
        let planned = Event::Planned { plan: std::sync::Arc::new(plan) };
        fulfilment.apply(Timestamp(0), &planned).unwrap();
        for (task, number) in happens {
            let task = TaskId::at(usize::from(task) % fulfilment.tasks.len());
            // What is refused changes nothing.
            drop(fulfilment.apply(Timestamp(1), &happening(task, number)));
            let derived = Progress::derive(&fulfilment.plan, &fulfilment.tasks);
            prop_assert_eq!(&fulfilment.progress, &derived);
            for item in (0..fulfilment.plan.items.len()).map(ItemId::at) {
                prop_assert_eq!(fulfilment.item_state(item).as_str(), looked_up(&fulfilment, item));
                let children = fulfilment.children_of(item).collect::<Vec<_>>();
                prop_assert_eq!(children, fulfilment.plan.children_of(item).collect::<Vec<_>>());
                let tasks = fulfilment.tasks_of(item).collect::<Vec<_>>();
                prop_assert_eq!(tasks, fulfilment.plan.tasks_of(item).collect::<Vec<_>>());
            }
        }
    }
}
