//! What subscribers are told of a change (TMF630, events): its type and its body follow from the
//! document before and after.

use serde_json::{Map, Value};

use super::{Naming, Owner, Resource, capitalised};

/// Something that subscribers are told.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// The type, such as `ProductOrderStateChangeEvent`.
    pub event_type: String,
    /// The document, or what changed of it.
    pub body: Value,
}

/// What names a document in every notification.
const HEAD: [&str; 5] = ["id", "href", "name", "@type", "version"];

impl Resource {
    /// What to tell of a change from one document to the next; nothing is told where nothing
    /// changed. A document that is new in a state that is not the first is told twice: that it is
    /// there, and the state.
    pub fn notifications(
        &self,
        before: Option<&Value>,
        after: Option<&Value>,
    ) -> Vec<Notification> {
        match (before, after) {
            _ if self.naming == Naming::Silent => Vec::new(),
            (None, None) => Vec::new(),
            (None, Some(after)) => self.created(after),
            (Some(before), None) => vec![self.notification("Delete", self.head(before))],
            (Some(before), Some(after)) => self.changed(before, after),
        }
    }

    fn created(&self, after: &Value) -> Vec<Notification> {
        let initial = self.life.map(|life| life.initial).filter(|initial| !initial.is_empty());
        let state = self.state_of(after);
        let mut created = after.clone();
        let (Some(initial), Some(life), true) = (initial, self.life, state != initial) else {
            return vec![self.notification("Create", created)];
        };
        if let Some(fields) = created.as_object_mut() {
            fields.insert(life.attribute.into(), initial.into());
        }
        let state = self.notification("StateChange", self.head(after));
        vec![self.notification("Create", created), state]
    }

    fn changed(&self, before: &Value, after: &Value) -> Vec<Notification> {
        let state = self.life.map(|life| life.attribute);
        let mut body = self.head(after);
        let (mut state_changed, mut others) = (false, Map::new());
        for (name, value) in after.as_object().into_iter().flatten() {
            if before.get(name) == Some(value) {
                continue;
            }
            match Some(name.as_str()) == state {
                true => state_changed = true,
                false => drop(others.insert(name.clone(), value.clone())),
            }
        }
        for (name, _) in before.as_object().into_iter().flatten() {
            if after.get(name).is_none() {
                others.insert(name.clone(), Value::Null);
            }
        }
        if self.owner == Owner::Order {
            return self.order_changed(body, state_changed, others);
        }
        // A time stamp of the change itself is no change.
        let only_stamp = others.keys().all(|name| Some(name.as_str()) == self.stamp);
        let mut told = Vec::new();
        if state_changed && self.naming == Naming::Usual {
            told.push(self.notification("StateChange", body.clone()));
        }
        if !only_stamp || (state_changed && self.naming == Naming::Change) {
            extend(&mut body, others);
            let what = match self.naming {
                Naming::Usual => "AttributeValueChange",
                Naming::Change | Naming::Silent => "Change",
            };
            told.push(self.notification(what, body));
        }
        told
    }

    /// Of an order one event says all: its state, and what changed besides. The items are left out,
    /// since their states change with every step; who wants them reads the order.
    fn order_changed(
        &self,
        mut body: Value,
        state_changed: bool,
        mut others: Map<String, Value>,
    ) -> Vec<Notification> {
        others.retain(|name, _| !name.ends_with("OrderItem") && name != "orderItem");
        if others.is_empty() && !state_changed {
            return Vec::new();
        }
        extend(&mut body, others);
        let what = if state_changed { "StateChange" } else { "AttributeValueChange" };
        vec![self.notification(what, body)]
    }

    /// What names a document, and its state.
    fn head(&self, document: &Value) -> Value {
        let state = self.life.map(|life| life.attribute);
        let names = HEAD.into_iter().chain(state);
        let fields = names.filter_map(|name| Some((name.to_string(), document.get(name)?.clone())));
        Value::Object(fields.collect())
    }

    fn notification(&self, what: &str, body: Value) -> Notification {
        let name = capitalised(self.name);
        Notification { event_type: format!("{name}{what}Event"), body }
    }
}

fn extend(body: &mut Value, fields: Map<String, Value>) {
    if let Some(body) = body.as_object_mut() {
        body.extend(fields);
    }
}
