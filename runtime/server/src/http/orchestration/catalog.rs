//! The state of catalog entities: which can be ordered, and why the others cannot. Entities from
//! catalogs of other systems are stored as they are, with problems reported here.

use axum::http::StatusCode;
use commerce::cpq::Standing;
use engine::documents::{Document, Error};
use serde_json::Value;

use crate::access::{Scope, Verb};
use crate::documents::Session;
use crate::http::call::Call;
use crate::http::page::Page;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::problem::nothing_here;
use crate::http::{ServerState, answer};

/// Handles a request about the catalogs.
pub(super) async fn get(server: &ServerState, call: &Call, path: &[&str]) -> Answer {
    let [name, id @ ..] = path else { return Err(nothing_here()) };
    let resource = Standing::resource(name).ok_or_else(|| {
        let known: Vec<_> = model::catalog::RESOURCES.iter().map(|(name, _)| *name).collect();
        let message = format!("the catalogs have no `{name}`: they have {}", known.join(", "));
        Problem::not_found(message).about("resource")
    })?;
    match id {
        [] => list(server, call, resource).await,
        id => one(server, call, resource, &id.join("/")).await,
    }
}

async fn one(server: &ServerState, call: &Call, resource: &'static str, id: &str) -> Answer {
    let scope = call.admitted.reader.scope(resource, Verb::Read);
    let own = id.to_owned();
    let is_seen = server.documents.read(move |session| is_seen(session, &scope, resource, &own));
    let standing = Standing::of(&server.rulebooks.current(), resource, id, server.engine.now());
    let is_seen = is_seen.await?;
    let standing = standing.filter(|_| is_seen);
    let missing = || Problem::not_found(format!("there is no {resource} `{id}`")).about("id");
    Ok(answer::json(StatusCode::OK, &shown(&standing.ok_or_else(missing)?)?))
}

/// All entities of a kind, or those that can or cannot be ordered (`?isOrderable=`).
async fn list(server: &ServerState, call: &Call, resource: &'static str) -> Answer {
    let page = Page::parse(&call.query)?;
    let wanted = match call.query.get("isOrderable") {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(Problem::bad("is `true` or `false`").about("isOrderable")),
    };
    let (rulebook, now) = (server.rulebooks.current(), server.engine.now());
    let (from, until) = (page.offset, page.end());
    let scope = call.admitted.reader.scope(resource, Verb::Read);
    let found = server.documents.slice(move |session| {
        let all = Standing::all(&rulebook, resource, now);
        let all = all.filter(|standing| wanted.is_none_or(|wanted| standing.is_ready == wanted));
        let (mut rows, mut total) = (Vec::new(), 0);
        for standing in all {
            if !is_seen(session, &scope, resource, &standing.id)? {
                continue;
            }
            if (from..until).contains(&total) {
                rows.push(shown(&standing)?);
            }
            total += 1;
        }
        Ok::<_, Problem>((rows, total))
    });
    let (rows, total) = found.await?;
    let url = format!("{}{}/catalog/{resource}", call.base, super::BASE);
    let headers = page.headers(rows.len(), total, &call.query, &url);
    let mut response = answer::json(StatusCode::OK, &Value::Array(rows));
    response.headers_mut().extend(headers);
    Ok(response)
}

/// Whether a scope covers the document of an entity.
fn is_seen(session: &Session, scope: &Scope, resource: &str, id: &str) -> Result<bool, Error> {
    let is_covered = |found: Document| scope.covers(&found.body);
    Ok(scope.is_all() || session.readable(resource, id)?.is_some_and(is_covered))
}

fn shown(standing: &Standing) -> Result<Value, Problem> {
    serde_json::to_value(standing).map_err(|error| Problem::ours(&error))
}
