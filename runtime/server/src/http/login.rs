//! The pages by which people log in and out, the logout by the provider, and who one is.

mod local;
mod pages;
mod provider;

use std::sync::Arc;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use openidconnect::url::form_urlencoded;
use serde::Serialize;
use uuid::Uuid;

use super::body::FORM_BYTES_MAX;
use super::call::Call;
use super::csrf;
use super::problem::{Answer, Problem, nothing_here};
use super::{ServerState, answer, audited};
use crate::access::cookie;
use crate::access::login::return_to;
use crate::access::secret::{code_of, is_code_of};
use crate::access::session::{Record, SessionError};
use crate::access::{Identity, People, RoleName, Ways};

pub(super) use pages::{Form, with_policy};

/// The parameter of a form with the token of a session.
pub(super) const TOKEN: &str = "csrf_token";

/// Who one is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    subject: &'a str,
    name: &'a str,
    proof: &'static str,
    tenant: Option<&'a str>,
    roles: Vec<&'a RoleName>,
    /// The token that requests of this session carry in `X-CSRF-Token`.
    csrf_token: Option<String>,
}

/// Where a logout goes on.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedOut {
    /// The page of the provider at which its own session ends.
    end_session: Option<String>,
}

/// Handles a request about logins.
pub(super) async fn dispatch(server: &ServerState, call: Call, path: &[&str]) -> Answer {
    match path {
        ["login", "style.css"] => {
            call.must_only_read()?;
            return Ok(pages::style());
        }
        ["session"] => {
            call.must_only_read()?;
            return session(server, &call);
        }
        _ => {}
    }
    let people = server.access.people().ok_or_else(nothing_here)?;
    match (path, &call.method) {
        (["login"], &Method::POST) => local::login(server, people, call).await,
        (["login"], _) => {
            call.must_only_read()?;
            login(people, &call).await
        }
        (["login", page], _) => {
            let login = people.ways.login.as_ref().ok_or_else(nothing_here)?;
            provider::dispatch(server, (people, login), call, page).await
        }
        (["logout"], &Method::POST) => {
            let answer = logout(server, people, call).await;
            server.access.revoked();
            answer
        }
        (["logout"], &Method::GET | &Method::HEAD) => Ok(logout_page(people, &call).await),
        (["logout"], _) => Err(Problem::method("GET, HEAD, POST")),
        _ => Err(nothing_here()),
    }
}

/// Shows the form for local users, or sends a browser to the provider if there are none. One with a session
/// goes where it wants to go.
async fn login(people: &People, call: &Call) -> Answer {
    let target = return_to(call.query.get("return"));
    if session_of(people, call).is_some() {
        return Ok(redirect(&format!("{}{target}", call.base), &[]));
    }
    match &people.ways {
        Ways { users: None, login: Some(login) } => provider::login((people, login), call).await,
        Ways { .. } => Ok(local::page(people, &call.base, target)),
    }
}

/// Begins a session, and leads the browser on.
async fn begun(
    server: &ServerState,
    people: &People,
    call: &Call,
    record: Record,
    target: &str,
) -> Answer {
    tracing::info!(subject = record.subject, issuer = record.issuer, "a person logged in");
    audited::person(server, call, ("login", Some(&record.subject)), None).await?;
    let former = cookie::read(&call.headers, people.cookies.session()).ok().flatten();
    match people.sessions.begin(record, former).await {
        Ok(secret) => {
            let set = people.cookies.set(people.cookies.session(), secret.text(), None);
            Ok(redirect(&format!("{}{target}", call.base), &[set]))
        }
        Err(error @ (SessionError::Full(_) | SessionError::Random(_))) => {
            Ok(pages::unavailable(&note(&error.to_string())))
        }
        Err(SessionError::Store(error)) => Err(error.into()),
    }
}

