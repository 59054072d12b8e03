//! Lists. Without a filter the total is kept and the first page is read; a filter on an indexed
//! attribute reads what has its value; any other looks at each document. Without `sort` the order
//! is that of the ids, which for orders is that in which they came.

pub(super) mod candidates;

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::Response;
use engine::store::Document;
use serde_json::Value;

use crate::app::App;
use crate::http::call::Call;
use crate::http::fields::Fields;
use crate::http::filter::Filter;
use crate::http::page::{Page, Sort, SortKey};
use crate::http::problem::Problem;
use crate::http::resources::{Served, Version};
use crate::http::route::Answer;
use crate::http::{Door, answer, href};
use candidates::{Candidates, Total};

/// More candidates than this beyond the page are thrown away when a list is sorted.
const SPARE_ROWS: usize = 4_096;

/// Answers with a page of a resource's documents.
pub(super) async fn take(door: &Door, call: Call, served: Served) -> Answer {
    let page = Page::parse(&call.query)?;
    let sort = Sort::parse(&call.query, &page)?;
    let filter = Filter::parse(&call.query, &call.base)?.known_to(&served)?;
    let list = List { app: door.app.clone(), served, filter, page, sort };
    // The store is read on a thread that may wait for the disk.
    let read = tokio::task::spawn_blocking(move || list.read().map(|found| (found, list.page)));
    let ((rows, total), page) = read.await.map_err(|error| Problem::ours(&error))??;
    let fields = Fields::parse(call.query.get("fields"));
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

struct List {
    app: App,
    served: Served,
    filter: Filter,
    page: Page,
    sort: Sort,
}

impl List {
    /// The rows of the page, and how many rows there are in all.
    fn read(&self) -> Result<(Vec<Value>, usize), Problem> {
        let candidates = Candidates::of(&self.app.engine, self.served.resource, &self.filter)?;
        if self.sort.is_empty() { self.in_order(candidates) } else { self.sorted(candidates) }
    }

    fn in_order(&self, mut candidates: Candidates<'_>) -> Result<(Vec<Value>, usize), Problem> {
        let (mut rows, mut seen) = (Vec::new(), 0);
        loop {
            if let (Total::Known(total), true) = (candidates.total, seen >= self.page.end()) {
                return Ok((rows, total));
            }
            let on_page = seen >= self.page.offset && seen < self.page.end();
            // What is not on the page need not be read where each candidate is one that is wanted.
            if !on_page && candidates.are_wanted {
                if !candidates.skip()? {
                    return Ok((rows, seen));
                }
                seen += 1;
                continue;
            }
            let Some(document) = candidates.next()? else { return Ok((rows, seen)) };
            if self.is_wanted(&document) {
                if on_page {
                    rows.push(document.body);
                }
                seen += 1;
            }
        }
    }

    fn sorted(&self, mut candidates: Candidates<'_>) -> Result<(Vec<Value>, usize), Problem> {
        let mut total = 0;
        let mut found: Vec<(SortKey, String)> = Vec::new();
        let end = self.page.end();
        let sort = |found: &mut Vec<(SortKey, String)>| {
            // The sort is stable: what is equal stays in the order of ids.
            found.sort_by(|(left, _), (right, _)| self.sort.compare(left, right));
            found.truncate(end);
        };
        while let Some(document) = candidates.next()? {
            if !self.is_wanted(&document) {
                continue;
            }
            total += 1;
            let id = document.body.get("id").and_then(Value::as_str).unwrap_or_default();
            found.push((self.sort.key(&self.seen(&document.body)), id.to_string()));
            if found.len() >= end.saturating_add(SPARE_ROWS) {
                sort(&mut found);
            }
        }
        sort(&mut found);
        let ids = found.into_iter().skip(self.page.offset).map(|(_, id)| id);
        let mut rows = Vec::new();
        for id in ids {
            rows.extend(self.app.readable(self.served.resource.key, &id)?.map(|found| found.body));
        }
        Ok((rows, total))
    }

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
