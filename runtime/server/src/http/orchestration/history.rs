//! The earlier versions of a document, for resources with history.

use axum::http::StatusCode;
use engine::documents::{Document, Error};
use serde_json::{Value, json};
use tmf::table::named;
use tmf::time::Timestamp;

use crate::access::Verb;
use crate::http::call::{Call, time};
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::{ServerState, answer, href};

/// Max earlier versions in an answer; the first ones, if there are more.
const VERSIONS_MAX: usize = 1_000;

/// Answers with all versions of a document, oldest first, or with the one at a time (`?at=`).
pub(super) async fn get(server: &ServerState, call: &Call, key: &str, id: &str) -> Answer {
    let Some((_, resource)) = named(key).filter(|(_, resource)| resource.history) else {
        let message = format!("no earlier versions are kept of a `{key}`");
        return Err(Problem::not_found(message).about("resource"));
    };
    let at = match call.query.get("at") {
        None => None,
        Some(text) => {
            let wrong = || Problem::bad("is a time such as `2026-03-12T02:00:00Z`").about("at");
            Some(Timestamp::parse(text.trim_matches('"')).ok_or_else(wrong)?)
        }
    };
    let (key, name) = (resource.key, id.to_owned());
    let read = server.documents.read(move |session| {
        let mut versions = session.versions(key, &name, VERSIONS_MAX)?;
        versions.extend(session.document(key, &name)?);
        Ok::<_, Error>(versions)
    });
    let (mut versions, reads) = (read.await?, call.admitted.reader.scope(key, Verb::Read));
    // A document that is hidden now has no past either; a version that was hidden is left out.
    let is_hidden = |version: &Document| !reads.covers(&version.body);
    if versions.last().is_some_and(is_hidden) {
        versions.clear();
    }
    versions.retain(|version| !is_hidden(version));
    if versions.is_empty() {
        let message = format!("there is no {} `{id}`, and never was", resource.name);
        return Err(Problem::not_found(message).about("id"));
    }
    match at {
        None => {
            let versions = versions.into_iter().map(|version| shown(version, call));
            Ok(answer::json(StatusCode::OK, &versions.collect()))
        }
        Some(at) => {
            let then = versions.into_iter().rev().find(|version| version.since <= at);
            let missing =
                || Problem::not_found(format!("there was no {} `{id}` then", resource.name));
            Ok(answer::json(StatusCode::OK, &shown(then.ok_or_else(missing)?, call)))
        }
    }
}

fn shown(version: Document, call: &Call) -> Value {
    let mut body = version.body;
    href::absolute(&mut body, &call.base);
    json!({ "revision": version.revision, "since": time(version.since), "document": body })
}
