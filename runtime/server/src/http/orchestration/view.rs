//! A fulfilment as clients see it: its progress, its plan with the state of each task, and when
//! each task began and ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use model::{Event, Failure, Fulfilment, Kind, TaskId, TaskState};
use serde_json::{Map, Value, json};
use tmf::time::Timestamp;

use super::journal::{self, Show};
use super::{BASE, find, waiting};
use crate::http::call::{Call, time};
use crate::http::masked::Personal;
use crate::http::problem::{Answer, Problem};
use crate::http::{ServerState, addresses, answer, resources};

/// Answers with a fulfilment, with its journal if the client asks for it.
pub(super) async fn get(server: &ServerState, mut call: Call, id: &str) -> Answer {
    let fulfilment = find(server, &call, id).await?;
    if let Some(wait) = waiting::wanted(&call)? {
        let (status, fulfilment) =
            waiting::waited(server, &mut call, fulfilment.id(), wait).await?;
        return Ok(answer::json(status, &brief(server, &call, &fulfilment).await?));
    }
    let call = &call;
    let body = full(server, call, &fulfilment).await?;
    Ok(answer::json(StatusCode::OK, &body))
}

/// Answers with the plan as text.
pub(super) async fn plan(server: &ServerState, call: &Call, id: &str) -> Answer {
    Ok(answer::text(find(server, call, id).await?.plan().to_string()))
}

/// A fulfilment with the times of its tasks, from its journal.
pub(super) async fn full(
    server: &ServerState,
    call: &Call,
    fulfilment: &Arc<Fulfilment>,
) -> Result<Value, Problem> {
    let wants_journal = call.query.is_true("journal");
    let (id, mut show) = (fulfilment.id().clone(), Show::with(fulfilment.plan()));
    let read = server.documents.read(move |session| {
        let (mut times, mut records) = (BTreeMap::new(), Vec::new());
        journal::each(session.store(), &id, |number, record| {
            for event in &record.events {
                note(&mut times, event, record.at);
            }
            if wants_journal {
                records.push(show.record(number, record));
            }
        })?;
        Ok::<_, Problem>((times, records))
    });
    let (times, records) = read.await?;
    let mut body = head(fulfilment, &call.base);
    let may_answer = addresses::may_answer(&call.admitted);
    let tasks = (0..fulfilment.tasks().len()).map(TaskId::at).map(|id| {
        let mut task = task(fulfilment, id);
        if let Some(times) = times.get(&id) {
            times.write(&mut task);
        }
        if let TaskState::Waiting { wait, .. } | TaskState::UndoWaiting { wait, .. } =
            &fulfilment.tasks()[id.index()]
            && may_answer
        {
            let at = wait
                .keys
                .iter()
                .map(|key| answered_at(server, call, fulfilment, (id, key.as_str())));
            task.insert("answersAt".into(), at.collect());
        }
        Value::Object(task)
    });
    let tasks = tasks.collect();
    set(&mut body, "tasks", tasks);
    set(&mut body, "items", items(fulfilment));
    set(&mut body, "waves", waves(fulfilment));
    if wants_journal {
        set(&mut body, "journal", Value::Array(records));
    }
    shown(server, call, fulfilment, body).await
}

/// The address of the callback of a task with a key.
fn answered_at(
    server: &ServerState,
    call: &Call,
    fulfilment: &Fulfilment,
    (task, key): (TaskId, &str),
) -> String {
    let name = fulfilment.callback_name(task, key);
    let address = match name.contains('/') {
        true => name,
        false => server.engine.addresses().of(&name),
    };
    format!("{}{BASE}/callbacks/{address}", call.base)
}

/// A fulfilment without its tasks and items; a run has the outputs of its steps.
pub(super) async fn brief(
    server: &ServerState,
    call: &Call,
    fulfilment: &Arc<Fulfilment>,
) -> Result<Value, Problem> {
    shown(server, call, fulfilment, head(fulfilment, &call.base)).await
}

/// Logs and exchanges of a fulfilment without what is hidden from the client.
pub(super) async fn written(
    server: &ServerState,
    call: &Call,
    fulfilment: &Arc<Fulfilment>,
    texts: Value,
) -> Result<Value, Problem> {
    let hidden = Personal::hidden(&server.documents, &call.admitted, fulfilment).await?;
    Ok(addresses::masked(server.engine.addresses(), &call.admitted, hidden.masked(texts)))
}

/// A view of it without what is hidden from the client.
async fn shown(
    server: &ServerState,
    call: &Call,
    fulfilment: &Arc<Fulfilment>,
    body: Value,
) -> Result<Value, Problem> {
    let hidden = Personal::hidden(&server.documents, &call.admitted, fulfilment).await?;
    let body = hidden.masked_contents(body);
    Ok(addresses::masked(server.engine.addresses(), &call.admitted, body))
}

