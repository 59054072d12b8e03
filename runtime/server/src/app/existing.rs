//! The existing instances that orders are about, with what made them.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::decompose::{Answer, Instance, InstanceLookup};
use model::documents::fulfilments_of;
use model::installed::{INSTALLED, Installed, SERVING};
use model::{Fulfilment, FulfilmentId, InstanceId};
use serde_json::Value;

use super::{App, SubmitError};

/// Whether an order is about what exists: one of its items changes it, or has it cease.
pub(super) fn changes(order: &Value) -> bool {
    match order {
        Value::Object(fields) => {
            let action = fields.get("action").and_then(Value::as_str);
            matches!(action, Some("modify" | "delete")) || fields.values().any(changes)
        }
        Value::Array(entries) => entries.iter().any(changes),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Looks up the instances that a decision asks for, each fulfilment once.
pub(super) struct Instances<'a> {
    app: &'a App,
    fulfilments: BTreeMap<FulfilmentId, Option<Arc<Fulfilment>>>,
}

impl<'a> Instances<'a> {
    pub(super) fn new(app: &'a App) -> Self {
        Self { app, fulfilments: BTreeMap::new() }
    }

    pub(super) async fn look_up(
        &mut self,
        lookups: Vec<InstanceLookup>,
    ) -> Result<Answer, SubmitError> {
        let mut instances = Vec::new();
        for lookup in lookups {
            let instance = self.instance(&lookup).await?;
            instances.push((lookup, instance));
        }
        Ok(Answer::Instances(instances))
    }

    /// An instance as the inventory has it, with its record and the fulfilment that owns it.
    async fn instance(&mut self, lookup: &InstanceLookup) -> Result<Option<Instance>, SubmitError> {
        let document = |resource: &str, id: &str| {
            let found = self.app.document(resource, id).map_err(SubmitError::Store)?;
            Ok::<_, SubmitError>(found.map(|found| found.body))
        };
        let id = InstanceId::of(&lookup.resource, &lookup.id);
        if lookup.resource == SERVING {
            let found = document(SERVING, &lookup.id)?;
            return Ok(found.map(|document| Instance::of(id, document)));
        }
        let found = document(&lookup.resource, &lookup.id)?;
        let installed = self.app.installed(&id)?;
        if found.is_none() && installed.is_none() {
            return Ok(None);
        }
        let mut instance = Instance::of(id, found.unwrap_or_default());
        instance.installed = installed;
        if let Some(installed) = &instance.installed {
            instance.owner = self.fulfilment(&installed.owner).await?;
        }
        if let Some(last) = fulfilments_of(&lookup.resource, &instance.document).pop() {
            let maker = self.fulfilment(&last).await?;
            let is_open = maker.is_some_and(|maker| !maker.is_ended());
            if is_open {
                instance.open = Some(last);
            } else if instance.installed.is_none() {
                instance.part_of = Some(last);
            }
        }
        Ok(Some(instance))
    }

    async fn fulfilment(
        &mut self,
        id: &FulfilmentId,
    ) -> Result<Option<Arc<Fulfilment>>, SubmitError> {
        if let Some(known) = self.fulfilments.get(id) {
            return Ok(known.clone());
        }
        let found = self.app.engine.get(id).await?;
        self.fulfilments.insert(id.clone(), found.clone());
        Ok(found)
    }
}

impl App {
    /// The record of an installed instance; `None` if it has none.
    pub(super) fn installed(&self, id: &InstanceId) -> Result<Option<Installed>, SubmitError> {
        let record = self.document(INSTALLED, id.as_str()).map_err(SubmitError::Store)?;
        let read = record.map(|record| serde_json::from_value(record.body)).transpose();
        read.map_err(|source| {
            let key = format!("{INSTALLED} {id}");
            tracing::error!(key, "a record of what is installed cannot be read");
            SubmitError::of_store(engine::store::Error::failed("read what is installed")(source))
        })
    }
}
