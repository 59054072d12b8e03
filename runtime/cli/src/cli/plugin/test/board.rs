//! The state of a simulated element, and its answers: what was applied, under which key, and what was asked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::case::{Answer, Case, Does, Exchange, Once};
use super::fault::{self, Fault};
use super::json::{Json, Names, cut};
use super::matching::mismatch;
use super::spoilt::{message, refusal, spoil};
use super::wire::{Received, Reply};

/// Requests of one call beyond which it is taken for endless.
pub(super) const CALL_REQUESTS_MAX: usize = 60;

/// For which call a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli::plugin) enum Phase {
    Run,
    Probe,
    Resume,
    Undo,
}

/// A request of a phase, by its number from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) phase: Phase,
    pub(super) at: usize,
}

/// Work that is on the element.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Effect {
    pub(super) name: String,
    /// Method and path of the request that made it.
    target: String,
    pub(super) key: Option<String>,
    body: Option<Json>,
    id: String,
    pending: bool,
}

/// A request that came, and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) phase: Phase,
    /// The number of the call.
    pub(super) call: usize,
    pub(super) line: String,
    pub(super) body: Vec<u8>,
    pub(super) does: Does,
    pub(super) status: u16,
    pub(super) fault: Option<Fault>,
    /// Why no exchange matches.
    pub(super) mismatch: Option<String>,
}

/// A callback that the element sends.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// The element's own name for the work.
    pub(super) name: Option<String>,
    pub(super) body: Json,
}

/// A request that is disturbed as often as its call repeats it.
#[derive(Debug)]
struct Ongoing {
    call: usize,
    line: String,
    fault: Fault,
}

/// The treatment of a connection.
#[derive(Debug)]
pub(super) enum Action {
    Send(Reply),
    SendLate(Reply),
    SendHalf(Reply),
    /// Nothing is sent, and the connection stays.
    Silence,
    /// The connection is cut.
    Cut,
}

/// The state of a simulated element.
#[derive(Debug)]
pub(super) struct Board {
    case: Arc<Case>,
    /// The names of the case with their texts.
    known: Arc<Vec<(String, String)>>,
    pub(super) effects: Vec<Effect>,
    made: usize,
    pub(super) seen: Vec<Arc<Seen>>,
    armed: Option<(Spot, Fault)>,
    /// The request that is disturbed, as long as its call lasts.
    ongoing: Option<Ongoing>,
    /// The call in which the fault happened.
    pub(super) fired: Option<usize>,
    call: usize,
    phase: Phase,
    counts: BTreeMap<Phase, usize>,
    outbox: VecDeque<Sent>,
    /// Whether callbacks come before the answers that announce them.
    calls_back_early: bool,
    /// The key of the request that is answered.
    asked_key: String,
}

impl Board {
    pub(super) fn new(case: Arc<Case>, known: Arc<Vec<(String, String)>>) -> Self {
        Self {
            case,
            known,
            effects: Vec::new(),
            made: 0,
            seen: Vec::new(),
            armed: None,
            ongoing: None,
            fired: None,
            call: 0,
            phase: Phase::Run,
            counts: BTreeMap::new(),
            outbox: VecDeque::new(),
            calls_back_early: false,
            asked_key: String::new(),
        }
    }

    /// What is on the element stays, and all that happened is forgotten.
    pub(super) fn settle(&mut self) {
        let effects = std::mem::take(&mut self.effects);
        let made = self.made;
        *self =
            Self { effects, made, ..Self::new(Arc::clone(&self.case), Arc::clone(&self.known)) };
        self.effects.iter_mut().for_each(|effect| effect.pending = false);
    }

    /// Disturbs one request.
    pub(super) fn arm(&mut self, spot: Spot, fault: Fault) {
        self.armed = Some((spot, fault));
    }

    /// Callbacks come before the answers that announce them.
    pub(super) fn call_back_early(&mut self) {
        self.calls_back_early = true;
    }

    /// Puts the work of another task on the element.
    pub(super) fn make_foreign(&mut self) {
        let case = Arc::clone(&self.case);
        for exchange in case.written.exchanges.iter().filter(|one| one.does == Does::Applies) {
            self.made += 1;
            self.effects.push(Effect {
                name: exchange.effect.to_owned(),
                target: target_of(exchange),
                key: Some("another-task".into()),
                body: exchange.request.body.as_ref().map(|body| self.filled(body, None)),
                id: format!("id-{}", self.made),
                pending: false,
            });
        }
    }

