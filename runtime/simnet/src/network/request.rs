//! Requests to the network and its answers, in any dialect.

use serde_json::{Value, json};

use super::super::element::Place;
use super::super::refusal::Refusal;

/// A call, read and found to be well formed.
#[derive(Debug, Clone)]
pub(in super::super) struct Request {
    pub(in super::super) place: Place,
    pub(in super::super) action: Action,
}

/// A look or a change.
#[derive(Debug, Clone)]
pub(in super::super) enum Action {
    /// A look, by the name that it has in faults.
    Read(String),
    Write(Write),
}

/// A change under an idempotency key.
#[derive(Debug, Clone)]
pub(in super::super) struct Write {
    pub(in super::super) call: Call,
    pub(in super::super) change: Change,
    /// Where to report, should the element take its time.
    pub(in super::super) callback: Option<String>,
}

/// The identity of a write.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Call {
    pub(in super::super) element: &'static str,
    /// Its name in the effects log and in faults.
    pub(in super::super) operation: String,
    pub(in super::super) key: String,
}

/// What a write does to an id. The text is compact JSON.
#[derive(Debug, Clone)]
pub(in super::super) enum Change {
    /// Refused when another key holds the id.
    Create(String),
    /// Takes the id over, or makes it.
    Replace(String),
    /// Takes the id over; it must be there.
    Update(String),
    Delete,
}

impl Change {
    pub(super) fn config(&self) -> Option<&str> {
        match self {
            Self::Create(config) | Self::Replace(config) | Self::Update(config) => Some(config),
            Self::Delete => None,
        }
    }

    pub(super) fn into_config(self) -> Option<String> {
        match self {
            Self::Create(config) | Self::Replace(config) | Self::Update(config) => Some(config),
            Self::Delete => None,
        }
    }
}

/// The immediate answer of the network.
#[derive(Debug)]
pub(in super::super) enum Answer {
    Reply(Reply),
    /// Never: the client has to give up.
    Silence,
    /// The answer comes from `wake` when the delay is over.
    Later {
        ticket: Ticket,
        delay_ms: u64,
    },
    /// It was carried out and the answer is lost.
    Lost,
    /// Accepted; the answer of `wake` after the delay goes to the callback.
    Accepted {
        reply: Reply,
        ticket: Ticket,
        delay_ms: u64,
    },
}

pub(in super::super) type Reply = Result<Success, Refusal>;

/// An answer that is not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Success {
    /// The HTTP status where the dialect has one.
    pub(in super::super) status: u16,
    pub(in super::super) body: String,
}

/// Names a call that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Ticket(pub(in super::super) u64);

/// What became of a call that waited.
#[derive(Debug)]
pub(in super::super) enum Woken {
    Reply(Reply),
    Callback(Callback),
    /// No callback.
    Quiet,
    /// The network was cleared meanwhile: nothing was applied.
    Gone,
}

/// A report that is owed.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Callback {
    pub(in super::super) url: String,
    pub(in super::super) body: String,
    /// How often it is to be delivered.
    pub(in super::super) deliveries: u8,
}

/// The state of what is there and is not about to change.
pub(super) const ACTIVE: &str = "active";

/// The state that an element reports under an id.
pub(super) struct Entry<'a> {
    pub(super) place: &'a Place,
    pub(super) state: &'static str,
    pub(super) key: &'a str,
    pub(super) config: &'a str,
}

impl Entry<'_> {
    pub(super) fn show(&self) -> Value {
        let shown = json!({
            "id": self.place.id,
            "state": self.state,
            "idempotencyKey": self.key,
            "config": json(self.config),
        });
        let Value::Object(mut shown) = shown else { return shown };
        if self.state == ACTIVE {
            self.place.mark(&mut shown, self.config);
        }
        Value::Object(shown)
    }
}

impl Request {
    /// Its name in the effects log and in faults.
    pub(super) fn operation(&self) -> &str {
        match &self.action {
            Action::Read(operation) => operation,
            Action::Write(write) => &write.call.operation,
        }
    }
}

impl Write {
    /// The answer, once it has changed something.
    pub(super) fn done(&self, place: &Place, status: u16) -> Success {
        let state = match self.change {
            Change::Create(_) | Change::Replace(_) | Change::Update(_) => "active",
            Change::Delete => "deleted",
        };
        let mut body = serde_json::Map::new();
        body.insert("id".to_owned(), place.id.as_str().into());
        body.insert("state".to_owned(), state.into());
        body.insert("idempotencyKey".to_owned(), self.call.key.as_str().into());
        if let Some(config) = self.change.config() {
            place.mark(&mut body, config);
        }
        let body = Value::Object(body).to_string();
        Success { status, body }
    }
}

/// Reads back what this module's caller made.
pub(super) fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("a config is JSON that serde_json wrote")
}
