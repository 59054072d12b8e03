//! Hidden documents are refused: the audit has an entry of each refusal, and none of missing documents.

use engine::audit::{Entry, Outcome};
use tmf::time::Timestamp;

use super::planted::plant;
use super::{NOW, all_routes, asked, requests, shared_by, timed};
use crate::http::tests::bench::Bench;
use crate::http::tests::login::record;

/// The entries since the last look.
async fn entries(bench: &Bench, last: &mut u64) -> Vec<Entry> {
    // Nothing waits for an entry of a refusal.
    bench.services.engine.look().await.unwrap();
    bench.services.documents.settled().await.unwrap();
    let stored = engine::audit::read(&bench.store, *last, usize::MAX).unwrap();
    let entries: Vec<Entry> = stored.iter().map(|stored| stored.entry().unwrap()).collect();
    *last = entries.last().map_or(*last, |entry| entry.sequence);
    entries
}

#[tokio::test]
async fn hidden_documents_are_refused_in_the_audit_alone() {
    let (with, clock) = timed(vec![record("dealer")]).await;
    let (without, other_clock) = timed(Vec::new()).await;
    let seen = shared_by(vec![record("dealer")]).await;
    for bench in [&with, &without, &seen] {
        plant(bench, "A").await;
    }
    let (ids, ids_seen) = (plant(&with, "B").await, plant(&seen, "B").await);
    let (mut last, mut last_without) = (0, 0);
    let mut found = Vec::new();
    let (mut count, mut minute) = (0, Timestamp::parse(NOW).unwrap());
    for route in &all_routes() {
        let all = requests::of(route, "B", &ids);
        for (one, other) in all.iter().zip(requests::of(route, "B", &ids_seen)) {
            // Refusals of one minute are counted together.
            minute = Timestamp(minute.0 + 60_000);
            clock.set(&minute.to_string());
            other_clock.set(&minute.to_string());
            let hidden = asked(&with, "a", one).await;
            let missing = asked(&without, "a", one).await;
            let told = entries(&with, &mut last).await;
            let told_without = entries(&without, &mut last_without).await;
            let is_there = !asked(&seen, "owner", &other).await.starts_with("404");
            if !hidden.starts_with("404") || !is_there {
                continue;
            }
            assert!(missing.starts_with("404"), "{one:?} {missing}");
            let is_refused = |entry: &Entry| {
                (entry.outcome, entry.code.as_deref()) == (Outcome::Refused, Some("404"))
                    && entry.actor.subject == "a"
            };
            if told.len() != 1 || !told.iter().all(is_refused) {
                found.push(format!("{}: {told:?}", one.line));
            }
            assert!(told_without.is_empty(), "{one:?} {told_without:?}");
            count += 1;
            break;
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(count > 200, "{count}");
}
