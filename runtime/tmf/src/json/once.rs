//! Refuses duplicate names in an object. serde takes the last of several, so that a
//! client would not learn that the others were lost.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr as _;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{NUMBER_NAME, NotJson};

pub(super) fn parse(bytes: &[u8]) -> Result<Value, NotJson> {
    let twice = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let root = Place { path: &Path::Root, twice: &twice };
    let value = root.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| twice.into_inner().map_or(NotJson::Malformed(error), NotJson::Twice))
}

/// The path of a value.
enum Path<'a> {
    Root,
    Name(&'a Path<'a>, &'a str),
    Entry(&'a Path<'a>, usize),
}

/// A value at a path, with a place for the path of a duplicate.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a Path<'a>,
    twice: &'a RefCell<Option<String>>,
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Name(Self::Root, name) => f.write_str(name),
            Self::Name(above, name) => write!(f, "{above}.{name}"),
            Self::Entry(above, position) => write!(f, "{above}[{position}]"),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut found = Vec::new();
        loop {
            let path = Path::Entry(self.path, found.len());
            let Some(entry) = entries.next_element_seed(Place { path: &path, ..self })? else {
                return Ok(Value::Array(found));
            };
            found.push(entry);
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut found = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if name == NUMBER_NAME {
                let text: String = entries.next_value()?;
                return Number::from_str(&text).map(Value::Number).map_err(A::Error::custom);
            }
            let path = Path::Name(self.path, &name);
            if found.contains_key(&name) {
                *self.twice.borrow_mut() = Some(path.to_string());
                return Err(A::Error::custom("an attribute stands twice"));
            }
            let value = entries.next_value_seed(Place { path: &path, ..self })?;
            found.insert(name, value);
        }
        Ok(Value::Object(found))
    }
}
