//! A fulfilment with its journal, held to what must be true after every commit.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use super::super::*;
use crate::id::{Digest, ItemId, PluginId, SpecId};
use crate::plan::{Item, Level, OnFailure, PriorWork, Retry, Step, Task, Work};

pub(super) struct History {
    pub fulfilment: Fulfilment,
    pub records: Vec<Record>,
}

impl History {
    pub(super) fn submitted() -> Self {
        let kind = Kind::Run { workflow: "play".into() };
        let document = Arc::new(json!({ "n": 1 }));
        let event = Event::Submitted { kind: kind.clone(), document, activation: None };
        let mut fulfilment =
            Fulfilment::new(FulfilmentId::new("f-1"), kind, json!({ "n": 1 }), Timestamp(0));
        fulfilment.records = 1;
        Self { fulfilment, records: vec![Record::new(Timestamp(0), vec![event])] }
    }

    pub(super) fn of_plan(plan: Plan) -> Self {
        let mut history = Self::submitted();
        history.commit(Timestamp(0), vec![Event::Planned { plan: Arc::new(plan) }]).unwrap();
        history
    }

    /// Checks, records, acts, as the engine does: all of the events or none.
    pub(super) fn commit(&mut self, at: Timestamp, events: Vec<Event>) -> Result<(), ApplyError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut next = self.fulfilment.clone();
        for event in &events {
            let before = next.clone();
            if let Err(error) = next.apply(at, event) {
                assert_eq!(next, before, "a refused event changes nothing");
                return Err(error);
            }
            assert_order(&before, event);
        }
        next.recorded(at, &events);
        self.fulfilment = next;
        self.records.push(Record::new(at, events));
        self.assert_sound(at);
        Ok(())
    }

    fn assert_sound(&self, now: Timestamp) {
        let state = &self.fulfilment;
        let bytes: Vec<Vec<u8>> =
            self.records.iter().map(|record| record.encode().unwrap()).collect();
        let read: Vec<Record> = bytes.iter().map(|bytes| Record::decode(bytes).unwrap()).collect();
        assert_eq!(read, self.records, "records are read as they were written");
        let folded = Fulfilment::fold(state.id.clone(), &read).unwrap();
        assert_eq!(&folded, state, "the state is the fold over the journal");
        assert_eq!(folded.due_at(now), state.due_at(now), "what is owed is the same after a crash");
        let watch = ReadySet::derive(&state.plan, &state.tasks, &state.turned);
        assert_eq!(state.ready, watch, "what is watched can be derived");
        self.assert_wakes(now);
    }

    /// Whatever waits has a time at which it goes on, a callback, or a person.
    fn assert_wakes(&self, now: Timestamp) {
        let state = &self.fulfilment;
        let lies = matches!(state.phase, Phase::Submitted | Phase::Held(_) | Phase::Ended(..));
        if lies || state.is_held() || !state.due_at(now).is_empty() {
            return;
        }
        let at = state.wake_at(now).expect("what waits has a time to wake");
        assert!(at > now, "it wakes later, not now");
        assert!(!state.due_at(at).is_empty(), "something is owed when it wakes");
        assert!(state.due_at(Timestamp(at.0 - 1)).is_empty(), "nothing is owed sooner");
    }
}

