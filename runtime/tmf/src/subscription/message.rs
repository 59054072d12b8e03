//! The message to a subscriber about an event.

use serde_json::{Map, Value, json};

use super::{About, OutboxEvent, POSTED_AT, Payload, Source, Subscription, Version};
use crate::document::{Attributes, Overlay};
use crate::href::absolute;
use crate::resource::{Resource, Served, capitalised};
use crate::version::View;

const SYSTEM: (&str, &str) = ("ferrule", "Ferrule");

/// A message with its type.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The type of the event, in the subscriber's version.
    pub event_type: String,
    pub body: Value,
}

impl Subscription {
    /// The message for an event of the subscription; `None` if its query does not match.
    /// `document` is the current document, if [`needs_document`] is true and it still exists.
    /// `base` is the beginning of hrefs.
    ///
    /// [`needs_document`]: Self::needs_document
    pub fn message(
        &self,
        event: &OutboxEvent,
        document: Option<&Value>,
        base: &str,
    ) -> Option<Message> {
        let mut message = match event.about {
            About::Documents { .. } => self.change(event, document)?,
            About::Topic { .. } => posted(event),
        };
        absolute(&mut message.body, base);
        if !self.filter.matches(&message.body) {
            return None;
        }
        if self.payload == Payload::Slim
            && self.needs_document()
            && matches!(event.about, About::Documents { .. })
        {
            message = self.change(event, None)?;
            absolute(&mut message.body, base);
        }
        Some(message)
    }

    /// The resource of an event as the subscription's API serves it.
    pub(super) fn view(&self, event: &OutboxEvent) -> Option<&'static Resource> {
        let About::Documents { key, .. } = &event.about else {
            return None;
        };
        self.source.resources().find(|resource| resource.key == key)
    }

    fn change(&self, event: &OutboxEvent, document: Option<&Value>) -> Option<Message> {
        let (api, version) = (self.source.api()?, self.source.version());
        let view = View { api, resource: self.view(event)?, version };
        let event_type = event_type(&view, event.what());
        let body = view.shown(whole(event.body()?, document));
        let mut envelope = envelope(event, view.resource, &event_type, version, &body)?;
        envelope.insert("event".into(), json!({ view.name(): body }));
        Some(Message { event_type, body: Value::Object(envelope) })
    }
}

impl Source {
    /// The resources with events for it.
    pub(super) fn resources(&self) -> impl Iterator<Item = &'static Resource> {
        let version = self.version();
        let is_told = move |resource: &&Resource| {
            let is_served = match (resource.served, version) {
                (Served::Always, _) | (Served::V4, Version::V4) | (Served::V5, Version::V5) => true,
                (Served::V4, Version::V5) | (Served::V5, Version::V4) => false,
            };
            resource.only_type.is_none() && is_served
        };
        self.api().into_iter().flat_map(|api| api.resources).filter(is_told)
    }
}

/// The type of an event about a document, in a version.
pub(super) fn event_type(view: &View, kind: &str) -> String {
    let kind = match (view.version, view.resource.key, kind) {
        (Version::V5, "productOrder", "JeopardyEvent") => "JeopardyAlertEvent",
        (_, _, kind) => kind,
    };
    format!("{}{kind}", capitalised(view.name()))
}

/// An event posted to a topic, unchanged.
fn posted(event: &OutboxEvent) -> Message {
    let record =
        Attributes::of_rest(&event.record).only(|name| !["topic", POSTED_AT].contains(&name));
    Message { event_type: event.event_type().into(), body: Value::Object(record) }
}

/// The event's attributes over the whole document, if it is known.
fn whole(event: &Value, document: Option<&Value>) -> Value {
    let (Some(Value::Object(document)), Value::Object(event)) = (document, event) else {
        return event.clone();
    };
    let mut body = document.clone();
    Overlay::of_rest(&mut body).extend(event);
    Value::Object(body)
}

fn envelope(
    event: &OutboxEvent,
    view: &Resource,
    event_type: &str,
    version: Version,
    body: &Value,
) -> Option<Map<String, Value>> {
    let (api, _) = event.resource()?;
    let (id, time) = (body.get("id")?, event.time.to_string());
    let occurred = match version {
        Version::V4 => "timeOcurred",
        Version::V5 => "timeOccurred",
    };
    let about = id.as_str().unwrap_or_default();
    let (system, system_name) = SYSTEM;
    let envelope = json!({
        "eventId": event.id(),
        "eventTime": time,
        "eventType": event_type,
        "correlationId": id,
        "domain": api.title,
        "title": event_type,
        "description": format!("{event_type} of {} {about}", view.shape),
        "priority": "3",
        occurred: time,
        "source": {
            "id": id,
            "href": body.get("href"),
            "@type": "EntityRef",
            "@referredType": body.get("@type").and_then(Value::as_str).unwrap_or(view.shape),
        },
        "reportingSystem": {
            "id": system,
            "name": system_name,
            "@type": "EntityRef",
            "@referredType": "LogicalResource",
        },
        "@type": event_type,
        "@baseType": "Event",
    });
    let Value::Object(mut envelope) = envelope else {
        return None;
    };
    if let Some(Value::Object(source)) = envelope.get_mut("source")
        && source.get("href") == Some(&Value::Null)
    {
        source.remove("href");
    }
    Some(envelope)
}
