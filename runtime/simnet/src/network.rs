//! The state of every element and the bookkeeping over it: no clock, no IO.
//!
//! A write is known by element, operation and key. Its first answer is recorded when it changed
//! something, and said again ever after. A refusal changes nothing and is not recorded: the same
//! key may try again.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::element::{Dialect, Element};
use super::fault::{Faults, Kind, Occasion, Outcome};
use super::refusal::Refusal;

mod address;
mod request;

#[cfg(test)]
mod tests;

use request::Entry as Shown;
pub(super) use request::{
    Action, Answer, Callback, Change, Reply, Request, Success, Ticket, Woken, Write,
};

/// How much is kept, roughly: entries, records and waiting calls. Then writes are refused.
const BYTES_MAX: usize = 2 << 30;
/// What a record, an entry or a waiting call takes beside its texts.
const OVERHEAD_BYTES: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Network {
    entries: BTreeMap<Place, Entry>,
    /// Places that an accepted call has yet to change.
    pending: BTreeMap<Place, Ticket>,
    records: BTreeMap<Call, Record>,
    waiting: BTreeMap<Ticket, Waiting>,
    faults: Faults,
    tickets: u64,
    bytes: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) element: &'static Element,
    pub(super) collection: String,
    pub(super) id: String,
}

/// What stands at a place from now on, put there by hand.
#[derive(Debug)]
pub(super) struct Drift {
    /// Under this key; under the one that it had where there is none.
    pub(super) key: Option<String>,
    pub(super) config: String,
}

#[derive(Debug)]
struct Entry {
    key: String,
    config: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Call {
    element: &'static str,
    operation: String,
    key: String,
}

#[derive(Debug, Default)]
struct Record {
    called: u64,
    applied: u64,
    progress: Progress,
}

#[derive(Debug, Default)]
enum Progress {
    /// Nothing came of it yet.
    #[default]
    Open,
    Pending {
        id: String,
        ticket: Ticket,
    },
    Done {
        id: String,
        answer: Success,
    },
}

#[derive(Debug)]
struct Waiting {
    request: Request,
    end: End,
}

/// How a waiting call goes on.
#[derive(Debug)]
enum End {
    Answer,
    Report { outcome: Outcome, deliveries: u8 },
}

impl Network {
    /// Takes a call: counts it, lets the faults at it and carries it out.
    pub(super) fn apply(&mut self, request: Request) -> Answer {
        let occasion = match self.arrive(&request) {
            Ok(occasion) => occasion,
            Err(refusal) => return Answer::Reply(Err(refusal)),
        };
        let name = request.element.name;
        let fired = self.faults.fire(name, &request.operation, occasion);
        let Some(kind) = fired else {
            return Answer::Reply(self.carry_out(&request));
        };
        match kind {
            Kind::Error { status, rpc_code, message } => {
                Answer::Reply(Err(Refusal::Fault { status, rpc_code, message }))
            }
            Kind::Timeout => Answer::Silence,
            Kind::Slow { delay_ms } => {
                Answer::Later { ticket: self.wait(Waiting { request, end: End::Answer }), delay_ms }
            }
            Kind::Lost => {
                // The result is lost on the way, whatever it is.
                drop(self.carry_out(&request));
                Answer::Lost
            }
            Kind::Async { delay_ms, outcome, deliveries } => {
                let end = End::Report { outcome, deliveries };
                match self.accept(request, end) {
                    Ok((ticket, reply)) => Answer::Accepted { reply: Ok(reply), ticket, delay_ms },
                    Err(refusal) => Answer::Reply(Err(refusal)),
                }
            }
        }
    }

    /// Goes on with a call whose delay is over.
    pub(super) fn wake(&mut self, ticket: Ticket) -> Woken {
        let Some(Waiting { request, end }) = self.waiting.remove(&ticket) else {
            return Woken::Gone;
        };
        self.bytes -= waiting_bytes(&request);
        match (end, &request.action) {
            (End::Answer, _) | (End::Report { .. }, Action::Read) => {
                Woken::Reply(self.carry_out(&request))
            }
            (End::Report { outcome, deliveries }, Action::Write(write)) => {
                self.pending.remove(&Place::of(&request));
                self.record(&request, write).progress = Progress::Open;
                let body = match outcome {
                    Outcome::Done => reported(&write.key, self.carry_out(&request)),
                    Outcome::Failed { code, message } => failed(&write.key, &code, &message),
                };
                let Some(url) = write.callback.clone() else {
                    return Woken::Quiet;
                };
                Woken::Callback(Callback { url, body: body.to_string(), deliveries })
            }
        }
    }

    /// Lists how often each write was called and applied, sorted.
    pub(super) fn effects(&self, element: Option<&Element>) -> Value {
        self.records
            .iter()
            .filter(|(call, _)| element.is_none_or(|element| element.name == call.element))
            .map(|(call, record)| {
                json!({
                    "element": call.element,
                    "operation": call.operation,
                    "key": call.key,
                    "called": record.called,
                    "applied": record.applied,
                })
            })
            .collect()
    }

