//! Whether any product in use leads to an instance: it follows references upwards, along the
//! indexes of the inventories.

use std::collections::BTreeSet;

use model::FulfilmentId;
use model::reconcile::{Rank, User, leads_to, rank, users};
use tmf::document::instance::Instance;

use super::{CheckError, Reconciler};
use crate::documents::{Ids, Session};

/// Documents read at once.
const READ_AT_ONCE: usize = 256;

/// Whether an instance is a part that no product in use leads to.
pub(super) async fn is_orphan(
    reconciler: &Reconciler,
    instance: &Instance,
) -> Result<bool, CheckError> {
    if rank_of(reconciler, instance).await? != Rank::Part {
        return Ok(false);
    }
    let mut open = vec![(instance.resource(), instance.id.clone())];
    let mut seen: BTreeSet<(&str, String)> = open.iter().cloned().collect();
    while let Some((resource, mut id)) = open.pop() {
        for user in users(resource) {
            let mut ids = Ids::new(user.resource, user.path, &id);
            loop {
                let read = reconciler.documents.read(move |session| {
                    let above = above(session, user, (&id, &mut ids))?;
                    Ok::<_, CheckError>((above, id, ids))
                });
                let (found, below, rest) = read.await?;
                (id, ids) = (below, rest);
                let Some(found) = found else { break };
                for (above, instance) in found {
                    match rank_of(reconciler, &instance).await? {
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
    }
    Ok(true)
}

/// The next instances that lead to an instance, with their ids; `None` at the end.
fn above(
    session: &Session,
    user: &'static User,
    (id, ids): (&str, &mut Ids),
) -> Result<Option<Vec<(String, Instance)>>, CheckError> {
    let mut found = Vec::new();
    for _ in 0..READ_AT_ONCE {
        let Some(above) = ids.next(session.store())? else {
            return Ok((!found.is_empty()).then_some(found));
        };
        let Some(document) = session.readable(user.resource, &above)? else { continue };
        let Some(instance) = Instance::read(user.resource, &document.body)? else { continue };
        if leads_to(user, &instance, id) {
            found.push((above, instance));
        }
    }
    Ok(Some(found))
}

async fn rank_of(reconciler: &Reconciler, instance: &Instance) -> Result<Rank, CheckError> {
    let mut known = Vec::new();
    for id in instance.orders().map(FulfilmentId::new) {
        known.extend(reconciler.engine().get(&id).await?);
    }
    Ok(rank(instance, &known))
}