    /// A call begins. Whether its first request is refused.
    pub(super) fn begin(&mut self, call: usize, phase: Phase) -> bool {
        self.call = call;
        self.phase = phase;
        self.refuses_next()
    }

    /// Whether the next request of the phase is refused, which then has happened.
    fn refuses_next(&mut self) -> bool {
        let next = self.counts.get(&self.phase).copied().unwrap_or(0);
        let spot = Spot { phase: self.phase, at: next };
        let refuses = self.armed == Some((spot, Fault::Refused));
        if refuses {
            self.armed = None;
            self.fired = Some(self.call);
        }
        refuses
    }

    /// The callback that the element sends next.
    pub(super) fn take_callback(&mut self) -> Option<Sent> {
        let sent = self.outbox.pop_front();
        if sent.is_some() {
            self.effects.iter_mut().for_each(|effect| effect.pending = false);
        }
        sent
    }

    /// Whether a request came that matches no exchange.
    pub(super) fn has_mismatch(&self) -> bool {
        self.seen.iter().any(|seen| seen.mismatch.is_some())
    }

    /// The effects as they are compared: their order does not count.
    pub(super) fn standing(&self) -> Vec<String> {
        let shown = self.effects.iter().map(|effect| {
            let body = effect.body.as_ref().map(|body| body.0.to_string()).unwrap_or_default();
            let key = effect.key.as_deref().unwrap_or("no key");
            format!("`{}` by {} {} under {key}", effect.name, effect.target, cut(&body))
        });
        let mut shown: Vec<String> = shown.collect();
        shown.sort();
        shown
    }

    /// Answers a request. Also tells whether the next one is refused.
    pub(super) fn handle(&mut self, received: &Received) -> (Action, bool) {
        let count = self.counts.entry(self.phase).or_default();
        let spot = Spot { phase: self.phase, at: *count };
        *count += 1;
        let found = self.find(received);
        let line = format!("{} {}", received.method, received.target);
        let fault = self.fault_of(spot, &line);
        let exchange = found.as_ref().ok().copied();
        let does = exchange.map_or(Does::Nothing, |at| self.case.written.exchanges[at].does);
        let action = match exchange {
            Some(at) => self.disturbed(at, received, fault),
            None => Action::Send(message(501, "no exchange of the case matches the request")),
        };
        let status = match &action {
            Action::Send(reply) | Action::SendLate(reply) | Action::SendHalf(reply) => reply.status,
            Action::Silence | Action::Cut => 0,
        };
        let call_requests = self.seen.iter().filter(|seen| seen.call == self.call).count();
        if call_requests > CALL_REQUESTS_MAX {
            // It would go on until the time of the call is up.
            return (Action::Silence, false);
        }
        self.seen.push(Arc::new(Seen {
            phase: self.phase,
            call: self.call,
            line,
            body: received.body.to_vec(),
            does,
            status,
            fault,
            mismatch: found.err(),
        }));
        (action, self.refuses_next())
    }

    /// The fault of a request: what is armed for it, or what disturbed it before in the same call.
    fn fault_of(&mut self, spot: Spot, line: &str) -> Option<Fault> {
        let armed = self.armed.filter(|(armed, _)| *armed == spot);
        if let Some((_, fault)) = armed {
            self.armed = None;
            self.fired = Some(self.call);
            self.ongoing = Some(Ongoing { call: self.call, line: line.to_owned(), fault });
            return Some(fault);
        }
        let ongoing = self.ongoing.as_ref();
        let same = ongoing.filter(|ongoing| ongoing.call == self.call && ongoing.line == line);
        same.map(|ongoing| ongoing.fault)
    }

