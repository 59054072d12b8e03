//! The login of local users by a form, where there is a file of them.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::Response;

use super::pages::{self, Ask};
use super::{begun, form, note, value_of};
use crate::access::login::return_to;
use crate::access::session::{LOCAL, Record};
use crate::access::users::{User, UserError};
use crate::access::{Identity, People};
use crate::http::call::Call;
use crate::http::problem::{Answer, Problem};
use crate::http::{ServerState, audited, csrf};

/// The parameters of the form.
const NAME: &str = "name";
const PASSWORD: &str = "password";
const RETURN: &str = "return";

/// The page with the form.
pub(super) fn page(people: &People, base: &str, target: &str) -> Response {
    pages::log_in(StatusCode::OK, &ask(people, base, target))
}

fn ask<'a>(people: &People, base: &'a str, target: &'a str) -> Ask<'a> {
    let has_provider = people.ways.login.is_some();
    Ask { base, target, has_provider, message: None }
}

/// Begins the session of the user whose name and password a form has.
pub(super) async fn login(server: &ServerState, people: &People, mut call: Call) -> Answer {
    let users = people.ways.users.as_ref().ok_or_else(|| Problem::method("GET, HEAD"))?;
    let form = form(&mut call)?;
    // Another page could log a person in as someone else.
    if !csrf::is_of_own_page(&call.headers) {
        tracing::info!("a login is not protected against CSRF");
        return refused(server, &call, Problem::not_permitted()).await;
    }
    let name = value_of(&form, NAME).unwrap_or_default();
    let password = value_of(&form, PASSWORD).unwrap_or_default();
    let target = return_to(value_of(&form, RETURN)).to_owned();
    if let Err(wait) = server.rates.may_log_in(name, call.address()) {
        return refused(server, &call, Problem::too_fast(wait)).await;
    }
    let now = people.sessions.now();
    match users.check(name, password, now).await {
        Ok(user) => {
            server.rates.logged_in(name, call.address());
            begun(server, people, &call, record(&user, now), &target).await
        }
        Err(error @ (UserError::Malformed | UserError::Wrong)) => {
            server.rates.not_logged_in(name, call.address());
            note(&error.to_string());
            let status = StatusCode::FORBIDDEN;
            audited::person(server, &call, ("login", None), Some(status)).await?;
            let message = Some("The name or the password is wrong.");
            let ask = Ask { message, ..ask(people, &call.base, &target) };
            Ok(pages::log_in(status, &ask))
        }
        Err(UserError::Busy) => {
            let busy = Problem::too_many("too many log in at this time: try again");
            refused(server, &call, busy).await
        }
    }
}

async fn refused(server: &ServerState, call: &Call, problem: Problem) -> Answer {
    audited::person(server, call, ("login", None), Some(problem.status())).await?;
    Err(problem)
}

/// The session of a user.
fn record(user: &User, begun: tmf::time::Timestamp) -> Record {
    let Identity { subject, tenant, roles, plugins, .. } = &**user.identity();
    Record {
        subject: subject.to_owned(),
        name: subject.to_owned(),
        issuer: LOCAL.into(),
        tenant: tenant.to_owned(),
        roles: roles.to_owned(),
        plugins: plugins.to_owned(),
        claims: BTreeMap::new(),
        begun,
        provider: None,
        entry: user.identity().entry.clone(),
    }
}