    /// Lists the entries of an element as a read shows them, sorted.
    pub(super) fn state(&self, element: &Element) -> Value {
        let held = self.entries.keys();
        let new = self.pending.keys();
        let mut places: Vec<_> = held.chain(new).collect();
        places.retain(|place| place.element.name == element.name);
        places.sort();
        places.dedup();
        places
            .into_iter()
            .filter_map(|place| {
                let mut shown = self.look(place)?.show();
                shown["collection"] = place.collection.as_str().into();
                Some(shown)
            })
            .collect()
    }

    /// Changes the state of an element by hand: without a request, and without counting an effect.
    /// Without a config the state is removed. Returns whether there was any.
    pub(super) fn drift(&mut self, place: Place, drift: Option<Drift>) -> bool {
        let before = self.entries.remove(&place);
        if let Some(before) = &before {
            self.bytes -= before.bytes(&place);
        }
        if let Some(Drift { key, config }) = drift {
            let kept = before.as_ref().map_or("by-hand", |before| &before.key);
            let key = key.unwrap_or_else(|| kept.to_owned());
            let entry = Entry { key, config };
            self.bytes += entry.bytes(&place);
            self.entries.insert(place, entry);
        }
        before.is_some()
    }

    /// Forgets state, log and waiting calls, but not the faults.
    pub(super) fn clear(&mut self) {
        *self = Self {
            faults: std::mem::take(&mut self.faults),
            // Tickets are never given twice: one from before must not wake one from after.
            tickets: self.tickets,
            ..Self::default()
        };
    }

    pub(super) fn arm(&mut self, faults: Faults) {
        self.faults = faults;
    }

    pub(super) fn faults(&self) -> Value {
        self.faults.show()
    }

    /// Counts a call before anything can go wrong with it.
    fn arrive(&mut self, request: &Request) -> Result<Occasion, Refusal> {
        let Action::Write(write) = &request.action else {
            return Ok(Occasion::NoChange);
        };
        if self.bytes + 3 * waiting_bytes(request) > BYTES_MAX {
            return Err(Refusal::Full);
        }
        let record = self.record(request, write);
        record.called += 1;
        let (id, ticket) = match &record.progress {
            Progress::Open => return Ok(self.foresee(request, write)),
            Progress::Pending { id, ticket } => (id, Some(*ticket)),
            Progress::Done { id, .. } => (id, None),
        };
        if *id != request.id {
            return Err(Refusal::KeyReused { key: write.key.clone(), id: id.clone() });
        }
        // Who asks again may have moved to another address: the report goes to the newest.
        if let (Some(ticket), Some(url)) = (ticket, &write.callback) {
            self.redirect(ticket, url);
        }
        Ok(Occasion::NoChange)
    }

    fn foresee(&self, request: &Request, write: &Write) -> Occasion {
        match self.permit(&Place::of(request), write) {
            Ok(()) => Occasion::Change,
            Err(_) => Occasion::NoChange,
        }
    }

    fn carry_out(&mut self, request: &Request) -> Reply {
        let place = Place::of(request);
        let write = match &request.action {
            Action::Read => return self.read(&place),
            Action::Write(write) => write,
        };
        match &self.record(request, write).progress {
            Progress::Done { answer, .. } => return Ok(answer.clone()),
            Progress::Pending { .. } => return Ok(accepted(request.element, &write.key)),
            Progress::Open => {}
        }
        self.permit(&place, write)?;
        Ok(self.change(&place, request, write))
    }

    /// Changes an entry: the only place that does, and the only one that counts it.
    fn change(&mut self, place: &Place, request: &Request, write: &Write) -> Success {
        let before = match write.change.config() {
            Some(config) => {
                let entry = Entry { key: write.key.clone(), config: config.to_owned() };
                self.bytes += entry.bytes(place);
                self.entries.insert(place.clone(), entry)
            }
            None => self.entries.remove(place),
        };
        if let Some(before) = &before {
            self.bytes -= before.bytes(place);
        }
        let status = if before.is_some() { 200 } else { 201 };
        let answer = request.done(write, status);
        self.bytes += request.id.len() + answer.body.len();
        let record = self.record(request, write);
        record.applied += 1;
        record.progress = Progress::Done { id: request.id.clone(), answer: answer.clone() };
        answer
    }