    /// Carries a request out as its fault has it.
    fn disturbed(&mut self, at: usize, received: &Received, fault: Option<Fault>) -> Action {
        let Some(fault) = fault else { return Action::Send(self.carry_out(at, received)) };
        let reply = match fault.effect() {
            fault::Effect::None => None,
            fault::Effect::Once => Some(self.carry_out(at, received)),
            fault::Effect::Twice => {
                self.carry_out(at, received);
                Some(self.carry_out(at, received))
            }
        };
        let Some(mut reply) = reply else {
            return match fault.status() {
                Some(status) => Action::Send(refusal(status)),
                None => Action::Silence,
            };
        };
        match fault {
            Fault::Slow => return Action::SendLate(reply),
            Fault::TimeoutAfter => return Action::Silence,
            Fault::LostAnswer => return Action::Cut,
            Fault::Truncated => return Action::SendHalf(reply),
            Fault::Garbage
            | Fault::CutJson
            | Fault::WrongType
            | Fault::Huge
            | Fault::EmptyAnswer
            | Fault::Duplicate
            | Fault::Refused
            | Fault::TimeoutBefore
            | Fault::TooMany
            | Fault::Unavailable
            | Fault::ServerError
            | Fault::Unauthorized
            | Fault::Forbidden
            | Fault::Conflict
            | Fault::BadRequest => spoil(&mut reply, fault),
        }
        Action::Send(reply)
    }

    fn carry_out(&mut self, at: usize, received: &Received) -> Reply {
        let case = Arc::clone(&self.case);
        let exchange = &case.written.exchanges[at];
        self.asked_key = key_of(exchange, received).unwrap_or_default();
        match exchange.does {
            Does::Nothing => self.reply(&exchange.answer, None),
            Does::Reads => {
                let effect =
                    self.effects.iter().find(|effect| is_named(effect, exchange, received));
                match effect {
                    None => self.absent(exchange),
                    Some(effect) => {
                        let pending = exchange.pending.as_ref().filter(|_| effect.pending);
                        self.reply(pending.unwrap_or(&exchange.answer), Some(effect))
                    }
                }
            }
            Does::Reverts => {
                let named = |effect: &Effect| is_named(effect, exchange, received);
                let Some(at) = self.effects.iter().position(named) else {
                    return self.absent(exchange);
                };
                let effect = self.effects.remove(at);
                self.call_back(exchange, &effect);
                self.reply(&exchange.answer, Some(&effect))
            }
            Does::Applies => self.apply(exchange, received),
            Does::Changes => {
                let named = |effect: &Effect| is_named(effect, exchange, received);
                let Some(at) = self.effects.iter().position(named) else {
                    return self.absent(exchange);
                };
                let mut effect = self.effects.remove(at);
                effect.key = key_of(exchange, received);
                if let Some(body) = Json::read(&received.body) {
                    effect.body = Some(match effect.body {
                        Some(before) => before.merged(body),
                        None => body,
                    });
                }
                self.call_back(exchange, &effect);
                let reply = self.reply(&exchange.answer, Some(&effect));
                self.effects.insert(at, effect);
                reply
            }
        }
    }

    fn apply(&mut self, exchange: &Exchange, received: &Received) -> Reply {
        let key = key_of(exchange, received);
        let target = format!("{} {}", received.method, received.target);
        let once = exchange.once();
        let same = self.effects.iter().position(|effect| {
            let is_same = match once {
                Once::Key => key.is_some() && effect.key == key,
                Once::Target => effect.target == target,
                Once::Effect => is_named(effect, exchange, received),
                Once::Never => false,
            };
            effect.name == exchange.effect && is_same
        });
        let taken = exchange.taken.as_ref().filter(|_| {
            let others = self.effects.iter().filter(|effect| effect.key != key);
            others.into_iter().any(|effect| effect.name == exchange.effect)
        });
        if let Some(taken) = taken {
            return self.reply(taken, None);
        }
        let body = Json::read(&received.body);
        let answer = match same {
            Some(_) => exchange.repeated.as_ref().unwrap_or(&exchange.answer),
            None => &exchange.answer,
        };
        let at = match same {
            Some(at) if matches!(once, Once::Target | Once::Effect) => {
                self.effects[at].key = key;
                self.effects[at].body = body;
                at
            }
            Some(at) => at,
            None => {
                self.made += 1;
                let id = format!("id-{}", self.made);
                let pending = exchange.callback.is_some() && !self.calls_back_early;
                let name = exchange.effect.to_owned();
                self.effects.push(Effect { name, target, key, body, id, pending });
                self.effects.len() - 1
            }
        };
        let effect = self.effects.remove(at);
        self.call_back(exchange, &effect);
        let reply = self.reply(answer, Some(&effect));
        self.effects.insert(at, effect);
        reply
    }

