//! Lists of packs and workflows.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::BASE;
use crate::http::{ServerState, answer};

/// The packs: those in use, then the refused ones with their errors.
pub(super) fn packs(server: &ServerState) -> Response {
    let rulebook = server.rulebooks.current();
    let in_use = rulebook.packs().filter(|pack| !rulebook.is_kept(&pack.name));
    let packs = in_use.map(|pack| {
        json!({
            "name": pack.name,
            "state": "ready",
            "title": pack.title,
            "description": pack.description,
            "digest": pack.digest,
            "offerings": pack.catalog.offerings.len(),
            "specifications": pack.catalog.specs.len(),
            "prices": pack.catalog.prices.len(),
            "rules": pack.rules.len(),
            "deliveries": pack.deliveries.len(),
            "pools": pack.pools.iter().map(|pool| &pool.id).collect::<Vec<_>>(),
            "workflows": pack.workflows.keys().collect::<Vec<_>>(),
            "diagnostics": pack.warnings,
        })
    });
    let left_out = rulebook.left_out().iter().map(|pack| {
        json!({
            "name": pack.name,
            "state": "leftOut",
            "folder": pack.folder,
            "reason": pack.reason(),
            "keptDigest": pack.kept,
            "diagnostics": pack.diagnostics,
        })
    });
    let packs = packs.chain(left_out);
    answer::json(StatusCode::OK, &packs.collect::<Vec<Value>>().into())
}

/// The workflows of all packs.
pub(super) fn workflows(server: &ServerState) -> Response {
    let rulebook = server.rulebooks.current();
    let in_use = rulebook.packs().filter(|pack| !rulebook.is_kept(&pack.name));
    let workflows = in_use.flat_map(|pack| {
        pack.workflows.keys().map(|name| {
            json!({
                "name": name,
                "pack": pack.name,
                "runs": format!("{BASE}/workflows/{name}/runs"),
            })
        })
    });
    answer::json(StatusCode::OK, &workflows.collect::<Vec<Value>>().into())
}
