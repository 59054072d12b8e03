//! What a client may see and change, where documents come out of the store. Hidden documents are as
//! missing ones: the same answer, after the same reads.

use engine::documents::{Document, Error};
use model::{Fulfilment, FulfilmentId};
use serde::Serialize;
use serde_json::Value;

use super::ServerState;
use super::call::Call;
use super::problem::Problem;
use crate::access::work::{Attempted, Root};
use crate::access::{Admitted, Scope, Verb};

/// How a client stands to a document that it wants to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// It may not know of it.
    Hidden,
    /// It may read it only.
    Readable,
    Changeable,
}

/// The document of a resource; `None` also if the client may not read it.
pub(super) async fn readable(
    server: &ServerState,
    call: &Call,
    key: &str,
    id: &str,
) -> Result<Option<Document>, Error> {
    let found = server.documents.document(key, id).await?;
    Ok(call.admitted.reader.seen(key, found))
}

/// How a client stands to a document. One who has no permission to read at all may change what the
/// other permission covers; one from whom documents are hidden may not change those.
pub(super) fn sight(admitted: &Admitted, key: &str, document: &Value) -> Sight {
    let reads = admitted.reader.scope(key, Verb::Read);
    let is_hidden = !reads.is_nothing() && !reads.covers(document);
    match admitted.scope.covers(document) {
        _ if is_hidden => Sight::Hidden,
        true => Sight::Changeable,
        false if reads.is_nothing() => Sight::Hidden,
        false => Sight::Readable,
    }
}

/// Refuses a document that the permission to write does not cover.
pub(super) fn must_cover(scope: &Scope, document: &impl Serialize) -> Result<(), Problem> {
    if scope.covers(document) { Ok(()) } else { Err(Problem::not_permitted()) }
}

/// Whether the route may be about a fulfilment: its own permission covers the root of it, and the
/// client may read the order or the run that it is of.
pub(super) fn covers(admitted: &Admitted, fulfilment: &Fulfilment) -> bool {
    is_covered(&admitted.scope, fulfilment) && sees_root(admitted, fulfilment)
}

/// The same for an attempt of a plugin. A permission with a condition, such as that of a vendor, covers
/// the attempts that its condition covers; without one, the client must be able to read the order too.
pub(super) fn covers_attempt(admitted: &Admitted, fulfilment: &Fulfilment, plugin: &str) -> bool {
    if admitted.scope.is_all() {
        return sees_root(admitted, fulfilment);
    }
    admitted.scope.covers(&Attempted { root: Root::of(fulfilment), plugin })
}

/// Whether a client may read the order that a fulfilment began with, or the run.
pub(super) fn sees_root(admitted: &Admitted, fulfilment: &Fulfilment) -> bool {
    admitted.reader.sees_fulfilment(fulfilment)
}

/// The order that locks a document, as a client may know it.
pub(super) async fn locker(
    server: &ServerState,
    call: &Call,
    by: &FulfilmentId,
) -> Result<String, Problem> {
    let order = server.engine.get(by).await?;
    let is_seen = order.is_some_and(|order| sees_root(&call.admitted, &order));
    Ok(if is_seen { format!("order `{by}`") } else { "an order".into() })
}

fn is_covered(scope: &Scope, fulfilment: &Fulfilment) -> bool {
    scope.is_all() || scope.covers(&Root::of(fulfilment))
}
