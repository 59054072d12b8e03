//! The journal of a fulfilment as clients read it: each record with its number and its events, each
//! event with its type and the name of its task.

use engine::keys;
use engine::store::{Scan, Store};
use model::{Event, FulfilmentId, Plan, Record, TaskId};
use serde_json::{Map, Value, json};

use crate::http::call::time;
use crate::http::problem::Problem;

/// Records read from the store at once.
pub(super) const RECORDS_AT_ONCE: usize = 256;

/// The next records from a number on; none at the end.
pub(super) fn read(
    store: &dyn Store,
    id: &FulfilmentId,
    from: u32,
) -> Result<Vec<(u32, Record)>, Problem> {
    let after = from.checked_sub(1).map(|last| keys::journal(id, last));
    let scan = Scan { after, ..Scan::prefix(keys::journal_prefix(id), RECORDS_AT_ONCE) };
    let facts = store.scan(&scan)?;
    let records = facts.iter().map(|(key, bytes)| {
        let number = key.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let number = u32::from_str_radix(&String::from_utf8_lossy(number), 16).unwrap_or(u32::MAX);
        let record = Record::decode(bytes).map_err(|error| Problem::ours(&error))?;
        Ok((number, record))
    });
    records.collect()
}

/// Reads all records of a fulfilment.
pub(super) fn each(
    store: &dyn Store,
    id: &FulfilmentId,
    mut visit: impl FnMut(u32, &Record),
) -> Result<(), Problem> {
    let mut next = 0;
    loop {
        let records = read(store, id, next)?;
        let Some((last, _)) = records.last() else {
            return Ok(());
        };
        next = last.saturating_add(1);
        for (number, record) in &records {
            visit(*number, record);
        }
    }
}

/// Shows records; the names of tasks are in the plan, which the journal has too.
#[derive(Debug, Default)]
pub(super) struct Show {
    names: Vec<String>,
}

impl Show {
    /// Shows records that follow a plan.
    pub(super) fn with(plan: &Plan) -> Self {
        Self { names: names(plan) }
    }

    /// A record as JSON.
    pub(super) fn record(&mut self, number: u32, record: &Record) -> Value {
        let events: Vec<Value> = record.events.iter().map(|event| self.event(event)).collect();
        json!({ "number": number, "at": time(record.at), "events": events })
    }

    fn event(&mut self, event: &Event) -> Value {
        let mut fields = inner(event);
        if let Event::Planned { plan } = event {
            self.names = names(plan);
            // The plan is read for itself; here it is only needed for names.
            let items: Vec<&str> = plan.items.iter().map(|item| item.name.as_str()).collect();
            let shown = json!({
                "items": items,
                "tasks": self.names,
                "packs": plan.packs,
                "plugins": plan.plugins,
            });
            fields.insert("plan".into(), shown);
        }
        fields.insert("type".into(), json!(event.name()));
        if let Some(task) = event.task() {
            fields.insert("task".into(), json!(self.name(task)));
            fields.insert("taskId".into(), json!(task));
        }
        Value::Object(fields)
    }

    fn name(&self, task: TaskId) -> &str {
        self.names.get(task.index()).map_or("", String::as_str)
    }
}

fn names(plan: &Plan) -> Vec<String> {
    (0..plan.tasks.len()).map(|index| plan.task_name(TaskId::at(index))).collect()
}

/// The content of an event: its journal form without the outer name.
fn inner(event: &Event) -> Map<String, Value> {
    let outer = serde_json::to_value(event).unwrap_or_default();
    let inner = outer.as_object().and_then(|outer| outer.values().next());
    inner.and_then(Value::as_object).cloned().unwrap_or_default()
}
