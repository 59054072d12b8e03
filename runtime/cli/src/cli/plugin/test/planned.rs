//! The plan of a play: one item with the task, and a task after it that the kit carries out itself.

use std::collections::BTreeMap;

use model::plan::{Action, Item, Level, OnFailure, Retry, Step, Task, Work};
use model::{ItemId, Plan, PluginId, SpecId};
use serde_json::Value;

use super::bench::{Bench, TASK};
use super::case;
use super::json::Json;

/// The request to a plugin.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) action: Action,
    pub(super) characteristics: &'a BTreeMap<String, Json>,
    pub(super) input: &'a Json,
    pub(super) work: Work,
}

/// How failures of the task are treated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    pub(super) timeout_ms: u64,
    pub(super) attempts: u32,
    pub(super) on_failure: OnFailure,
}

/// The plan for what a plugin is asked for.
pub(super) fn plan(bench: &Bench, asked: Asked<'_>, policy: Policy) -> Plan {
    let plugin = &bench.plugin;
    let mut item =
        Item::new(Level::ResourceService, SpecId::new(&bench.case.written.task.spec), "1");
    item.action = asked.action;
    let filled = |json: &Json| json.replaced(&|text| bench.fill(text)).0;
    let characteristics = asked.characteristics.iter();
    item.characteristics =
        characteristics.map(|(name, value)| (name.to_owned(), filled(value))).collect();
    let input = filled(asked.input);
    let step = |name: &str, plugin: PluginId, input: Value| Step {
        workflow: "test".into(),
        step: name.into(),
        plugin,
        input,
        timeout_ms: policy.timeout_ms,
        retry: Retry { attempts: policy.attempts, first_ms: 1_000, max_ms: 60_000 },
        on_failure: policy.on_failure,
        undo: bench.subject.can_undo,
        point_of_no_return: false,
        milestone: None,
        expected_ms: None,
    };
    let task =
        |step, needs, work| Task { item: Some(ItemId(0)), step, needs, not_before: None, work };
    let later = PluginId::new("later");
    Plan {
        plugins: [(plugin.id.clone(), plugin.digest.clone())].into(),
        steps: vec![step("run", plugin.id.clone(), input), step("later", later, Value::Null)],
        items: vec![item],
        tasks: vec![task(0, Vec::new(), asked.work), task(1, vec![TASK], Work::Do)],
        ..Plan::default()
    }
}

pub(super) fn action(action: case::Action) -> Action {
    match action {
        case::Action::Add => Action::Add,
        case::Action::Modify => Action::Modify,
        case::Action::Delete => Action::Delete,
        case::Action::NoChange => Action::NoChange,
    }
}
