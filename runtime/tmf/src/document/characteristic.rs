//! Characteristics: the values that an order, a product, a service or a resource is configured with.

use std::borrow::Borrow;
use std::collections::btree_map::{self, BTreeMap};
use std::iter::FromIterator;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::Number;
use crate::malformed::Malformed;

crate::document! {
    /// A characteristic as TM Forum lists it (`Characteristic`): a name and a value of any type.
    pub struct Characteristic {
        id?: String,
        name: String,
        value_type?: String,
        /// `null` is a value.
        #[serde(deserialize_with = "some")]
        value?: Value,
    }
}

fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Characteristic {
    pub fn new(name: impl Into<String>, value: Value) -> Self {
        let (id, value_type, rest) = (None, None, super::Rest::new());
        Self { id, name: name.into(), value_type, value: Some(value), rest }
    }

    /// The same with the type of its value.
    pub fn typed(name: impl Into<String>, value: Value) -> Self {
        let value_type = match value {
            Value::Number(_) => "number",
            Value::Bool(_) => "boolean",
            Value::Null | Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        Self { value_type: Some(value_type.into()), ..Self::new(name, value) }
    }

    /// The value as a number. The error is that of the attribute `value`.
    pub fn number(&self) -> Result<Number, Malformed> {
        super::read(self.value.as_ref().unwrap_or(&Value::Null))
            .map_err(|wrong| wrong.within("value"))
    }
}

/// Characteristics by name. A value is any JSON: its type is declared in the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Characteristics(BTreeMap<String, Value>);

impl Characteristics {
    pub fn new() -> Self {
        Self::default()
    }

    /// The later of two entries of one name counts. An entry without a value is left out.
    pub fn of_list(list: impl IntoIterator<Item = Characteristic>) -> Self {
        list.into_iter().filter_map(|one| Some((one.name, one.value?))).collect()
    }

    /// The list of TM Forum, in order of the names.
    pub fn into_list(self) -> Vec<Characteristic> {
        self.into_iter().map(|(name, value)| Characteristic::new(name, value)).collect()
    }

    /// The same list with the types of the values.
    pub fn into_typed_list(self) -> Vec<Characteristic> {
        self.into_iter().map(|(name, value)| Characteristic::typed(name, value)).collect()
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// `None` if it is missing or no text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn insert(&mut self, name: impl Into<String>, value: Value) -> Option<Value> {
        self.0.insert(name.into(), value)
    }

    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Value) -> bool) {
        self.0.retain(|name, value| keep(name, value));
    }

    /// Those of `others` replace those of the same name.
    pub fn extend_from(&mut self, others: &Self) {
        self.0.extend(others.iter().map(|(name, value)| (name.to_owned(), value.clone())));
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = (&str, &mut Value)> {
        self.0.iter_mut().map(|(name, value)| (name.as_str(), value))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The characteristics as one JSON object.
    pub fn to_value(&self) -> Value {
        self.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
    }
}

impl<Name: Into<String>> FromIterator<(Name, Value)> for Characteristics {
    fn from_iter<All: IntoIterator<Item = (Name, Value)>>(all: All) -> Self {
        Self(all.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl<Name: Into<String>> Extend<(Name, Value)> for Characteristics {
    fn extend<All: IntoIterator<Item = (Name, Value)>>(&mut self, all: All) {
        self.0.extend(all.into_iter().map(|(name, value)| (name.into(), value)));
    }
}

impl IntoIterator for Characteristics {
    type Item = (String, Value);
    type IntoIter = btree_map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Characteristics {
    type Item = (&'a String, &'a Value);
    type IntoIter = btree_map::Iter<'a, String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<Name: Borrow<str> + ?Sized> std::ops::Index<&Name> for Characteristics {
    type Output = Value;

    /// `null` if there is none of this name, as in a JSON object.
    fn index(&self, name: &Name) -> &Value {
        self.get(name.borrow()).unwrap_or(&Value::Null)
    }
}
