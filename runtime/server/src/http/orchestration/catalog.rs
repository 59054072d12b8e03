//! The state of catalog entities: which can be ordered, and why the others cannot. Entities from
//! catalogs of other systems are stored as they are, with problems reported here.

use axum::http::StatusCode;
use commerce::cpq::Standing;
use serde_json::Value;

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
        id => one(server, resource, &id.join("/")),
    }
}

fn one(server: &ServerState, resource: &'static str, id: &str) -> Answer {
    let standing = Standing::of(&server.rulebooks.current(), resource, id, server.engine.now());
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
    let found = server.documents.slice(move |_session| {
        let all = Standing::all(&rulebook, resource, now);
        let all = all.filter(|standing| wanted.is_none_or(|wanted| standing.is_ready == wanted));
        let (mut rows, mut total) = (Vec::new(), 0);
        for standing in all {
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

fn shown(standing: &Standing) -> Result<Value, Problem> {
    serde_json::to_value(standing).map_err(|error| Problem::ours(&error))
}
