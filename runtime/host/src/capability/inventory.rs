//! Reads the inventories. Granted per kind of document.

use std::fmt;
use std::sync::Arc;

use engine::documents::{
    Document,
    search::{self, Condition, SearchError},
};
use engine::keys;
use engine::store::{Direction, Scan, Store};
use serde_json::Value;
use tmf::index;
use tmf::table::of_key;
use wasmtime::component::{HasData, Linker};

use crate::capability::caller::Caller;
use crate::capability::calls::Interface;
use crate::contract::inventory::{self, Failure};
use crate::contract::types::FailureClass;
use crate::denial::{Denial, Help};
use crate::grants::{self, GrantKey};
use model::FailureCode;

/// Max documents that are found by an attribute.
const FOUND_MAX: usize = 100;

/// Max documents that a search finds.
const SEARCHED_MAX: usize = 1_000;

/// The inventories as the plugin that is called may see them.
pub(crate) struct Inventory {
    pub(crate) caller: Arc<Caller>,
    pub(crate) store: Arc<dyn Store>,
}

impl fmt::Debug for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inventory").field("plugin", &self.caller.plugin).finish_non_exhaustive()
    }
}

impl inventory::Host for Inventory {
    fn get(&mut self, kind: String, id: String) -> Result<Option<String>, Failure> {
        self.caller.calls.count(Interface::Inventory);
        self.check_granted(&kind)?;
        self.read(&kind, &id)
    }

    fn find(
        &mut self,
        kind: String,
        attribute: String,
        value: String,
    ) -> Result<Vec<String>, Failure> {
        self.caller.calls.count(Interface::Inventory);
        self.check_granted(&kind)?;
        check_indexed(&kind, &attribute)?;
        let prefix = keys::entries(&kind, &attribute, &index::value(&value));
        let begin = prefix.len();
        let latest = Scan { direction: Direction::Backward, ..Scan::prefix(prefix, FOUND_MAX) };
        let entries = self.store.scan(&latest).map_err(|error| {
            failure(
                FailureClass::Retry,
                FailureCode::StoreFailed,
                format!("{kind} by {attribute}: {error}"),
            )
        })?;
        let mut found = Vec::new();
        for (key, _) in entries {
            let id = String::from_utf8_lossy(key.get(begin..).unwrap_or_default());
            found.extend(self.read(&kind, &id)?);
        }
        Ok(found)
    }

    fn search(
        &mut self,
        kind: String,
        conditions: Vec<inventory::Condition>,
        shown: Vec<String>,
        limit: u32,
    ) -> Result<Vec<String>, Failure> {
        self.caller.calls.count(Interface::Inventory);
        let found = self.found(&kind, conditions, limit)?;
        Ok(found.into_iter().map(|document| part_of(document.body, &shown).to_string()).collect())
    }
}

impl Inventory {
    /// The search, within the grants of the plugin.
    fn found(
        &self,
        kind: &str,
        conditions: Vec<inventory::Condition>,
        limit: u32,
    ) -> Result<Vec<Document>, Failure> {
        self.check_granted(kind)?;
        let mut asked = Vec::new();
        for inventory::Condition { attributes: paths, values } in conditions {
            paths.iter().try_for_each(|path| check_indexed(kind, path))?;
            asked.push(Condition { paths, values });
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(SEARCHED_MAX);
        search::search(&*self.store, kind, &asked, limit).map_err(|error| match error {
            SearchError::TooWide => failure(
                FailureClass::Operator,
                FailureCode::SearchTooWide,
                format!("{kind}: {error}"),
            ),
            SearchError::Store(source) => {
                failure(FailureClass::Retry, FailureCode::StoreFailed, format!("{kind}: {source}"))
            }
        })
    }

    fn check_granted(&self, kind: &str) -> Result<(), Failure> {
        if self.caller.grants.inventory(kind) {
            self.caller.ledger.used(GrantKey::Inventory, kind);
            return Ok(());
        }
        let lines =
            grants::lines(&self.caller.plugin, "inventory", &self.caller.grants.inventory, kind);
        let call = format!("inventory `{kind}`");
        self.caller.deny(Denial::Inventory, &call, "it is not granted", Help::Lines(lines));
        let message = format!("`{kind}` documents are not granted: the log has the lines to add");
        Err(failure(FailureClass::Operator, FailureCode::NotGranted, message))
    }

    fn read(&self, kind: &str, id: &str) -> Result<Option<String>, Failure> {
        let document = self.store.get(&keys::document(kind, id)).map_err(|error| {
            failure(
                FailureClass::Retry,
                FailureCode::StoreFailed,
                format!("{kind} `{id}`: {error}"),
            )
        })?;
        let Some(bytes) = document else { return Ok(None) };
        let json = Document::json(&bytes).ok().map(<[u8]>::to_vec).unwrap_or_default();
        String::from_utf8(json).map(Some).map_err(|_| {
            let message = format!("{kind} `{id}` is not text: the store is damaged");
            failure(FailureClass::Operator, FailureCode::StoreFailed, message)
        })
    }
}

/// Refuses an attribute that documents of a kind are not indexed by.
fn check_indexed(kind: &str, attribute: &str) -> Result<(), Failure> {
    let is_indexed =
        of_key(kind).is_some_and(|(_, resource)| resource.indexes().any(|path| path == attribute));
    if is_indexed {
        return Ok(());
    }
    let message = format!("`{kind}` documents are not found by `{attribute}`");
    Err(failure(FailureClass::Operator, FailureCode::NotIndexed, message))
}

/// The named attributes of a document; all of them if none is named.
fn part_of(mut body: Value, shown: &[String]) -> Value {
    if let (Some(fields), false) = (body.as_object_mut(), shown.is_empty()) {
        fields.retain(|name, _| shown.contains(name));
    }
    body
}

/// A failure of a capability, as the guest sees it.
pub(super) fn failure(class: FailureClass, code: FailureCode, message: String) -> Failure {
    Failure { class, code: code.into(), message, retry_after_ms: None, attributes: Vec::new() }
}

pub(crate) struct HasInventory;

impl HasData for HasInventory {
    type Data<'a> = &'a mut Inventory;
}

/// Links the interface `inventory`. `of` finds its data in that of the wasm store.
pub(crate) fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    of: fn(&mut T) -> &mut Inventory,
) -> wasmtime::Result<()> {
    inventory::add_to_linker::<_, HasInventory>(linker, of)
}