fn head(fulfilment: &Fulfilment, base: &str) -> Value {
    let path = match fulfilment.kind() {
        Kind::Run { .. } => "runs",
        Kind::ProductOrder | Kind::ServiceOrder | Kind::ResourceOrder => "fulfilments",
    };
    let done = fulfilment.tasks().iter().filter(|state| state.is_done()).count();
    let mut body = json!({
        "id": fulfilment.id(),
        "href": format!("{base}{BASE}/{path}/{}", fulfilment.id()),
        "kind": fulfilment.root_resource().unwrap_or("run"),
        "state": state(fulfilment),
        "submittedAt": time(fulfilment.submitted_at()),
        "updatedAt": time(fulfilment.updated_at()),
        "records": fulfilment.records(),
        "tasksTotal": fulfilment.tasks().len(),
        "tasksDone": done,
        "packs": fulfilment.plan().packs,
        "plugins": fulfilment.plan().plugins,
    });
    if fulfilment.is_unplanned() {
        let waits: Vec<_> = fulfilment.after().iter().chain(fulfilment.behind()).collect();
        set(&mut body, "waitsFor", json!(waits));
    }
    if let Some(ended_at) = fulfilment.ended_at() {
        set(&mut body, "endedAt", time(ended_at));
        let ms = ended_at.ms_since(fulfilment.submitted_at());
        set(&mut body, "durationMs", json!(ms));
    }
    let failures: Vec<Value> = fulfilment
        .failures()
        .into_iter()
        .map(|fault| {
            let mut body = failed(&fault.failure, fault.task.map(|_| fault.name));
            let place = fault.task.map(|task| fulfilment.place_of(task)).unwrap_or_default();
            for (name, value) in [("item", place.item), ("element", place.element)] {
                if let Some(value) = value {
                    set(&mut body, name, json!(value));
                }
            }
            let lines = fault.lines.iter().map(|line| &*fulfilment.plan().items[line.index()].line);
            let lines: Vec<&str> = lines.collect();
            if !lines.is_empty() {
                set(&mut body, "lines", json!(lines));
            }
            body
        })
        .collect();
    if !failures.is_empty() {
        set(&mut body, "failures", Value::Array(failures));
    }
    match fulfilment.kind() {
        Kind::Run { workflow } => {
            set(&mut body, "workflow", json!(workflow));
            set(&mut body, "input", json!(**fulfilment.document()));
            set(&mut body, "outputs", outputs(fulfilment));
        }
        Kind::ProductOrder | Kind::ServiceOrder | Kind::ResourceOrder => {
            set(&mut body, "orders", orders(fulfilment, base));
        }
    }
    body
}

/// The phase; `held` if everything waits for an operator.
pub(super) fn state(fulfilment: &Fulfilment) -> &'static str {
    if fulfilment.is_held() { "held" } else { fulfilment.phase().name() }
}

fn orders(fulfilment: &Fulfilment, base: &str) -> Value {
    let orders = fulfilment.order_resources().map(|resource| {
        let (path, id) = (resources::path(resource), fulfilment.id());
        json!({
            "resource": resource,
            "id": id,
            "href": format!("{base}{path}/{id}"),
            "state": fulfilment.order_state(),
        })
    });
    orders.collect()
}

fn outputs(fulfilment: &Fulfilment) -> Value {
    let mut outputs = BTreeMap::new();
    for (index, state) in fulfilment.tasks().iter().enumerate() {
        if let TaskState::Done(yielded) = state {
            let step = fulfilment.plan().step(TaskId::at(index)).step.as_str();
            outputs.insert(step, &yielded.outputs);
        }
    }
    json!(outputs)
}

fn items(fulfilment: &Fulfilment) -> Value {
    let plan = fulfilment.plan();
    let name = |id: &model::ItemId| plan.items.get(id.index()).map(|item| item.name.as_str());
    let items = plan.items.iter().enumerate().map(|(index, item)| {
        json!({
            "name": item.name,
            "level": item.level,
            "line": item.line,
            "spec": item.spec,
            "title": item.title,
            "action": item.action,
            "state": fulfilment.item_state(model::ItemId::at(index)),
            "parents": item.parents.iter().filter_map(name).collect::<Vec<_>>(),
            "needs": item.needs.iter().filter_map(name).collect::<Vec<_>>(),
            "characteristics": item.characteristics,
        })
    });
    items.collect()
}

fn waves(fulfilment: &Fulfilment) -> Value {
    let plan = fulfilment.plan();
    let names = plan.waves().into_iter().map(|wave| {
        wave.iter().map(|id| json!(plan.items[id.index()].name)).collect::<Vec<Value>>()
    });
    names.map(Value::Array).collect()
}

