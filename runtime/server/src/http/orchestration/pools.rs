//! The pools, the users of their values, and the release of an unused value: an undo
//! that was given up leaves its values reserved, since the element may use them.

use axum::http::StatusCode;
use engine::core::Unless;
use engine::documents::Put;
use engine::handle::NotWritten;
use engine::store::Scan;
use engine::{Held, Release, keys};
use model::{Pool, PoolId};
use serde::Deserialize;
use serde_json::{Value, json};
use tmf::time::Timestamp;

use super::decide::read_as;
use crate::http::call::{Call, time};
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::problem::nothing_here;
use crate::http::rights::{locker, sees_root};
use crate::http::{ServerState, answer};
use crate::orders::Use;

/// Reservations that are read at once.
const VALUES_AT_ONCE: usize = 256;

/// The default and max of values in a response.
const VALUES_MAX: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    value: String,
    by: Option<String>,
    reason: Option<String>,
}

/// Handles a request about pools.
pub(super) async fn dispatch(server: &ServerState, call: Call, path: &[&str]) -> Answer {
    match path {
        [] => {
            let rulebook = server.rulebooks.current();
            // A count would tell of orders that are hidden.
            let is_counted = call.admitted.reader.sees_all_work();
            let pools = rulebook.packs().flat_map(|pack| {
                let own = pack.pools.iter().filter(|pool| is_own(&call, &pack.name, &pool.id));
                own.map(|pool| {
                    let reserved = is_counted.then(|| server.engine.pools().held(&pool.id));
                    json!({ "id": pool.id, "pack": pack.name, "size": pool.len(), "reserved": reserved })
                })
            });
            Ok(answer::json(StatusCode::OK, &pools.collect::<Vec<Value>>().into()))
        }
        [id, "values"] => values(server, &call, &pool(server, &call, id)?.id).await,
        [id, "release"] => {
            let pool = pool(server, &call, id)?;
            release(server, call, &pool).await
        }
        _ => Err(nothing_here()),
    }
}

/// Whether the permission of the route covers a pool.
fn is_own(call: &Call, pack: &str, id: &PoolId) -> bool {
    let scope = &call.admitted.scope;
    scope.is_all() || scope.covers(&json!({ "id": id, "pack": pack }))
}

fn pool(server: &ServerState, call: &Call, id: &str) -> Result<Pool, Problem> {
    let rulebook = server.rulebooks.current();
    let pools = rulebook
        .packs()
        .flat_map(|pack| pack.pools.iter().filter(|pool| is_own(call, &pack.name, &pool.id)));
    let found = pools.into_iter().find(|pool| pool.id.as_str() == id);
    let missing = || Problem::not_found(format!("no pack defines the pool `{id}`")).about("id");
    found.cloned().ok_or_else(missing)
}

/// Whether the client may see the order that reserved a value. The order may be gone: then only one
/// from whom nothing is hidden sees it.
async fn is_seen(server: &ServerState, call: &Call, held: &Held) -> Result<bool, Problem> {
    if call.admitted.reader.is_all() {
        return Ok(true);
    }
    match server.engine.get(&held.fulfilment).await? {
        Some(order) => Ok(sees_root(&call.admitted, &order)),
        None => Ok(call.admitted.shows(call.admitted.reader.sees_all_work())),
    }
}

/// Reserved values, in order, each with its owner and whether it is in use.
async fn values(server: &ServerState, call: &Call, pool: &PoolId) -> Answer {
    let query = &call.query;
    let mut after = query.number("after")?.map(|index| index as u64);
    let limit = query.number("limit")?.unwrap_or(VALUES_MAX).min(VALUES_MAX);
    let mut rows = Vec::new();
    // A page is full with what the client sees of it: hidden values do not count.
    while rows.len() < limit {
        let begin = after.map(|index| keys::reservation(pool, index));
        let scan = Scan { after: begin, ..Scan::prefix(keys::reservations(pool), VALUES_AT_ONCE) };
        let found = server.orders.reserved(scan).await?;
        let is_last = found.len() < VALUES_AT_ONCE;
        for (index, held) in found {
            after = Some(index);
            rows.extend(row(server, call, pool, (index, &held)).await?);
            if rows.len() == limit {
                break;
            }
        }
        if is_last && rows.len() < limit {
            after = None;
            break;
        }
    }
    let next = after.filter(|_| limit > 0);
    Ok(answer::json(StatusCode::OK, &json!({ "values": rows, "next": next })))
}

