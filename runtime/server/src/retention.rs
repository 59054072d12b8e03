//! Removes ended work after its retention: runs, journals of orders, logs and the keys
//! of submissions, some at once. Open work stays, and the journal of an order stays while an
//! instance that it made or changed is in use: later orders read it.

mod removed;

use engine::documents::{Change, Error, Expected, Put};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use engine::audit::{self, Act};
use engine::core::{RecoverError, read_fulfilment};
use engine::handle::AskError;
use engine::keys;
use engine::store::{Scan, Store, Write};

use model::{Fulfilment, FulfilmentId, Kind};
use serde_json::Value;
use tmf::table::of_key;
use tmf::time::Timestamp;

pub(crate) use removed::Removed;

use crate::audit::prune;
use crate::config::Retention;
use crate::documents::{Documents, Session};

/// The interval of checks, in milliseconds.
const SWEEP_EVERY_MS: u64 = 60_000;

/// Fulfilments and keys of submissions in one check.
const LOOKED_AT_ONCE: usize = 500;

/// Facts removed in one commit.
const REMOVED_AT_ONCE: usize = 1_000;

/// Max instances of an order that are checked; an order with more is kept.
const INSTANCES_MAX: usize = 1_000;

/// The document that hides the flow of a run.
const REMOVED_FLOW: &str = "removedProcessFlow";

const DAY_MS: u64 = 86_400_000;

/// The references from instances to the orders that made and changed them, and the states in which
/// they are not in use any more.
const INSTANCES: [(&str, &str, &[&str]); 3] = [
    ("product", "productOrderItem.productOrderId", &["terminated", "cancelled", "aborted"]),
    ("service", "serviceOrderItem.serviceOrderId", &["terminated"]),
    ("resource", "resourceOrderItem.resourceOrderId", &["available"]),
];

/// Why a removal failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RetentionError {
    /// The store cannot be read.
    #[error("the store cannot be read")]
    Store(#[from] Error),
    /// The engine has stopped.
    #[error(transparent)]
    Ask(#[from] AskError),
}

/// Whether a fulfilment is removed.
#[derive(Debug, PartialEq)]
enum Verdict {
    Keep,
    RemoveExchanges,
    RemoveLogs,
    RemoveRun,
    RemoveOrder,
}

/// The parts of the server that retention needs.
pub(crate) struct Retainer {
    pub(crate) documents: Documents,
    pub(crate) removed: Arc<Removed>,
    pub(crate) keep: Retention,
    /// The act that removals of whole fulfilments belong to. Removals of logs,
    /// figures and keys of submissions have no entry.
    pub(crate) act: Option<Arc<Act>>,
}

/// The progress of the checks.
#[derive(Debug, Default)]
struct Sweep {
    /// The last checked fulfilment and key; after the end a check begins
    /// again. After a start too: everything follows from the stored data.
    fulfilment: Option<Vec<u8>>,
    submission: Option<Vec<u8>>,
}

/// Removes at intervals until `stop` ends.
pub(crate) async fn run(retainer: Retainer, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut sweep = Sweep::default();
    loop {
        let pause = std::time::Duration::from_millis(SWEEP_EVERY_MS);
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(pause) => {}
        }
        if let Err(error) = sweep.step(&retainer).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "what was kept for long enough cannot be removed");
        }
    }
}

/// Removes all ended work at once, as if its retention were over.
#[cfg(test)]
pub(crate) async fn sweep_all(retainer: &Retainer) -> Result<(), RetentionError> {
    let mut sweep = Sweep::default();
    loop {
        sweep.step(retainer).await?;
        if sweep.fulfilment.is_none() && sweep.submission.is_none() {
            return Ok(());
        }
    }
}

/// Removes everything of an ended fulfilment. An interrupted removal continues with
/// the next check.
pub(crate) async fn remove(documents: &Documents, id: &FulfilmentId) -> Result<(), RetentionError> {
    let engine = documents.engine();
    loop {
        let [logs, figures, exchanges] = of_attempts(id);
        let (pieces, journal) = (keys::records_pieces(id), keys::journal_prefix(id));
        let prefixes = [logs, figures, exchanges, pieces, journal];
        let facts = documents.read(move |session| {
            let facts = prefixes.iter().map(|prefix| keys_of(session.store(), prefix));
            facts.collect::<Result<Vec<_>, Error>>()
        });
        let facts = facts.await?.into_iter().flatten();
        let mut writes: Vec<Write> = facts.map(|key| (key, None)).collect();
        let is_last = writes.len() <= REMOVED_AT_ONCE;
        writes.truncate(REMOVED_AT_ONCE);
        let marker = keys::removing(id);
        writes.push((marker, (!is_last).then(Vec::new)));
        let flow = Put::new(REMOVED_FLOW, id.as_str(), Change::Remove, Expected::Anything).quiet();
        let puts = if is_last { vec![flow] } else { Vec::new() };
        engine.remove(id.clone(), writes, puts).await?;
        if is_last {
            return Ok(());
        }
    }
}

