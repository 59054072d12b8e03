//! The resources of an item: what it took out of pools, and one of each other specification.

use serde_json::{Map, Value, json};

use super::orders::spec_ref;
use super::{Document, characteristics, copy, href};
use crate::fulfilment::Fulfilment;
use crate::id::{ItemId, PoolId};
use crate::outcome::Reservation;
use crate::plan::{Item, Level};

impl Fulfilment {
    /// The resources of an item: those from pools, and one of each other specification.
    pub(super) fn resources(&self, id: ItemId, used: Use) -> Vec<Document> {
        let item = &self.plan().items[id.index()];
        let mut documents = Vec::new();
        let mut outputs = Map::new();
        let mut pooled = Vec::new();
        for (task_output, stands) in self.yields(id) {
            let is_told = stands || used == Use::Ended;
            if is_told {
                outputs.extend(task_output.outputs);
            }
            for reservation in task_output.reservations {
                // What was rolled back is free, and may be reserved for another order by now.
                if is_told {
                    documents.push(self.pooled(&reservation, id, used));
                }
                pooled.push(reservation.resource);
            }
        }
        // A resource that was ordered is there itself, whatever it is made of.
        let itself = (item.level == Level::Resource).then_some(&item.spec);
        let specs = itself.into_iter().chain(&item.resources);
        for (number, spec) in specs.enumerate() {
            let is_itself = number == 0 && itself.is_some();
            if pooled.contains(spec) && !is_itself {
                continue;
            }
            let mut values = item.characteristics.clone();
            values.extend(outputs.clone());
            let (fulfilment, line) = self.maker(item);
            let named = self.named_resource(item).filter(|_| is_itself);
            let made = || format!("{fulfilment}-r{line}-{}", number + 1);
            let instance = id;
            let id = named.map_or_else(made, str::to_string);
            let mut body = self.resource(&id, item, used);
            if let Some(fields) = body.as_object_mut() {
                fields.insert("name".into(), json!(format!("{} {}", item.title, item.line)));
                let reference = spec_ref("resourceSpecification", spec, self.plan().title(spec));
                fields.insert("resourceSpecification".into(), reference);
                fields.insert("resourceCharacteristic".into(), json!(characteristics(&values)));
            }
            if is_itself {
                self.as_ordered(instance, &mut body);
                self.as_asked(item, &mut body);
            }
            documents.push(Document { resource: "resource", id, body });
        }
        documents
    }

    pub(super) fn pooled(&self, reservation: &Reservation, item: ItemId, used: Use) -> Document {
        let id = resource_id(reservation);
        let mut document = self.released(reservation);
        let mut body = self.resource(&id, &self.plan().items[item.index()], used);
        copy(
            &document.body,
            &["name", "resourceSpecification", "resourceCharacteristic"],
            &mut body,
        );
        document.body = body;
        document
    }

    fn resource(&self, id: &str, item: &Item, used: Use) -> Value {
        let (status, usage) = match used {
            Use::Reserved => ("reserved", "idle"),
            Use::Active => ("reserved", "busy"),
            Use::Ended => ("available", "idle"),
        };
        let mut body = json!({
            "id": id,
            "href": href("resource", id),
            "administrativeState": "unlocked",
            "operationalState": "enable",
            "resourceStatus": status,
            "usageState": usage,
            "startOperatingDate": item.origin.as_ref().map_or_else(|| self.updated_at(), |from| from.since).to_string(),
            "resourceOrderItem": [{
                "resourceOrderId": self.id(),
                "resourceOrderHref": href("resourceOrder", self.id().as_str()),
                "itemId": item.line,
            }],
            "@type": "LogicalResource",
        });
        if let (Some(adapter), Some(fields)) = (&item.adapter, body.as_object_mut()) {
            fields.insert("category".into(), json!(adapter));
        }
        self.for_parties(&mut body);
        body
    }
}

/// How far a resource is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It is held for an order.
    Reserved,
    /// A service runs on it.
    Active,
    /// It has ceased.
    Ended,
}

/// The id of a pooled resource: each value has one, which does not depend on its holder.
pub(super) fn resource_id(reservation: &Reservation) -> String {
    pooled_id(&reservation.pool, &reservation.value)
}

/// The same, by the pool and the value.
pub fn pooled_id(pool: &PoolId, value: &str) -> String {
    let value: String = value.chars().map(|c| if c == '/' { '_' } else { c }).collect();
    format!("{pool}.{value}")
}
