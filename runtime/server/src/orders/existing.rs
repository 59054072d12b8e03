//! The existing instances that orders are about, with the fulfilments that made them.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::decompose::{Answer, Changing, Instance, InstanceLookup};
use model::documents::fulfilments_of;
use model::installed::{INSTALLED, Installed, SERVING};
use model::{Fulfilment, FulfilmentId, InstanceId};

use super::{Orders, SubmitError};
use crate::access::Reader;
use crate::documents::Session;

/// Looks up the instances that a decision asks for, each fulfilment once.
pub(super) struct Instances<'a> {
    orders: &'a Orders,
    /// The documents that the client of the decision may read.
    reader: &'a Reader,
    fulfilments: BTreeMap<FulfilmentId, Option<Arc<Fulfilment>>>,
}

/// An instance as the store has it.
enum Kept {
    Absent,
    /// A record of what a place is served by; it has no history.
    Serving(Instance),
    Instance(Instance),
}

impl<'a> Instances<'a> {
    pub(super) fn new(orders: &'a Orders, reader: &'a Reader) -> Self {
        Self { orders, reader, fulfilments: BTreeMap::new() }
    }

    pub(super) async fn look_up(
        &mut self,
        lookups: Vec<InstanceLookup>,
    ) -> Result<Answer, SubmitError> {
        let read = |session: &Session| {
            let kept =
                lookups.into_iter().map(|lookup| Ok((Kept::read(session, &lookup)?, lookup)));
            kept.collect::<Result<Vec<_>, SubmitError>>()
        };
        let mut instances = Vec::new();
        for (kept, lookup) in self.orders.documents.read(read).await? {
            let instance = match kept {
                Kept::Absent => None,
                Kept::Serving(instance) => Some(instance),
                Kept::Instance(instance) => Some(self.with_fulfilments(&lookup, instance).await?),
            };
            instances.push((lookup, instance));
        }
        Ok(Answer::Instances(instances))
    }

    /// An instance with the fulfilment that owns it and the one that changed it last.
    async fn with_fulfilments(
        &mut self,
        lookup: &InstanceLookup,
        mut instance: Instance,
    ) -> Result<Instance, SubmitError> {
        if let Some(installed) = &instance.installed {
            instance.owner = self.fulfilment(&installed.owner).await?;
        }
        if let Some(last) = fulfilments_of(&lookup.resource, &instance.document).pop() {
            let maker = self.fulfilment(&last).await?;
            if let Some(maker) = maker.filter(|maker| !maker.is_ended()) {
                let is_seen = self.reader.sees_fulfilment(&maker);
                let open = if is_seen { Changing::Order(last) } else { Changing::Hidden };
                instance.open = Some(open);
            } else if instance.installed.is_none() {
                instance.part_of = Some(last);
            }
        }
        Ok(instance)
    }

    async fn fulfilment(
        &mut self,
        id: &FulfilmentId,
    ) -> Result<Option<Arc<Fulfilment>>, SubmitError> {
        if let Some(known) = self.fulfilments.get(id) {
            return Ok(known.clone());
        }
        let found = self.orders.engine().get(id).await?;
        self.fulfilments.insert(id.clone(), found.clone());
        Ok(found)
    }
}

impl Kept {
    fn read(session: &Session, lookup: &InstanceLookup) -> Result<Self, SubmitError> {
        let id = InstanceId::of(&lookup.resource, &lookup.id);
        let found = session.document(&lookup.resource, &lookup.id)?.map(|found| found.body);
        if lookup.resource == SERVING {
            let instance = found.map(|document| Instance::of(id, document));
            return Ok(instance.map_or(Self::Absent, Self::Serving));
        }
        let installed = installed(session, &id)?;
        if found.is_none() && installed.is_none() {
            return Ok(Self::Absent);
        }
        let mut instance = Instance::of(id, found.unwrap_or_default());
        instance.installed = installed;
        Ok(Self::Instance(instance))
    }
}

/// The record of an installed instance; `None` if it has none.
pub(super) fn installed(
    session: &Session,
    id: &InstanceId,
) -> Result<Option<Installed>, SubmitError> {
    let record = session.document(INSTALLED, id.as_str())?;
    let read = record.map(|record| serde_json::from_value(record.body)).transpose();
    read.map_err(|source| {
        let key = format!("{INSTALLED} {id}");
        tracing::error!(key, "a record of an installed instance cannot be read");
        engine::store::Error::failed("read an installed instance")(source).into()
    })
}
