//! Removes the first entries of the audit after their retention. What is left stays a chain: the hash of the
//! last entry that goes is kept as its anchor, and an entry in the same commit tells of it.

use std::sync::Arc;

use engine::audit::{Act, Actor, Audited, Digested, Head, PRUNED, Stored, Subject, read, removal};
use engine::documents::Error;
use engine::store::Write;
use tmf::time::Timestamp;

use crate::documents::{Documents, Session};

/// Max entries that are removed in one commit.
const REMOVED_AT_ONCE: usize = 1_000;

const DAY_MS: u64 = 86_400_000;

/// The entries to remove.
struct Removal {
    writes: Vec<Write>,
    before: Head,
    after: Head,
}

/// Removes the entries that are older than some days, some at once; answers with their number.
pub(crate) async fn prune(documents: &Documents, days: u64) -> Result<u64, Error> {
    let engine = documents.engine();
    let now = engine.now();
    let keep_ms = i64::try_from(days.saturating_mul(DAY_MS)).unwrap_or(i64::MAX);
    let until = Timestamp(now.0.saturating_sub(keep_ms));
    let removal = documents.read(move |session| expired(session, until)).await?;
    let Some(Removal { writes, before, after }) = removal else { return Ok(0) };
    let subject = Subject {
        resource: "audit".into(),
        id: Some(format!("{}-{}", before.sequence + 1, after.sequence)),
    };
    let act = Act {
        actor: Actor::system("retention"),
        action: PRUNED.into(),
        subject: Some(subject),
        ..Act::default()
    };
    let digests = vec![Digested {
        what: "anchor".into(),
        before: Some(before.hash.to_string()),
        after: Some(after.hash.to_string()),
    }];
    let audited = Audited { digests, ..Audited::done(Arc::new(act), now) };
    engine.append_as(writes, Vec::new(), audited).await?;
    Ok(after.sequence - before.sequence)
}

/// The first entries from before a time. One that cannot be read stops the removal: it is evidence. The last
/// entry stays in any case.
fn expired(session: &Session, until: Timestamp) -> Result<Option<Removal>, Error> {
    let store = session.store();
    let (anchor, head) = (Head::anchor(store)?, Head::of(store)?);
    let mut last: Option<(u64, Stored)> = None;
    for stored in read(store, anchor.sequence, REMOVED_AT_ONCE)? {
        let Ok(entry) = stored.entry() else { break };
        let next = last.as_ref().map_or(anchor.sequence, |(sequence, _)| *sequence) + 1;
        if entry.sequence != next || entry.sequence >= head.sequence || entry.at >= until {
            break;
        }
        last = Some((entry.sequence, stored));
    }
    Ok(last.map(|(sequence, stored)| Removal {
        writes: removal(anchor.sequence + 1, &stored, sequence),
        before: anchor,
        after: Head { sequence, hash: stored.hash() },
    }))
}