    /// Checks whether this write may change the place now.
    fn permit(&self, place: &Place, write: &Write) -> Result<(), Refusal> {
        let in_use = |key: &str| {
            Err(Refusal::InUse {
                collection: place.collection.clone(),
                id: place.id.clone(),
                key: key.to_owned(),
            })
        };
        if let Some(other) = self.pending_write(place) {
            return in_use(&other.key);
        }
        match (&write.change, self.entries.get(place)) {
            (Change::Create(_), Some(entry)) if entry.key != write.key => in_use(&entry.key),
            (Change::Update(_) | Change::Delete, None) => Err(not_found(place)),
            (Change::Create(_) | Change::Replace(_), _)
            | (Change::Update(_) | Change::Delete, Some(_)) => Ok(()),
        }
    }

    /// Takes a permitted write that is to be carried out later.
    fn accept(&mut self, request: Request, end: End) -> Result<(Ticket, Success), Refusal> {
        let place = Place::of(&request);
        let Action::Write(write) = request.action.clone() else {
            return Err(Refusal::malformed("a read cannot be accepted for later"));
        };
        if let Some(url) = &write.callback {
            address::check(url)?;
        }
        let call = Call::of(&request, &write);
        let id = request.id.clone();
        let success = accepted(request.element, &write.key);
        let ticket = self.wait(Waiting { request, end });
        self.pending.insert(place, ticket);
        self.records.entry(call).or_default().progress = Progress::Pending { id, ticket };
        Ok((ticket, success))
    }

    fn wait(&mut self, waiting: Waiting) -> Ticket {
        let ticket = Ticket(self.tickets);
        self.tickets += 1;
        self.bytes += waiting_bytes(&waiting.request);
        self.waiting.insert(ticket, waiting);
        ticket
    }

    fn redirect(&mut self, ticket: Ticket, url: &str) {
        let Some(waiting) = self.waiting.get_mut(&ticket) else {
            return;
        };
        if let Action::Write(write) = &mut waiting.request.action
            && address::check(url).is_ok()
        {
            write.callback = Some(url.to_owned());
        }
    }

    fn read(&self, place: &Place) -> Reply {
        let shown = self.look(place).ok_or_else(|| not_found(place))?;
        Ok(Success { status: 200, body: shown.show().to_string() })
    }

    fn look<'a>(&'a self, place: &'a Place) -> Option<Shown<'a>> {
        let entry = self.entries.get(place);
        let (state, key, config) = match (self.pending_write(place), entry) {
            (Some(write), entry) => {
                let new = write.change.config();
                let old = entry.map(|entry| entry.config.as_str());
                ("pending", write.key.as_str(), new.or(old)?)
            }
            (None, Some(entry)) => (request::ACTIVE, entry.key.as_str(), entry.config.as_str()),
            (None, None) => return None,
        };
        let (collection, id) = (&place.collection, &place.id);
        Some(Shown { element: place.element, collection, id, state, key, config })
    }

    fn pending_write(&self, place: &Place) -> Option<&Write> {
        let waiting = self.waiting.get(self.pending.get(place)?)?;
        match &waiting.request.action {
            Action::Write(write) => Some(write),
            Action::Read => None,
        }
    }

    fn record(&mut self, request: &Request, write: &Write) -> &mut Record {
        let call = Call::of(request, write);
        let bytes = &mut self.bytes;
        self.records.entry(call).or_insert_with_key(|call| {
            *bytes += call.operation.len() + call.key.len() + OVERHEAD_BYTES;
            Record::default()
        })
    }
}

impl Place {
    fn of(request: &Request) -> Self {
        Self {
            element: request.element,
            collection: request.collection.clone(),
            id: request.id.clone(),
        }
    }
}

impl Call {
    fn of(request: &Request, write: &Write) -> Self {
        Self {
            element: request.element.name,
            operation: request.operation.clone(),
            key: write.key.clone(),
        }
    }
}

impl Entry {
    fn bytes(&self, place: &Place) -> usize {
        place.collection.len() + place.id.len() + self.config.len() + OVERHEAD_BYTES
    }
}

fn waiting_bytes(request: &Request) -> usize {
    let config = match &request.action {
        Action::Read => None,
        Action::Write(write) => write.change.config(),
    };
    request.collection.len() + request.id.len() + config.map_or(0, str::len) + OVERHEAD_BYTES
}

fn accepted(element: &Element, key: &str) -> Success {
    let body = match element.dialect {
        Dialect::Restconf | Dialect::Rest => json!({"state": "pending", "idempotencyKey": key}),
        Dialect::JsonRpc => json!({"accepted": true}),
    };
    Success { status: 202, body: body.to_string() }
}

fn not_found(place: &Place) -> Refusal {
    Refusal::NotFound { collection: place.collection.clone(), id: place.id.clone() }
}

fn reported(key: &str, reply: Reply) -> Value {
    match reply {
        Ok(success) => {
            json!({"key": key, "status": "done", "result": request::json(&success.body)})
        }
        Err(refusal) => failed(key, refusal.code(), &refusal.to_string()),
    }
}

fn failed(key: &str, code: &str, message: &str) -> Value {
    json!({"key": key, "status": "failed", "error": {"code": code, "message": message}})
}
