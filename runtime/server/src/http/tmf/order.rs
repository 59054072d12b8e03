//! Creating orders: what comes in is checked at the door, is on disk before it is answered, and is
//! answered as `acknowledged`, whatever becomes of it a moment later.

use axum::http::StatusCode;
use engine::Submitted;
use model::resource::Resource;
use model::{Fulfilment, Kind};
use serde_json::Value;

use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::resources::Served;
use crate::http::route::Answer;
use crate::http::{Door, answer, href};

/// Takes an order.
pub(super) async fn create(door: &Door, mut call: Call, served: &Served, kind: Kind) -> Answer {
    let resource = served.resource;
    let submission = call.submission(resource.key)?;
    let document = taken(call.json(door.limits).await?, resource)?;
    let first = match door.app.submit(kind, document, submission).await? {
        Submitted::New(fulfilment) => acknowledged(&fulfilment),
        Submitted::Before(id) => door.app.engine.get(&id).await?.as_deref().and_then(acknowledged),
    };
    let Some(mut first) = first else {
        return Err(Problem::unavailable("the first submission under this key is not there yet"));
    };
    href::absolute(&mut first, &call.base);
    let id = first.get("id").and_then(Value::as_str).unwrap_or_default();
    let location = format!("{}{}/{id}", call.base, served.path());
    Ok(answer::located(StatusCode::CREATED, &location, &first))
}

/// An order as it is taken: without what only the server says.
pub(in crate::http) fn taken(document: Value, resource: &Resource) -> Result<Value, Problem> {
    resource.check_new(&document)?;
    let Value::Object(mut fields) = document else {
        return Err(Problem::bad("an order is a JSON object").about("$"));
    };
    fields.retain(|name, _| !resource.server.contains(&name.as_str()));
    Ok(Value::Object(fields))
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
