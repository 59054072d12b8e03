//! Records of what is installed, for a store that an earlier version wrote.

use std::collections::BTreeSet;

use model::installed::{Rebuilt, Record};
use model::{Fulfilment, FulfilmentId};

use super::documents::{Change, Expected, number};
use super::{Error, Put, Scan, Store};
use crate::Engine;
use crate::core::{RecoverError, read_fulfilment};
use crate::keys;

/// The way in which records are kept: a store that has another is worked through at the start.
const INSTALLED_AS: u64 = 1;

/// Facts of a journal that are read at once, and records that are written at once.
const AT_ONCE: usize = 1_000;

/// Why the records cannot be worked out.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The store cannot be read or written.
    #[error("the records of what is installed cannot be written")]
    Store(#[from] Error),
    /// A journal cannot be read.
    #[error("the records of what is installed cannot be worked out")]
    Journal(#[from] RecoverError),
}

/// Works out what is installed from all orders, before anyone else writes; once for a store.
pub async fn upgrade(engine: &Engine) -> Result<(), InstallError> {
    let store = &**engine.store();
    if number(store.get(keys::INSTALLED)?.as_deref()) >= INSTALLED_AS {
        return Ok(());
    }
    let mut ended: Vec<Fulfilment> = Vec::new();
    for id in fulfilments(store)? {
        // One that cannot be followed is set aside elsewhere, and has completed nothing.
        match read_fulfilment(store, &id) {
            Ok(found) => ended.extend(found.filter(Fulfilment::is_ended)),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(fulfilment = %id, error, "what it installed is not known");
            }
        }
    }
    ended.sort_by_key(|fulfilment| fulfilment.ended_at());
    let mut rebuilt = Rebuilt::default();
    ended.iter().for_each(|fulfilment| rebuilt.take(fulfilment));
    let puts: Vec<Put> = rebuilt.records().into_iter().filter_map(put).collect();
    if !puts.is_empty() {
        tracing::warn!(
            records = puts.len(),
            "an earlier version kept no record of what is installed"
        );
    }
    for puts in puts.chunks(AT_ONCE) {
        engine.append(Vec::new(), puts.to_vec()).await?;
    }
    let noted = (keys::INSTALLED.to_vec(), Some(INSTALLED_AS.to_be_bytes().to_vec()));
    Ok(engine.append(vec![noted], Vec::new()).await?)
}

fn put(record: Record) -> Option<Put> {
    let Record { resource, id, patch } = record;
    Some(Put::new(resource, id, Change::Set(patch?), Expected::Anything).quiet())
}

/// All fulfilments that have a journal.
fn fulfilments(store: &dyn Store) -> Result<BTreeSet<FulfilmentId>, Error> {
    let mut found = BTreeSet::new();
    let mut scan = Scan::prefix(keys::JOURNALS, AT_ONCE);
    loop {
        let page = store.scan(&scan)?;
        for (key, _) in &page {
            let text = String::from_utf8_lossy(key.get(keys::JOURNALS.len()..).unwrap_or_default());
            if let Some((id, _)) = text.rsplit_once('/') {
                found.insert(FulfilmentId::new(id));
            }
        }
        match page.last() {
            Some((key, _)) if page.len() == AT_ONCE => scan.after = Some(key.clone()),
            _ => return Ok(found),
        }
    }
}
