//! Notifications of a change (TMF630, events): their types and bodies follow from the
//! document before and after.

use serde_json::{Map, Value};

use crate::resource::{Naming, Owner, Resource, capitalised};

/// A notification.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// The type, such as `ProductOrderStateChangeEvent`.
    pub event_type: String,
    /// The document, or its changed attributes.
    pub body: Value,
}

/// The attributes that identify a document in every notification.
const HEAD: [&str; 5] = ["id", "href", "name", "@type", "version"];

/// The attributes that record the progress of an order, with the event of each.
const MARKS: [(&str, &str); 4] = [
    ("milestone", "Milestone"),
    ("productOrderMilestone", "Milestone"),
    ("jeopardyAlert", "Jeopardy"),
    ("productOrderJeopardyAlert", "Jeopardy"),
];

/// The state of an order that waits for an operator.
const HELD: &str = "held";

impl Resource {
    /// Notifications of a document change; empty if nothing changed. A new document whose state is
    /// not the initial one has two: that it was created, and its state. A new document is moved into
    /// its event without a copy: it may be a large order.
    pub fn notifications(&self, before: Option<&Value>, after: Option<Value>) -> Vec<Notification> {
        match (before, after) {
            _ if self.naming == Naming::Silent => Vec::new(),
            (None, None) => Vec::new(),
            (None, Some(after)) if self.owner == Owner::Order => {
                let marks = self.marks(&Value::Null, &after);
                let mut told = self.created(after);
                told.extend(marks);
                told
            }
            (None, Some(after)) => self.created(after),
            (Some(before), None) => vec![self.notification("Delete", self.head(before))],
            (Some(before), Some(after)) => self.changed(before, after),
        }
    }

    /// Its event types, as the ends of their names: `CreateEvent`, `StateChangeEvent`.
    pub fn event_kinds(&self) -> Vec<&'static str> {
        let mut kinds = match (self.naming, self.owner) {
            (Naming::Silent, _) | (_, Owner::Computed) => return Vec::new(),
            (Naming::Change, _) => vec!["CreateEvent", "ChangeEvent", "DeleteEvent"],
            (Naming::Usual, _) => vec!["CreateEvent", "AttributeValueChangeEvent", "DeleteEvent"],
        };
        let Some(lifecycle) = self.lifecycle else { return kinds };
        if self.naming == Naming::Usual {
            kinds.push("StateChangeEvent");
        }
        if self.owner == Owner::Order && lifecycle.knows(HELD) {
            kinds.extend(["MilestoneEvent", "JeopardyEvent", "InformationRequiredEvent"]);
        }
        kinds
    }

    fn created(&self, mut after: Value) -> Vec<Notification> {
        let initial =
            self.lifecycle.map(|lifecycle| lifecycle.initial).filter(|initial| !initial.is_empty());
        let (Some(initial), Some(lifecycle), true) =
            (initial, self.lifecycle, self.state_of(&after) != initial)
        else {
            return vec![self.notification("Create", after)];
        };
        let state = self.notification("StateChange", self.head(&after));
        if let Some(fields) = after.as_object_mut() {
            fields.insert(lifecycle.attribute.into(), initial.into());
        }
        vec![self.notification("Create", after), state]
    }

    fn changed(&self, before: &Value, after: Value) -> Vec<Notification> {
        let state = self.lifecycle.map(|lifecycle| lifecycle.attribute);
        let mut body = self.head(&after);
        let is_of_order = self.owner == Owner::Order;
        let marks = if is_of_order { self.marks(before, &after) } else { Vec::new() };
        let (mut state_changed, mut others) = (false, Map::new());
        for (name, _) in before.as_object().into_iter().flatten() {
            if after.get(name).is_none() {
                others.insert(name.clone(), Value::Null);
            }
        }
        let after = if let Value::Object(after) = after { after } else { Map::new() };
        for (name, value) in after {
            if (is_of_order && is_items(&name)) || before.get(&name) == Some(&value) {
                continue;
            }
            match Some(name.as_str()) == state {
                true => state_changed = true,
                false => drop(others.insert(name, value)),
            }
        }
        if is_of_order {
            let mut told = self.order_changed(body, state_changed, others);
            told.extend(marks);
            return told;
        }
        // A change of the time stamp alone is no change.
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

    /// An order has one event for its state and all other changes. The items are left out,
    /// since their states change with every step; a subscriber who needs them reads the order.
    fn order_changed(
        &self,
        mut body: Value,
        state_changed: bool,
        mut others: Map<String, Value>,
    ) -> Vec<Notification> {
        let is_mark = |name: &str| MARKS.iter().any(|(mark, _)| *mark == name);
        others.retain(|name, _| !is_items(name));
        // An attribute with an event of its own needs no attribute change event.
        others.retain(|name, _| state_changed || !is_mark(name));
        if others.is_empty() && !state_changed {
            return Vec::new();
        }
        extend(&mut body, others);
        let what = if state_changed { "StateChange" } else { "AttributeValueChange" };
        vec![self.notification(what, body)]
    }

    /// The notifications of an order's progress: a reached milestone, an alert, missing
    /// information.
    fn marks(&self, before: &Value, after: &Value) -> Vec<Notification> {
        let mut told = Vec::new();
        for (name, what) in MARKS {
            let known = dated(before, name);
            if dated(after, name).iter().any(|mark| !known.contains(mark)) {
                told.push(self.notification(what, self.head_with(after, &[name])));
            }
        }
        if self.state_of(after) == Some(HELD) && self.state_of(before) != Some(HELD) {
            let body = self.head_with(after, &["errorMessage", "productOrderErrorMessage"]);
            told.push(self.notification("InformationRequired", body));
        }
        told
    }

    /// The attributes that identify a document, and its state.
    fn head(&self, document: &Value) -> Value {
        self.head_with(document, &[])
    }

    fn head_with(&self, document: &Value, others: &[&'static str]) -> Value {
        let state = self.lifecycle.map(|lifecycle| lifecycle.attribute);
        let names = HEAD.into_iter().chain(state).chain(others.iter().copied());
        let fields = names.filter_map(|name| Some((name.to_string(), document.get(name)?.clone())));
        Value::Object(fields.collect())
    }

    fn notification(&self, what: &str, body: Value) -> Notification {
        let name = capitalised(self.name);
        Notification { event_type: format!("{name}{what}Event"), body }
    }
}

/// Whether an attribute is the items of an order.
fn is_items(name: &str) -> bool {
    name.ends_with("OrderItem") || name == "orderItem"
}

/// The records with a date: milestones that are reached.
fn dated<'a>(document: &'a Value, name: &str) -> Vec<&'a Value> {
    let marks = document.get(name).and_then(Value::as_array).into_iter().flatten();
    let is_dated =
        |mark: &&Value| ["milestoneDate", "alertDate"].iter().any(|date| mark.get(*date).is_some());
    marks.filter(is_dated).collect()
}

fn extend(body: &mut Value, fields: Map<String, Value>) {
    if let Some(body) = body.as_object_mut() {
        body.extend(fields);
    }
}
