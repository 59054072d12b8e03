//! The query of a subscription: which events its client wants. A query that can never match is
//! refused, since a subscriber without events never learns why.

use serde_json::{Value, json};

use super::message::event_type;
use super::{Source, SubscriptionError, Version};
use crate::filter::{
    Anything, Attributes, Condition, Filter, FilterError, Holds, Parameter, Unknown, found, likely,
    parameters,
};
use crate::nearest::nearest;
use crate::shape::{Type, TypeSet};
use crate::version::View;

/// Max length of a query, in bytes.
const QUERY_BYTES_MAX: usize = 2_048;

/// Max conditions of a query.
const CLAUSES_MAX: usize = 32;

/// The shape of the events of topics.
const EVENT: &str = "Event";

/// The attributes of an event that are texts.
const TEXTS: [&str; 6] =
    ["eventId", "correlationId", "description", "domain", "priority", "@schemaLocation"];

/// The attributes of an event that repeat its type.
const TYPES: [&str; 3] = ["eventType", "title", "@type"];

/// The attributes with the origin of an event.
const ORIGINS: [&str; 2] = ["source", "reportingSystem"];

/// The attributes of an origin.
const ORIGIN: [&str; 5] = ["id", "href", "name", "@type", "@referredType"];

pub(super) fn parse(source: &Source, query: &Value) -> Result<Filter, SubscriptionError> {
    let query = match query {
        Value::Null => return Ok(Filter::default()),
        Value::String(query) => query,
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            return Err(wrong("is a text"));
        }
    };
    if query.len() > QUERY_BYTES_MAX {
        return Err(wrong(format!("has at most {QUERY_BYTES_MAX} bytes")));
    }
    let events = Events::of(source);
    let mut filter = read(query, &events)?;
    if filter.clauses().len() > CLAUSES_MAX {
        return Err(wrong(format!("has at most {CLAUSES_MAX} conditions")));
    }
    let unknown = filter.check(&events).map_err(|error| wrong(error.to_string()))?;
    if let Some(error) = unknown.first() {
        return Err(wrong(error.to_string()));
    }
    if events.can_match(&filter) { Ok(filter) } else { Err(wrong(events.never())) }
}

/// Reads the filter of a topic: on the header of events (`headerQuery`), or on the content of
/// their `event` (`contentQuery`).
pub fn topic_filter(name: &str, query: &str) -> Result<Filter, FilterError> {
    let query = query.strip_prefix('?').unwrap_or(query);
    if name != "headerQuery" {
        return Filter::read(query, &Anything);
    }
    let header = Events { version: Version::V4, are_posted: true, views: Vec::new() };
    let mut filter = Filter::read(query, &header)?;
    match filter.check(&header)?.into_iter().next() {
        Some(unknown) => Err(unknown.into()),
        None => Ok(filter),
    }
}

/// Reads a stored query.
pub(super) fn kept(source: &Source, query: &Value) -> Filter {
    let Some(query) = query.as_str() else { return Filter::default() };
    let events = Events::of(source);
    match read(query, &events) {
        Ok(mut filter) => {
            // A condition that cannot match is kept: the subscription was accepted.
            drop(filter.check(&events));
            filter
        }
        Err(_) => Filter::nothing(),
    }
}

fn read(query: &str, events: &Events) -> Result<Filter, SubscriptionError> {
    let mut filter = Filter::default();
    let all = parameters(query.strip_prefix('?').unwrap_or(query));
    for parameter in &all {
        check_name(parameter)?;
        filter.add(parameter, "", events).map_err(|error| wrong(error.to_string()))?;
    }
    Ok(filter)
}

fn check_name(parameter: &Parameter) -> Result<(), SubscriptionError> {
    let name = parameter.name();
    if !matches!(name.as_str(), "fields" | "filter" | "sort" | "offset" | "limit") {
        return Ok(());
    }
    Err(wrong(format!(
        "`{name}` is not taken here: a query has conditions such as `eventType=...`, and `payload` \
         chooses how much is sent"
    )))
}

fn wrong(reason: impl Into<String>) -> SubscriptionError {
    SubscriptionError::Query { reason: reason.into() }
}

/// The events of a source.
struct Events {
    version: Version,
    /// Whether clients post them, with any type.
    are_posted: bool,
    /// The resources with events.
    views: Vec<View>,
}

impl Events {
    fn of(source: &Source) -> Self {
        let version = source.version();
        let views = source.api().into_iter().flat_map(|api| {
            let resources = source.resources().filter(|found| !found.event_kinds().is_empty());
            resources.map(move |resource| View { api, resource, version })
        });
        let are_posted = matches!(source, Source::Topic { .. });
        Self { version, are_posted, views: views.collect() }
    }

