//! Completes new documents, and stamps each later change.

use serde_json::{Map, Value};

use super::shape::{Kind, Type, TypeSet};
use crate::resource::Resource;
use crate::time::Timestamp;

/// The default version of a catalog entry.
pub const FIRST_VERSION: &str = "1.0";

/// The attributes with the parts of a bundle, by catalog entry.
const BUNDLED: [&str; 3] =
    ["bundledProductOffering", "bundledPopRelationship", "bundledProductSpecification"];

impl Resource {
    /// A new document from a validated body: without attributes that only the server
    /// sets, then with them. A client's id is kept if the server does not set it.
    pub fn new_document(&self, body: Value, id: &str, now: Timestamp, href: &str) -> Value {
        let mut fields = match body {
            Value::Object(fields) => fields,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Map::new(),
        };
        fields.retain(|name, _| !self.server.contains(&name.as_str()));
        without_nulls(TypeSet::V4, self.shape, &mut fields);
        complete(self.shape, &mut fields);
        fields.entry("id").or_insert_with(|| id.into());
        fields.insert("href".into(), href.into());
        fields.entry("@type").or_insert_with(|| self.only_type.unwrap_or(self.shape).into());
        if let Some(lifecycle) = self.lifecycle.filter(|lifecycle| !lifecycle.initial.is_empty()) {
            fields.entry(lifecycle.attribute).or_insert_with(|| lifecycle.initial.into());
        }
        self.complete_entry(&mut fields);
        for date in self.dates {
            fields.insert((*date).into(), now.to_string().into());
        }
        let mut document = Value::Object(fields);
        self.stamp(&mut document, now);
        document
    }

    /// Completes an entry of a catalog with attributes that a pack may leave out: the first
    /// version, and whether it is a bundle.
    fn complete_entry(&self, fields: &mut Map<String, Value>) {
        if self.lifecycle.is_none_or(|lifecycle| lifecycle.attribute != "lifecycleStatus") {
            return;
        }
        if self.knows("version") {
            fields.entry("version").or_insert_with(|| FIRST_VERSION.into());
        }
        if self.knows("isBundle") {
            let has = |name: &str| {
                let parts = fields.get(name).and_then(Value::as_array);
                parts.is_some_and(|parts| !parts.is_empty())
            };
            let is_bundle = BUNDLED.iter().any(|name| has(name));
            fields.entry("isBundle").or_insert_with(|| is_bundle.into());
        }
    }

    /// Gives an imported document the dates that it has elsewhere.
    pub fn keep_own_dates(&self, body: &Value, document: &mut Value) {
        self.copy_dates(body, document, |date| !date.is_null());
    }

    /// Gives a document the dates of the previous one, so that documents with the same content
    /// are equal.
    pub fn keep_dates(&self, before: &Value, after: &mut Value) {
        self.copy_dates(before, after, |_| true);
    }

    fn copy_dates(&self, from: &Value, to: &mut Value, counts: impl Fn(&Value) -> bool) {
        let Some(fields) = to.as_object_mut() else { return };
        for name in self.dates.iter().copied().chain(self.stamp) {
            if let Some(date) = from.get(name).filter(|date| counts(date)) {
                fields.insert(name.into(), date.clone());
            }
        }
    }

    /// Adds to each reference the type that it refers to, if the client did not: some definitions
    /// require it on every reference (TMF630, `@referredType`).
    pub fn complete(&self, document: &mut Value) {
        if let Some(fields) = document.as_object_mut() {
            complete(self.shape, fields);
        }
    }

    /// The same for attributes that a patch changed; the others stay as they are.
    pub fn complete_changed(&self, before: &Value, after: &mut Value) {
        let mut completed = after.clone();
        self.complete(&mut completed);
        for (name, value) in after.as_object_mut().into_iter().flatten() {
            if before.get(name) != Some(value)
                && let Some(completed) = completed.get_mut(name)
            {
                *value = completed.take();
            }
        }
    }

    /// Removes the nulls that a patch set, if the shape knows the attribute.
    pub fn drop_nulls(&self, document: &mut Value) {
        if let Some(fields) = document.as_object_mut() {
            without_nulls(TypeSet::V4, self.shape, fields);
        }
    }

    /// Sets the time of the last change, if the resource has one.
    pub fn stamp(&self, document: &mut Value, now: Timestamp) {
        if let (Some(stamp), Some(fields)) = (self.stamp, document.as_object_mut()) {
            fields.insert(stamp.into(), now.to_string().into());
        }
    }
}

fn complete(shape: &str, fields: &mut Map<String, Value>) {
    if let Some(referred) = referred(shape) {
        fields.entry("@referredType").or_insert_with(|| referred.into());
        fields.entry("@type").or_insert_with(|| shape.into());
    }
    let Some(shape) = TypeSet::V4.object(shape) else { return };
    for (name, value) in fields {
        for kind in shape.attribute(name).into_iter().flat_map(|attribute| &attribute.kinds) {
            let Type::Object(shape) = kind.item() else { continue };
            match (kind, &mut *value) {
                (Kind::One(_), Value::Object(fields)) => complete(shape, fields),
                (Kind::Many(_), Value::Array(entries)) => {
                    entries
                        .iter_mut()
                        .filter_map(Value::as_object_mut)
                        .for_each(|fields| complete(shape, fields));
                }
                _ => {}
            }
        }
    }
}

/// The type that a reference of a shape refers to, by its name; `None` for other shapes.
fn referred(shape: &str) -> Option<&str> {
    if shape.ends_with("RefOrValue") {
        return shape.strip_prefix("Related")?.strip_suffix("RefOrValue");
    }
    let one_of_several = |name: &&str| name.contains("RefOr");
    let named = shape.strip_suffix("Ref").or_else(|| shape.strip_prefix("Related"));
    named.filter(|name| !one_of_several(name))
}

/// Null means absent for every attribute that the shape knows.
pub(super) fn without_nulls(types: TypeSet, shape: &'static str, fields: &mut Map<String, Value>) {
    let Some(shape) = types.object(types.meant(shape, fields)) else { return };
    fields.retain(|name, value| !value.is_null() || !is_known(shape.attribute(name), name));
    for (name, value) in fields {
        for kind in shape.attribute(name).into_iter().flat_map(|attribute| &attribute.kinds) {
            match (kind, &mut *value) {
                (Kind::One(Type::Object(shape)), Value::Object(fields)) => {
                    without_nulls(types, shape, fields);
                }
                (Kind::Many(item), Value::Array(entries)) => {
                    entries_without_nulls(types, *item, entries);
                }
                _ => {}
            }
        }
    }
}

fn is_known(attribute: Option<&super::shape::Attribute>, name: &str) -> bool {
    let is_any =
        |attribute: &super::shape::Attribute| attribute.kinds.contains(&Kind::One(Type::Any));
    attribute.is_some_and(|attribute| !is_any(attribute)) || name.starts_with('@')
}

fn entries_without_nulls(types: TypeSet, item: Type, entries: &mut Vec<Value>) {
    if item == Type::Any {
        return;
    }
    entries.retain(|entry| !entry.is_null());
    let Type::Object(shape) = item else { return };
    for fields in entries.iter_mut().filter_map(Value::as_object_mut) {
        without_nulls(types, shape, fields);
    }
}

#[cfg(test)]
mod tests;
