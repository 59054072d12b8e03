//! The attributes of a document as its writer wrote them: for what is shown, compared or handed on as
//! it is, whatever it means.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Rest, read};
use crate::malformed::Malformed;
use crate::number::same;

/// The attributes of an object. What is no object has none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Attributes<'a>(Option<&'a Map<String, Value>>);

impl<'a> Attributes<'a> {
    pub fn of(document: &'a Value) -> Self {
        Self(document.as_object())
    }

    pub fn of_rest(attributes: &'a Rest) -> Self {
        Self(Some(attributes))
    }

    /// The value of an attribute; `None` if it is missing or `null`.
    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        self.0?.get(name).filter(|value| !value.is_null())
    }

    /// Whether an attribute is there, whatever its value is.
    pub fn contains(self, name: &str) -> bool {
        self.0.is_some_and(|all| all.contains_key(name))
    }

    /// Whether an attribute has a value: not `null`, and no empty list.
    pub fn has(self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.as_array().is_none_or(|list| !list.is_empty()))
    }

    /// The attributes of an attribute that is an object.
    pub fn within(self, name: &str) -> Self {
        Self(self.get(name).and_then(Value::as_object))
    }

    /// The attributes of an attribute that is an object; `None` if it is missing or none.
    pub fn object(self, name: &str) -> Option<Self> {
        self.get(name)?.as_object().map(Self::of_rest)
    }

    /// Whether an attribute is there and is no object.
    pub fn is_no_object(self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !value.is_object())
    }

    /// Whether an attribute is a list, or is missing.
    pub fn is_list_or_none(self, name: &str) -> bool {
        self.get(name).is_none_or(Value::is_array)
    }

    /// An attribute that is a text; `None` if it is missing or none.
    pub fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str()
    }

    /// The entries of an attribute that is a list.
    pub fn entries(self, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.get(name).and_then(Value::as_array).into_iter().flatten()
    }

    /// The names of the attributes that are lists and not empty.
    pub fn lists(self) -> impl Iterator<Item = &'a str> {
        let lists = self.0.into_iter().flatten();
        lists
            .filter(|(_, value)| value.as_array().is_some_and(|list| !list.is_empty()))
            .map(|(name, _)| name.as_str())
    }

    /// Reads an attribute. The error has its path.
    pub fn read<T: DeserializeOwned>(self, name: &str) -> Result<Option<T>, Malformed> {
        let value = self.get(name).map(read).transpose();
        value.map_err(|wrong| wrong.within(name))
    }

    /// Some of the attributes, by their names.
    pub fn only(self, keep: impl Fn(&str) -> bool) -> Rest {
        self.chosen(|name, _| keep(name)).collect()
    }

    fn chosen(self, keep: impl Fn(&str, &Value) -> bool) -> impl Iterator<Item = (String, Value)> {
        let kept = self.0.into_iter().flatten().filter(move |(name, value)| keep(name, value));
        kept.map(|(name, value)| (name.clone(), value.clone()))
    }

    /// Whether an attribute is what another document has under this name. Of a reference the id
    /// counts, and of other objects the attributes that are named here.
    pub fn is_same(self, name: &str, other: Self) -> bool {
        let (Some(own), Some(other)) = (self.get(name), other.0.and_then(|all| all.get(name)))
        else {
            return false;
        };
        match (own.get("id"), other.get("id")) {
            (Some(own), Some(other)) => own == other,
            (None, _) | (_, None) => agrees(own, other),
        }
    }

    /// An attribute for a message: the id of a reference, or `this` of what is not short.
    pub fn brief(self, name: &str) -> Cow<'static, str> {
        match self.get(name) {
            None | Some(Value::Array(_)) => "this".into(),
            Some(Value::Object(fields)) => match fields.get("id") {
                Some(id) => format!("`{}`", id.as_str().unwrap_or_default()).into(),
                None => "this".into(),
            },
            Some(Value::String(text)) => format!("`{text}`").into(),
            Some(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => {
                format!("`{value}`").into()
            }
        }
    }
}

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Whether everything in a value is in the other. The address and the class of an object are added
/// when it is shown, so they do not count.
fn agrees(asked: &Value, own: &Value) -> bool {
    match (asked, own) {
        (Value::Object(asked), Value::Object(own)) => asked
            .iter()
            .filter(|(name, value)| !name.starts_with('@') && *name != "href" && !value.is_null())
            .all(|(name, value)| own.get(name).is_some_and(|own| agrees(value, own))),
        (Value::Array(asked), Value::Array(own)) => {
            asked.len() == own.len() && asked.iter().zip(own).all(|(asked, own)| agrees(asked, own))
        }
        (Value::Number(asked), Value::Number(own)) => same(asked, own),
        (asked, own) => asked == own,
    }
}

