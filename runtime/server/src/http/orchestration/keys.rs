//! The API keys of the tenant: made, listed and revoked. The secret of a key is in the answer that makes
//! it, and nowhere else.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::IntoResponse as _;
use serde::{Deserialize, Serialize};

use super::decide::read_as;
use super::plugins::json;
use crate::access::keys::{
    Creator, DAYS, KeyId, Made, MakeError, Names, NewKey, Request, Revoked, Shown, State,
};
use crate::access::{Identity, RoleName};
use crate::http::call::Call;
use crate::http::page::Page;
use crate::http::problem::{Answer, Problem, nothing_here};
use crate::http::repeat::{Repeat, reused};
use crate::http::{ServerState, answer};

/// Max entries of a list of a request.
const ENTRIES_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    name: String,
    roles: Vec<String>,
    plugins: Option<Vec<String>>,
    scope: Option<Vec<String>>,
    days: Option<u64>,
}

/// A key as clients see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: KeyId,
    href: String,
    name: String,
    roles: BTreeSet<RoleName>,
    plugins: BTreeSet<String>,
    scope: Vec<String>,
    state: State,
    created: String,
    created_by: Creator,
    expires: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<String>,
    /// Not more exact than an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used: Option<String>,
    /// The key itself: once.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// Handles a request about keys.
pub(super) async fn dispatch(server: &ServerState, call: Call, path: &[&str]) -> Answer {
    match path {
        [] if call.method == Method::POST => make(server, call).await,
        [] => list(server, &call),
        [id] if call.method == Method::DELETE => revoke(server, id).await,
        [id] => {
            let found = server.keys.list().into_iter().find(|shown| shown.id.as_str() == *id);
            json(StatusCode::OK, &row(&call, found.ok_or_else(|| missing(id))?))
        }
        _ => Err(nothing_here()),
    }
}

fn list(server: &ServerState, call: &Call) -> Answer {
    let page = Page::parse(&call.query)?;
    let all = server.keys.list();
    let total = all.len();
    let rows = all.into_iter().skip(page.offset).take(page.limit);
    let rows: Vec<Row> = rows.map(|shown| row(call, shown)).collect();
    let url = format!("{}{}/keys", call.base, super::BASE);
    let headers = page.headers(rows.len(), total, &call.query, &url);
    let mut response = json(StatusCode::OK, &rows)?;
    response.headers_mut().extend(headers);
    Ok(response)
}

async fn make(server: &ServerState, mut call: Call) -> Answer {
    let Some(maker) = call.admitted.identity.as_ref().map(Arc::clone) else {
        return Err(Problem::not_permitted());
    };
    let submission = call.submission("keys")?;
    let body = call.json()?;
    let repeat = Repeat::of(submission.as_ref(), &body);
    let asked: Asked = read_as(body)?;
    let digest = repeat.digest().map(ToString::to_string).unwrap_or_default();
    // Two makers never share an idempotency key.
    let key = |key| format!("{}/{}/{key}", maker.proof.name(), maker.subject);
    let request = submission.map(|sent| Request { key: key(sent), digest });
    let new = new_key(server, &maker, asked, request)?;
    let (shown, token, status) = match server.keys.make(new, &server.known).await? {
        Made::New(token, shown) => (shown, Some(token), StatusCode::CREATED),
        Made::Before(shown) => (shown, None, StatusCode::OK),
    };
    let mut row = row(&call, shown);
    row.key = token.map(|token| token.text().to_string());
    let body = serde_json::to_value(&row).map_err(|error| Problem::ours(&error))?;
    let mut response = answer::located(status, &row.href, &body);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer::committed(response))
}

/// The key that is asked for, if its maker may make it: none gives more than it has.
fn new_key(
    server: &ServerState,
    maker: &Identity,
    asked: Asked,
    request: Option<Request>,
) -> Result<NewKey, Problem> {
    let Asked { name, roles, plugins, scope, days } = asked;
    let (plugins, scope) = (plugins.unwrap_or_default(), scope.unwrap_or_default());
    for (list, about) in [(&roles, "roles"), (&plugins, "plugins"), (&scope, "scope")] {
        if list.len() > ENTRIES_MAX {
            let message = format!("`{about}` has at most {ENTRIES_MAX} entries");
            return Err(Problem::unprocessable(message).about(about));
        }
    }
    let roles = read_roles(server, &roles)?;
    if let Some(wrong) = plugins.iter().find(|id| !host::manifest::is_id(id)) {
        let message = format!("`{wrong}` is no id of a plugin");
        return Err(Problem::unprocessable(message).about("plugins"));
    }
    let plugins: BTreeSet<String> = plugins.into_iter().collect();
    let has_all = roles.is_subset(&maker.roles) && plugins.is_subset(&maker.plugins);
    if !maker.is_administrator() && (maker.only.is_some() || !has_all) {
        tracing::info!(subject = %maker.subject, "a key with more rights than its maker is refused");
        return Err(Problem::not_permitted());
    }
    let proof = maker.proof.name().to_owned();
    let created_by = Creator { subject: maker.subject.to_owned(), proof };
    let names = if maker.is_administrator() { Names::All } else { Names::Own };
    let days = days.unwrap_or(DAYS);
    Ok(NewKey { name, roles, plugins, scope, days, created_by, names, request })
}

fn read_roles(server: &ServerState, names: &[String]) -> Result<BTreeSet<RoleName>, Problem> {
    let known = server.access.roles();
    let wrong = |message| Problem::unprocessable(message).about("roles");
    names.iter().map(|name| known.named(name).map_err(wrong)).collect()
}

async fn revoke(server: &ServerState, id: &str) -> Answer {
    let key = KeyId::read(id).ok_or_else(|| missing(id))?;
    let done = server.keys.revoke(&key).await;
    server.access.revoked();
    match done? {
        Revoked::Done => Ok(answer::committed(StatusCode::NO_CONTENT.into_response())),
        Revoked::Unknown => Err(missing(id)),
    }
}

fn row(call: &Call, shown: Shown) -> Row {
    let Shown { id, record, used, state } = shown;
    let href = format!("{}{}/keys/{id}", call.base, super::BASE);
    Row {
        id,
        href,
        name: record.name,
        roles: record.roles,
        plugins: record.plugins,
        scope: record.scope,
        state,
        created: record.created.to_string(),
        created_by: record.created_by,
        expires: record.expires.to_string(),
        revoked: record.revoked.map(|at| at.to_string()),
        last_used: used.map(|at| at.to_string()),
        key: None,
    }
}

fn missing(id: &str) -> Problem {
    Problem::not_found(format!("there is no key `{id}`")).about("id")
}

impl From<MakeError> for Problem {
    fn from(error: MakeError) -> Self {
        let message = error.to_string();
        match error {
            MakeError::Wrong(wrong) => Self::unprocessable(message).about(wrong.attribute()),
            MakeError::Scope(_) => Self::unprocessable(message).about("scope"),
            MakeError::Taken => Self::conflict(message).about("name"),
            MakeError::TooMany => Self::conflict(message).about("$"),
            MakeError::Reused => reused(),
            MakeError::Random(_) | MakeError::Text(_) => Self::ours(&error),
            MakeError::Store(error) => error.into(),
        }
    }
}
