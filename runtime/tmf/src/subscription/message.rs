//! What a subscriber is sent of an event.

use serde_json::{Map, Value, json};

use super::{About, Payload, Source, Subscription, Told, Version};
use crate::href::absolute;
use crate::resource::{Resource, Served, capitalised};
use crate::version::View;

/// Which system tells.
const SYSTEM: (&str, &str) = ("ferrule", "Ferrule");

/// What is sent, and what it is called.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The type of the event, in the words of the subscriber's version.
    pub event_type: String,
    /// The body.
    pub body: Value,
}

impl Subscription {
    /// What to send of an event that concerns the subscription; nothing where its query asks for
    /// others. `document` is the document as it is now, where [`needs_document`] says so and there
    /// still is one. `base` is what hrefs begin with.
    ///
    /// [`needs_document`]: Self::needs_document
    pub fn message(&self, told: &Told, document: Option<&Value>, base: &str) -> Option<Message> {
        let mut message = match told.about {
            About::Documents { .. } => self.change(told, document)?,
            About::Topic { .. } => posted(told),
        };
        absolute(&mut message.body, base);
        if !self.filter.matches(&message.body) {
            return None;
        }
        if self.payload == Payload::Slim
            && self.needs_document()
            && matches!(told.about, About::Documents { .. })
        {
            message = self.change(told, None)?;
            absolute(&mut message.body, base);
        }
        Some(message)
    }

    /// The resource of an event as the subscription's API serves it.
    pub(super) fn view(&self, told: &Told) -> Option<&'static Resource> {
        let About::Documents { key, .. } = &told.about else {
            return None;
        };
        self.source.resources().find(|resource| resource.key == key)
    }

    fn change(&self, told: &Told, document: Option<&Value>) -> Option<Message> {
        let (api, version) = (self.source.api()?, self.source.version());
        let view = View { api, resource: self.view(told)?, version };
        let event_type = event_type(&view, told.what());
        let body = view.shown(whole(told.body()?, document));
        let mut envelope = envelope(told, view.resource, &event_type, version, &body)?;
        envelope.insert("event".into(), json!({ view.name(): body }));
        Some(Message { event_type, body: Value::Object(envelope) })
    }
}

impl Source {
    /// The resources of whose documents it tells.
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

/// The type of an event about a document, in the words of a version.
pub(super) fn event_type(view: &View, kind: &str) -> String {
    let kind = match (view.version, view.resource.key, kind) {
        (Version::V5, "productOrder", "JeopardyEvent") => "JeopardyAlertEvent",
        (_, _, kind) => kind,
    };
    format!("{}{kind}", capitalised(view.name()))
}

/// What was posted to a topic, as it was posted.
fn posted(told: &Told) -> Message {
    let mut record = told.record.clone();
    for ours in ["topic", "told"] {
        record.remove(ours);
    }
    Message { event_type: told.event_type().into(), body: Value::Object(record) }
}

/// What is told of a document, upon all of it where that is known.
fn whole(told: &Value, document: Option<&Value>) -> Value {
    let (Some(Value::Object(document)), Value::Object(told)) = (document, told) else {
        return told.clone();
    };
    let mut body = document.clone();
    body.extend(told.iter().map(|(name, value)| (name.clone(), value.clone())));
    Value::Object(body)
}

fn envelope(
    told: &Told,
    view: &Resource,
    event_type: &str,
    version: Version,
    body: &Value,
) -> Option<Map<String, Value>> {
    let (api, _) = told.resource()?;
    let (id, time) = (body.get("id")?, told.time.to_string());
    let occurred = match version {
        Version::V4 => "timeOcurred",
        Version::V5 => "timeOccurred",
    };
    let about = id.as_str().unwrap_or_default();
    let (system, system_name) = SYSTEM;
    let envelope = json!({
        "eventId": told.id(),
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
