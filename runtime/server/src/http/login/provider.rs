//! Logins at a provider of OpenID Connect: the way there, the way back, and the logout that it sends.

use axum::http::{Method, StatusCode};
use axum::response::Response;

use super::{begun, form, note, pages, redirect, value_of, with_cookies};
use crate::access::People;
use crate::access::cookie;
use crate::access::login::{
    Callback, CallbackError, LOGIN_MS, Login, LoginError, LogoutError, return_to,
};
use crate::http::call::Call;
use crate::http::problem::{Answer, Problem, nothing_here};
use crate::http::{ServerState, answer, audited};

/// Handles a request about the provider.
pub(super) async fn dispatch(
    server: &ServerState,
    at: (&People, &Login),
    call: Call,
    page: &str,
) -> Answer {
    match (page, &call.method) {
        ("provider", _) => {
            call.must_only_read()?;
            login(at, &call).await
        }
        ("callback", _) => {
            call.must_only_read()?;
            callback(server, at, &call).await
        }
        ("backchannel", &Method::POST) => {
            let answer = backchannel(server, at, call).await;
            server.access.revoked();
            answer
        }
        ("backchannel", _) => Err(Problem::method("POST")),
        _ => Err(nothing_here()),
    }
}

/// Sends a browser to the provider.
pub(super) async fn login((people, login): (&People, &Login), call: &Call) -> Answer {
    let target = return_to(call.query.get("return"));
    let redirect_uri = format!("{}/login/callback", call.base);
    match login.begin(redirect_uri, target, people.sessions.now()).await {
        Ok(begun) => {
            let name = people.cookies.login(&begun.state);
            let age = Some(LOGIN_MS / 1_000);
            let set = people.cookies.set(&name, begun.cookie.text(), age);
            Ok(redirect(&begun.page, &[set]))
        }
        Err(error) => Ok(failed(&error)),
    }
}

/// Takes the browser back from the provider.
async fn callback(server: &ServerState, (people, login): (&People, &Login), call: &Call) -> Answer {
    let state = once(call, "state").unwrap_or_default();
    let name = people.cookies.login(state);
    let cookie = cookie::read(&call.headers, &name).ok().flatten().unwrap_or_default();
    let now = people.sessions.now();
    let clear = people.cookies.clear(&name);
    server.rates.may_prove(call.address()).map_err(Problem::too_fast)?;
    if let Some(error) = once(call, "error") {
        let refused = login.give_up(state, cookie, now).map_or_else(
            |error| {
                server.rates.failed(call.address());
                callback_failed(&error)
            },
            |()| {
                let id = note(&format!("the provider answers `{}`", error.escape_debug()));
                pages::refused_by_provider(&id)
            },
        );
        audited::person(server, call, ("login", None), Some(refused.status())).await?;
        return Ok(with_cookies(refused, &[clear]));
    }
    let code = once(call, "code").unwrap_or_default();
    let issuer = once(call, "iss");
    let ended = login.end(Callback { state, code, issuer, cookie }, now).await;
    let (record, target) = match ended {
        Ok(ended) => ended,
        Err(error) => {
            if !matches!(error, CallbackError::Login(LoginError::Unavailable(_))) {
                server.rates.failed(call.address());
            }
            let failed = callback_failed(&error);
            audited::person(server, call, ("login", None), Some(failed.status())).await?;
            return Ok(with_cookies(failed, &[clear]));
        }
    };
    let answer = begun(server, people, call, record, &target).await?;
    Ok(with_cookies(answer, &[clear]))
}

/// The only value of a parameter of the query.
fn once<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    let mut values = call.query.parameters().filter(|(known, _, _)| *known == name);
    match (values.next(), values.next()) {
        (Some((_, value, _)), None) => Some(value),
        _ => None,
    }
}

/// Ends sessions that the provider ended (OpenID Connect Back-Channel Logout 1.0, 2.5 to 2.8).
async fn backchannel(
    server: &ServerState,
    (people, login): (&People, &Login),
    mut call: Call,
) -> Answer {
    let form = form(&mut call)?;
    let token = value_of(&form, "logout_token").unwrap_or_default();
    let named = login.named(token, people.sessions.now()).await;
    let response = match named {
        Ok(named) => {
            let ended = people.sessions.end_all(|_, record| login.is_ended(record, &named));
            let ended = ended.await?;
            tracing::info!(ended, subject = named.subject, "the provider ended sessions");
            let subject = named.subject.as_deref();
            audited::person(server, &call, ("logout", subject), None).await?;
            Response::new(axum::body::Body::empty())
        }
        Err(error @ LogoutError::Token(_)) => {
            note(&error.to_string());
            let body = r#"{"error":"invalid_request"}"#;
            answer::with_type(StatusCode::BAD_REQUEST, "application/json", body)
        }
        Err(error @ LogoutError::Login(_)) => {
            note(&error.to_string());
            return Err(Problem::unavailable("the provider cannot be asked for its keys"));
        }
    };
    Ok(super::not_stored(response))
}

fn callback_failed(error: &CallbackError) -> Response {
    match error {
        CallbackError::Unknown | CallbackError::Issuer => pages::stale(&note(&error.to_string())),
        CallbackError::Login(error) => failed(error),
    }
}

fn failed(error: &LoginError) -> Response {
    let id = note(&error.to_string());
    match error {
        LoginError::Unavailable(_) => pages::unavailable(&id),
        LoginError::Refused(_) => pages::refused(&id),
    }
}