    /// Each type of event, with the name of its resource.
    fn types(&self) -> impl Iterator<Item = (String, &'static str)> {
        self.views.iter().flat_map(|view| {
            let kinds = view.resource.event_kinds().into_iter();
            kinds.map(|kind| (event_type(view, kind), view.name()))
        })
    }

    /// Whether an event of any type may match.
    fn can_match(&self, filter: &Filter) -> bool {
        let may_be = |kind: &str, name: &str, condition: &Condition| match condition.path() {
            [first] if TYPES.contains(&first.as_str()) => condition.holds(&json!({ first: kind })),
            [event, of, ..] if event == "event" => condition.is_negative() || of == name,
            _ => true,
        };
        self.are_posted
            || self.types().any(|(kind, name)| {
                let mut clauses = filter.clauses().iter();
                clauses.all(|clause| clause.conditions().iter().any(|one| may_be(&kind, name, one)))
            })
    }

    /// The attribute with the time of the event.
    fn occurred(&self) -> &'static str {
        match self.version {
            Version::V4 => "timeOcurred",
            Version::V5 => "timeOccurred",
        }
    }

    fn never(&self) -> String {
        let types: Vec<String> = self.types().map(|(kind, _)| kind).collect();
        format!("matches no event: there are `{}`", types.join("`, `"))
    }

    fn find_posted(path: &[String]) -> Result<Holds, Unknown> {
        found(TypeSet::V4, EVENT, path).ok_or_else(|| {
            let meant = likely(TypeSet::V4, EVENT, path);
            let name = path.join(".");
            let meant = meant.or_else(|| Some(format!("event.{name}")));
            Unknown { of: "an event of a topic".into(), name, meant }
        })
    }

    fn unknown(&self, path: &[String]) -> Unknown {
        let name = path.join(".");
        let has = |view: &&View| view.find(path).is_ok();
        let below = self.views.iter().find(has).map(|view| format!("event.{}.{name}", view.name()));
        let others = ["eventTime", self.occurred(), "event"];
        let own = TYPES.iter().chain(&TEXTS).chain(&ORIGINS).chain(&others);
        let meant = below.or_else(|| nearest(&name, own.copied()).map(str::to_string));
        Unknown { of: "an event".into(), name, meant }
    }

    /// The type at a path within the document of an event.
    fn find_told(&self, path: &[String]) -> Result<Holds, Unknown> {
        let Some((of, rest)) = path.split_first() else {
            let example = self.views.first().map(|view| format!("{}.id", view.name()));
            return Ok(Holds { types: vec![Type::Fields], example, ..Holds::default() });
        };
        let Some(view) = self.views.iter().find(|view| view.name() == of) else {
            let meant = nearest(of, self.views.iter().map(View::name)).map(|meant| {
                let rest = rest.iter().map(String::as_str);
                ["event", meant].into_iter().chain(rest).collect::<Vec<_>>().join(".")
            });
            let name = format!("event.{}", path.join("."));
            return Err(Unknown { of: "an event".into(), name, meant });
        };
        if rest.is_empty() {
            let example = Some("id".to_string());
            return Ok(Holds { types: vec![Type::Fields], example, ..Holds::default() });
        }
        view.find(rest).map_err(|Unknown { of, name, meant }| {
            let at = |name: String| format!("event.{}.{name}", view.name());
            Unknown { of, name: at(name), meant: meant.map(at) }
        })
    }
}

impl Attributes for Events {
    fn find(&self, path: &[String]) -> Result<Holds, Unknown> {
        if self.are_posted {
            return Self::find_posted(path);
        }
        let pieces: Vec<&str> = path.iter().map(String::as_str).collect();
        match pieces.as_slice() {
            [name] if TYPES.contains(name) => {
                Ok(Holds::words(self.types().map(|(kind, _)| kind).collect()))
            }
            ["@baseType"] => Ok(Holds::words(vec!["Event".into()])),
            [name] if TEXTS.contains(name) => Ok(Holds::text()),
            [name] if *name == "eventTime" || *name == self.occurred() => {
                Ok(Holds { types: vec![Type::DateTime], ..Holds::default() })
            }
            [name] if ORIGINS.contains(name) => {
                let example = Some("id".to_string());
                Ok(Holds { types: vec![Type::Fields], example, ..Holds::default() })
            }
            [of, name] if ORIGINS.contains(of) && ORIGIN.contains(name) => Ok(Holds::text()),
            ["event", ..] => self.find_told(&path[1..]),
            _ => Err(self.unknown(path)),
        }
    }
}
