//! Exports: `GET exports/product` answers with a document on each line (NDJSON), in the order of
//! their ids, each as it is when it is read. With filters as in lists; `?after=` continues
//! after an id.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use futures_util::stream;
use tmf::resource::Owner;
use tmf::table::named;

use crate::access::Verb;
use crate::bulk::export::Export;
use crate::http::ServerState;
use crate::http::call::Call;
use crate::http::problem::{Answer, Problem};
use crate::search::{Filter, as_kept, check_known};

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
    let scope = call.admitted.reader.scope(resource.key, Verb::Read);
    check_known(&server.documents, (served, &scope), filter.take_unknown()).await?;
    let place = server.exports.try_take(1).ok_or_else(|| {
        Problem::unavailable(format!(
            "as many of {} exports are being written as may be at one time: `[limits] exports` of \
             ferrule.toml",
            server.limits.exports
        ))
    })?;
    let export = Export { resource, scope, filter, after };
    let documents = server.documents.clone();
    // The next piece is read when the client has received those before. A client that receives none is
    // dropped with its connection, and the place with it.
    let left = Some((documents, export, place));
    let pieces = stream::try_unfold(left, |left| async move {
        let Some((documents, mut export, place)) = left else {
            return Ok::<_, std::io::Error>(None);
        };
        loop {
            let failed = |error: engine::documents::Error| {
                tracing::error!(error = &error as &dyn std::error::Error, "an export failed");
                // The client sees that the response has no end.
                std::io::Error::other(error)
            };
            let read = documents.slice(move |session| {
                let piece = export.piece(session)?;
                Ok((piece, export))
            });
            let ((piece, is_last), rest) = read.await.map_err(failed)?;
            export = rest;
            // Everything in the response is durable.
            documents.settled().await.map_err(failed)?;
            if is_last {
                return Ok(Some((piece, None)));
            }
            if !piece.is_empty() {
                return Ok(Some((piece, Some((documents, export, place)))));
            }
        }
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let media_type = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    Ok(response)
}
