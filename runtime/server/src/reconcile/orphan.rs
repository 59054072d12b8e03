//! Whether any product in use leads to an instance: it follows references upwards, along the
//! indexes of the inventories.

use std::collections::BTreeSet;

use model::documents::fulfilments_of;
use model::reconcile::{Rank, leads_to, rank, users};
use serde_json::Value;

use super::CheckError;
use crate::app::{App, Ids};

/// Whether an instance is a part that no product in use leads to.
pub(super) async fn is_orphan(
    app: &App,
    resource: &str,
    document: &Value,
) -> Result<bool, CheckError> {
    if rank_of(app, resource, document).await? != Rank::Part {
        return Ok(false);
    }
    let id = document.get("id").and_then(Value::as_str).unwrap_or_default();
    let mut open = vec![(resource.to_string(), id.to_string())];
    let mut seen: BTreeSet<(String, String)> = open.iter().cloned().collect();
    while let Some((resource, id)) = open.pop() {
        for user in users(&resource) {
            let mut ids = Ids::new(user.resource, user.path, &id);
            while let Some(above) = ids.next(&**app.engine.store())? {
                let Some(found) = app.readable(user.resource, &above)? else { continue };
                if !leads_to(user, &found.body, &id) {
                    continue;
                }
                match rank_of(app, user.resource, &found.body).await? {
                    Rank::Root => return Ok(false),
                    Rank::Ended => {}
                    Rank::Part => {
                        let next = (user.resource.to_string(), above);
                        if seen.insert(next.clone()) {
                            open.push(next);
                        }
                    }
                }
            }
        }
    }
    Ok(true)
}

async fn rank_of(app: &App, resource: &str, document: &Value) -> Result<Rank, CheckError> {
    let mut known = Vec::new();
    for id in fulfilments_of(resource, document) {
        known.extend(app.engine.get(&id).await?);
    }
    Ok(rank(resource, document, &known))
}
