//! Pages of a list, their order, and their headers (TMF630).

use std::cmp::Ordering;

use axum::http::header::{CONTENT_RANGE, LINK};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tmf::filter::{Attributes as _, Key};

use super::problem::Problem;
use super::resources::Served;
use crate::search::Asked;
use crate::search::Query;

/// Max rows of a list; a client that wants more asks for the next page.
pub(super) const ROWS_MAX: usize = 1_000;

/// Max rows of a sorted list, which is in memory.
const SORTED_MAX: usize = 100_000;

/// Max attributes that a list is sorted by: each row keeps its values.
const KEYS_MAX: usize = 16;

const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");
const RESULT_COUNT: HeaderName = HeaderName::from_static("x-result-count");

/// A page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) offset: usize,
    pub(super) limit: usize,
    /// Whether the client asked for a page.
    asked: bool,
}

impl Page {
    /// Reads `offset` and `limit`.
    pub(super) fn parse(query: &Query) -> Result<Self, Problem> {
        let (offset, limit) = (query.number("offset")?, query.number("limit")?);
        let asked = offset.is_some() || limit.is_some();
        let limit = limit.unwrap_or(ROWS_MAX).min(ROWS_MAX);
        Ok(Self { offset: offset.unwrap_or(0), limit, asked })
    }

    /// The end of the page.
    pub(super) fn end(&self) -> usize {
        self.offset.saturating_add(self.limit)
    }

    /// The headers of a part with this many rows.
    pub(super) fn headers(&self, rows: usize, total: usize, query: &Query, url: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(TOTAL_COUNT, HeaderValue::from(total));
        headers.insert(RESULT_COUNT, HeaderValue::from(rows));
        let range = match rows {
            0 => format!("items */{total}"),
            rows => format!("items {}-{}/{total}", self.offset + 1, self.offset + rows),
        };
        if let Ok(range) = HeaderValue::from_str(&range) {
            headers.insert(CONTENT_RANGE, range);
        }
        if (self.asked || rows < total)
            && let Ok(links) = HeaderValue::from_str(&self.links(total, query, url))
        {
            headers.insert(LINK, links);
        }
        headers
    }

    fn links(&self, total: usize, query: &Query, url: &str) -> String {
        let limit = self.limit.max(1);
        let mut offsets = vec![("first", 0)];
        if self.offset > 0 {
            offsets.push(("prev", self.offset.saturating_sub(limit)));
        }
        if self.end() < total {
            offsets.push(("next", self.end()));
        }
        offsets.push(("last", total.saturating_sub(1) / limit * limit));
        let links = offsets.into_iter().map(|(name, offset)| {
            format!("<{url}?{}>; rel=\"{name}\"", query.with_page(offset, limit))
        });
        links.collect::<Vec<_>>().join(", ")
    }
}

/// The order of a list: by these attributes, each up or down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sort {
    keys: Vec<(Vec<String>, bool)>,
}

/// The sort key of a document.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SortKey(Vec<Option<Key>>);

impl Sort {
    /// Reads `sort=-a,+b`. A plus in a query is a space, so both are accepted.
    pub(super) fn parse(query: &Query, page: &Page) -> Result<Self, Problem> {
        let Some(text) = query.get("sort") else {
            return Ok(Self::default());
        };
        if page.end() > SORTED_MAX {
            let message = format!("a sorted list can be read up to row {SORTED_MAX}: use a filter");
            return Err(Problem::bad(message).about("offset"));
        }
        if text.split(',').count() > KEYS_MAX {
            let message = format!("a list is sorted by at most {KEYS_MAX} attributes");
            return Err(Problem::bad(message).about("sort"));
        }
        let keys = text.trim_matches('"').split(',').map(|key| {
            let key = key.trim();
            let (name, down) = match key.strip_prefix('-') {
                Some(name) => (name, true),
                None => (key.trim_start_matches('+'), false),
            };
            let path = path(name.trim()).ok_or_else(|| {
                let message = format!("`{name}` is no attribute: write `sort=-name,price.value`");
                Problem::bad(message).about("sort")
            })?;
            Ok((path, down))
        });
        Ok(Self { keys: keys.collect::<Result<_, Problem>>()? })
    }

    /// The attributes that the definition of a resource does not know.
    pub(super) fn unknown_to(&self, served: &Served) -> Vec<Asked> {
        let unknown = self.keys.iter().filter_map(|(path, _)| served.find(path).err());
        unknown.map(|unknown| Asked { unknown, parameter: Some("sort") }).collect()
    }

    /// Whether no order was requested.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The sort key of a document.
    pub(super) fn key(&self, document: &Value) -> SortKey {
        let keys = self.keys.iter().map(|(path, _)| {
            let mut first = None;
            crate::search::any(document, path, &mut |found| {
                first = Key::of(found);
                first.is_some()
            });
            first
        });
        SortKey(keys.collect())
    }

    /// Compares two documents. One without the attribute comes first going up, last
    /// going down.
    pub(super) fn compare(&self, left: &SortKey, right: &SortKey) -> Ordering {
        for ((_, down), (left, right)) in self.keys.iter().zip(left.0.iter().zip(&right.0)) {
            let order = left.cmp(right);
            let order = if *down { order.reverse() } else { order };
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }
}

/// The names of a dotted path; `None` if it is malformed.
pub(super) fn path(text: &str) -> Option<Vec<String>> {
    let names = text.split('.');
    let is_name = |name: &str| {
        !name.is_empty()
            && name.chars().all(|next| next.is_alphanumeric() || "@_-:$".contains(next))
    };
    names.map(|name| is_name(name).then(|| name.to_string())).collect()
}

#[cfg(test)]
mod tests;
