//! Services and resources that are activated directly (TMF640, 702). A request is carried out as an
//! order of one line, by the same rules, pools and plugins; the answer's `Link` leads to the monitor
//! that shows its progress. Attributes that only the inventory has are changed at once.

use std::sync::Arc;

use axum::http::header::LINK;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use engine::Submitted;
use model::FailureCode;
use model::journal::Activation;
use model::order::Form;
use model::{Failure, FulfilmentId, Kind, activation};
use serde_json::{Map, Value};
use tmf::document::Attributes;
use tmf::document::order::SingleItem;
use tmf::patch;
use tmf::resource::Resource;

use super::one::{changeable, stored, tagged};
use super::{change, order};
use crate::access::Scope;
use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::repeat::reused;
use crate::http::resources::{Served, path};
use crate::http::rights::must_cover;
use crate::http::{ServerState, answer, etag, href};
use crate::orders::SubmitError;

/// The state of an activated service.
const ACTIVE: &str = "active";

/// The subject of an activation: a service or a resource.
#[derive(Clone, Copy)]
struct Subject {
    form: Form,
    monitor: &'static str,
}

impl Subject {
    fn of(resource: &Resource) -> Self {
        match resource.key {
            "service" => Self { form: Form::ServiceOrder, monitor: "serviceMonitor" },
            _ => Self { form: Form::ResourceOrder, monitor: "resourceMonitor" },
        }
    }

    /// The kind of the order that it is carried out as.
    fn kind(self) -> Kind {
        if self.form == Form::ServiceOrder { Kind::ServiceOrder } else { Kind::ResourceOrder }
    }
}

/// Activates a new instance.
pub(super) async fn create(server: &ServerState, mut call: Call, served: &Served) -> Answer {
    let subject = Subject::of(served.resource);
    let submission = call.submission(subject.monitor)?;
    let body = call.json()?;
    let text = body.to_string();
    let instance = order::taken(body, served)?;
    must_cover(&call.admitted.scope, &instance)?;
    check_state(subject.form, &instance)?;
    let attributes = activation::attributes(subject.form, Attributes::of(&instance));
    let request = request(&call, &served.path(), text, attributes);
    let order = activation::add(subject.form, Attributes::of(&instance));
    let fulfilment = submit(server, &call, subject, (order, request), submission).await?;
    let made = server.engine.get(&fulfilment).await?.and_then(|made| made.activated());
    let (_, id) = made.unwrap_or_default();
    let document = stored(server, (served.resource, &Scope::All), &id).await.map_err(|_| {
        let message = format!("the {} `{id}` that was made under this key is gone", served.name());
        Problem::conflict(message).about("Idempotency-Key")
    })?;
    let tag = etag::of(document.revision);
    let mut body = document.body;
    href::absolute(&mut body, &call.base);
    let location = format!("{}{}/{id}", call.base, served.path());
    let response = tagged(answer::located(StatusCode::CREATED, &location, &body), &tag);
    Ok(monitored(response, &call, subject.monitor, &fulfilment))
}

/// Changes an instance: by an order if work follows, else in the inventory.
pub(super) async fn patch(
    server: &ServerState,
    mut call: Call,
    served: &Served,
    id: &str,
) -> Answer {
    let (resource, subject) = (served.resource, Subject::of(served.resource));
    let submission = call.submission(&format!("{}/{id}", subject.monitor))?;
    let format = change::format(&call)?;
    let body = call.json()?;
    let before = changeable(server, &call, resource, id).await?;
    etag::check_match(&call.headers, &etag::of(before.revision))?;
    let mut after = patch::apply(format, &before.body, &body)?;
    resource.check_patched(&before.body, &after)?;
    resource.drop_nulls(&mut after);
    resource.complete_changed(&before.body, &mut after);
    must_cover(&call.admitted.scope, &after)?;
    let (was, now) = (Attributes::of(&before.body), Attributes::of(&after));
    let order = activation::modify(subject.form, was, now);
    let order = order.map_err(|error| Problem::unprocessable(error.to_string()))?;
    let Some(order) = order else {
        let mut rest = order::difference(before.body, after);
        // Each named characteristic keeps its previous value.
        rest.remove(subject.form.characteristics());
        return change::merge(server, &call, served, id, Value::Object(rest)).await;
    };
    check_spec(subject.form, &before.body, &after)?;
    let attributes = activation::attributes(subject.form, Attributes::of(&after));
    let path = format!("{}/{id}", served.path());
    let request = request(&call, &path, body.to_string(), attributes);
    let fulfilment = submit(server, &call, subject, (order, request), submission).await?;
    let document = stored(server, (resource, &Scope::All), id).await?;
    let mut body = document.body;
    href::absolute(&mut body, &call.base);
    let response = tagged(answer::json(StatusCode::OK, &body), &etag::of(document.revision));
    Ok(monitored(response, &call, subject.monitor, &fulfilment))
}

