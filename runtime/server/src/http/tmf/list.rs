//! Lists: a scan that keeps only the rows of the page. Without `sort` the order is that of the
//! keys, which for orders is that in which they came.
//!
//! A filter looks at every document of the resource, and the total is counted, not kept: both get
//! cheap with the indexes that come next.

use axum::http::StatusCode;
use axum::response::Response;
use engine::keys;
use engine::store::{Scan, Store};
use model::Rulebook;
use serde_json::Value;

use super::document;
use crate::app::App;
use crate::http::call::Call;
use crate::http::fields::Fields;
use crate::http::filter::Filter;
use crate::http::page::{Page, Sort, SortKey};
use crate::http::problem::Problem;
use crate::http::resources::{Resource, Source};
use crate::http::route::Answer;
use crate::http::{Door, answer, href};

/// So many documents are read from the store at once.
const DOCUMENTS_AT_ONCE: usize = 256;

/// More candidates than this beyond the page are thrown away when a list is sorted.
const SPARE_ROWS: usize = 4_096;

/// Answers with a page of a resource's documents.
pub(super) async fn take(door: &Door, call: Call, resource: &'static Resource) -> Answer {
    let page = Page::parse(&call.query)?;
    let sort = Sort::parse(&call.query, &page)?;
    let filter = Filter::parse(&call.query, &call.base)?;
    let list = List { app: door.app.clone(), resource, filter, page, sort };
    // The store is read on a thread that may wait for the disk.
    let read = tokio::task::spawn_blocking(move || list.read().map(|found| (found, list.page)));
    let ((rows, total), page) = read.await.map_err(|error| Problem::ours(&error))??;
    let fields = Fields::parse(call.query.get("fields"));
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|mut row| {
            href::absolute(&mut row, &call.base);
            fields.of(row)
        })
        .collect();
    Ok(response(rows, total, &page, &call, resource))
}

fn response(
    rows: Vec<Value>,
    total: usize,
    page: &Page,
    call: &Call,
    resource: &Resource,
) -> Response {
    let url = format!("{}{}", call.base, resource.path());
    let headers = page.headers(rows.len(), total, &call.query, &url);
    let mut response = answer::json(StatusCode::OK, &Value::Array(rows));
    response.headers_mut().extend(headers);
    response
}

struct List {
    app: App,
    resource: &'static Resource,
    filter: Filter,
    page: Page,
    sort: Sort,
}

/// A document as its source has it.
#[derive(Clone, Copy)]
enum Row<'a> {
    Bytes(&'a [u8]),
    Value(&'a Value),
}

impl Row<'_> {
    fn read(self) -> Result<Value, Problem> {
        match self {
            Self::Bytes(bytes) => document(bytes),
            Self::Value(value) => Ok(value.clone()),
        }
    }
}

impl List {
    /// The rows of the page, and how many rows there are in all.
    fn read(&self) -> Result<(Vec<Value>, usize), Problem> {
        if self.sort.is_empty() { self.in_order() } else { self.sorted() }
    }

    fn in_order(&self) -> Result<(Vec<Value>, usize), Problem> {
        let (mut rows, mut total) = (Vec::new(), 0);
        self.each(|_, row| {
            let on_page = total >= self.page.offset && total < self.page.end();
            // Where nothing is filtered, what is not on the page is only counted.
            if on_page || !self.filter.is_empty() {
                let row = row.read()?;
                if !self.filter.matches(&row) {
                    return Ok(());
                }
                if on_page {
                    rows.push(row);
                }
            }
            total += 1;
            Ok(())
        })?;
        Ok((rows, total))
    }

    fn sorted(&self) -> Result<(Vec<Value>, usize), Problem> {
        let mut total = 0;
        let mut found: Vec<(SortKey, Vec<u8>)> = Vec::new();
        let end = self.page.end();
        let sort = |found: &mut Vec<(SortKey, Vec<u8>)>| {
            // The sort is stable: what is equal stays in the order of keys.
            found.sort_by(|(left, _), (right, _)| self.sort.compare(left, right));
            found.truncate(end);
        };
        self.each(|key, row| {
            let row = row.read()?;
            if self.filter.matches(&row) {
                total += 1;
                found.push((self.sort.key(&row), key.to_vec()));
                if found.len() >= end.saturating_add(SPARE_ROWS) {
                    sort(&mut found);
                }
            }
            Ok(())
        })?;
        sort(&mut found);
        let keys = found.into_iter().skip(self.page.offset).map(|(_, key)| key);
        let rows = keys.filter_map(|key| self.get(&key).transpose()).collect::<Result<_, _>>()?;
        Ok((rows, total))
    }

    fn each(&self, read: impl FnMut(&[u8], Row<'_>) -> Result<(), Problem>) -> Result<(), Problem> {
        match self.resource.source {
            Source::Store => {
                each_stored(&**self.app.engine.store(), &keys::documents(self.resource.name), read)
            }
            Source::Catalog => each_in_catalog(&self.app.rulebook(), self.resource.name, read),
        }
    }

    fn get(&self, key: &[u8]) -> Result<Option<Value>, Problem> {
        match self.resource.source {
            Source::Store => {
                let bytes = self.app.engine.store().get(key)?;
                bytes.map(|bytes| document(&bytes)).transpose()
            }
            Source::Catalog => {
                let rulebook = self.app.rulebook();
                let documents = rulebook.catalog().documents.get(self.resource.name);
                let id = String::from_utf8_lossy(key);
                Ok(documents.and_then(|documents| documents.get(&*id)).cloned())
            }
        }
    }
}

fn each_in_catalog(
    rulebook: &Rulebook,
    resource: &str,
    mut read: impl FnMut(&[u8], Row<'_>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let documents = rulebook.catalog().documents.get(resource);
    for (id, document) in documents.into_iter().flatten() {
        read(id.as_bytes(), Row::Value(document))?;
    }
    Ok(())
}

fn each_stored(
    store: &dyn Store,
    prefix: &[u8],
    mut read: impl FnMut(&[u8], Row<'_>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut scan = Scan::prefix(prefix, DOCUMENTS_AT_ONCE);
    loop {
        let page = store.scan(&scan)?;
        for (key, bytes) in &page {
            read(key, Row::Bytes(bytes))?;
        }
        match page.into_iter().next_back() {
            Some((key, _)) if !key.is_empty() => scan.after = Some(key),
            _ => return Ok(()),
        }
    }
}
