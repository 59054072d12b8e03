//! Callbacks of elements: to a task by its unguessable address, which is all the proof that is needed, or to any task of
//! a plugin that waits for a key that the element knows. Others can guess that key, so it needs an identity, or what
//! `[plugins.<id>] callbacks` demands.

use axum::http::StatusCode;
use engine::limits::CALLBACK_NAME_BYTES_MAX;
use engine::{Callback, Received};
use host::grants::CallbackProof;
use model::{BOUNDS, PluginId};
use serde_json::{Map, Value, json};

use crate::http::call::Call;
use crate::http::problem::Answer;
use crate::http::problem::Problem;
use crate::http::{ServerState, answer};
use crate::tls::seen::ClientCertificate;

/// Delivers an element's answer to `callbacks/<key>.<token>` or `callbacks/<plugin>/<key>`.
pub(super) async fn post(server: &ServerState, mut call: Call, address: &[&str]) -> Answer {
    check(server, &call, address)?;
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

/// Whether an element has shown enough to answer a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Passed {
    Proven,
    /// It is a client like any other.
    NeedsIdentity,
}

/// Decides by an address, before anything of the body is read. A wrong address of a task is answered like one that no
/// task ever had, and like one of a tenant that does not exist (`None`).
pub(in crate::http) fn admit(
    tenant: Option<&ServerState>,
    certificate: Option<&ClientCertificate>,
    address: &[&str],
) -> Result<Passed, Problem> {
    match (tenant, address) {
        (Some(tenant), [own]) => own_key(tenant, own).map(|_| Passed::Proven),
        (None, [_]) => Err(unknown()),
        (Some(tenant), [first, _, ..]) if is_taken(&proof(tenant, first), certificate) => {
            Ok(Passed::Proven)
        }
        (Some(_) | None, _) => Ok(Passed::NeedsIdentity),
    }
}

/// Refuses a key that can be guessed, if the plugin demands more.
fn check(server: &ServerState, call: &Call, address: &[&str]) -> Result<(), Problem> {
    let [first, _, ..] = address else { return Ok(()) };
    match proof(server, first) {
        CallbackProof::Signed => Err(unknown()),
        CallbackProof::Identity => Ok(()),
        proof @ CallbackProof::Certificates(_) if is_taken(&proof, call.client.as_deref()) => {
            Ok(())
        }
        CallbackProof::Certificates(_) => {
            let subject = call.client.as_ref().map(|client| client.subject.as_str());
            tracing::info!(
                plugin = plugin_of(first),
                subject,
                "a callback without a certificate of its elements is refused"
            );
            Err(Problem::not_permitted())
        }
    }
}

/// Whether a certificate proves an element of a plugin.
fn is_taken(proof: &CallbackProof, certificate: Option<&ClientCertificate>) -> bool {
    certificate.is_some_and(|certificate| proof.takes(&certificate.shown()))
}

/// What is demanded by the plugin that the first piece of an address names.
fn proof(server: &ServerState, first: &str) -> CallbackProof {
    server.plugins.host.callback_proof(&PluginId::new(plugin_of(first)))
}

/// The plugin that the first piece of an address names. A slash that was escaped is one in the name of the callback.
fn plugin_of(first: &str) -> &str {
    first.split('/').next().unwrap_or_default()
}

/// The name of a callback by its address. A name without a slash is a task's own; a key of a
/// plugin may have slashes in it.
fn name(server: &ServerState, address: &[&str]) -> Result<String, Problem> {
    if let [own] = address {
        return own_key(server, own);
    }
    if address.iter().any(|part| part.is_empty()) {
        return Err(Problem::bad("a plugin and a key are mandatory").about("key"));
    }
    Ok(address.join("/"))
}

/// The key of a task in its address. The token is compared in constant time.
fn own_key(server: &ServerState, address: &str) -> Result<String, Problem> {
    server.engine.addresses().key(address).map(str::to_string).ok_or_else(unknown)
}

fn unknown() -> Problem {
    Problem::not_found("no task is answered at this address").about("key")
}
