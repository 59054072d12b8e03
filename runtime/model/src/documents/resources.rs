//! The resources of an item: the pool values that were reserved for it, and one resource of each other
//! specification.

use std::collections::BTreeMap;

use serde_json::Value;
use tmf::document::ordered::OrderLink;
use tmf::document::resource::{AdministrativeState, OperationalState, Resource, UsageState};
use tmf::document::{Characteristic, DateTime};
use tmf::table::ResourceStatus;

use super::orders::spec_ref;
use super::yields::Yield;
use super::{Document, href};
use crate::fulfilment::Fulfilment;
use crate::id::{ItemId, PoolId, SpecId};
use crate::outcome::Reservation;
use crate::plan::{Item, Level};

impl Fulfilment {
    /// The resources of an item: those from pools, and one of each other specification.
    pub(super) fn resources(&self, id: ItemId, used: Use) -> Vec<Document> {
        let item = &self.plan().items[id.index()];
        let mut documents = Vec::new();
        let mut values: BTreeMap<&str, &Value> = item.characteristics.iter().collect();
        let mut pooled = Vec::new();
        for Yield { outputs, reservations, stands } in self.yields(id) {
            let is_shown = stands || used == Use::Ended;
            if is_shown {
                values.extend(outputs.iter().map(|(name, value)| (&**name, value)));
            }
            for reservation in reservations {
                // A value that was released may be reserved for another order by now.
                if is_shown {
                    documents.push(self.pooled(reservation, id, used));
                }
                pooled.push(&reservation.resource);
            }
        }
        let values: Vec<Characteristic> = values
            .into_iter()
            .map(|(name, value)| Characteristic::typed(name, value.clone()))
            .collect();
        // A resource that was ordered has a document of its own, whatever it is made of.
        let itself = (item.level == Level::Resource).then_some(&item.spec);
        let specs = itself.into_iter().chain(&item.resources);
        for (number, spec) in specs.enumerate() {
            let is_itself = number == 0 && itself.is_some();
            if is_itself || !pooled.contains(&spec) {
                documents.push(self.made(id, (number, spec), is_itself, &values, used));
            }
        }
        documents
    }

    /// A resource of an item that is no value of a pool. The number is that of its specification.
    fn made(
        &self,
        id: ItemId,
        (number, spec): (usize, &SpecId),
        is_itself: bool,
        values: &[Characteristic],
        used: Use,
    ) -> Document {
        let item = &self.plan().items[id.index()];
        let (fulfilment, line) = self.maker(item);
        let named = self.named_resource(item).filter(|_| is_itself);
        let made = || format!("{fulfilment}-r{line}-{}", number + 1);
        let own = named.map_or_else(made, str::to_owned);
        let spec = spec_ref("resourceSpecification", spec, self.plan().title(spec));
        let body = Resource {
            name: Some(format!("{} {}", item.title, item.line)),
            resource_specification: Some(spec),
            resource_characteristic: Some(values.to_vec()),
            ..self.resource(&own, item, used)
        };
        let mut document = Document::new("resource", own, &body);
        self.for_parties(&mut document);
        if is_itself {
            self.as_ordered(id, &mut document);
            self.as_asked(item, &mut document);
        }
        document
    }

    /// A value of a pool that is reserved or in use.
    pub(super) fn pooled(&self, reservation: &Reservation, item: ItemId, used: Use) -> Document {
        let id = resource_id(reservation);
        let value = self.pool_value(reservation);
        let body = Resource {
            name: value.name,
            resource_specification: value.resource_specification,
            resource_characteristic: value.resource_characteristic,
            ..self.resource(&id, &self.plan().items[item.index()], used)
        };
        let mut document = Document::new("resource", id, &body);
        self.for_parties(&mut document);
        document
    }

    /// A pool value that was released.
    pub fn released(&self, reservation: &Reservation) -> Document {
        let id = resource_id(reservation);
        let body = Resource {
            href: Some(href("resource", &id)),
            id: Some(id.clone()),
            kind: Some("LogicalResource".into()),
            resource_status: Some(ResourceStatus::Available),
            usage_state: Some(UsageState::Idle),
            ..self.pool_value(reservation)
        };
        Document::new("resource", id, &body)
    }

    /// The attributes of a pool value, without its use.
    fn pool_value(&self, reservation: &Reservation) -> Resource {
        let value = Value::from(reservation.value.as_str());
        let title = self.plan().title(&reservation.resource);
        Resource {
            name: Some(reservation.value.clone()),
            resource_specification: Some(spec_ref(
                "resourceSpecification",
                &reservation.resource,
                title,
            )),
            resource_characteristic: Some(vec![Characteristic::typed(
                &reservation.characteristic,
                value,
            )]),
            ..Resource::default()
        }
    }

    fn resource(&self, id: &str, item: &Item, used: Use) -> Resource {
        let (status, usage) = match used {
            Use::Reserved => (ResourceStatus::Reserved, UsageState::Idle),
            Use::Active => (ResourceStatus::Reserved, UsageState::Busy),
            Use::Ended => (ResourceStatus::Available, UsageState::Idle),
        };
        let since = item.origin.as_ref().map_or_else(|| self.updated_at(), |from| from.since);
        Resource {
            id: Some(id.into()),
            href: Some(href("resource", id)),
            category: item.adapter.clone(),
            administrative_state: Some(AdministrativeState::Unlocked),
            operational_state: Some(OperationalState::Enable),
            resource_status: Some(status),
            usage_state: Some(usage),
            start_operating_date: Some(DateTime::from(since)),
            resource_order_item: Some(vec![OrderLink::of_resource(self.id().as_str(), &item.line)]),
            kind: Some("LogicalResource".into()),
            ..Resource::default()
        }
    }
}

/// The use of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It is reserved for an order.
    Reserved,
    /// A service runs on it.
    Active,
    /// It is terminated.
    Ended,
}

/// The id of a pooled resource: each value has one, which does not depend on its holder.
fn resource_id(reservation: &Reservation) -> String {
    pooled_id(&reservation.pool, &reservation.value)
}

/// The same, by the pool and the value.
pub fn pooled_id(pool: &PoolId, value: &str) -> String {
    let value: String = value.chars().map(|c| if c == '/' { '_' } else { c }).collect();
    format!("{pool}.{value}")
}
