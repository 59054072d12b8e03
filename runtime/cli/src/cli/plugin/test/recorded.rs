//! Makes the exchanges of a case of what a plugin said to a real element. Secrets are masked already, by
//! the host.

use std::collections::{BTreeMap, BTreeSet};

use engine::telemetry::{self, Message};

use super::board::Phase;
use super::case::{Answer, Does, Exchange, Method, PathPattern, Pattern, Status};
use super::json::Json;

/// Headers of a request that a case asks for.
const ASKED: [&str; 1] = ["content-type"];
/// Headers of an answer that a case repeats.
const REPEATED: [&str; 3] = ["content-type", "retry-after", "location"];
/// The mark of a secret that is no setting.
const HIDDEN: &str = "[hidden]";

/// An exchange with a real element, and for which call it was.
#[derive(Debug)]
pub(in crate::cli::plugin) struct Said {
    pub(in crate::cli::plugin) phase: Phase,
    pub(in crate::cli::plugin) exchange: telemetry::Exchange,
}

/// The texts of a recording that have names in a case, each with its name.
#[derive(Debug)]
pub(in crate::cli::plugin) struct Known {
    /// The address of the element, without a slash at its end; `None` if it is scheme, host and port alone.
    pub(in crate::cli::plugin) base: Option<String>,
    /// The task's key.
    pub(in crate::cli::plugin) key: String,
}

/// The exchanges of a case, in the order in which they were first seen.
pub(in crate::cli::plugin) fn exchanges(said: &[Said], known: &Known) -> Vec<Exchange> {
    let ids = ids(said, known);
    let heard: Vec<Heard> = said.iter().filter_map(|said| heard(said, known, &ids)).collect();
    let mut kinds: BTreeMap<&str, BTreeSet<Phase>> = BTreeMap::new();
    for one in &heard {
        kinds.entry(&one.identity).or_default().insert(one.phase);
    }
    let does = |one: &Heard| does_of(&one.method, kinds.get(one.identity.as_str()));
    let mut made: Vec<(String, Exchange)> = Vec::new();
    let mut is_applied = false;
    for one in &heard {
        let does = does(one);
        let is_success = (200..300).contains(&one.status);
        let is_there = is_applied;
        match does {
            Does::Applies if is_success => is_applied = true,
            Does::Reverts if is_success => is_applied = false,
            Does::Applies | Does::Changes | Does::Reverts | Does::Reads | Does::Nothing => {}
        }
        let known = made.iter_mut().find(|(identity, _)| *identity == one.identity);
        let exchange = match known {
            Some((_, exchange)) => exchange,
            None => {
                made.push((one.identity.to_owned(), one.exchange(does)));
                let Some((_, exchange)) = made.last_mut() else { continue };
                exchange
            }
        };
        // The first answer in each state counts.
        let reads = matches!(does, Does::Reads | Does::Reverts);
        if reads && !is_there {
            exchange.absent.get_or_insert_with(|| one.answer());
        } else if does == Does::Applies && is_there && is_success {
            exchange.repeated.get_or_insert_with(|| one.answer());
        } else if exchange.answer.is_unset() {
            exchange.answer = one.answer();
        }
    }
    let known = made.into_iter().map(|(_, mut exchange)| {
        if exchange.answer.is_unset() {
            exchange.answer = Answer::default();
        }
        exchange
    });
    known.collect()
}

/// The effect of a request: by its method, and by the calls that sent it.
fn does_of(method: &str, phases: Option<&BTreeSet<Phase>>) -> Does {
    let is_in = |phase| phases.is_some_and(|phases| phases.contains(&phase));
    match method {
        "GET" | "HEAD" | "OPTIONS" => Does::Reads,
        _ if is_in(Phase::Run) && is_in(Phase::Undo) => Does::Nothing,
        _ if is_in(Phase::Run) || is_in(Phase::Resume) => Does::Applies,
        _ if is_in(Phase::Undo) => Does::Reverts,
        // A request of the probe alone is a question.
        _ => Does::Reads,
    }
}

/// An exchange with names in the place of texts.
#[derive(Debug)]
struct Heard {
    phase: Phase,
    /// Its difference from other requests.
    identity: String,
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Option<Json>,
    text: Option<String>,
    status: u16,
    answer: Option<Message>,
    names: Vec<(String, String)>,
}

impl Heard {
    fn exchange(&self, does: Does) -> Exchange {
        Exchange {
            request: Pattern {
                method: Method(self.method.to_owned()),
                path: PathPattern(self.path.to_owned()),
                headers: self.headers.to_owned(),
                body: self.body.to_owned(),
                text: self.text.to_owned(),
            },
            does,
            effect: super::case::work(),
            once: None,
            key: super::case::key_header(),
            answer: Answer::unset(),
            absent: None,
            repeated: None,
            taken: None,
            pending: None,
            callback: None,
        }
    }

