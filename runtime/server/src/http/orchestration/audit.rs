//! The entries of the audit, as they are stored: each with the hash of the one before and its own, so that a
//! client can verify what it reads.

use axum::http::header::LINK;
use axum::http::{HeaderValue, StatusCode};
use engine::audit::{Entry, Head, Line, Outcome, Stored, read};
use engine::documents::Error;
use engine::keys;
use serde_json::json;
use tmf::time::Timestamp;

use super::BASE;
use crate::documents::Session;
use crate::http::call::Call;
use crate::http::problem::{Answer, Problem};
use crate::http::{ServerState, answer, in_url};

/// Max entries in an answer.
const ENTRIES_MAX: usize = 1_000;

/// Entries that are read from the store at once.
const ENTRIES_AT_ONCE: usize = 256;

/// Max entries that are looked at for one answer; a link leads to the others.
const LOOKED_AT_MAX: usize = 20_000;

/// How far before a time the entries of a later time may stand: entries are in the order of commits.
const OUT_OF_ORDER: u64 = 4_096;

/// The entries that a client asks for.
struct Wanted {
    actor: Option<String>,
    action: Option<String>,
    resource: Option<String>,
    id: Option<String>,
    outcome: Option<Outcome>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// Entries, and the number to go on after; `None` at the end.
struct Page {
    lines: Vec<Line>,
    next: Option<u64>,
}

/// Answers with the entries that pass the filters, after a number.
pub(super) async fn list(server: &ServerState, call: &Call) -> Answer {
    let wanted = Wanted::read(call)?;
    let limit = call.query.number("limit")?.unwrap_or(ENTRIES_MAX).clamp(1, ENTRIES_MAX);
    let after = call.query.number("after")?.unwrap_or(0) as u64;
    let page = server.documents.read(move |session| page(session, &wanted, after, limit)).await?;
    let lines: Vec<&str> = page.lines.iter().map(|line| line.0.as_str()).collect();
    // Each on a line of its own, byte by byte as it is stored, so that clients can verify the chain.
    let body = format!("[{}]", lines.join(",\n"));
    let mut response = answer::with_type(StatusCode::OK, "application/json", body);
    if let Some(next) = page.next {
        let parameters = call.query.without("after");
        let others = parameters.parameters().map(|(_, _, parameter)| in_url(parameter.raw()));
        let others: String = others.map(|parameter| format!("&{parameter}")).collect();
        let link = format!("<{}{BASE}/audit?after={next}{others}>; rel=\"next\"", call.base);
        if let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(LINK, link);
        }
    }
    Ok(response)
}

/// Answers with one entry.
pub(super) async fn one(server: &ServerState, sequence: &str) -> Answer {
    let number = sequence.parse::<u64>().ok();
    let missing =
        || Problem::not_found(format!("there is no entry `{sequence}`")).about("sequence");
    let number = number.ok_or_else(missing)?;
    let found = server.documents.read(move |session| session.get(&keys::audit(number))).await?;
    let stored = found.and_then(Stored::read).ok_or_else(missing)?;
    Ok(answer::with_type(StatusCode::OK, "application/json", Line::from(&stored).0))
}

/// Answers with the ends of the chain.
pub(super) async fn ends(server: &ServerState) -> Answer {
    let read = server.documents.read(|session| {
        let store = session.store();
        Ok::<_, Error>((Head::anchor(store)?, Head::of(store)?))
    });
    let (anchor, head) = read.await?;
    let told = |end: Head| json!({ "sequence": end.sequence, "hash": end.hash.to_string() });
    let body = json!({ "head": told(head), "anchor": told(anchor) });
    Ok(answer::json(StatusCode::OK, &body))
}