/// Terminates an instance; it is removed when that is done.
pub(super) async fn delete(server: &ServerState, call: &Call, served: &Served, id: &str) -> Answer {
    let subject = Subject::of(served.resource);
    let submission = call.submission(&format!("{}/{id}", subject.monitor))?;
    let before = changeable(server, call, served.resource, id).await?;
    etag::check_match(&call.headers, &etag::of(before.revision))?;
    if is_over(&before.body) {
        return change::delete(server, call, served, id).await;
    }
    let order = activation::delete(Attributes::of(&before.body));
    let path = format!("{}/{id}", served.path());
    let request = request(call, &path, String::new(), Map::new());
    let fulfilment = submit(server, call, subject, (order, request), submission).await?;
    Ok(monitored(StatusCode::NO_CONTENT.into_response(), call, subject.monitor, &fulfilment))
}

async fn submit(
    server: &ServerState,
    call: &Call,
    subject: Subject,
    (order, request): (SingleItem, Activation),
    submission: Option<String>,
) -> Result<FulfilmentId, Problem> {
    let order = order.write(subject.form.names());
    let request = Arc::new(request);
    let (reader, activation) = (&call.admitted.reader, Arc::clone(&request));
    let submitted =
        server.orders.activate(reader, subject.kind(), order, activation, submission).await;
    match submitted {
        Ok(Submitted::New(fulfilment)) => Ok(fulfilment.id().clone()),
        Ok(Submitted::Before(id)) => {
            let first = server.engine.get(&id).await?;
            let first = first.as_ref().and_then(|first| first.activation());
            let is_same = |first: &Arc<Activation>| {
                first.body == request.body && first.method == request.method
            };
            if first.is_none_or(is_same) { Ok(id) } else { Err(reused()) }
        }
        Err(SubmitError::Refused(failure)) => Err(refused(subject.form, &failure)),
        Err(SubmitError::Order(mut wrong)) => {
            // The server created the order: the client knows the instance alone.
            let within = format!("{}[0].{}.", subject.form.items(), subject.form.subject());
            if let Some(own) = wrong.path.strip_prefix(&within) {
                wrong.path = own.to_string();
            }
            Err(SubmitError::Order(wrong).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// The error for an instance that cannot be activated, changed or removed.
fn refused(form: Form, failure: &Failure) -> Problem {
    let message = failure.message.as_str();
    let code = &failure.code;
    if *code == FailureCode::InstanceBusy {
        return Problem::conflict(message).about("id");
    }
    let attribute = if matches!(code, FailureCode::DecompNoRule | FailureCode::SpecUnknown) {
        form.spec()
    } else if *code == FailureCode::InstanceState {
        form.state().unwrap_or("id")
    } else if code.is_of_characteristic() {
        form.characteristics()
    } else if code.is_of_instance() {
        "id"
    } else {
        form.subject()
    };
    Problem::unprocessable(message).about(attribute)
}

/// An activated instance is active at the end: a planned one is no work for the network.
fn check_state(form: Form, instance: &Value) -> Result<(), Problem> {
    let Some(attribute) = form.state() else { return Ok(()) };
    match instance.get(attribute).and_then(Value::as_str) {
        Some(ACTIVE) => Ok(()),
        other => {
            let message = format!(
                "a service is activated to be `{ACTIVE}`, not `{}`: one that is only planned can be \
                 put into the inventory",
                other.unwrap_or_default()
            );
            Err(Problem::unprocessable(message).about(attribute))
        }
    }
}

fn check_spec(form: Form, before: &Value, after: &Value) -> Result<(), Problem> {
    let name = form.spec();
    if before[name]["id"] == after[name]["id"] {
        return Ok(());
    }
    let message = "an instance stays one of its specification: activate another, remove this one";
    Err(Problem::unprocessable(message).about(name))
}

/// Whether nothing of an instance is left in the network.
fn is_over(instance: &Value) -> bool {
    let has = |name: &str, word: &str| instance.get(name).is_some_and(|value| value == word);
    has("state", "terminated") || has("resourceStatus", "available")
}

/// The request as the monitor shows it.
fn request(call: &Call, path: &str, body: String, attributes: Map<String, Value>) -> Activation {
    let content_type = call.headers.get("content-type").and_then(|value| value.to_str().ok());
    Activation {
        method: call.method.to_string(),
        to: format!("{}{path}", call.base),
        body,
        content_type: content_type.unwrap_or("application/json").to_string(),
        attributes,
    }
}

/// The response with a link to its monitor (RFC 5989).
fn monitored(
    mut response: Response,
    call: &Call,
    monitor: &str,
    fulfilment: &FulfilmentId,
) -> Response {
    let link = format!("<{}{}/{fulfilment}>; rel=\"monitor\"", call.base, path(monitor));
    if let Ok(link) = HeaderValue::from_str(&link) {
        response.headers_mut().insert(LINK, link);
    }
    response
}
