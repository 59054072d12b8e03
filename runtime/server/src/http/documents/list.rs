//! Lists. Without a filter the total is kept and the first page is read; a filter on an indexed
//! attribute reads what has its value; any other looks at each document. Without `sort` the order
//! is that of the ids, which for orders is that in which they came.

use engine::documents::Document;
use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use crate::access::Scope;
use crate::documents::{Documents, Session, Turn};
use crate::http::call::Call;
use crate::http::fields::Fields;
use crate::http::page::{Page, Sort, SortKey};
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::resources::{Served, Version};
use crate::http::{ServerState, answer, href};
use crate::search::Filter;
use crate::search::{Candidates, Total, check_known};

/// Max candidates looked at in one slice.
const SLICE: usize = 512;

/// More candidates than this beyond the page are thrown away when a list is sorted.
const SPARE_ROWS: usize = 4_096;

/// Answers with a page of a resource's documents.
pub(super) async fn get(server: &ServerState, call: Call, served: Served) -> Answer {
    let page = Page::parse(&call.query)?;
    let sort = Sort::parse(&call.query, &page)?;
    let mut filter = Filter::parse(&call.query, &call.base, &served)?;
    let asked = filter.take_unknown().into_iter().chain(sort.unknown_to(&served)).collect();
    let scope = call.admitted.scope.clone();
    check_known(&server.documents, (served, &scope), asked).await?;
    let list = List { served, scope, filter, page, sort };
    let (rows, total) = read(&server.documents, list).await?;
    let fields = Fields::parse(call.query.get("fields"))?;
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|row| {
            let mut row = served.shown(row);
            href::absolute(&mut row, &call.base);
            fields.of(row)
        })
        .collect();
    Ok(response(rows, total, &page, &call, &served))
}

fn response(rows: Vec<Value>, total: usize, page: &Page, call: &Call, served: &Served) -> Response {
    let url = format!("{}{}", call.base, served.path());
    let headers = page.headers(rows.len(), total, &call.query, &url);
    let mut response = answer::json(StatusCode::OK, &Value::Array(rows));
    response.headers_mut().extend(headers);
    response
}

/// The rows of the page, and how many rows there are in all: read in slices, so that a long list
/// keeps neither short ones nor anything else waiting.
async fn read(documents: &Documents, list: List) -> Result<(Vec<Value>, usize), Problem> {
    let mut reading = documents.slice(move |session| Reading::begin(session, list)).await?;
    loop {
        let slice = move |session: &Session| reading.slice(session).map(|found| (reading, found));
        let (rest, found) = documents.slice(slice).await?;
        match found {
            Some(found) => return Ok(found),
            None => reading = rest,
        }
    }
}

struct List {
    served: Served,
    /// Which documents the client may see.
    scope: Scope,
    filter: Filter,
    page: Page,
    sort: Sort,
}

/// A list that is read in part.
struct Reading {
    list: List,
    candidates: Candidates,
    rows: Vec<Value>,
    seen: usize,
    found: Vec<(SortKey, String)>,
}

impl Reading {
    fn begin(session: &Session, list: List) -> Result<Self, Problem> {
        let candidates =
            Candidates::of(session, (list.served.resource, &list.scope), &list.filter)?;
        Ok(Self { list, candidates, rows: Vec::new(), seen: 0, found: Vec::new() })
    }

    /// Reads on; answers with the rows of the page and the total when it is done.
    fn slice(&mut self, session: &Session) -> Result<Option<(Vec<Value>, usize)>, Problem> {
        let is_sorted = !self.list.sort.is_empty();
        let mut turn = Turn::of(SLICE);
        while turn.goes_on() {
            let done =
                if is_sorted { self.look_sorted(session)? } else { self.look_in_order(session)? };
            if let Some(total) = done {
                return Ok(Some((std::mem::take(&mut self.rows), total)));
            }
        }
        Ok(None)
    }

    /// Looks at one candidate; answers with the total at the end.
    fn look_in_order(&mut self, session: &Session) -> Result<Option<usize>, Problem> {
        let Self { list, candidates, rows, seen, .. } = self;
        if let (Total::Known(total), true) = (candidates.total, *seen >= list.page.end()) {
            return Ok(Some(total));
        }
        let on_page = *seen >= list.page.offset && *seen < list.page.end();
        // What is not on the page need not be read where each candidate is one that is wanted.
        if !on_page && candidates.are_wanted {
            if !candidates.skip(session)? {
                return Ok(Some(*seen));
            }
            *seen += 1;
            return Ok(None);
        }
        let Some(document) = candidates.next(session)? else { return Ok(Some(*seen)) };
        if list.is_wanted(&document) {
            if on_page {
                rows.push(document.body);
            }
            *seen += 1;
        }
        Ok(None)
    }

    fn look_sorted(&mut self, session: &Session) -> Result<Option<usize>, Problem> {
        let Self { list, candidates, rows, seen, found } = self;
        let end = list.page.end();
        let sort = |found: &mut Vec<(SortKey, String)>| {
            // The sort is stable: what is equal stays in the order of ids.
            found.sort_by(|(left, _), (right, _)| list.sort.compare(left, right));
            found.truncate(end);
        };
        if let Some(document) = candidates.next(session)? {
            if list.is_wanted(&document) {
                *seen += 1;
                let id = document.body.get("id").and_then(Value::as_str).unwrap_or_default();
                found.push((list.sort.key(&list.seen(&document.body)), id.to_string()));
                if found.len() >= end.saturating_add(SPARE_ROWS) {
                    sort(found);
                }
            }
            return Ok(None);
        }
        sort(found);
        let ids = found.drain(..).skip(list.page.offset).map(|(_, id)| id);
        for id in ids {
            let found = session.readable(list.served.resource.key, &id)?;
            // It may have changed since it was found.
            let found = found.filter(|found| list.scope.covers(&found.body));
            rows.extend(found.map(|found| found.body));
        }
        Ok(Some(*seen))
    }
}

impl List {
    /// A document in the words of the client, which the filter and the order speak of.
    fn seen<'a>(&self, document: &'a Value) -> Cow<'a, Value> {
        let is_as_kept = self.served.version == Version::V4;
        let is_unasked = self.filter.is_empty() && self.sort.is_empty();
        match is_as_kept || is_unasked {
            true => Cow::Borrowed(document),
            false => Cow::Owned(self.served.shown(document.clone())),
        }
    }

    fn is_wanted(&self, document: &Document) -> bool {
        let body = &document.body;
        self.served.resource.shows(body) && self.filter.matches(&self.seen(body))
    }
}
