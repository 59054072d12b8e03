//! Items of an order as their client wrote them, and how they are written back with their results.

use std::ops::Range;

use serde_json::{Value, json};

use super::Names;
use crate::document::ordered::{ErrorMessage, Note};
use crate::document::{Attributes, Overlay, Rest, write};
use crate::table::OrderState;

/// An item as its client wrote it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written<'a> {
    pub item: Attributes<'a>,
    /// The instance that it is about.
    pub subject: Attributes<'a>,
}

impl<'a> Written<'a> {
    pub(super) fn of(item: &'a Value, names: &Names) -> Self {
        let item = Attributes::of(item);
        Self { item, subject: item.within(names.subject) }
    }

    /// The account that it is billed to, as a reference.
    pub fn account(self) -> Option<Attributes<'a>> {
        let own = self.item.object("billingAccount");
        own.or_else(|| self.subject.object("billingAccount"))
    }
}

/// The items of an order as its client wrote them.
#[derive(Clone, Copy, Debug)]
pub struct Items<'a> {
    names: &'static Names,
    items: &'a [Value],
}

impl<'a> Items<'a> {
    /// The items of an order; `None` if it has no list of them.
    pub fn of(order: Attributes<'a>, names: &'static Names) -> Option<Self> {
        let items = order.get(names.items)?.as_array()?;
        Some(Self { names, items })
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub fn first(&self) -> Option<Written<'a>> {
        self.items.first().map(|item| Written::of(item, self.names))
    }

    /// The item of an id. It is at this position, unless there are nested ones.
    pub fn find(&self, position: usize, id: &str) -> Option<Written<'a>> {
        let is_it = |item: &&Value| Attributes::of(item).text("id") == Some(id);
        let found = self.items.get(position).filter(is_it).or_else(|| self.nested(id));
        found.map(|item| Written::of(item, self.names))
    }

    fn nested(&self, id: &str) -> Option<&'a Value> {
        self.items.iter().find_map(|item| {
            let attributes = Attributes::of(item);
            if attributes.text("id") == Some(id) {
                return Some(item);
            }
            Self::of(attributes, self.names)?.nested(id)
        })
    }

    /// All items, nested ones too: each comes after the item that it is nested in.
    pub fn all(&self) -> Vec<Written<'a>> {
        let mut all = Vec::new();
        for item in self.items {
            let written = Written::of(item, self.names);
            all.push(written);
            let nested = Self::of(written.item, self.names);
            all.extend(nested.into_iter().flat_map(|nested| nested.all()));
        }
        all
    }

    /// Some of the items with their results. Attributes that are derived from the work are removed
    /// first, whatever a client sent.
    pub fn with_results(
        &self,
        range: Range<usize>,
        is_derived: impl Fn(&str) -> bool,
        result: impl Fn(Written<'_>) -> ItemResult,
    ) -> Vec<Value> {
        let mut items = self.items.get(range).unwrap_or_default().to_vec();
        with_results(&mut items, self.names, &is_derived, &result);
        items
    }
}

/// An order of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleItem {
    /// The id of the item.
    pub id: String,
    pub action: String,
    /// The attributes of the instance that it is about.
    pub subject: Rest,
    /// The attributes of the order besides the item.
    pub rest: Rest,
}

impl SingleItem {
    /// The order as a document.
    pub fn write(self, names: &Names) -> Value {
        let Self { id, action, subject, rest: mut order } = self;
        let item = json!({ "id": id, "action": action, names.subject: subject });
        order.insert(names.items.into(), Value::Array(vec![item]));
        Value::Object(order)
    }
}

/// The result of an item.
pub struct ItemResult {
    pub state: OrderState,
    pub error_message: Vec<ErrorMessage>,
    /// A note that is added to those of the client.
    pub note: Option<Note>,
    /// The id of the instance that it is about.
    pub instance: Option<String>,
    /// Its `@type`, if the client wrote none.
    pub kind: String,
}

fn with_results(
    items: &mut [Value],
    names: &Names,
    is_derived: &impl Fn(&str) -> bool,
    result: &impl Fn(Written<'_>) -> ItemResult,
) {
    for entry in items {
        let result_of_item = result(Written::of(entry, names));
        if let Some(fields) = entry.as_object_mut() {
            fields.retain(|name, _| !is_derived(name));
        }
        add_result(entry, names, &result_of_item);
        if let Some(nested) = entry.get_mut(names.items).and_then(Value::as_array_mut) {
            with_results(nested, names, is_derived, result);
        }
    }
}

fn add_result(item: &mut Value, names: &Names, result: &ItemResult) {
    if let Some(notes) = result.note.as_ref().map(write) {
        match item.get_mut("note") {
            Some(Value::Array(known)) => known.push(notes),
            Some(_) => {}
            None => item["note"] = Value::Array(vec![notes]),
        }
    }
    let Some(mut fields) = Overlay::on(item) else { return };
    fields.set("state", &result.state);
    if !result.error_message.is_empty() {
        fields.set("errorMessage", &result.error_message);
    }
    if fields.attributes().get("@type").is_none() {
        fields.set("@type", &result.kind);
    }
    if let Some(id) = &result.instance {
        fields.set_within(names.subject, "href", &crate::href::of(names.subject, id));
        fields.set_within(names.subject, "id", id);
    }
}
