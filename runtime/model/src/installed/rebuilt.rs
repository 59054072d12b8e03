//! What is installed, worked out of the orders that were completed: for a store that an earlier
//! version wrote, which kept no record of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{INSTALLED, ORDERED, Record};
use crate::fulfilment::Fulfilment;
use tmf::patch::merge;

/// The records of what is installed, from no order on.
#[derive(Debug, Default)]
pub struct Rebuilt(BTreeMap<(&'static str, String), Value>);

impl Rebuilt {
    /// Takes the next order that ended; the oldest comes first.
    pub fn take(&mut self, fulfilment: &Fulfilment) {
        for Record { resource, id, patch } in fulfilment.installs() {
            let key = (resource, id);
            match patch {
                Some(patch) if patch.get("id").is_some() || self.0.contains_key(&key) => {
                    merge(self.0.entry(key).or_insert_with(|| json!({})), &patch);
                }
                Some(_) => {}
                None => {
                    self.0.remove(&key);
                }
            }
        }
    }

    /// The records. Earlier versions did not say that an instance is not used any more: what uses
    /// or needs another must be installed itself.
    pub fn records(mut self) -> Vec<Record> {
        let mut there: Vec<String> = self.0.keys().map(|(_, id)| id.clone()).collect();
        there.push(ORDERED.into());
        there.sort_unstable();
        for ((resource, _), record) in &mut self.0 {
            for name in ["users", "neededBy"].iter().filter(|_| *resource == INSTALLED) {
                if let Some(Value::Object(others)) = record.get_mut(*name) {
                    others.retain(|other, _| there.binary_search(other).is_ok());
                }
            }
        }
        let records = self.0.into_iter();
        let records =
            records.map(|((resource, id), record)| Record { resource, id, patch: Some(record) });
        records.collect()
    }
}