/// What is kept of the attempts of a fulfilment.
fn of_attempts(id: &FulfilmentId) -> [Vec<u8>; 3] {
    [keys::logs(id), keys::telemetries(id), keys::all_exchanges(id)]
}

/// Removes the first facts of an ended fulfilment under a prefix; answers with how many. The next
/// check removes the others.
async fn remove_under(
    documents: &Documents,
    id: &FulfilmentId,
    prefix: Vec<u8>,
) -> Result<u64, RetentionError> {
    let facts = documents.read(move |session| keys_of(session.store(), &prefix)).await?;
    let count = facts.len() as u64;
    if count > 0 {
        let writes = facts.into_iter().map(|key| (key, None)).collect();
        documents.engine().remove(id.clone(), writes, Vec::new()).await?;
    }
    Ok(count)
}

impl Sweep {
    async fn step(&mut self, retainer: &Retainer) -> Result<(), RetentionError> {
        let Retainer { documents, act, .. } = retainer;
        let cut_off = |session: &Session| keys_of(session.store(), keys::REMOVING);
        for key in documents.read(cut_off).await? {
            let id = String::from_utf8_lossy(&key[keys::REMOVING.len()..]).into_owned();
            let id = FulfilmentId::new(id);
            audit::within(act.as_ref().map(Arc::clone), remove(documents, &id)).await?;
        }
        self.fulfilments(retainer).await?;
        self.submissions(retainer).await?;
        if let Some(days) = retainer.keep.audit_days {
            let count = prune(documents, days).await?;
            retainer.removed.audit.fetch_add(count, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn fulfilments(&mut self, retainer: &Retainer) -> Result<(), RetentionError> {
        let Retainer { documents, removed, keep, act } = retainer;
        let (keep, after, now) = (*keep, self.fulfilment.take(), documents.engine().now());
        let looked = documents.read(move |session| look(session, (keep, now), after));
        let (verdicts, last) = looked.await?;
        self.fulfilment = last;
        for (id, verdict) in verdicts {
            let counter = match verdict {
                Verdict::Keep => continue,
                Verdict::RemoveRun => &removed.runs,
                Verdict::RemoveOrder => &removed.orders,
                Verdict::RemoveExchanges => {
                    let count = remove_under(documents, &id, keys::all_exchanges(&id)).await?;
                    removed.exchanges.fetch_add(count, Ordering::Relaxed);
                    continue;
                }
                Verdict::RemoveLogs => {
                    for prefix in of_attempts(&id) {
                        let count = remove_under(documents, &id, prefix).await?;
                        removed.logs.fetch_add(count, Ordering::Relaxed);
                    }
                    continue;
                }
            };
            audit::within(act.as_ref().map(Arc::clone), remove(documents, &id)).await?;
            counter.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Removes keys of submissions. The id of the submitted order has its time.
    async fn submissions(&mut self, retainer: &Retainer) -> Result<(), RetentionError> {
        let Retainer { documents, removed, keep, .. } = retainer;
        let engine = documents.engine();
        let (keep, after, now) = (*keep, self.submission.take(), engine.now());
        let expired = documents.read(move |session| expired(session.store(), (keep, now), after));
        let (writes, last) = expired.await?;
        self.submission = last;
        if writes.is_empty() {
            return Ok(());
        }
        let count = writes.len() as u64;
        engine.append(writes, Vec::new()).await?;
        removed.submissions.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }
}

/// The writes that remove the next expired keys of submissions, and the key to continue after; `None`
/// at the end.
fn expired(
    store: &dyn Store,
    (keep, now): (Retention, Timestamp),
    after: Option<Vec<u8>>,
) -> Result<(Vec<Write>, Option<Vec<u8>>), Error> {
    let limit = LOOKED_AT_ONCE;
    let page = store.scan(&Scan { after, ..Scan::prefix(keys::SUBMISSIONS, limit) })?;
    let last = (page.len() == limit).then(|| page[limit - 1].0.clone());
    let mut writes: Vec<Write> = Vec::new();
    for (key, bytes) in page {
        let id = FulfilmentId::new(String::from_utf8_lossy(&bytes));
        let is_open = store.get(&keys::open(&id))?.is_some();
        let age_ms = made_at(&id).map_or(0, |made| now.ms_since(made));
        if !is_open && age_ms >= keep.submissions_days * DAY_MS {
            writes.push((key, None));
        }
    }
    Ok((writes, last))
}

/// Verdicts, and the key to continue after; `None` at the end.
type Looked = (Vec<(FulfilmentId, Verdict)>, Option<Vec<u8>>);

/// Verdicts on the next fulfilments.
fn look(
    session: &Session,
    (keep, now): (Retention, Timestamp),
    mut after: Option<Vec<u8>>,
) -> Result<Looked, Error> {
    let store = session.store();
    let mut verdicts = Vec::new();
    for _ in 0..LOOKED_AT_ONCE {
        let scan = Scan { after: after.take(), ..Scan::prefix(keys::JOURNALS, 1) };
        let facts = store.scan(&scan)?;
        let Some((key, _)) = facts.first() else { return Ok((verdicts, None)) };
        let Some((id, _)) = keys::record_of(key) else { return Ok((verdicts, None)) };
        let id = FulfilmentId::new(id);
        // Past all records of this journal.
        after = Some([keys::journal_prefix(&id).as_slice(), b"~"].concat());
        match verdict(session, (keep, now), &id) {
            Ok(verdict) => verdicts.push((id, verdict)),
            Err(Error::Store(error)) if error.is_of_whole_store() => {
                return Err(Error::Store(error));
            }
            // An unreadable one does not keep the others from being removed.
            Err(error) => {
                tracing::warn!(%id, error = &error as &dyn std::error::Error, "kept as it is");
            }
        }
    }
    Ok((verdicts, after))
}

fn verdict(
    session: &Session,
    (keep, now): (Retention, Timestamp),
    id: &FulfilmentId,
) -> Result<Verdict, Error> {
    let store = session.store();
    let is_kept = [keys::open(id), keys::quarantine(id.as_str())];
    for key in is_kept {
        if store.get(&key)?.is_some() {
            return Ok(Verdict::Keep);
        }
    }
    let fulfilment = match read_fulfilment(store, id) {
        Ok(Some(fulfilment)) => fulfilment,
        Ok(None) => return Ok(Verdict::Keep),
        Err(RecoverError::Store(error)) => return Err(error.into()),
        // An operator may want to find the cause; it is reported where it is read.
        Err(_) => return Ok(Verdict::Keep),
    };
    let Some(ended) = fulfilment.ended_at() else { return Ok(Verdict::Keep) };
    let age_ms = now.ms_since(ended);
    let has = |prefix: Vec<u8>| Ok::<_, Error>(!store.scan(&Scan::prefix(prefix, 1))?.is_empty());
    let has_any = || of_attempts(id).into_iter().map(has).collect::<Result<Vec<_>, _>>();
    let is_run = matches!(fulfilment.kind(), Kind::Run { .. });
    if is_run && age_ms >= keep.runs_days * DAY_MS {
        return Ok(Verdict::RemoveRun);
    }
    if !is_run && age_ms >= keep.orders_days * DAY_MS && !is_needed(session, &fulfilment)? {
        return Ok(Verdict::RemoveOrder);
    }
    if age_ms >= keep.logs_days * DAY_MS && has_any()?.contains(&true) {
        return Ok(Verdict::RemoveLogs);
    }
    if age_ms >= keep.exchanges_days * DAY_MS && has(keys::all_exchanges(id))? {
        return Ok(Verdict::RemoveExchanges);
    }
    Ok(Verdict::Keep)
}

/// Whether an instance that an order made or changed is in use.
fn is_needed(session: &Session, fulfilment: &Fulfilment) -> Result<bool, Error> {
    for (resource, path, over) in INSTANCES {
        let attribute =
            of_key(resource).and_then(|(_, resource)| Some(resource.lifecycle?.attribute));
        let Some(attribute) = attribute else { return Ok(true) };
        let limit = INSTANCES_MAX + 1;
        let found = session.documents_by(resource, path, fulfilment.id().as_str(), limit)?;
        let in_use = |body: &Value| {
            !body.get(attribute).and_then(Value::as_str).is_some_and(|state| over.contains(&state))
        };
        if found.len() > INSTANCES_MAX || found.iter().any(|one| in_use(&one.body)) {
            return Ok(true);
        }
        // Including those that the order names itself: an instance may have lost its reference.
        for item in &fulfilment.plan().items {
            let id = match resource {
                "product" => fulfilment.product_id(item),
                "service" => fulfilment.service_id(item),
                _ => continue,
            };
            if session.document(resource, &id)?.is_some_and(|one| in_use(&one.body)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The first keys under a prefix, one more than are removed at once.
fn keys_of(store: &dyn Store, prefix: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let facts = store.scan(&Scan::prefix(prefix, REMOVED_AT_ONCE + 1))?;
    Ok(facts.into_iter().map(|(key, _)| key).collect())
}

/// When a fulfilment was created, by its id (UUID version 7).
fn made_at(id: &FulfilmentId) -> Option<Timestamp> {
    let ms = i64::from_str_radix(id.as_str().get(..12)?, 16).ok()?;
    (id.as_str().len() == 32).then_some(Timestamp(ms))
}
