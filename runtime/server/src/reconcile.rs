//! Reconciliations: the inventory compared with the elements, in the background. One runs
//! at a time, in the order of the requests; the progress is written with each group of
//! instances, so that an interrupted one continues after the last group on disk. It writes nothing but
//! its own document.

mod check;
mod orphan;
mod progress;
mod repair;

use engine::documents::{Change, Document, Error, Expected, Put};
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};

pub(crate) use check::{CheckError, orders_about};
pub(crate) use progress::{Inventory, Reconciliation, Scope};
pub(crate) use repair::{RepairError, repair};

use std::sync::Arc;

use engine::Engine;
use host::Host;
use tmf::time::Timestamp;
use tokio::sync::Notify;

use crate::bulk::export::Export;
use crate::documents::{Documents, Session};

pub(crate) const RECONCILIATIONS: &str = "reconciliation";

/// Instances per progress checkpoint.
const INSTANCES_AT_ONCE: usize = 64;

/// Instances checked concurrently: elements have orders to carry out too.
const ASKED_AT_ONCE: usize = 8;

/// Max parts of a service that are checked with it.
const PARTS_MAX: usize = 1_000;

/// Compares the inventory with the elements.
pub(crate) struct Reconciler {
    pub(crate) documents: Documents,
    /// Runs the plugins that ask the elements.
    pub(crate) host: Host,
    /// Notified when there is a reconciliation to carry out.
    pub(crate) arrived: Notify,
}

impl Reconciler {
    pub(crate) fn new(documents: Documents, host: Host) -> Self {
        Self { documents, host, arrived: Notify::new() }
    }

    fn engine(&self) -> &Engine {
        self.documents.engine()
    }

    fn now(&self) -> Timestamp {
        self.engine().now()
    }
}

/// Carries out reconciliations until `stopped` ends.
pub(crate) async fn run(reconciler: Arc<Reconciler>, stopped: impl Future<Output = ()>) {
    let mut stopped = std::pin::pin!(stopped);
    loop {
        let mut asked = std::pin::pin!(reconciler.arrived.notified());
        asked.as_mut().enable();
        tokio::select! {
            () = &mut stopped => return,
            done = Box::pin(run_open(&reconciler)) => if let Err(error) = done {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "reconciliations cannot be carried out");
            },
        }
        tokio::select! {
            () = &mut stopped => return,
            () = asked => {}
        }
    }
}

/// A reconciliation; `None` if there is none with this id.
pub(crate) async fn find(
    documents: &Documents,
    id: &str,
) -> Result<Option<(Reconciliation, u64)>, Error> {
    documents.document(RECONCILIATIONS, id).await?.map(read).transpose()
}

/// The write of a reconciliation with a revision.
pub(crate) fn put(reconciliation: &Reconciliation, revision: u64) -> Put {
    let change = Change::Set(json!(reconciliation));
    Put::new(RECONCILIATIONS, &reconciliation.id, change, Expected::Revision(revision))
}

fn read(document: Document) -> Result<(Reconciliation, u64), Error> {
    let failed = engine::store::Error::failed::<serde_json::Error>("read a reconciliation");
    let read = serde_json::from_value(document.body).map_err(failed)?;
    Ok((read, document.revision))
}

/// Carries out all open ones.
async fn run_open(reconciler: &Reconciler) -> Result<(), CheckError> {
    loop {
        let Some((reconciliation, revision)) = reconciler.documents.read(first_open).await? else {
            return Ok(());
        };
        match Box::pin(carry_out(reconciler, reconciliation, revision)).await {
            // It was removed meanwhile.
            Err(CheckError::Store(Error::Conflict { .. })) => {}
            done => done?,
        }
    }
}

/// The first reconciliation to carry out.
fn first_open(session: &Session) -> Result<Option<(Reconciliation, u64)>, Error> {
    let mut open = None;
    session.each_document(RECONCILIATIONS, |document| {
        match read(document) {
            Ok((reconciliation, revision)) if open.is_none() && reconciliation.state.is_open() => {
                open = Some((reconciliation, revision));
            }
            Ok(_) => {}
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "a reconciliation is skipped");
            }
        }
        Ok::<_, Error>(())
    })?;
    Ok(open)
}

async fn carry_out(
    reconciler: &Reconciler,
    mut reconciliation: Reconciliation,
    mut revision: u64,
) -> Result<(), CheckError> {
    while reconciliation.state.is_open() {
        let read = reconciler
            .documents
            .read(move |session| Ok::<_, Error>((next(session, &reconciliation)?, reconciliation)));
        let (next, open) = read.await?;
        reconciliation = open;
        let ids = match next {
            Ok(ids) => ids,
            Err(why) => {
                reconciliation.fail(why, reconciler.now());
                Vec::new()
            }
        };
        if ids.is_empty() {
            reconciliation.end(reconciler.now());
        }
        let resource = reconciliation.scope.resource();
        let last = ids.last().cloned();
        let checks =
            ids.into_iter().map(|id| async move { check::check(reconciler, resource, &id).await });
        let checks: Vec<_> = stream::iter(checks).buffered(ASKED_AT_ONCE).collect().await;
        for checked in checks {
            reconciliation.count(checked?);
        }
        reconciliation.go_on(last, reconciler.now());
        reconciler.documents.write(vec![put(&reconciliation, revision)]).await?;
        revision += 1;
    }
    Ok(())
}

/// The next instances; or why the scope is invalid.
fn next(session: &Session, open: &Reconciliation) -> Result<Result<Vec<String>, String>, Error> {
    let scope = &open.scope;
    if let Some(id) = &scope.instance {
        let is_done = open.after.is_some();
        return Ok(Ok(if is_done { Vec::new() } else { parts(session, scope.resource(), id)? }));
    }
    match Export::of(scope.found(), &scope.query) {
        Ok(export) => export.ids(session, open.after.as_deref(), INSTANCES_AT_ONCE).map(Ok),
        Err(why) => Ok(Err(why.to_string())),
    }
}

/// An instance and the services that support it.
fn parts(session: &Session, resource: &str, id: &str) -> Result<Vec<String>, Error> {
    let (mut found, mut next) = (vec![id.to_string()], 0);
    while let Some(id) = found.get(next).filter(|_| found.len() < PARTS_MAX) {
        next += 1;
        let Some(document) = session.document(resource, id)? else { continue };
        let below = document.body.get("supportingService").and_then(Value::as_array);
        let below = below.into_iter().flatten().filter_map(|part| part.get("id")?.as_str());
        let new: Vec<String> =
            below.filter(|id| !found.iter().any(|known| known == id)).map(Into::into).collect();
        found.extend(new);
    }
    Ok(found)
}
