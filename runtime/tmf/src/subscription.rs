//! Subscriptions: which events go to which client, and how (TMF630 hub). All decisions
//! about the delivery of an event are made here; nothing is sent.

pub mod callback;
pub mod message;
pub mod outbox_event;
pub mod progress;
mod query;
pub mod retention;

use serde_json::{Map, Value, json};

use crate::document::Attributes;
use crate::filter::Filter;
use crate::resource::Api;
use crate::table;
use crate::time::Timestamp;

pub use crate::version::Version;
pub use callback::{Callback, CallbackError};
pub use outbox_event::{About, BEFORE, OutboxEvent, POSTED_AT};
pub use progress::{Answer, Patience, Pause, Progress, Standing, Then};
pub use query::topic_filter;
pub use retention::Keep;

/// A client's request for events.
#[derive(Clone, Debug)]
pub struct Subscription {
    pub id: String,
    /// The source of its events.
    pub source: Source,
    /// The address of its events.
    pub callback: Callback,
    /// The amount of a document in an event.
    pub payload: Payload,
    /// The time of the request.
    pub since: Timestamp,
    filter: Filter,
    /// The body of the request.
    input: Map<String, Value>,
}

/// The source of a subscription's events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The documents of an API.
    Api {
        /// The number of the API.
        number: u16,
        /// The version in which events are written.
        version: Version,
    },
    /// The events posted to a topic.
    Topic { id: String },
}

/// The amount of a document in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Its identifying attributes, its state, and its changes.
    Slim,
    Full,
}

/// Errors of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionError {
    /// It is no object.
    #[error("a subscription is an object with a `callback`")]
    NoObject,
    /// There is no callback, or it is no text.
    #[error("is mandatory: the URL to which events are sent")]
    NoCallback,
    /// The callback is no URL that can be called.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The query is no text, too long, or has an invalid condition.
    #[error("{reason}")]
    Query { reason: String },
    /// The payload is unknown.
    #[error("is `slim` or `full`")]
    Payload,
    /// The stored record is no subscription.
    #[error("what is kept is damaged")]
    Damaged,
}

impl SubscriptionError {
    /// The attribute that is wrong.
    pub fn attribute(&self) -> &'static str {
        match self {
            Self::NoObject | Self::NoCallback | Self::Callback(_) => "callback",
            Self::Query { .. } => "query",
            Self::Payload => "payload",
            Self::Damaged => "id",
        }
    }
}

impl Subscription {
    /// Reads what a client sent to a hub.
    pub fn parse(
        id: &str,
        source: Source,
        since: Timestamp,
        input: &Value,
    ) -> Result<Self, SubscriptionError> {
        let query = input.get("query").unwrap_or(&Value::Null);
        let filter = query::parse(&source, query)?;
        Self::of(id, source, since, input, filter)
    }

    fn of(
        id: &str,
        source: Source,
        since: Timestamp,
        input: &Value,
        filter: Filter,
    ) -> Result<Self, SubscriptionError> {
        let input = input.as_object().ok_or(SubscriptionError::NoObject)?;
        let callback = input.get("callback").and_then(Value::as_str);
        let callback = Callback::parse(callback.ok_or(SubscriptionError::NoCallback)?)?;
        let payload = match input.get("payload").map(|payload| payload.as_str()) {
            None | Some(Some("slim")) => Payload::Slim,
            Some(Some("full")) => Payload::Full,
            Some(_) => return Err(SubscriptionError::Payload),
        };
        let input = Attributes::of_rest(input).only(|name| !["id", "href"].contains(&name));
        Ok(Self { id: id.into(), source, callback, payload, since, filter, input })
    }

    /// Reads the output of [`kept`](Self::kept). Its query may be one that is refused today: a
    /// condition that can never match matches nothing.
    pub fn read(document: &Value) -> Result<Self, SubscriptionError> {
        let text = |name: &str| document.get(name).and_then(Value::as_str);
        let (Some(id), Some(source), Some(since)) = (
            text("id"),
            document.get("source").and_then(Source::read),
            text("since").and_then(Timestamp::parse),
        ) else {
            return Err(SubscriptionError::Damaged);
        };
        let input = document.get("input").unwrap_or(&Value::Null);
        let filter = query::kept(&source, input.get("query").unwrap_or(&Value::Null));
        Self::of(id, source, since, input, filter)
    }

    /// Whether another one asks for the same events at the same address.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.source, &self.callback) == (&other.source, &other.callback)
            && self.input.get("query") == other.input.get("query")
    }

    /// The stored document.
    pub fn kept(&self) -> Value {
        json!({
            "id": self.id,
            "source": self.source.kept(),
            "since": self.since.to_string(),
            "input": self.input,
        })
    }

    /// The body that its client gets.
    pub fn answer(&self) -> Value {
        let mut answer = self.input.clone();
        answer.insert("id".into(), self.id.clone().into());
        if self.source.version() == Version::V5 {
            answer.entry("@type").or_insert_with(|| "Hub".into());
        }
        Value::Object(answer)
    }

    /// Whether an event may concern it, before documents are read.
    pub fn concerns(&self, event: &OutboxEvent) -> bool {
        match (&self.source, &event.about) {
            (Source::Api { .. }, About::Documents { .. }) => self.view(event).is_some(),
            (Source::Topic { id }, About::Topic { topic }) => id == topic,
            (Source::Api { .. }, About::Topic { .. })
            | (Source::Topic { .. }, About::Documents { .. }) => false,
        }
    }

    /// Whether the current document of an event is needed, to decide or to send it.
    pub fn needs_document(&self) -> bool {
        let mut conditions = self.filter.clauses().iter().flat_map(|clause| clause.conditions());
        let asks = conditions.any(|condition| {
            condition.path().first().is_some_and(|first| first == "event")
                && condition.path().len() > 1
        });
        self.payload == Payload::Full || asks
    }
}

impl Source {
    /// The version in which events are written.
    pub fn version(&self) -> Version {
        match self {
            Self::Api { version, .. } => *version,
            Self::Topic { .. } => Version::V4,
        }
    }

    /// The API, if it is the source.
    pub fn api(&self) -> Option<&'static Api> {
        match self {
            Self::Api { number, .. } => {
                table::APIS.iter().copied().find(|api| api.number == *number)
            }
            Self::Topic { .. } => None,
        }
    }

    /// The stored form.
    pub fn kept(&self) -> Value {
        match self {
            Self::Api { number, version } => json!({ "api": number, "version": version.as_str() }),
            Self::Topic { id } => json!({ "topic": id }),
        }
    }

    fn read(kept: &Value) -> Option<Self> {
        if let Some(id) = kept.get("topic") {
            return Some(Self::Topic { id: id.as_str()?.into() });
        }
        let number = kept.get("api")?.as_u64()?.try_into().ok()?;
        let version = Version::parse(kept.get("version")?.as_str()?)?;
        Some(Self::Api { number, version })
    }
}

#[cfg(test)]
mod tests;