    fn call_back(&mut self, exchange: &Exchange, effect: &Effect) {
        let Some(callback) = &exchange.callback else { return };
        let names = self.names_of(Some(effect));
        self.outbox.push_back(Sent {
            name: callback.name.as_ref().map(|name| names.fill(name)),
            body: callback.body.replaced(&|text| names.fill(text)),
        });
    }

    fn absent(&self, exchange: &Exchange) -> Reply {
        match &exchange.absent {
            Some(answer) => self.reply(answer, None),
            None => message(404, "there is no such thing"),
        }
    }

    fn reply(&self, answer: &Answer, effect: Option<&Effect>) -> Reply {
        let names = self.names_of(effect);
        let mut headers: Vec<(String, String)> = Vec::new();
        let written = answer.headers.iter();
        headers.extend(written.map(|(name, value)| (name.to_lowercase(), names.fill(value))));
        let body = match (&answer.body, &answer.text) {
            (Some(body), _) => {
                let sent = effect.and_then(|effect| effect.body.as_ref());
                let body = body.with_values(&|text| sent.and_then(|sent| sent.named(text)));
                body.replaced(&|text| names.fill(text)).0.to_string().into_bytes()
            }
            (None, Some(text)) => names.fill(text).into_bytes(),
            (None, None) => Vec::new(),
        };
        if answer.body.is_some() && !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".into(), "application/json".into()));
        }
        Reply { status: answer.status.0, headers, body }
    }

    fn filled(&self, body: &Json, effect: Option<&Effect>) -> Json {
        let names = self.names_of(effect);
        body.replaced(&|text| names.fill(text))
    }

    /// The names of answers: the key and the id are those of the effect.
    fn names_of(&self, effect: Option<&Effect>) -> Names {
        let mut own = vec![("request-key", self.asked_key.to_owned())];
        if let Some(effect) = effect {
            own.push(("key", effect.key.as_deref().unwrap_or_default().to_owned()));
            own.push(("id", effect.id.to_owned()));
        }
        Names { known: Arc::clone(&self.known), own, ids: Vec::new() }
    }

    /// The names of patterns.
    pub(super) fn names(&self) -> Names {
        let ids = self.effects.iter().map(|effect| effect.id.to_owned()).collect();
        Names { known: Arc::clone(&self.known), own: Vec::new(), ids }
    }

    /// The first exchange that a request matches; else the nearest, with the difference.
    fn find(&self, received: &Received) -> Result<usize, String> {
        let names = self.names();
        let mut nearest: Option<(u32, usize, String)> = None;
        for (at, exchange) in self.case.written.exchanges.iter().enumerate() {
            let Some((distance, difference)) = mismatch(exchange, received, &names) else {
                return Ok(at);
            };
            if nearest.as_ref().is_none_or(|(least, ..)| distance < *least) {
                nearest = Some((distance, at, difference));
            }
        }
        let asked = format!("{} {}", received.method, cut(&received.target));
        Err(match nearest {
            None => format!("{asked} matches no exchange: the case has none"),
            Some((_, at, difference)) => {
                let request = &self.case.written.exchanges[at].request;
                let (method, path) = (&request.method.0, &request.path.0);
                let place = self.case.place(self.case.lines.exchange(at));
                format!(
                    "{asked} matches no exchange; the nearest is {method} {path} ({place}): {difference}"
                )
            }
        })
    }
}

/// Whether a request is about an effect: by its name, and by its id where the path has one.
fn is_named(effect: &Effect, exchange: &Exchange, received: &Received) -> bool {
    let has_id = exchange.request.path.0.contains("{{id}}");
    effect.name == exchange.effect && (!has_id || received.target.contains(&effect.id))
}

fn key_of(exchange: &Exchange, received: &Received) -> Option<String> {
    match exchange.key.starts_with('/') {
        true => Json::read(&received.body)?.text_at(&exchange.key),
        false => received.header(&exchange.key.to_lowercase()).map(str::to_owned),
    }
}

fn target_of(exchange: &Exchange) -> String {
    format!("{} {}", exchange.request.method.0, exchange.request.path.0)
}