fn task(fulfilment: &Fulfilment, id: TaskId) -> Map<String, Value> {
    let plan = fulfilment.plan();
    let (step, state) = (plan.step(id), &fulfilment.tasks()[id.index()]);
    let needs = plan.task(id).needs.iter().map(|need| plan.task_name(*need));
    let mut task = Map::new();
    let mut set = |name: &str, value: Value| {
        task.insert(name.into(), value);
    };
    set("id", json!(id));
    set("name", json!(plan.task_name(id)));
    set("workflow", json!(step.workflow));
    set("step", json!(step.step));
    set("plugin", json!(step.plugin));
    set("state", json!(state.name()));
    set("needs", needs.collect());
    if let Some(item) = plan.item_of(id) {
        set("item", json!(item.name));
    }
    if let Some(at) = plan.task(id).not_before {
        set("notBefore", time(at));
    }
    match state {
        TaskState::Waiting { attempt, wait, until } => {
            set("attempt", json!(attempt));
            set("waitsFor", json!(wait.keys));
            set("waitsUntil", time(*until));
        }
        TaskState::Running { attempt }
        | TaskState::CalledBack { attempt, .. }
        | TaskState::Failed { attempt, .. } => set("attempt", json!(attempt)),
        TaskState::Retrying { attempt, at, .. } => {
            set("attempt", json!(attempt));
            set("retryAt", time(*at));
        }
        TaskState::Undoing { attempt, at, .. } => {
            set("undoAttempt", json!(attempt));
            set("retryAt", time(*at));
        }
        TaskState::Done(yielded) => {
            set("outputs", json!(yielded.outputs));
            if !yielded.reservations.is_empty() {
                set("reservations", json!(yielded.reservations));
            }
        }
        TaskState::UndoWaiting { attempt, wait, until, .. } => {
            set("undoAttempt", json!(attempt));
            set("waitsFor", json!(wait.keys));
            set("waitsUntil", time(*until));
        }
        TaskState::UndoCalledBack { attempt, .. } => set("undoAttempt", json!(attempt)),
        TaskState::GivenUp { task_output, released, .. } => {
            if !task_output.reservations.is_empty() {
                set(
                    if *released { "released" } else { "reservations" },
                    json!(task_output.reservations),
                );
            }
        }
        TaskState::Stuck { task_output, .. } => {
            if !task_output.reservations.is_empty() {
                set("reservations", json!(task_output.reservations));
            }
        }
        TaskState::Pending | TaskState::Undone => {}
    }
    if let Some(failure) = state.failure() {
        set("failure", failed(failure, None));
    }
    task
}

/// A failure, with the task's name if it is in a list of all.
pub(super) fn failed(failure: &Failure, task: Option<String>) -> Value {
    let mut body = json!(failure);
    if let Some(task) = task {
        set(&mut body, "task", json!(task));
    }
    body
}

/// When a task began and ended, according to the journal: the begin of a task without effects is
/// not recorded.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    attempt: u32,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
}

fn note(times: &mut BTreeMap<TaskId, Times>, event: &Event, at: Timestamp) {
    match event {
        Event::Started { task, attempt } | Event::Waiting { task, attempt, .. } => {
            let times = times.entry(*task).or_default();
            times.attempt = *attempt;
            times.started.get_or_insert(at);
        }
        Event::Succeeded { task, attempt, .. }
        | Event::Failed { task, attempt, .. }
        | Event::Retrying { task, attempt, .. } => {
            let times = times.entry(*task).or_default();
            times.attempt = *attempt;
            times.ended = (!matches!(event, Event::Retrying { .. })).then_some(at);
        }
        Event::Undone { task }
        | Event::GivenUp { task, .. }
        | Event::CompletedByHand { task, .. } => times.entry(*task).or_default().ended = Some(at),
        Event::Submitted { .. }
        | Event::Awaiting { .. }
        | Event::Planned { .. }
        | Event::Held { .. }
        | Event::Rejected { .. }
        | Event::CalledBack { .. }
        | Event::Retried { .. }
        | Event::RollingBack { .. }
        | Event::RollingBackLines { .. }
        | Event::Cancelling { .. }
        | Event::CancelRefused { .. }
        | Event::Patched { .. }
        | Event::Alerted { .. }
        | Event::Moved { .. }
        | Event::UndoWaiting { .. }
        | Event::UndoRetrying { .. }
        | Event::UndoFailed { .. }
        | Event::Ended { .. } => {}
    }
}

impl Times {
    fn write(self, task: &mut Map<String, Value>) {
        task.entry("attempt").or_insert(json!(self.attempt));
        if let Some(at) = self.started {
            task.insert("startedAt".into(), time(at));
        }
        if let Some(at) = self.ended {
            task.insert("endedAt".into(), time(at));
        }
        if let (Some(started), Some(ended)) = (self.started, self.ended) {
            task.insert("durationMs".into(), json!(ended.ms_since(started)));
        }
    }
}

fn set(body: &mut Value, name: &str, value: Value) {
    let fields = body.as_object_mut().expect("a view is made as an object");
    fields.insert(name.into(), value);
}
