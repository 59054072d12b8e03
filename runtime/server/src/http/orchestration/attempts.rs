//! The attempts of a fulfilment: what each took and did, and for one task also what its plugin was
//! given, what it exchanged with elements, and its log.

use std::sync::Arc;

use axum::http::StatusCode;
use engine::keys;
use engine::store::{Scan, Store};
use engine::telemetry::{Attempt, Exchanges};
use model::fulfilment::Past;
use model::plan::UNDO;
use model::{Fulfilment, FulfilmentId, Operation, TaskId};
use serde_json::{Value, json};

use super::{journal, view};
use crate::access::Admitted;
use crate::http::call::{Call, time};
use crate::http::problem::{Answer, Problem};
use crate::http::rights;
use crate::http::{ServerState, answer};

/// The default and max of attempts in an answer.
const ATTEMPTS_MAX: usize = 1_000;

/// The default and max of attempts of a task in an answer; each may have exchanges and a log.
const ATTEMPTS_OF_TASK_MAX: usize = 20;

/// Facts that are read at once.
const FACTS_AT_ONCE: usize = 256;

/// Answers with the figures of all attempts, in the order of time.
pub(super) async fn all(server: &ServerState, call: &Call, id: &str) -> Answer {
    let fulfilment = found(server, call, id).await?;
    let page = Page::asked(call, ATTEMPTS_MAX)?;
    let (of, admitted) = (Arc::clone(&fulfilment), call.admitted.clone());
    let read = server.documents.read(move |session| {
        let is_own = |task| is_covered(&admitted, &of, task);
        attempts(session.store(), &of, is_own, page)
    });
    let attempts = read.await?;
    let shown = attempts.iter().map(|attempt| figures(&fulfilment, attempt)).collect();
    let shown = view::written(server, call, &fulfilment, shown).await?;
    Ok(answer::json(StatusCode::OK, &shown))
}

/// Answers with all that is known of the attempts of a task.
pub(super) async fn of_task(server: &ServerState, call: &Call, id: &str, task: &str) -> Answer {
    let fulfilment = found(server, call, id).await?;
    let page = Page::asked(call, ATTEMPTS_OF_TASK_MAX)?;
    let mut tasks = (0..fulfilment.tasks().len()).map(TaskId::at);
    let named = tasks.find(|one| fulfilment.plan().task_name(*one) == task);
    let named = named.filter(|task| is_covered(&call.admitted, &fulfilment, *task));
    let missing = || {
        let message = format!("`{id}` has no task `{task}`; `GET fulfilments/{id}` lists them");
        Problem::not_found(message).about("task")
    };
    let task = named.ok_or_else(missing)?;
    let host = server.plugins.host.clone();
    let addresses = server.engine.addresses().clone();
    let of = Arc::clone(&fulfilment);
    let shown = server.documents.read(move |session| {
        let store = session.store();
        let attempts = attempts(store, &fulfilment, |one| one == task, page)?;
        let mut calls = past(store, &fulfilment, task)?;
        let mut shown = Vec::new();
        for attempt in attempts {
            let mut one = figures(&fulfilment, &attempt);
            let key = attempt.exchanges(fulfilment.id());
            let exchanges = read::<Exchanges>(store, &key)?.unwrap_or_default();
            one["exchanges"] = json!(exchanges.kept);
            one["exchangesDropped"] = json!(exchanges.dropped);
            one["log"] = json!(read::<Vec<String>>(store, &attempt.log(fulfilment.id()))?);
            if let Some(past) = take(&mut calls, &attempt) {
                let url = host.callback_url(&addresses.of(&past.request.answer_name));
                one["given"] = given(&fulfilment, past, &url);
            }
            shown.push(one);
        }
        Ok::<_, Problem>(Value::Array(shown))
    });
    let shown = view::written(server, call, &of, shown.await?).await?;
    Ok(answer::json(StatusCode::OK, &shown))
}

/// A fulfilment of which the client may see some attempts.
async fn found(server: &ServerState, call: &Call, id: &str) -> Result<Arc<Fulfilment>, Problem> {
    let found = server.engine.get(&FulfilmentId::new(id)).await?;
    let client = call.admitted.quietly();
    let is_seen = |found: &Fulfilment| match client.scope.is_all() {
        true => rights::sees_root(&client, found),
        false => {
            let mut tasks = (0..found.tasks().len()).map(TaskId::at);
            tasks.any(|task| is_covered(&client, found, task))
        }
    };
    let found = found.filter(|found| call.admitted.shows(is_seen(found)));
    found.ok_or_else(|| super::missing(id))
}

/// Whether the client may see the attempts at a task.
fn is_covered(admitted: &Admitted, fulfilment: &Fulfilment, task: TaskId) -> bool {
    let is_known = task.index() < fulfilment.tasks().len();
    let plugin = is_known.then(|| fulfilment.plan().step(task).plugin.as_str());
    rights::covers_attempt(admitted, fulfilment, plugin.unwrap_or_default())
}

