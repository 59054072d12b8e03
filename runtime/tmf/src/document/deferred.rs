//! Attributes whose errors concern only those who need them.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::malformed::Malformed;

/// An attribute that is read with its document. If it is malformed, the document can still be read and
/// is written back as it was; the error is for the reader of the attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Deferred<T>(Result<T, Unread>);

/// A value with the reason why it cannot be read.
#[derive(Clone, Debug, PartialEq)]
struct Unread {
    value: Value,
    wrong: Malformed,
}

impl<T> Deferred<T> {
    /// The attribute, which is at a path of its document.
    pub fn get(&self, path: &str) -> Result<&T, Malformed> {
        self.0.as_ref().map_err(|unread| unread.wrong.clone().within(path))
    }

    /// The attribute for callers to whom a malformed one is the same as none.
    pub fn ok(&self) -> Option<&T> {
        self.0.as_ref().ok()
    }

    /// The attribute if it can be read, to change it.
    pub fn as_mut(&mut self) -> Option<&mut T> {
        self.0.as_mut().ok()
    }
}

impl<T> From<T> for Deferred<T> {
    fn from(value: T) -> Self {
        Self(Ok(value))
    }
}

impl<T: Serialize> Serialize for Deferred<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Ok(value) => value.serialize(serializer),
            Err(unread) => unread.value.serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Deferred<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self(super::read(&value).map_err(|wrong| Unread { value, wrong })))
    }
}
