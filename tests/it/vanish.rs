//! Clients that vanish: they close their connection in the middle of a request, right after it, or
//! while the answer is on its way. What they asked for happens as a whole or not at all, and what
//! follows from it follows.

mod operations;
mod quotes;

use tokio::task::JoinSet;

use crate::world::{Disk, SENT, Settings, Vanish, World};
use operations::{Asked, Operation};

/// Added to each sync, in milliseconds: clients are gone before it ends.
const SYNC_MS: u64 = 30;

/// Subjects that each operation is tried on.
const SUBJECTS: usize = 4;

/// Sends each request from clients that vanish, at each of the moments; subjects at one time.
async fn vanish(world: &World, asked: &[Asked], moments: &'static [Vanish]) {
    world.power().slow_syncs(SYNC_MS);
    let mut clients = JoinSet::new();
    for one in asked {
        let (http, request) = (world.http.clone(), one.request.clone());
        clients.spawn(async move {
            for moment in moments {
                http.ask_and_vanish(&request, *moment).await;
            }
        });
    }
    clients.join_all().await;
    world.power().slow_syncs(0);
    // Requests that were accepted before this are in the log before it.
    world.person().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_a_vanished_client_happen_as_a_whole_or_not_at_all() {
    let settings = Settings { disk: Disk::Forgetful, tail: SENT.into(), ..Settings::default() };
    let mut world = World::with(settings).await;
    let mut wrong = Vec::new();
    for operation in Operation::ALL {
        let mut asked = Vec::new();
        for subject in 0..SUBJECTS {
            asked.push(operation.prepare(&world, subject).await);
        }
        vanish(&world, &asked, &Vanish::ALL).await;
        for one in &asked {
            if let Err(found) = operation.check(&mut world, one).await {
                wrong.push(format!("{operation:?}: {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} are not as they should be:\n{}", wrong.len(), wrong.join("\n"));
}