/// Which attempts of a list.
#[derive(Clone, Copy)]
struct Page {
    offset: usize,
    limit: usize,
}

impl Page {
    fn asked(call: &Call, max: usize) -> Result<Self, Problem> {
        let limit = call.query.number("limit")?.unwrap_or(max).clamp(1, max);
        Ok(Self { offset: call.query.number("offset")?.unwrap_or(0), limit })
    }
}

/// The attempts of a page, at the tasks that are wanted.
fn attempts(
    store: &dyn Store,
    fulfilment: &Fulfilment,
    is_wanted: impl Fn(TaskId) -> bool,
    page: Page,
) -> Result<Vec<Attempt>, Problem> {
    let Page { offset, limit } = page;
    let (mut passed, mut found, mut after) = (0, Vec::new(), None);
    let prefix = keys::telemetries(fulfilment.id());
    loop {
        let scan = Scan { after, ..Scan::prefix(prefix.as_slice(), FACTS_AT_ONCE) };
        let facts = store.scan(&scan)?;
        for (_, bytes) in &facts {
            let attempts = Attempt::read(bytes).map_err(|error| Problem::ours(&error))?;
            for attempt in attempts.into_iter().filter(|one| is_wanted(one.task)) {
                if passed < offset {
                    passed += 1;
                } else {
                    found.push(attempt);
                }
            }
            if found.len() >= limit {
                found.truncate(limit);
                return Ok(found);
            }
        }
        match facts.into_iter().last() {
            Some((key, _)) => after = Some(key),
            None => return Ok(found),
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(
    store: &dyn Store,
    key: &[u8],
) -> Result<Option<T>, Problem> {
    let read = |bytes: Vec<u8>| serde_json::from_slice(&bytes);
    store.get(key)?.map(read).transpose().map_err(|error| Problem::ours(&error))
}

/// The calls for a task, from the journal.
fn past(store: &dyn Store, fulfilment: &Fulfilment, task: TaskId) -> Result<Vec<Past>, Problem> {
    let mut records = Vec::new();
    journal::each(store, fulfilment.id(), |_, record| records.push(record.clone()))?;
    let calls = Fulfilment::past_calls(fulfilment.id().clone(), &records, task);
    calls.map_err(|error| Problem::ours(&error))
}

/// Takes the call of an attempt.
fn take(calls: &mut Vec<Past>, attempt: &Attempt) -> Option<Past> {
    let named = |name: &str| match name {
        // The journal does not tell them apart.
        "recover" => "run".to_owned(),
        other => other.to_owned(),
    };
    let own = named(&attempt.figures.operation);
    let is_own =
        |past: &Past| past.attempt == attempt.number && named(past.request.operation.name()) == own;
    let at = calls.iter().position(is_own)?;
    Some(calls.remove(at))
}

fn figures(fulfilment: &Fulfilment, attempt: &Attempt) -> Value {
    let Attempt { at, task, number, ending, figures } = attempt;
    let is_known = task.index() < fulfilment.tasks().len();
    let plugin = is_known.then(|| &fulfilment.plan().step(*task).plugin);
    let code = match ending {
        engine::telemetry::Ending::Failed(code) => Some(code),
        engine::telemetry::Ending::Done | engine::telemetry::Ending::Waiting => None,
    };
    json!({
        "task": is_known.then(|| fulfilment.plan().task_name(*task)),
        "taskId": task,
        "attempt": number,
        "operation": figures.operation,
        "plugin": plugin,
        "digest": plugin.and_then(|plugin| fulfilment.plan().plugins.get(plugin)),
        "endedAt": time(at.at()),
        "outcome": ending.name(),
        "code": code,
        "tookUs": figures.took_us,
        "cpuUs": figures.cpu_us,
        "memoryKiB": figures.memory_kib,
        "hostCalls": figures.host_calls,
    })
}

/// A request as its plugin got it, in the words of the contract.
fn given(fulfilment: &Fulfilment, past: Past, callback_url: &str) -> Value {
    let Past { attempt, request } = past;
    let is_undo = request.operation.reverts();
    let key = request.idempotency_key;
    let item = (!request.spec.is_empty()).then(|| {
        json!({
            "spec": request.spec,
            "action": request.action,
            "characteristics": request.characteristics,
        })
    });
    let mut given = json!({
        "fulfilment": fulfilment.id(),
        "name": request.name,
        "item": item,
        "input": request.input,
        "attempt": attempt,
        "idempotencyKey": if is_undo { format!("{key}{UNDO}") } else { key },
        "replaces": request.replaces,
        "callbackUrl": callback_url,
        "timeoutMs": request.timeout_ms,
    });
    match request.operation {
        Operation::Resume { payload } | Operation::ResumeUndo { payload } => {
            given["payload"] = payload;
        }
        Operation::Undo { outputs } => given["outputs"] = Value::Object(outputs),
        Operation::Run | Operation::Recover | Operation::Reapply => {}
    }
    given
}