fn page(session: &Session, wanted: &Wanted, after: u64, limit: usize) -> Result<Page, Error> {
    let after = match wanted.since {
        Some(since) => after.max(before(session, since)?),
        None => after,
    };
    let mut page = Page { lines: Vec::new(), next: None };
    let (mut last, mut looked_at) = (after, 0);
    while looked_at < LOOKED_AT_MAX {
        let stored = read(session.store(), last, ENTRIES_AT_ONCE)?;
        let is_last = stored.len() < ENTRIES_AT_ONCE;
        for stored in stored {
            // One that cannot be read passes no filter; `ferrule audit verify` names it.
            let Ok(entry) = stored.entry() else { continue };
            last = entry.sequence;
            looked_at += 1;
            if !wanted.has(&entry) {
                continue;
            }
            page.lines.push(Line::from(&stored));
            if page.lines.len() == limit {
                page.next = Some(last);
                return Ok(page);
            }
        }
        if is_last {
            return Ok(page);
        }
    }
    page.next = Some(last);
    Ok(page)
}

/// A number before all entries of a time or later.
fn before(session: &Session, since: Timestamp) -> Result<u64, Error> {
    let store = session.store();
    let (mut low, mut high) = (Head::anchor(store)?.sequence, Head::of(store)?.sequence);
    while low < high {
        let middle = low + (high - low) / 2 + 1;
        let stored = session.get(&keys::audit(middle))?.and_then(Stored::read);
        let entry = stored.and_then(|stored| stored.entry().ok());
        match entry.is_some_and(|entry| entry.at < since) {
            true => low = middle,
            false => high = middle - 1,
        }
    }
    Ok(low.saturating_sub(OUT_OF_ORDER))
}

impl Wanted {
    fn read(call: &Call) -> Result<Self, Problem> {
        let text = |name: &str| call.query.get(name).map(str::to_string);
        let time = |name: &str| match call.query.get(name) {
            None => Ok(None),
            Some(text) => {
                let wrong = || Problem::bad("is a time such as `2026-03-12T02:00:00Z`").about(name);
                Timestamp::read(text.trim_matches('"')).map(Some).ok_or_else(wrong)
            }
        };
        let subject = call.query.get("subject");
        let (resource, id) = match subject.and_then(|subject| subject.split_once('/')) {
            Some((resource, id)) => (Some(resource.to_string()), Some(id.to_string())),
            None => (subject.map(str::to_string), None),
        };
        let outcome = match call.query.get("outcome") {
            Some("done") => Some(Outcome::Done),
            Some("begun") => Some(Outcome::Begun),
            Some("refused") => Some(Outcome::Refused),
            Some("failed") => Some(Outcome::Failed),
            // The table knows no others.
            _ => None,
        };
        let (since, until) = (time("since")?, time("until")?);
        Ok(Self {
            actor: text("actor"),
            action: text("action"),
            resource,
            id,
            outcome,
            since,
            until,
        })
    }

    fn has(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        is(&self.actor, &entry.actor.subject)
            && is(&self.action, &entry.action)
            && self.outcome.is_none_or(|outcome| outcome == entry.outcome)
            && self.since.is_none_or(|since| entry.at >= since)
            && self.until.is_none_or(|until| entry.at < until)
            && self.is_about(entry)
    }

    /// Whether an entry is about the wanted subject: by its request, its documents, or its fulfilment.
    fn is_about(&self, entry: &Entry) -> bool {
        let Some(resource) = self.resource.as_deref() else { return true };
        let is = |of: &str, id: Option<&str>| {
            of == resource && (self.id.is_none() || self.id.as_deref() == id)
        };
        let subject = entry.subject.as_ref();
        let recorded = entry.fulfilment.as_ref();
        subject.is_some_and(|subject| is(&subject.resource, subject.id.as_deref()))
            || entry.documents.iter().any(|one| is(&one.resource, Some(&one.id)))
            || recorded.is_some_and(|recorded| is("fulfilments", Some(&recorded.id)))
            || recorded
                .zip(subject)
                .is_some_and(|(recorded, subject)| is(&subject.resource, Some(&recorded.id)))
    }
}
