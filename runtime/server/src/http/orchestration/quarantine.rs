//! Quarantined fulfilments, whose journal cannot be continued, and the operator's decisions.

use axum::http::StatusCode;
use engine::SetAside;
use model::FulfilmentId;
use serde_json::{Value, json};

use super::view;
use crate::documents::Session;
use crate::http::call::{Call, time};
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::problem::nothing_here;
use crate::http::{ServerState, answer};

/// Handles a request about the quarantine.
pub(super) async fn dispatch(server: &ServerState, call: &Call, path: &[&str]) -> Answer {
    match path {
        [] => {
            let all = server.documents.read(Session::quarantine).await?;
            let rows = all.iter().map(|(id, aside)| row(id, aside.as_ref())).collect();
            Ok(answer::json(StatusCode::OK, &Value::Array(rows)))
        }
        [id] => {
            let all = server.documents.read(Session::quarantine).await?;
            let found = all.iter().find(|(other, _)| other.as_str() == *id);
            let missing = || Problem::not_found(format!("`{id}` is not set aside")).about("id");
            let (id, aside) = found.ok_or_else(missing)?;
            Ok(answer::json(StatusCode::OK, &row(id, aside.as_ref())))
        }
        [id, "retry"] => {
            let again = server.engine.readmit(&FulfilmentId::new(*id)).await?;
            Ok(answer::json(StatusCode::OK, &view::brief(server, call, &again).await?))
        }
        [id, "give-up"] => {
            server.engine.give_up(&FulfilmentId::new(*id)).await?;
            // Orders that wait for it are told that it will never complete.
            server.rulebooks.changed().notify_one();
            Ok(answer::json(StatusCode::OK, &json!({ "id": id, "state": "givenUp" })))
        }
        _ => Err(nothing_here()),
    }
}

fn row(id: &FulfilmentId, aside: Option<&SetAside>) -> Value {
    let given_up = aside.and_then(|aside| aside.given_up);
    let to_do = match given_up {
        Some(_) => "nothing: what it reserved stays reserved, and its journal is kept",
        None => {
            "find out why (the reason, and the log of the server); restore its records from a \
             backup or use a version that reads them, then POST retry; or POST give-up, which \
             fails its orders, releases what it was about, and leaves elements as they are"
        }
    };
    json!({
        "id": id,
        "state": if given_up.is_some() { "givenUp" } else { "setAside" },
        "record": aside.and_then(|aside| aside.record),
        "reason": aside.map_or("what is kept of it cannot be read", |aside| &aside.reason),
        "since": aside.map(|aside| time(aside.since)),
        "givenUp": given_up.map(time),
        "toDo": to_do,
    })
}
