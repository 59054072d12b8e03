//! Conditional updates are linearizable: clients read documents and change what they read, while
//! the server is killed and the power fails. One order of all of it has to explain what they saw.

mod clients;
mod history;

use crate::world::{Dice, Disk, Settings, Survivors, World};
use clients::Clients;

/// Documents that are worked on.
const DOCUMENTS: usize = 4;

const CLIENTS: usize = 4;

/// Kills and power failures.
const ENDS: u64 = 8;

/// Max operations between two of them.
const OPERATIONS_MAX: u64 = 120;

/// Added to each sync, in milliseconds: what is applied and not yet durable can be seen.
const SYNC_MS: u64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn conditional_updates_are_linearizable_through_kills_and_power_failures() {
    let mut dice = Dice::from_environment();
    let mut world = World::with(Settings { disk: Disk::Forgetful, ..Settings::default() }).await;
    let clients = Clients::begin(&world.http, DOCUMENTS, CLIENTS).await;
    world.power().slow_syncs(SYNC_MS);
    for end in 0..ENDS {
        clients.see_operations(dice.up_to(OPERATIONS_MAX)).await;
        match end % 4 {
            0 => world.kill().await,
            1 | 2 => world.fail_power(Survivors::None).await,
            _ => world.fail_power(Survivors::Some(&mut dice)).await,
        }
        world.restart().await;
        world.power().slow_syncs(SYNC_MS);
    }
    clients.see_operations(OPERATIONS_MAX).await;
    let histories = clients.stop().await;
    let mut changes = 0;
    for (first, operations) in histories {
        let first = (first.0, first.1.as_str());
        if let Err(wrong) = history::check(first, &operations) {
            panic!("{wrong}, FERRULE_SEED={}:\n{operations:#?}", dice.seed());
        }
        let is_change =
            |one: &&history::Operation| matches!(one.what, history::What::Changed { .. });
        changes += operations.iter().filter(is_change).count();
    }
    assert!(changes > DOCUMENTS * 10, "only {changes} changes were taken");
}
