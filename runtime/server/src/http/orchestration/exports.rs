//! Exports: `GET exports/product` answers with a document on each line (NDJSON), in the order of
//! their ids, each as it is when it is read. With filters as in lists; `?after=` continues
//! after an id.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use futures_util::stream;
use tmf::resource::{Owner, Resource};
use tmf::table::named;

use crate::app::App;
use crate::http::ServerState;
use crate::http::call::Call;
use crate::http::documents::{Candidates, known};
use crate::http::filter::Filter;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::resources::as_kept;

/// Bytes sent at one time, approximately.
const PIECE_BYTES: usize = 64 << 10;

/// Max documents read for one piece.
const SLICE: usize = 1_024;

/// Answers with the documents of a resource.
pub(super) async fn get(server: &ServerState, call: &Call, key: &str) -> Answer {
    let (_, resource) = named(key).ok_or_else(|| {
        Problem::not_found(format!("there is no resource `{key}`: it is named as in paths"))
    })?;
    if resource.owner == Owner::Computed {
        let message = format!("a {} is computed when it is read: read its list", resource.name);
        return Err(Problem::unprocessable(message).about("resource"));
    }
    let after = call.query.get("after").map(str::to_string);
    let served = as_kept(resource);
    let mut filter = Filter::parse(&call.query.without("after"), &call.base, &served)?;
    known::check(&server.app, served, filter.take_unknown()).await?;
    let place = Arc::clone(&server.exports).try_acquire_owned().map_err(|_| {
        Problem::unavailable(format!(
            "{} exports are being written, which is all there may be at one time: `[limits] \
             exports` of ferrule.toml",
            server.limits.exports
        ))
    })?;
    let export = Export { app: server.app.clone(), resource, filter, after };
    // The next piece is read when the client has received those before. A client that receives none is
    // dropped with its connection, and the place with it.
    let pieces = stream::try_unfold(Some((export, place)), async |left| {
        let Some((mut export, place)) = left else { return Ok::<_, std::io::Error>(None) };
        loop {
            let app = export.app.clone();
            let read = app.read(move || export.piece().map(|piece| (piece, export))).await;
            let failed = |error: engine::documents::Error| {
                tracing::error!(error = &error as &dyn std::error::Error, "an export failed");
                // The client sees that the response has no end.
                std::io::Error::other(error)
            };
            let ((piece, is_last), rest) = read.map_err(std::io::Error::other)?.map_err(failed)?;
            export = rest;
            // Everything in the answer is durable.
            export.app.engine.store().settled().await.map_err(|error| failed(error.into()))?;
            if is_last {
                return Ok(Some((piece, None)));
            }
            if !piece.is_empty() {
                return Ok(Some((piece, Some((export, place)))));
            }
        }
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let media_type = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    Ok(response)
}

/// The documents of an export.
pub(crate) struct Export {
    app: App,
    resource: &'static Resource,
    filter: Filter,
    after: Option<String>,
}

impl Export {
    /// All documents that match a query, such as `status=active`. It may
    /// ask for attributes that no definition knows.
    pub(crate) fn of(app: &App, resource: &'static Resource, query: &str) -> Result<Self, String> {
        let filter = Query::parse(query)
            .and_then(|query| Filter::parse(&query, "", &as_kept(resource)))
            .map_err(|problem| problem.message().to_string())?;
        Ok(Self { app: app.clone(), resource, filter, after: None })
    }

    /// The same, with a query from a client: some document must have each attribute.
    pub(crate) async fn asked(
        app: &App,
        resource: &'static Resource,
        query: &str,
    ) -> Result<Self, String> {
        let mut export = Self::of(app, resource, query)?;
        let unknown = export.filter.take_unknown();
        let checked = known::check(app, as_kept(resource), unknown).await;
        checked.map(|()| export).map_err(|problem| problem.message().to_string())
    }

    /// The ids of the next documents after one, at most `limit`.
    pub(crate) fn ids(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, engine::documents::Error> {
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

    /// Writes all lines, some at a time, until the receiver is dropped.
    pub(crate) fn write(
        mut self,
        mut give: impl FnMut(Bytes) -> bool,
    ) -> Result<(), engine::documents::Error> {
        loop {
            let (piece, is_last) = self.piece()?;
            if !give(piece) || is_last {
                return Ok(());
            }
        }
    }

    /// The next lines, which may be none, and whether they are the last.
    fn piece(&mut self) -> Result<(Bytes, bool), engine::documents::Error> {
        let mut candidates = Candidates::of(&self.app.engine, self.resource, &self.filter)?;
        if let Some(after) = &self.after {
            candidates.begin_after(after)?;
        }
        let mut piece = Vec::new();
        for _ in 0..SLICE {
            let Some(document) = candidates.next()? else { return Ok((piece.into(), true)) };
            let id = document.body.get("id").and_then(serde_json::Value::as_str);
            self.after = id.map(str::to_string).or_else(|| self.after.take());
            if self.resource.shows(&document.body) && self.filter.matches(&document.body) {
                piece.extend(document.body.to_string().into_bytes());
                piece.push(b'\n');
            }
            if piece.len() >= PIECE_BYTES {
                break;
            }
        }
        Ok((piece.into(), false))
    }
}
