//! Exports: `GET exports/product` answers with a document on each line (NDJSON), in the order of
//! their ids, as they are when the export comes by. With filters as in lists; `?after=` goes on
//! after an id.

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use futures_util::stream;
use model::resource::{Owner, Resource, of_key};
use tokio::sync::mpsc;

use crate::app::App;
use crate::http::Door;
use crate::http::call::Call;
use crate::http::filter::Filter;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::resources::as_kept;
use crate::http::route::{Answer, read};
use crate::http::tmf::Candidates;

/// So many bytes are sent at one time, more or less.
const PIECE_BYTES: usize = 64 << 10;

/// So many pieces wait for a client that is slow.
const PIECES_WAITING: usize = 4;

/// Answers with the documents of a resource.
pub(super) fn get(door: &Door, call: &Call, key: &str) -> Answer {
    read(call)?;
    let (_, resource) = of_key(key).ok_or_else(|| {
        Problem::not_found(format!("there is no resource `{key}`: it is named as in paths"))
    })?;
    if resource.owner == Owner::Computed {
        let message = format!("a {} is computed when it is read: read its list", resource.name);
        return Err(Problem::unprocessable(message).about("resource"));
    }
    let after = call.query.get("after").map(str::to_string);
    let filter =
        Filter::parse(&call.query.without("after"), &call.base)?.known_to(&as_kept(resource))?;
    let export = Export { app: door.app.clone(), resource, filter, after };
    let (sender, receiver) = mpsc::channel(PIECES_WAITING);
    let store = std::sync::Arc::clone(door.app.engine.store());
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut unsettled = None;
        let written = export.write(&mut |piece| match runtime.block_on(store.settled()) {
            Ok(()) => sender.blocking_send(Ok(piece)).is_ok(),
            Err(error) => {
                unsettled = Some(error);
                false
            }
        });
        if let Some(error) = written.err().or(unsettled) {
            tracing::error!(error = &error as &dyn std::error::Error, "an export failed");
            // The client sees that the answer has no end.
            sender.blocking_send(Err(error)).ok();
        }
    });
    let pieces = stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let media_type = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    Ok(response)
}

/// What is to be written.
pub(crate) struct Export {
    app: App,
    resource: &'static Resource,
    filter: Filter,
    after: Option<String>,
}

impl Export {
    /// All documents that match a query, such as `status=active`; else what is wrong with it.
    pub(crate) fn of(app: &App, resource: &'static Resource, query: &str) -> Result<Self, String> {
        let filter = Query::parse(query)
            .and_then(|query| Filter::parse(&query, "")?.known_to(&as_kept(resource)))
            .map_err(|problem| problem.message().to_string())?;
        Ok(Self { app: app.clone(), resource, filter, after: None })
    }

    /// The ids of the next documents after one, at the most so many.
    pub(crate) fn ids(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, engine::store::Error> {
        let mut candidates = Candidates::of(&self.app.engine, self.resource, &self.filter)?;
        if let Some(after) = after {
            candidates.begin_after(after)?;
        }
        let mut ids = Vec::new();
        while ids.len() < limit {
            let Some(document) = candidates.next()? else { break };
            if self.resource.shows(&document.body) && self.filter.matches(&document.body) {
                let id = document.body.get("id").and_then(serde_json::Value::as_str);
                ids.extend(id.map(str::to_string));
            }
        }
        Ok(ids)
    }

    /// Gives all lines away, some at a time, until nobody takes them; answers with how many.
    pub(crate) fn write(
        &self,
        give: &mut impl FnMut(Bytes) -> bool,
    ) -> Result<u64, engine::store::Error> {
        let mut candidates = Candidates::of(&self.app.engine, self.resource, &self.filter)?;
        if let Some(after) = &self.after {
            candidates.begin_after(after)?;
        }
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let mut lines = 0;
        while let Some(document) = candidates.next()? {
            if !self.resource.shows(&document.body) || !self.filter.matches(&document.body) {
                continue;
            }
            piece.extend(document.body.to_string().into_bytes());
            piece.push(b'\n');
            lines += 1;
            if piece.len() >= PIECE_BYTES && !give(std::mem::take(&mut piece).into()) {
                return Ok(lines);
            }
        }
        if !piece.is_empty() {
            give(piece.into());
        }
        Ok(lines)
    }
}
