//! The pools, who holds their values, and the release of a value that nothing uses any more: an undo
//! that was given up leaves its values reserved, since the element may use them.

use axum::http::StatusCode;
use engine::core::Unless;
use engine::handle::NotWritten;
use engine::store::{Put, Scan};
use engine::{Held, Release, keys};
use model::{Pool, PoolId};
use serde::Deserialize;
use serde_json::{Value, json};
use tmf::time::Timestamp;

use super::decide::read_as;
use crate::app::Use;
use crate::http::call::{Call, time};
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::problem::nothing_here;
use crate::http::query::Query;
use crate::http::{Door, answer};

/// Values that are looked at for one answer, unless the client wants fewer.
const VALUES_MAX: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    value: String,
    by: Option<String>,
    reason: Option<String>,
}

/// Takes a request about pools.
pub(super) async fn take(door: &Door, call: Call, path: &[&str]) -> Answer {
    match path {
        [] => {
            let rulebook = door.app.rulebook();
            let pools = rulebook.packs().flat_map(|pack| {
                pack.pools.iter().map(|pool| {
                    let reserved = door.app.engine.pools().held(&pool.id);
                    json!({ "id": pool.id, "pack": pack.name, "size": pool.len(), "reserved": reserved })
                })
            });
            Ok(answer::json(StatusCode::OK, &pools.collect::<Vec<Value>>().into()))
        }
        [id, "values"] => values(door, &call.query, &pool(door, id)?.id).await,
        [id, "release"] => release(door, call, &pool(door, id)?).await,
        _ => Err(nothing_here()),
    }
}

fn pool(door: &Door, id: &str) -> Result<Pool, Problem> {
    let rulebook = door.app.rulebook();
    let found = rulebook.packs().flat_map(|pack| &pack.pools).find(|pool| pool.id.as_str() == id);
    let missing = || Problem::not_found(format!("no pack defines the pool `{id}`")).about("id");
    found.cloned().ok_or_else(missing)
}

/// Values that are reserved, in order, each with who holds it and whether anything uses it.
async fn values(door: &Door, query: &Query, pool: &PoolId) -> Answer {
    let after = query.number("after")?.map(|index| keys::hold(pool, index as u64));
    let limit = query.number("limit")?.unwrap_or(VALUES_MAX).min(VALUES_MAX);
    let mut rows = Vec::new();
    let found = door.app.reserved(&Scan { after, ..Scan::prefix(keys::holds(pool), limit) })?;
    let next = (found.len() == limit).then(|| found.last().map(|(index, _)| *index)).flatten();
    for (index, held) in &found {
        let used = door.app.use_of(pool, *index, held).await?;
        if query.is_true("unused") && used != Use::Nothing {
            continue;
        }
        rows.push(json!({
            "value": held.value,
            "order": held.fulfilment,
            "holder": held.holder,
            "isUsed": used != Use::Nothing,
            "usedBy": used.to_string(),
        }));
    }
    Ok(answer::json(StatusCode::OK, &json!({ "values": rows, "next": next })))
}

/// Releases a value that nothing uses. Who did it and why is a note of the resource.
async fn release(door: &Door, mut call: Call, pool: &Pool) -> Answer {
    let asked: Asked = read_as(call.json()?)?;
    let found = door.app.reserved_as(&pool.id, &asked.value)?;
    let Some((index, held)) = found else {
        let message = format!("`{}` is not reserved in pool `{}`", asked.value, pool.id);
        return Err(Problem::not_found(message).about("value"));
    };
    match door.app.use_of(&pool.id, index, &held).await? {
        Use::Nothing => {}
        used @ (Use::Open(_) | Use::Instance(_) | Use::Ended(_)) => {
            let message = format!("`{}` is in use: {used}", asked.value);
            return Err(Problem::conflict(message).about("value"));
        }
    }
    let unless = Unless {
        open: vec![held.fulfilment.clone()],
        claimed: held.holder.clone().into_iter().collect(),
    };
    let released = Release { pool: pool.id.clone(), index, holder: held.holder.clone() };
    let documents = released_document(door, pool, &held, &asked)?;
    match door.app.engine.release_unless(unless, Some(released), documents).await {
        Ok(()) => {}
        Err(NotWritten::Ask(error)) => return Err(error.into()),
        Err(NotWritten::Claimed(by)) => {
            let message = format!("order `{by}` is about it: wait for its end");
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

/// The resource of the value as it is from now on.
fn released_document(
    door: &Door,
    pool: &Pool,
    held: &Held,
    asked: &Asked,
) -> Result<Vec<Put>, Problem> {
    let id = model::documents::pooled_id(&pool.id, &held.value);
    let Some(mut document) = door.app.document("resource", &id)? else { return Ok(Vec::new()) };
    let Some(fields) = document.body.as_object_mut() else { return Ok(Vec::new()) };
    fields.insert("resourceStatus".into(), json!("available"));
    fields.insert("usageState".into(), json!("idle"));
    for of_holder in ["resourceOrderItem", "relatedParty"] {
        fields.remove(of_holder);
    }
    let reason = asked.reason.as_deref().unwrap_or("nothing uses it");
    let at: Timestamp = door.app.now();
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