    fn answer(&self) -> Answer {
        let Some(message) = &self.answer else { return Answer::unset() };
        let (body, text) = content(message, &|text| named(text, &self.names, "{{secret.hidden}}"));
        let mut headers = headers(message, &REPEATED);
        if body.is_some()
            && headers.get("content-type").is_some_and(|media| media == "application/json")
        {
            headers.remove("content-type");
        }
        Answer { status: Status(self.status), headers, body, text }
    }
}

fn heard(said: &Said, known: &Known, ids: &BTreeSet<String>) -> Option<Heard> {
    let exchange = &said.exchange;
    let target = target(&exchange.url, known.base.as_deref())?;
    let mut names = vec![
        (format!("{}{}", known.key, model::plan::UNDO), "{{undo-key}}".to_owned()),
        (known.key.to_owned(), "{{key}}".into()),
    ];
    let escaped: String = known.key.replace(':', "%3A");
    names.push((escaped, "{{key}}".into()));
    let mut in_path = names.to_owned();
    in_path.extend(ids.iter().map(|id| (id.to_owned(), "{{id}}".to_owned())));
    let (body, text) = match exchange.request.is_cut {
        true => (None, None),
        false => content(&exchange.request, &|text| named(text, &in_path, "{{any}}")),
    };
    let path = named(&target, &in_path, "{{any}}");
    let shown = body.as_ref().map(|body| body.0.to_string()).or_else(|| text.to_owned());
    Some(Heard {
        phase: said.phase,
        identity: format!("{} {path} {}", exchange.method, shown.unwrap_or_default()),
        method: exchange.method.to_owned(),
        path,
        headers: headers(&exchange.request, &ASKED),
        body,
        text,
        status: exchange.status.unwrap_or(503),
        answer: exchange.answer.to_owned(),
        names: in_path,
    })
}

/// The path and the query of a URL below the address of the element.
fn target(url: &str, base: Option<&str>) -> Option<String> {
    let below = base.and_then(|base| url.strip_prefix(base)).or_else(|| {
        let (_, place) = url.split_once("://")?;
        Some(place.find('/').map_or("/", |at| &place[at..]))
    })?;
    Some(if below.starts_with('/') { below.into() } else { format!("/{below}") })
}

/// The ids that the element gave: texts of answers that a later path has as a segment, and no earlier one.
fn ids(said: &[Said], known: &Known) -> BTreeSet<String> {
    let segments = |said: &Said| -> Vec<String> {
        let target = target(&said.exchange.url, known.base.as_deref()).unwrap_or_default();
        target.split(['/', '?', '&', '=']).filter(|part| part.len() > 1).map(Into::into).collect()
    };
    let mut found = BTreeSet::new();
    let mut earlier: BTreeSet<String> = BTreeSet::new();
    for (at, one) in said.iter().enumerate() {
        earlier.extend(segments(one));
        let Some(body) = one.exchange.answer.as_ref().and_then(|answer| answer.body.as_ref())
        else {
            continue;
        };
        let Some(json) = Json::read(body.as_bytes()) else { continue };
        let later: BTreeSet<String> = said[at + 1..].iter().flat_map(segments).collect();
        found.extend(json.texts().into_iter().filter(|text| {
            later.contains(text) && !earlier.contains(text) && !text.contains(&known.key)
        }));
    }
    found
}

/// A body as JSON, or else as text.
fn content(message: &Message, replace: &dyn Fn(&str) -> String) -> (Option<Json>, Option<String>) {
    let Some(text) = &message.body else { return (None, None) };
    match Json::read(text.as_bytes()) {
        Some(json) => (Some(json.replaced(replace)), None),
        None => (None, Some(replace(text))),
    }
}

fn headers(message: &Message, kept: &[&str]) -> BTreeMap<String, String> {
    let kept = message.headers.iter().filter(|(name, value)| {
        kept.contains(&name.as_str()) && !value.contains(HIDDEN) && !value.contains("[setting ")
    });
    kept.cloned().collect()
}

/// A text with names in the place of what is known, of settings, of hidden texts and of callback addresses.
fn named(text: &str, names: &[(String, String)], hidden: &str) -> String {
    if text.contains("/orchestration/v1/callbacks/") {
        return "{{callback}}".into();
    }
    let named = names.iter().fold(text.to_owned(), |text, (known, name)| {
        if known.is_empty() { text } else { text.replace(known.as_str(), name) }
    });
    let mut made = String::new();
    let mut rest = named.as_str();
    while let Some((before, after)) = rest.split_once("[setting ") {
        let Some((name, after)) = after.split_once(']') else { break };
        made.push_str(before);
        made.push_str(&format!("{{{{secret.{name}}}}}"));
        rest = after;
    }
    made.push_str(rest);
    made.replace(HIDDEN, hidden)
}

#[cfg(test)]
mod tests;
