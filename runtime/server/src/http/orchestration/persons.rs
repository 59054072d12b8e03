//! What is kept about a person: `GET persons/{id}` exports it, `POST persons/{id}/erase` erases it.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::to_string;

use crate::http::problem::{Answer, Problem, nothing_here};
use crate::http::{ServerState, answer};
use crate::persons::{self, PersonError};

/// Handles a request about a person.
pub(super) async fn dispatch(server: &ServerState, path: &[&str]) -> Answer {
    match path {
        [id] => export(server, id).await,
        [id, "erase"] => {
            let erased = persons::erase_person(&server.documents, id).await?;
            tracing::info!(?erased, "a person was erased");
            let body = serde_json::to_value(erased).map_err(|error| Problem::ours(&error))?;
            Ok(answer::json(StatusCode::OK, &body))
        }
        _ => Err(nothing_here()),
    }
}

/// One document on each line.
async fn export(server: &ServerState, id: &str) -> Answer {
    let mut text = String::new();
    for line in persons::export(&server.documents, id).await? {
        text.push_str(&to_string(&line).map_err(|error| Problem::ours(&error))?);
        text.push('\n');
    }
    Ok(lines(text))
}

fn lines(text: String) -> Response {
    answer::with_type(StatusCode::OK, "application/x-ndjson", text)
}

impl From<PersonError> for Problem {
    fn from(error: PersonError) -> Self {
        match error {
            PersonError::Unknown(_) => Self::not_found(error.to_string()).about("id"),
            PersonError::TooMany => Self::unprocessable(error.to_string()).about("id"),
            PersonError::InUse { .. } => Self::conflict(error.to_string()).about("id"),
            PersonError::Entries(error) => error.into(),
            PersonError::Store(error) => error.into(),
            PersonError::Retention(error) => error.into(),
        }
    }
}