/// Adds attributes to a document that is written.
pub struct Overlay<'a>(&'a mut Map<String, Value>);

impl<'a> Overlay<'a> {
    /// `None` if the document is no object.
    pub fn on(document: &'a mut Value) -> Option<Self> {
        document.as_object_mut().map(Self)
    }

    pub fn of_rest(attributes: &'a mut Rest) -> Self {
        Self(attributes)
    }

    /// Sets an attribute.
    pub fn set(&mut self, name: &str, value: &impl Serialize) {
        self.0.insert(name.into(), super::write(value));
    }

    /// Sets an attribute of an attribute that is an object.
    pub fn set_within(&mut self, outer: &str, name: &str, value: &impl Serialize) {
        if let Some(fields) = self.0.get_mut(outer).and_then(Value::as_object_mut) {
            fields.insert(name.into(), super::write(value));
        }
    }

    /// Sets attributes to what they are in another document, if they have a value there.
    pub fn show(&mut self, from: Attributes<'_>, keep: impl Fn(&str) -> bool) {
        self.0.extend(from.chosen(|name, value| !value.is_null() && keep(name)));
    }

    /// Sets attributes.
    pub fn extend(&mut self, others: &Rest) {
        self.0.extend(others.clone());
    }

    pub fn attributes(&self) -> Attributes<'_> {
        Attributes(Some(self.0))
    }
}

/// A list of an instance to which an order adds: entries that it does not name stay.
pub struct List {
    pub name: &'static str,
    /// The paths of the attributes that tell its entries apart.
    keys: &'static [&'static str],
}

/// The lists of instances to which orders add.
pub const LISTS: [List; 5] = [
    List { name: "relatedParty", keys: &["role"] },
    List { name: "productTerm", keys: &["name"] },
    List { name: "productRelationship", keys: &["relationshipType", "product.id", "id"] },
    List { name: "serviceRelationship", keys: &["relationshipType", "service.id", "id"] },
    List { name: "resourceRelationship", keys: &["relationshipType", "resource.id", "id"] },
];

impl List {
    /// The entries of a list followed by those of `others` that are about something else.
    pub fn joined<'a>(
        &self,
        own: impl IntoIterator<Item = &'a Value>,
        others: impl IntoIterator<Item = &'a Value>,
    ) -> Vec<&'a Value> {
        let mut list: Vec<&Value> = own.into_iter().collect();
        for entry in others {
            if !list.iter().any(|own| self.is_same(own, entry)) {
                list.push(entry);
            }
        }
        list
    }

    /// Whether two entries are about the same: a key is there, and all keys are equal.
    fn is_same(&self, one: &Value, other: &Value) -> bool {
        let at = |entry: &'_ Value, key: &str| -> Option<Value> {
            key.split('.').try_fold(entry, |entry, name| entry.get(name)).cloned()
        };
        let mut found = false;
        one == other
            || self.keys.iter().all(|key| {
                let (one, other) = (at(one, key), at(other, key));
                found |= one.is_some();
                one == other
            }) && found
    }
}
