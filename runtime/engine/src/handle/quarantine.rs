//! Fulfilments that are set aside, and the operator's requests about them.

use std::convert::identity;
use std::sync::Arc;

use model::{Fulfilment, FulfilmentId};
use serde_json::json;

use super::{Engine, QuarantineError, unexpected};
use crate::core::{Answer, Denied, Input, RecoverError, SetAside, read_sized};
use crate::documents::{Change, Document, Expected, Put};
use crate::keys;
use crate::store::{Error, Scan, Store, pages};

/// Facts that are read from the store at once.
const PAGE: usize = 1_024;

/// The orders that a fulfilment may have, and the attribute that has their state.
const ORDERS: [&str; 3] = ["productOrder", "serviceOrder", "resourceOrder"];

impl Engine {
    /// The fulfilments that are set aside, and those that were given up, by id, with the
    /// reason; `None` if the reason cannot be read.
    pub fn quarantine(&self) -> Result<Vec<(FulfilmentId, Option<SetAside>)>, Error> {
        let mut all = Vec::new();
        for page in pages(&*self.store, Scan::prefix(keys::QUARANTINE, PAGE)) {
            for (key, bytes) in page? {
                let id = String::from_utf8_lossy(&key[keys::QUARANTINE.len()..]).into_owned();
                all.push((FulfilmentId::new(id), SetAside::read(&bytes).ok()));
            }
        }
        Ok(all)
    }

    /// Continues a fulfilment that is set aside, if its journal can be read by now. When this returns
    /// that is on disk.
    pub async fn readmit(&self, id: &FulfilmentId) -> Result<Arc<Fulfilment>, QuarantineError> {
        let read = self.read(id, read_sized, RecoverError::Store).await;
        let read = read.map_err(QuarantineError::Journal)?;
        let Some((fulfilment, bytes)) = read else {
            return Err(not_set_aside(id));
        };
        let fulfilment = Box::new(fulfilment);
        match self.ask(|reply| Input::Readmit { fulfilment, bytes, reply }).await? {
            Answer::Fulfilment(Some(fulfilment)) => Ok(fulfilment),
            other => Err(unexpected(&other).into()),
        }
    }

    /// Gives up a fulfilment that is set aside: its orders are failed, and its locks are released. Its
    /// reservations stay. When this returns that is on disk.
    pub async fn give_up(&self, id: &FulfilmentId) -> Result<(), QuarantineError> {
        let documents = self.read(id, failed_orders, identity).await;
        let documents = documents.map_err(QuarantineError::Store)?;
        let give_up = |fulfilment, reply| Input::GiveUp { fulfilment, documents, reply };
        self.ask_about(id, give_up).await?;
        Ok(())
    }
}

/// The orders of a fulfilment as failed. The fulfilment owns them, so no one else changes them.
fn failed_orders(store: &dyn Store, id: &FulfilmentId) -> Result<Vec<Put>, Error> {
    let mut puts = Vec::new();
    for resource in ORDERS {
        let Some(kept) = store.get(&keys::document(resource, id.as_str()))? else {
            continue;
        };
        // An unreadable one is left as it is: it is reported where it is read.
        if Document::read(&kept).is_ok() {
            let failed = Change::Merge(json!({ "state": "failed" }));
            puts.push(Put::new(resource, id.as_str(), failed, Expected::Anything));
        }
    }
    Ok(puts)
}

fn not_set_aside(id: &FulfilmentId) -> QuarantineError {
    QuarantineError::Ask(super::AskError::Denied(Denied::NotSetAside(id.clone())))
}