/// Ends the session of a browser, and its session at the provider. A page without a script sends the token
/// in its form.
async fn logout(server: &ServerState, people: &People, mut call: Call) -> Answer {
    let form = form(&mut call)?;
    let clear = people.cookies.clear(people.cookies.session());
    let is_page = call.wants_page();
    let done = || format!("{}/logout", call.base);
    let Some((secret, _)) = session_of(people, &call) else {
        return logged_out(is_page.then(done), None, &clear);
    };
    let header = call.headers.get(csrf::TOKEN).and_then(|token| token.to_str().ok());
    let token = header.or_else(|| value_of(&form, TOKEN)).unwrap_or_default();
    if !csrf::is_of_own_page(&call.headers) || !is_code_of(token, secret, csrf::PURPOSE) {
        tracing::info!("a logout is not protected against CSRF");
        audited::person(server, &call, ("logout", None), Some(StatusCode::FORBIDDEN)).await?;
        return Err(Problem::not_permitted());
    }
    let ended = people.sessions.end(secret).await?;
    let page = match &ended {
        Some(record) => {
            tracing::info!(subject = record.subject, issuer = record.issuer, "a person logged out");
            audited::person(server, &call, ("logout", Some(&record.subject)), None).await?;
            match people.ways.provider_of(record) {
                Some(login) => login.logout_page(record, done()).await,
                None => None,
            }
        }
        None => None,
    };
    logged_out(is_page.then(done), page, &clear)
}

/// The answer after a logout: a page goes on at the provider, or at our own; a program is told where to go on.
fn logged_out(done: Option<String>, page: Option<String>, clear: &str) -> Answer {
    let response = match done {
        Some(done) => redirect(&page.unwrap_or(done), &[]),
        None => json(&LoggedOut { end_session: page })?,
    };
    Ok(with_cookies(response, &[clear.to_owned()]))
}

async fn logout_page(people: &People, call: &Call) -> Response {
    match session_of(people, call) {
        None => pages::logged_out(&call.base),
        Some((secret, record)) => {
            let form = Form { name: &record.name, token: code_of(secret, csrf::PURPOSE) };
            pages::log_out(&call.base, &form, logout_origin(people, &record).await.as_deref())
        }
    }
}

/// Where the logout of a session leads besides this server.
pub(super) async fn logout_origin(people: &People, record: &Record) -> Option<String> {
    people.ways.provider_of(record)?.logout_origin().await
}

/// Who one is, by any credentials.
fn session(server: &ServerState, call: &Call) -> Answer {
    let Some(identity) = &call.admitted.identity else { return Err(nothing_here()) };
    let known = server.access.people().and_then(|people| session_of(people, call));
    let is_session = identity.proof.name() == "session";
    let known = known.filter(|_| is_session);
    let Identity { subject, proof, tenant, roles, .. } = &**identity;
    json(&Shown {
        subject,
        name: known.as_ref().map_or(subject, |(_, record)| &record.name),
        proof: proof.name(),
        tenant: tenant.as_deref(),
        roles: roles.iter().collect(),
        csrf_token: known.as_ref().map(|(secret, _)| code_of(secret, csrf::PURPOSE)),
    })
}

/// The session of a browser, with its secret.
pub(super) fn session_of<'a>(people: &People, call: &'a Call) -> Option<(&'a str, Arc<Record>)> {
    let secret = cookie::read(&call.headers, people.cookies.session()).ok().flatten()?;
    Some((secret, people.sessions.record(secret)?))
}

/// The parameters of a form; none without a body.
fn form(call: &mut Call) -> Result<Vec<(String, String)>, Problem> {
    let bytes = call.bytes()?;
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    if bytes.len() > FORM_BYTES_MAX {
        return Err(Problem::too_large(format!("a form has at most {FORM_BYTES_MAX} bytes")));
    }
    let kind = call.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Problem::media_type("a form is application/x-www-form-urlencoded"));
    }
    Ok(form_urlencoded::parse(&bytes).into_owned().collect())
}

/// The only value of a parameter of a form.
fn value_of<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut values = form.iter().filter(|(known, _)| known == name);
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}

/// Logs why a login failed; returns the id under which the log has it.
fn note(reason: &str) -> String {
    let id = Uuid::now_v7().simple().to_string();
    tracing::warn!(request = id, reason, "a login or logout failed");
    id
}

fn json(shown: &impl Serialize) -> Answer {
    let body = serde_json::to_string(shown).map_err(|error| Problem::ours(&error))?;
    Ok(not_stored(answer::with_type(StatusCode::OK, "application/json", body)))
}

/// Leads a browser on.
fn redirect(url: &str, cookies: &[String]) -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(url) = HeaderValue::from_str(url) {
        response.headers_mut().insert(LOCATION, url);
    }
    with_cookies(not_stored(response), cookies)
}

fn with_cookies(mut response: Response, cookies: &[String]) -> Response {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response
}

pub(super) fn not_stored(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
