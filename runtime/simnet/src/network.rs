//! The state of every element and the bookkeeping over it: no clock, no IO.
//!
//! A write is known by element, operation and key. Its first answer is recorded when it changed
//! something, and said again ever after. A refusal changes nothing and is not recorded: the same
//! key may try again.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::element::{Dialect, Element, Place};
use super::fault::{Faults, Kind, Occasion, Outcome};
use super::refusal::Refusal;

mod address;
mod request;

#[cfg(test)]
mod tests;

use request::Entry as Shown;
pub(super) use request::{
    Action, Answer, Call, Callback, Change, Reply, Request, Success, Ticket, Woken, Write,
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

/// Why a write changes nothing.
enum Obstacle<'a> {
    /// The place is in use by this key.
    InUse(&'a str),
    Missing,
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
        let name = request.place.element.name;
        let fired = self.faults.fire(name, request.operation(), occasion);
        let Some(kind) = fired else {
            return Answer::Reply(self.carry_out(request));
        };
        match kind {
            Kind::Error { status, rpc_code, message } => {
                Answer::Reply(Err(Refusal::Fault { status, rpc_code, message }))
            }
            Kind::Timeout => Answer::Silence,
            Kind::Slow { delay_ms } => {
                let ticket = self.ticket();
                self.wait(ticket, Waiting { request, end: End::Answer });
                Answer::Later { ticket, delay_ms }
            }
            Kind::Lost => {
                // The result is lost on the way, whatever it is.
                drop(self.carry_out(request));
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
        let Some(Waiting { mut request, end }) = self.waiting.remove(&ticket) else {
            return Woken::Gone;
        };
        self.bytes -= waiting_bytes(&request);
        let (End::Report { outcome, deliveries }, Action::Write(write)) =
            (end, &mut request.action)
        else {
            return Woken::Reply(self.carry_out(request));
        };
        self.pending.remove(&request.place);
        self.record(&write.call).progress = Progress::Open;
        let (key, url) = (write.call.key.clone(), write.callback.take());
        let body = match outcome {
            Outcome::Done => reported(&key, self.carry_out(request)),
            Outcome::Failed { code, message } => failed(&key, &code, &message),
        };
        match url {
            Some(url) => Woken::Callback(Callback { url, body: body.to_string(), deliveries }),
            None => Woken::Quiet,
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
    pub(super) fn drift(&mut self, place: Place, Drift { key, config }: Drift) {
        let before = self.remove(&place).map(|before| before.key);
        let key = key.or(before).unwrap_or_else(|| "by-hand".to_owned());
        self.insert(place, Entry { key, config });
    }

    /// Has an element forget a state by hand.
    pub(super) fn forget(&mut self, place: Place) -> Result<(), Refusal> {
        match self.remove(&place) {
            Some(_) => Ok(()),
            None => Err(Refusal::NotFound { place }),
        }
    }

    fn insert(&mut self, place: Place, entry: Entry) {
        self.bytes += entry.bytes(&place);
        self.entries.insert(place, entry);
    }

    fn remove(&mut self, place: &Place) -> Option<Entry> {
        let entry = self.entries.remove(place)?;
        self.bytes -= entry.bytes(place);
        Some(entry)
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
        let bytes = &mut self.bytes;
        let record = self.records.entry(write.call.clone()).or_insert_with_key(|call| {
            *bytes += call.operation.len() + call.key.len() + OVERHEAD_BYTES;
            Record::default()
        });
        record.called += 1;
        let (id, ticket) = match &record.progress {
            Progress::Open => return Ok(self.foresee(&request.place, write)),
            Progress::Pending { id, ticket } => (id, Some(*ticket)),
            Progress::Done { id, .. } => (id, None),
        };
        if *id != request.place.id {
            return Err(Refusal::KeyReused { key: write.call.key.clone(), id: id.clone() });
        }
        // Who asks again may have moved to another address: the report goes to the newest.
        if let (Some(ticket), Some(url)) = (ticket, &write.callback) {
            self.redirect(ticket, url);
        }
        Ok(Occasion::NoChange)
    }

    fn foresee(&self, place: &Place, write: &Write) -> Occasion {
        match self.obstacle(place, write) {
            None => Occasion::Change,
            Some(_) => Occasion::NoChange,
        }
    }

    fn carry_out(&mut self, Request { place, action }: Request) -> Reply {
        let write = match action {
            Action::Read(_) => return self.read(place),
            Action::Write(write) => write,
        };
        match &self.record(&write.call).progress {
            Progress::Done { answer, .. } => return Ok(answer.clone()),
            Progress::Pending { .. } => return Ok(accepted(place.element, &write.call.key)),
            Progress::Open => {}
        }
        match self.obstacle(&place, &write) {
            None => Ok(self.change(place, write)),
            Some(Obstacle::InUse(key)) => Err(Refusal::InUse { key: key.to_owned(), place }),
            Some(Obstacle::Missing) => Err(Refusal::NotFound { place }),
        }
    }

    /// Changes an entry: the only place that does for a call, and the only one that counts it.
    fn change(&mut self, place: Place, write: Write) -> Success {
        let status = if self.remove(&place).is_some() { 200 } else { 201 };
        let answer = write.done(&place, status);
        self.bytes += place.id.len() + answer.body.len();
        let record = self.record(&write.call);
        record.applied += 1;
        record.progress = Progress::Done { id: place.id.clone(), answer: answer.clone() };
        if let Some(config) = write.change.into_config() {
            self.insert(place, Entry { key: write.call.key, config });
        }
        answer
    }

    /// Why this write may not change the place now.
    fn obstacle(&self, place: &Place, write: &Write) -> Option<Obstacle<'_>> {
        if let Some(other) = self.pending_write(place) {
            return Some(Obstacle::InUse(&other.call.key));
        }
        match (&write.change, self.entries.get(place)) {
            (Change::Create(_), Some(entry)) if entry.key != write.call.key => {
                Some(Obstacle::InUse(&entry.key))
            }
            (Change::Update(_) | Change::Delete, None) => Some(Obstacle::Missing),
            (Change::Create(_) | Change::Replace(_), _)
            | (Change::Update(_) | Change::Delete, Some(_)) => None,
        }
    }

    /// Takes a permitted write that is to be carried out later.
    fn accept(&mut self, request: Request, end: End) -> Result<(Ticket, Success), Refusal> {
        let Request { place, action: Action::Write(write) } = &request else {
            return Err(Refusal::malformed("a read cannot be accepted for later"));
        };
        if let Some(url) = &write.callback {
            address::check(url)?;
        }
        let success = accepted(place.element, &write.call.key);
        let ticket = self.ticket();
        self.pending.insert(place.clone(), ticket);
        self.record(&write.call).progress = Progress::Pending { id: place.id.clone(), ticket };
        self.wait(ticket, Waiting { request, end });
        Ok((ticket, success))
    }

    fn ticket(&mut self) -> Ticket {
        let ticket = Ticket(self.tickets);
        self.tickets += 1;
        ticket
    }

    fn wait(&mut self, ticket: Ticket, waiting: Waiting) {
        self.bytes += waiting_bytes(&waiting.request);
        self.waiting.insert(ticket, waiting);
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

    fn read(&self, place: Place) -> Reply {
        match self.look(&place) {
            Some(shown) => Ok(Success { status: 200, body: shown.show().to_string() }),
            None => Err(Refusal::NotFound { place }),
        }
    }

    fn look<'a>(&'a self, place: &'a Place) -> Option<Shown<'a>> {
        let entry = self.entries.get(place);
        let (state, key, config) = match (self.pending_write(place), entry) {
            (Some(write), entry) => {
                let new = write.change.config();
                let old = entry.map(|entry| entry.config.as_str());
                ("pending", write.call.key.as_str(), new.or(old)?)
            }
            (None, Some(entry)) => (request::ACTIVE, entry.key.as_str(), entry.config.as_str()),
            (None, None) => return None,
        };
        Some(Shown { place, state, key, config })
    }

    fn pending_write(&self, place: &Place) -> Option<&Write> {
        let waiting = self.waiting.get(self.pending.get(place)?)?;
        match &waiting.request.action {
            Action::Write(write) => Some(write),
            Action::Read(_) => None,
        }
    }

    /// The record of a call that has arrived.
    fn record(&mut self, call: &Call) -> &mut Record {
        self.records.get_mut(call).expect("a call is recorded when it arrives")
    }
}

impl Entry {
    fn bytes(&self, place: &Place) -> usize {
        place.collection.len() + place.id.len() + self.config.len() + OVERHEAD_BYTES
    }
}

fn waiting_bytes(request: &Request) -> usize {
    let config = match &request.action {
        Action::Read(_) => None,
        Action::Write(write) => write.change.config(),
    };
    let Place { collection, id, .. } = &request.place;
    collection.len() + id.len() + config.map_or(0, str::len) + OVERHEAD_BYTES
}

fn accepted(element: &Element, key: &str) -> Success {
    let body = match element.dialect {
        Dialect::Restconf | Dialect::Rest => json!({"state": "pending", "idempotencyKey": key}),
        Dialect::JsonRpc => json!({"accepted": true}),
    };
    Success { status: 202, body: body.to_string() }
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
