//! Creating orders: what comes in is checked at the door, is on disk before it is answered, and is
//! answered as `acknowledged`, whatever becomes of it a moment later.

use axum::http::StatusCode;
use engine::Submitted;
use model::Fulfilment;
use serde_json::Value;

use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::resources::{Creates, Resource};
use crate::http::route::Answer;
use crate::http::{Door, answer, href};

/// So long an id within an order may be, in bytes: ids of documents are made of it, and a key of
/// the store has a limit.
const ID_BYTES_MAX: usize = 200;

/// Takes an order.
pub(super) async fn take(
    door: &Door,
    mut call: Call,
    resource: &Resource,
    kind: Creates,
) -> Answer {
    let submission = call.submission(resource.name)?;
    let document = order(call.json(door.limits).await?, resource)?;
    let first = match door.app.submit(kind.into(), document, submission).await? {
        Submitted::New(fulfilment) => acknowledged(&fulfilment),
        Submitted::Before(id) => door.app.engine.get(&id).await?.as_deref().and_then(acknowledged),
    };
    let Some(mut first) = first else {
        return Err(Problem::unavailable("the first submission under this key is not there yet"));
    };
    href::absolute(&mut first, &call.base);
    let id = first.get("id").and_then(Value::as_str).unwrap_or_default();
    let location = format!("{}{}/{id}", call.base, resource.path());
    Ok(answer::located(StatusCode::CREATED, &location, &first))
}

/// An order as it is taken: without what only the server says.
pub(in crate::http) fn order(document: Value, resource: &Resource) -> Result<Value, Problem> {
    let Value::Object(mut fields) = document else {
        return Err(Problem::bad("an order is a JSON object").about("$"));
    };
    fields.retain(|name, _| !resource.server_only.contains(&name.as_str()));
    let document = Value::Object(fields);
    check_ids(&document, "")?;
    Ok(document)
}

/// The order as it was before anything came of it: the first answer, and each that repeats it.
fn acknowledged(fulfilment: &Fulfilment) -> Option<Value> {
    let first = Fulfilment::new(
        fulfilment.id.clone(),
        fulfilment.kind.clone(),
        fulfilment.document.clone(),
        fulfilment.submitted_at,
    );
    first.orders().into_iter().next().map(|document| document.body)
}

fn check_ids(value: &Value, path: &str) -> Result<(), Problem> {
    match value {
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match value.as_str() {
                Some(id) if name == "id" => check_id(id, &path),
                _ => check_ids(value, &path),
            }
        }),
        Value::Array(entries) => entries
            .iter()
            .enumerate()
            .try_for_each(|(position, entry)| check_ids(entry, &format!("{path}[{position}]"))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn check_id(id: &str, path: &str) -> Result<(), Problem> {
    if id.len() <= ID_BYTES_MAX && !id.chars().any(char::is_control) {
        return Ok(());
    }
    let message = format!("{path}: an id has at most {ID_BYTES_MAX} bytes, and none are control");
    Err(Problem::bad(message).about(path))
}