/// A reserved value; `None` if the client does not ask for it, or may not see it.
async fn row(
    server: &ServerState,
    call: &Call,
    pool: &PoolId,
    (index, held): (u64, &Held),
) -> Result<Option<Value>, Problem> {
    if !is_seen(server, call, held).await? {
        return Ok(None);
    }
    let used = server.orders.use_of(pool, index, held).await?;
    if call.query.is_true("unused") && used != Use::Nothing {
        return Ok(None);
    }
    Ok(Some(json!({
        "value": held.value,
        "order": held.fulfilment,
        "holder": held.holder,
        "isUsed": used != Use::Nothing,
        "usedBy": used.to_string(),
    })))
}

/// Releases an unused value. The author and the reason are a note of the resource.
async fn release(server: &ServerState, mut call: Call, pool: &Pool) -> Answer {
    let asked: Asked = read_as(call.json()?)?;
    let found = server.orders.reserved_as(&pool.id, &asked.value).await?;
    let missing = || {
        let message = format!("`{}` is not reserved in pool `{}`", asked.value, pool.id);
        Problem::not_found(message).about("value")
    };
    let (index, held) = found.ok_or_else(missing)?;
    if !is_seen(server, &call, &held).await? {
        return Err(missing());
    }
    match server.orders.use_of(&pool.id, index, &held).await? {
        Use::Nothing => {}
        used @ (Use::Open(_) | Use::Instance(_) | Use::Ended(_)) => {
            let message = format!("`{}` is in use: {used}", asked.value);
            return Err(Problem::conflict(message).about("value"));
        }
    }
    let documents = released_document(server, pool, &held, &asked).await?;
    let Held { fulfilment, holder, .. } = held;
    let unless = Unless { open: vec![fulfilment], locked: holder.clone().into_iter().collect() };
    let released = Release { pool: pool.id.clone(), index, holder };
    match server.engine.release_unless(unless, Some(released), documents).await {
        Ok(()) => {}
        Err(NotWritten::Ask(error)) => return Err(error.into()),
        Err(NotWritten::Locked(by)) => {
            let by = locker(server, &call, &by).await?;
            let message = format!("{by} is about it: wait for its end");
            return Err(Problem::conflict(message).about("value"));
        }
        Err(NotWritten::Stale) => {
            let message = "another holds it by now: look again";
            return Err(Problem::conflict(message).about("value"));
        }
    }
    let Asked { value, by, reason } = asked;
    tracing::warn!(pool = %pool.id, value, by, reason, "an operator released a value");
    let body = json!({ "pool": pool.id, "value": value, "state": "available" });
    Ok(answer::json(StatusCode::OK, &body))
}

/// The resource of the released value.
async fn released_document(
    server: &ServerState,
    pool: &Pool,
    held: &Held,
    asked: &Asked,
) -> Result<Vec<Put>, Problem> {
    let id = model::documents::pooled_id(&pool.id, &held.value);
    let Some(mut document) = server.documents.document("resource", &id).await? else {
        return Ok(Vec::new());
    };
    let Some(fields) = document.body.as_object_mut() else { return Ok(Vec::new()) };
    fields.insert("resourceStatus".into(), json!("available"));
    fields.insert("usageState".into(), json!("idle"));
    for of_holder in ["resourceOrderItem", "relatedParty"] {
        fields.remove(of_holder);
    }
    let reason = asked.reason.as_deref().unwrap_or("nothing uses it");
    let at: Timestamp = server.engine.now();
    let note = json!({
        "author": asked.by.as_deref().unwrap_or("an operator"),
        "date": time(at),
        "text": format!("released from order {}: {reason}", held.fulfilment),
    });
    match fields.get_mut("note").and_then(Value::as_array_mut) {
        Some(notes) => notes.push(note),
        None => {
            fields.insert("note".into(), json!([note]));
        }
    }
    Ok(vec![Put::set("resource", id, document.body)])
}
