//! Whether any product in use leads to an instance: it follows references upwards, along the
//! indexes of the inventories.

use std::collections::BTreeSet;

use model::FulfilmentId;
use model::reconcile::{Rank, leads_to, rank, users};
use tmf::document::instance::Instance;

use super::CheckError;
use crate::app::{App, Ids};

/// Whether an instance is a part that no product in use leads to.
pub(super) async fn is_orphan(app: &App, instance: &Instance) -> Result<bool, CheckError> {
    if rank_of(app, instance).await? != Rank::Part {
        return Ok(false);
    }
    let mut open = vec![(instance.resource(), instance.id.clone())];
    let mut seen: BTreeSet<(&str, String)> = open.iter().cloned().collect();
    while let Some((resource, id)) = open.pop() {
        for user in users(resource) {
            let mut ids = Ids::new(user.resource, user.path, &id);
            while let Some(above) = ids.next(&**app.engine.store())? {
                let Some(found) = app.readable(user.resource, &above)? else { continue };
                let Some(found) = Instance::read(user.resource, &found.body)? else { continue };
                if !leads_to(user, &found, &id) {
                    continue;
                }
                match rank_of(app, &found).await? {
                    Rank::Root => return Ok(false),
                    Rank::Ended => {}
                    Rank::Part => {
                        let next = (user.resource, above);
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

async fn rank_of(app: &App, instance: &Instance) -> Result<Rank, CheckError> {
    let mut known = Vec::new();
    for id in instance.orders().map(FulfilmentId::new) {
        known.extend(app.engine.get(&id).await?);
    }
    Ok(rank(instance, &known))
}