/// Work begins after what it needs, is undone before what it needs, and what is to be undone does
/// not begin.
fn assert_order(before: &Fulfilment, event: &Event) {
    let Some(task) = event.task() else {
        return;
    };
    let state = &before.tasks[task.index()];
    let undone = matches!(
        event,
        Event::Undone { .. }
            | Event::UndoWaiting { .. }
            | Event::UndoRetrying { .. }
            | Event::UndoFailed { .. }
    );
    let is_turned = before.is_turned(task);
    if undone {
        assert!(is_turned, "nothing is undone that goes on");
        for (index, other) in before.plan.tasks.iter().enumerate() {
            let relies = super::super::lines::relies(&before.plan, TaskId::at(index), task);
            let clear = before.tasks[index].is_clear() || !relies;
            assert!(clear || !other.needs.contains(&task), "what needs it is undone first");
        }
    } else if matches!(state, TaskState::Pending | TaskState::Retrying { .. }) {
        assert!(!is_turned, "nothing begins that is to be undone");
        for need in &before.plan.task(task).needs {
            let state = &before.tasks[need.index()];
            let is_over = state.is_done() || matches!(state, TaskState::GivenUp { .. });
            let has_begun = matches!(before.tasks[task.index()], TaskState::Retrying { .. });
            let is_over = is_over || (before.is_turned(*need) && (state.is_clear() || has_begun));
            assert!(is_over, "needs come first");
            let relies = super::super::lines::relies(&before.plan, task, *need);
            assert!(!relies || !before.is_turned(*need), "what relies on it is rolled back too");
        }
    }
}

/// A task of a plan with a policy of its own.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub needs: Vec<TaskId>,
    pub attempts: u32,
    pub on_failure: OnFailure,
    pub point_of_no_return: bool,
    pub not_before: Option<Timestamp>,
    /// The lines that it serves; none for a task of the whole order.
    pub lines: BTreeSet<String>,
    /// Whether it undoes earlier work.
    pub undoes: bool,
}

/// A plan of these tasks, each made from a step of the same name. A task that serves several lines
/// is for an item that they share.
pub(super) fn plan(tasks: &[(String, Policy)]) -> Plan {
    let items = items(tasks);
    let steps = tasks.iter().map(|(name, policy)| Step {
        workflow: "play".into(),
        step: name.clone(),
        plugin: PluginId::new("noop"),
        input: Value::Null,
        timeout_ms: 1_000,
        retry: Retry { attempts: policy.attempts, first_ms: 1_000, max_ms: 3_000 },
        on_failure: policy.on_failure,
        undo: true,
        point_of_no_return: policy.point_of_no_return,
        milestone: None,
        expected_ms: None,
    });
    let made = tasks.iter().enumerate().map(|(index, (_, policy))| Task {
        item: items.iter().position(|item| item.name == named(policy)).map(ItemId::at),
        step: u32::try_from(index).unwrap(),
        needs: policy.needs.clone(),
        not_before: policy.not_before,
        work: if policy.undoes { Work::Undo(Box::new(made())) } else { Work::Do },
    });
    let tasks = made.collect();
    let plugins = [(PluginId::new("noop"), Digest::new("noop"))].into();
    Plan { steps: steps.collect(), items: items.clone(), tasks, plugins, ..Plan::default() }
}

fn named(policy: &Policy) -> String {
    policy.lines.iter().cloned().collect::<Vec<_>>().join("+")
}

fn items(tasks: &[(String, Policy)]) -> Vec<Item> {
    let lines: BTreeSet<&String> = tasks.iter().flat_map(|(_, policy)| &policy.lines).collect();
    let mut items: Vec<Item> = lines.iter().map(|line| item(line, Vec::new())).collect();
    for (_, policy) in tasks.iter().filter(|(_, policy)| policy.lines.len() > 1) {
        let name = named(policy);
        if items.iter().all(|item| item.name != name) {
            let parents =
                lines.iter().enumerate().filter(|(_, line)| policy.lines.contains(**line));
            items.push(item(&name, parents.map(|(index, _)| ItemId::at(index)).collect()));
        }
    }
    items
}

fn made() -> PriorWork {
    let (input, outputs) = (Map::new(), Map::new());
    PriorWork {
        step: 0,
        key: "earlier:0".into(),
        input,
        outputs,
        reservations: Vec::new(),
        change: None,
        characteristics: None,
        if_changed: false,
        if_moved: false,
    }
}

fn item(name: &str, parents: Vec<ItemId>) -> Item {
    Item { title: String::new(), parents, ..Item::new(Level::Resource, SpecId::new(name), name) }
}
