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

use crate::app::App;
use crate::http::Export;

pub(crate) const RECONCILIATIONS: &str = "reconciliation";

/// Instances per progress checkpoint.
const INSTANCES_AT_ONCE: usize = 64;

/// Instances checked concurrently: elements have orders to carry out too.
const ASKED_AT_ONCE: usize = 8;

/// Max parts of a service that are checked with it.
const PARTS_MAX: usize = 1_000;

/// Carries out reconciliations until `stopped` ends.
pub(crate) async fn run(app: App, stopped: impl Future<Output = ()>) {
    let mut stopped = std::pin::pin!(stopped);
    loop {
        let asked = app.reconciling();
        let mut asked = std::pin::pin!(asked.notified());
        asked.as_mut().enable();
        tokio::select! {
            () = &mut stopped => return,
            done = Box::pin(run_open(&app)) => if let Err(error) = done {
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
pub(crate) fn find(app: &App, id: &str) -> Result<Option<(Reconciliation, u64)>, Error> {
    app.document(RECONCILIATIONS, id)?.map(read).transpose()
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
async fn run_open(app: &App) -> Result<(), CheckError> {
    loop {
        let mut open = None;
        app.each_document(RECONCILIATIONS, |document| {
            let (reconciliation, revision) = match read(document) {
                Ok(found) => found,
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "a reconciliation is passed over");
                    return Ok(());
                }
            };
            if open.is_none() && reconciliation.state.is_open() {
                open = Some((reconciliation, revision));
            }
            Ok::<_, Error>(())
        })?;
        let Some((reconciliation, revision)) = open else {
            return Ok(());
        };
        match Box::pin(carry_out(app, reconciliation, revision)).await {
            // It was removed meanwhile.
            Err(CheckError::Store(Error::Conflict { .. })) => {}
            done => done?,
        }
    }
}

async fn carry_out(
    app: &App,
    mut reconciliation: Reconciliation,
    mut revision: u64,
) -> Result<(), CheckError> {
    while reconciliation.state.is_open() {
        let ids = match next(app, &reconciliation)? {
            Ok(ids) => ids,
            Err(why) => {
                reconciliation.fail(why, app.now());
                Vec::new()
            }
        };
        if ids.is_empty() {
            reconciliation.end(app.now());
        }
        let resource = reconciliation.scope.resource();
        let last = ids.last().cloned();
        let checks =
            ids.into_iter().map(|id| async move { check::check(app, resource, &id).await });
        let checks: Vec<_> = stream::iter(checks).buffered(ASKED_AT_ONCE).collect().await;
        for checked in checks {
            reconciliation.count(checked?);
        }
        reconciliation.go_on(last, app.now());
        app.write(vec![put(&reconciliation, revision)]).await?;
        revision += 1;
    }
    Ok(())
}

/// The next instances; or why the scope is invalid.
fn next(app: &App, open: &Reconciliation) -> Result<Result<Vec<String>, String>, Error> {
    let scope = &open.scope;
    if let Some(id) = &scope.instance {
        let is_done = open.after.is_some();
        return Ok(Ok(if is_done { Vec::new() } else { parts(app, scope.resource(), id)? }));
    }
    match Export::of(app, scope.found(), &scope.query) {
        Ok(export) => export.ids(open.after.as_deref(), INSTANCES_AT_ONCE).map(Ok),
        Err(why) => Ok(Err(why)),
    }
}

/// An instance and the services that support it.
fn parts(app: &App, resource: &str, id: &str) -> Result<Vec<String>, Error> {
    let (mut found, mut next) = (vec![id.to_string()], 0);
    while let Some(id) = found.get(next).filter(|_| found.len() < PARTS_MAX) {
        next += 1;
        let Some(document) = app.document(resource, id)? else { continue };
        let below = document.body.get("supportingService").and_then(Value::as_array);
        let below = below.into_iter().flatten().filter_map(|part| part.get("id")?.as_str());
        let new: Vec<String> =
            below.filter(|id| !found.iter().any(|known| known == id)).map(Into::into).collect();
        found.extend(new);
    }
    Ok(found)
}
