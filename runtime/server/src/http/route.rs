//! Which handler takes a request. Answers with a name for the route too, for the metrics: paths
//! have ids in them, names do not.

use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use model::resource::openapi;
use serde_json::json;

use super::call::Call;
use super::problem::Problem;
use super::resources::{self, Version};
use super::{Door, answer, metrics, orchestration, tmf};

/// What a handler answers with.
pub(super) type Answer = Result<Response, Problem>;

/// Finds the handler and asks it.
pub(super) async fn dispatch(door: &Door, call: Call) -> (&'static str, Answer) {
    let path = call.path.clone();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["healthz"] => ("healthz", read(&call).map(|()| health())),
        ["readyz"] => ("readyz", ready(door, &call).await),
        ["metrics"] => ("metrics", read(&call).and_then(|()| metrics::render(door))),
        ["tmf-api", api, version, name, rest @ ..] => {
            let version = Version::parse(version);
            match version.and_then(|version| resources::find(api, version, name)) {
                Some(served) => (served.resource.key, tmf::take(door, call, served, rest).await),
                None => ("unknown", Err(nothing_here())),
            }
        }
        ["openapi.json"] => ("openapi", read(&call).map(|()| described(&call, None))),
        ["tmf-api", number, "openapi.json"] => (
            "openapi",
            read(&call).and_then(|()| {
                let number = number.trim_start_matches("TMF").parse().ok();
                number.map(|number| described(&call, Some(number))).ok_or_else(nothing_here)
            }),
        ),
        ["orchestration", "v1", rest @ ..] => orchestration::dispatch(door, call, rest).await,
        _ => ("unknown", Err(nothing_here())),
    }
}

/// Lets only methods through that read.
pub(super) fn read(call: &Call) -> Result<(), Problem> {
    match call.method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(Problem::method("GET, HEAD")),
    }
}

/// Lets only `POST` through.
pub(super) fn post(call: &Call) -> Result<(), Problem> {
    if call.method == Method::POST { Ok(()) } else { Err(Problem::method("POST")) }
}

/// Nothing is served at this path.
pub(super) fn nothing_here() -> Problem {
    Problem::not_found("nothing is served at this path")
}

/// What is served, as OpenAPI: all of it, or one API by its number.
fn described(call: &Call, number: Option<u16>) -> Response {
    let described = match number {
        None => Some(openapi::describe(&call.base)),
        Some(number) => openapi::describe_api(number, &call.base),
    };
    match described {
        Some(described) => answer::json(StatusCode::OK, &described),
        None => nothing_here().into_response(),
    }
}

fn health() -> Response {
    answer::json(StatusCode::OK, &json!({ "status": "alive" }))
}

async fn ready(door: &Door, call: &Call) -> Answer {
    read(call)?;
    orchestration::engine_answers(door).await?;
    Ok(answer::json(StatusCode::OK, &json!({ "status": "ready" })))
}
