//! Below a topic (TMF688): its events and its hubs.

use axum::http::{Method, StatusCode};
use engine::documents::{Document, Error};
use serde_json::{Map, Value, json};
use tmf::openapi::below;
use tmf::subscription::{POSTED_AT, Source, topic_filter};

use super::call::Call;
use super::hub::{Hub, listed};
use super::problem::Answer;
use super::problem::Problem;
use super::problem::nothing_here;
use super::resources::{self, Served};
use super::rights::{Sight, must_cover, readable, sight};
use super::{ServerState, answer, documents};
use crate::events::TOPIC_EVENT;

/// The key of topics.
pub(super) const KEY: &str = "topic";

/// Max length of an event id from a client.
const ID_BYTES_MAX: usize = 128;

/// The attributes of an event that are texts.
const TEXTS: [&str; 9] = [
    "correlationId",
    "description",
    "domain",
    "eventId",
    "eventTime",
    "eventType",
    "priority",
    "timeOcurred",
    "title",
];

/// The queries of a topic on its events.
const QUERIES: [&str; 2] = ["headerQuery", "contentQuery"];

/// Handles a request below a topic.
pub(super) async fn dispatch(
    server: &ServerState,
    call: Call,
    topic: &str,
    below: &[&str],
) -> Answer {
    let Some(document) = readable(server, &call, KEY, topic).await? else {
        return Err(Problem::not_found(format!("there is no topic `{topic}`")).about("topicId"));
    };
    let path = format!("{}/{topic}", resources::path(KEY));
    match below {
        ["hub", rest @ ..] => {
            let source = Source::Topic { id: topic.into() };
            Hub { source, path: format!("{path}/hub") }.dispatch(server, call, rest).await
        }
        ["event"] => match call.method {
            Method::POST => post(server, call, &Topic { id: topic, path, document }).await,
            Method::GET | Method::HEAD => list(server, call, topic, &path).await,
            _ => Err(Problem::method("GET, HEAD, POST")),
        },
        ["event", id] => {
            call.must_only_read()?;
            let found = server.documents.document(TOPIC_EVENT, &format!("{topic}/{id}")).await?;
            // With a `/` it would be an event of a topic whose id begins with that of this one.
            let found =
                found.filter(|event| !id.contains('/') && call.admitted.scope.covers(&event.body));
            let missing = || Problem::not_found(format!("there is no event `{id}`")).about("id");
            let event = seen(found.ok_or_else(missing)?.body);
            Ok(answer::json(StatusCode::OK, &event))
        }
        _ => Err(nothing_here()),
    }
}

/// Removes a topic with its subscriptions. Its events are removed by retention, as all events are.
pub(super) async fn delete(
    server: &ServerState,
    call: Call,
    served: Served,
    topic: &str,
) -> Answer {
    let found = server.documents.document(KEY, topic).await?;
    let is_own = |topic: &Document| sight(&call.admitted, KEY, &topic.body) == Sight::Changeable;
    if found.as_ref().is_some_and(is_own) {
        server.events.unsubscribe_all(topic).await?;
    }
    documents::dispatch(server, call, served, &[topic]).await
}

struct Topic<'a> {
    id: &'a str,
    path: String,
    document: Document,
}

async fn post(server: &ServerState, mut call: Call, topic: &Topic<'_>) -> Answer {
    let mut body = call.json()?;
    if let Some(event) = below(688, "topic/{topicId}/event") {
        event.check_new(&body)?;
        event.drop_nulls(&mut body);
    }
    let Value::Object(mut event) = body else {
        return Err(Problem::bad("an event is an object").about("event"));
    };
    check(&event)?;
    let now = server.engine.now().to_string();
    let id = match event.get("eventId").and_then(Value::as_str) {
        Some(id) => id.to_string(),
        None => uuid::Uuid::now_v7().simple().to_string(),
    };
    event.insert("eventId".into(), id.clone().into());
    event.entry("eventTime").or_insert_with(|| now.into());
    for ours in ["topic", POSTED_AT] {
        event.remove(ours);
    }
    let mut event = Value::Object(event);
    must_cover(&call.admitted.scope, &event)?;
    admit(&topic.document.body, &event)?;
    let location = format!("{}{}/event/{id}", call.base, topic.path);
    let created = answer::located(StatusCode::CREATED, &location, &event);
    event["topic"] = topic.id.into();
    match server.events.publish(topic.id, &id, event).await {
        Ok(()) => Ok(created),
        Err(Error::Conflict { .. }) => {
            let message = format!("the topic has an event `{id}` already");
            Err(Problem::conflict(message).about("eventId"))
        }
        Err(error) => Err(error.into()),
    }
}

fn check(event: &Map<String, Value>) -> Result<(), Problem> {
    for name in TEXTS {
        if event.get(name).is_some_and(|value| !value.is_string()) {
            return Err(Problem::bad(format!("`{name}` is a text")).about(name));
        }
    }
    let id = event.get("eventId").and_then(Value::as_str).unwrap_or("-");
    let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte));
    if id.is_empty() || id.len() > ID_BYTES_MAX || !is_plain {
        let message = format!("is 1 to {ID_BYTES_MAX} letters, digits and `-._:`");
        return Err(Problem::bad(message).about("eventId"));
    }
    Ok(())
}

/// Refuses events that the queries of a topic do not match.
fn admit(topic: &Value, event: &Value) -> Result<(), Problem> {
    let content = event.get("event").unwrap_or(&Value::Null);
    for (name, of) in QUERIES.into_iter().zip([event, content]) {
        let query = topic.get(name).and_then(Value::as_str).unwrap_or_default();
        let wrong = |_| {
            let message = format!("the `{name}` of the topic is no filter: it takes nothing");
            Problem::unprocessable(message).about(name)
        };
        let filter = topic_filter(name, query).map_err(wrong)?;
        if !filter.matches(of) {
            let message = format!("the topic takes events with `{query}`");
            return Err(Problem::unprocessable(message).about(name));
        }
    }
    Ok(())
}

async fn list(server: &ServerState, call: Call, topic: &str, path: &str) -> Answer {
    let (scope, topic) = (call.admitted.scope.clone(), topic.to_owned());
    let read = server.documents.slice(move |session| {
        let mut rows = Vec::new();
        for fact in session.below(TOPIC_EVENT, &topic) {
            let event = session.read_one(&fact?).filter(|event| scope.covers(&event.body));
            rows.extend(event.map(|event| seen(event.body)));
        }
        Ok::<_, Error>(rows)
    });
    let rows = read.await?;
    listed(rows, &format!("{path}/event"), &call)
}

/// An event as clients see it.
fn seen(mut event: Value) -> Value {
    match &mut event {
        Value::Object(fields) => drop(fields.remove("topic")),
        // An empty event.
        Value::Null => event = json!({}),
        // Any other value is shown as it is: it names no topic.
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
    }
    event
}
