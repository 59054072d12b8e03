//! Callbacks of elements: to a task by its unguessable address, or
//! to any task of a plugin that waits for a key that the element knows.

use axum::http::StatusCode;
use engine::limits::CALLBACK_NAME_BYTES_MAX;
use engine::{Callback, Received};
use model::BOUNDS;
use serde_json::{Map, Value, json};

use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::{ServerState, answer};

/// Delivers an element's answer to `callbacks/<key>.<token>` or `callbacks/<plugin>/<key>`.
pub(super) async fn post(server: &ServerState, mut call: Call, address: &[&str]) -> Answer {
    let name = name(server, address)?;
    if name.len() > CALLBACK_NAME_BYTES_MAX {
        let message = format!(
            "the name of a callback, with its plugin, has at most {CALLBACK_NAME_BYTES_MAX} bytes"
        );
        return Err(Problem::bad(message).about("key"));
    }
    let payload = call.json_or_nothing()?;
    let payload = payload.unwrap_or_else(|| Value::Object(Map::new()));
    if let Err(exceeded) = BOUNDS.payload(&payload) {
        return Err(Problem::too_large(format!("{exceeded}; the limit is fixed")));
    }
    let (status, state) = match server.engine.callback(Callback { name, payload }).await? {
        Received::Delivered => (StatusCode::OK, "delivered"),
        Received::Kept => (StatusCode::ACCEPTED, "kept until a task waits for it"),
        Received::Ignored => (StatusCode::OK, "ignored: no task waits for it any more"),
        Received::TooLarge => {
            return Err(Problem::too_large("it is larger than what is kept of a callback"));
        }
        Received::TooMany => {
            let limits = server.engine.limits();
            let message = format!(
                "as many callbacks are kept as may be, {} or {} MiB: send it again later; \
                 [limits] callbacks-kept and callbacks-kept-mib govern it",
                limits.callbacks_kept,
                limits.callbacks_kept_bytes >> 20
            );
            return Err(Problem::too_many(message).about("limits.callbacks-kept"));
        }
    };
    Ok(answer::json(status, &json!({ "state": state })))
}

/// The name of a callback by its address. A name without a slash is a task's own; a key of a
/// plugin may have slashes in it.
fn name(server: &ServerState, address: &[&str]) -> Result<String, Problem> {
    if let [own] = address {
        let key = server.engine.addresses().key(own).map(str::to_string);
        return key.ok_or_else(|| {
            let message = "no task was given this address; a key that an element knows by itself \
                           is answered at `callbacks/<plugin>/<key>`";
            Problem::not_found(message).about("key")
        });
    }
    if address.iter().any(|part| part.is_empty()) {
        return Err(Problem::bad("a plugin and a key are mandatory").about("key"));
    }
    Ok(address.join("/"))
}
