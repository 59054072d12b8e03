//! Validates documents: the body from a client is checked by the table and the shapes, and an
//! error has the path of the attribute. Unknown attributes are kept, not refused.

pub(super) mod value;

use serde_json::{Map, Value};

use super::shape::TypeSet;
use crate::resource::{Lifecycle, Owner, Resource};

/// The first error in a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Invalid {
    /// The path of the attribute, such as `productPrice[0].price.value`; empty for the document.
    pub path: String,
    /// A description of the error.
    pub message: String,
    /// In which way it is wrong.
    pub kind: InvalidKind,
}

/// The kinds of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidKind {
    /// The document is not an object.
    NotAnObject,
    /// A mandatory attribute is missing.
    Missing,
    /// A value has the wrong JSON type, or is not a valid date.
    WrongType,
    /// A value is not one of the allowed values.
    UnknownValue,
    /// An id is too long, or has characters that a path cannot have.
    BadId,
    /// The document is nested too deep.
    TooDeep,
    /// An attribute that cannot be changed was changed.
    Fixed,
    /// The state transition is illegal.
    IllegalTransition,
    /// The document is in a final state.
    Final,
}

impl InvalidKind {
    /// Whether the document is well formed but breaks a rule: 422, where other errors are 400.
    pub fn is_against_a_rule(self) -> bool {
        match self {
            Self::IllegalTransition | Self::Final => true,
            Self::NotAnObject
            | Self::Missing
            | Self::WrongType
            | Self::UnknownValue
            | Self::BadId
            | Self::TooDeep
            | Self::Fixed => false,
        }
    }
}

impl Resource {
    /// Whether a client may create a document from this. Attributes that only the server sets are
    /// removed later, so they are not checked.
    pub fn check_new(&self, body: &Value) -> Result<(), Invalid> {
        let fields = object(body)?;
        value::check_depth(body)?;
        for name in self.mandatory {
            check_given(fields, name)?;
        }
        for (name, value) in fields {
            if !self.server.contains(&name.as_str()) {
                value::check_attribute(TypeSet::V4, self.shape, name, value)?;
            }
        }
        self.check_new_rules(fields)
    }

    /// Whether the rules let a client create a document from this, regardless of its shape: it is
    /// visible in its view, and its initial state is legal.
    pub(super) fn check_new_rules(&self, fields: &Map<String, Value>) -> Result<(), Invalid> {
        self.check_view(fields)?;
        let Some(lifecycle) =
            self.lifecycle.filter(|lifecycle| !self.server.contains(&lifecycle.attribute))
        else {
            return Ok(());
        };
        match fields.get(lifecycle.attribute) {
            Some(state) if !state.is_null() => known(&lifecycle, state).map(drop),
            _ => Ok(()),
        }
    }

    /// Whether every attribute of a document has its shape, whether a client or the server set it.
    pub fn check_shape(&self, document: &Value) -> Result<(), Invalid> {
        let fields = object(document)?;
        value::check_depth(document)?;
        fields.iter().try_for_each(|(name, value)| {
            value::check_attribute(TypeSet::V4, self.shape, name, value)
        })
    }

    /// Whether a client may change a document into another. Only changed attributes are checked:
    /// accepted values stay valid.
    pub fn check_patched(&self, before: &Value, after: &Value) -> Result<(), Invalid> {
        let (old, new) = (object(before)?, object(after)?);
        if old == new {
            return Ok(());
        }
        value::check_depth(after)?;
        self.check_fixed(before, old, new)?;
        for name in self.mandatory.iter().filter(|name| old.contains_key(**name)) {
            check_given(new, name)?;
        }
        for (name, value) in new.iter().filter(|(name, value)| old.get(*name) != Some(value)) {
            value::check_attribute(TypeSet::V4, self.shape, name, value)?;
        }
        self.check_view(new)?;
        self.check_transition(old, new)
    }

    /// Whether the rules let a client change a document into another, regardless of its shape.
    pub(super) fn check_patched_rules(&self, before: &Value, after: &Value) -> Result<(), Invalid> {
        let (old, new) = (object(before)?, object(after)?);
        if old == new {
            return Ok(());
        }
        self.check_fixed(before, old, new)?;
        self.check_view(new)?;
        self.check_transition(old, new)
    }

    fn check_fixed(
        &self,
        before: &Value,
        old: &Map<String, Value>,
        new: &Map<String, Value>,
    ) -> Result<(), Invalid> {
        self.check_open(before)?;
        match self.fixed.iter().find(|name| old.get(**name) != new.get(**name)) {
            Some(name) => {
                let message = format!("`{name}` cannot be changed");
                Err(Invalid::new(InvalidKind::Fixed, name, message))
            }
            None => Ok(()),
        }
    }

    /// An order in a final state cannot be changed.
    fn check_open(&self, before: &Value) -> Result<(), Invalid> {
        let (Some(lifecycle), Owner::Order) = (self.lifecycle, self.owner) else { return Ok(()) };
        match self.state_of(before) {
            Some(state) if lifecycle.is_final(state) => {
                let message = format!("a `{}` that is `{state}` cannot be changed", self.name);
                Err(Invalid::new(InvalidKind::Final, lifecycle.attribute, message))
            }
            _ => Ok(()),
        }
    }

    /// A document that is created or changed through a view must be visible in it.
    fn check_view(&self, fields: &Map<String, Value>) -> Result<(), Invalid> {
        let Some(only) = self.only_type else { return Ok(()) };
        let is_own = fields.get("@baseType").and_then(Value::as_str) == Some(only);
        match fields.get("@type").and_then(Value::as_str) {
            Some(other) if other != only && !is_own => {
                let message = format!(
                    "the `@type` of a `{}` is `{only}`, not `{other}`: a class of your own has `{only}` as its `@baseType`",
                    self.name
                );
                Err(Invalid::new(InvalidKind::UnknownValue, "@type", message))
            }
            _ => Ok(()),
        }
    }

    fn check_transition(
        &self,
        old: &Map<String, Value>,
        new: &Map<String, Value>,
    ) -> Result<(), Invalid> {
        let Some(lifecycle) = self.lifecycle else { return Ok(()) };
        let (from, to) = (old.get(lifecycle.attribute), new.get(lifecycle.attribute));
        if from == to {
            return Ok(());
        }
        let Some(to) = to.filter(|to| !to.is_null()) else {
            return Err(missing(lifecycle.attribute));
        };
        let to = known(&lifecycle, to)?;
        match from.and_then(Value::as_str) {
            Some(from) if lifecycle.knows(from) && !lifecycle.allows(from, to) => {
                Err(illegal(&lifecycle, from, to))
            }
            _ => Ok(()),
        }
    }
}

impl Invalid {
    fn new(kind: InvalidKind, path: &str, message: String) -> Self {
        Self { path: path.into(), message, kind }
    }
}

pub(super) fn object(value: &Value) -> Result<&Map<String, Value>, Invalid> {
    let message = "a document is a JSON object".into();
    value.as_object().ok_or_else(|| Invalid::new(InvalidKind::NotAnObject, "", message))
}

/// A mandatory attribute is there and is not empty.
pub(super) fn check_given(fields: &Map<String, Value>, name: &str) -> Result<(), Invalid> {
    let given = fields.get(name).is_some_and(|value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(entries) => !entries.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    });
    if given { Ok(()) } else { Err(missing(name)) }
}

fn missing(path: &str) -> Invalid {
    Invalid::new(InvalidKind::Missing, path, format!("`{path}` is missing"))
}

fn known<'a>(lifecycle: &Lifecycle, state: &'a Value) -> Result<&'a str, Invalid> {
    let Some(state) = state.as_str() else {
        let message = format!("`{}` is not a string", lifecycle.attribute);
        return Err(Invalid::new(InvalidKind::WrongType, lifecycle.attribute, message));
    };
    if lifecycle.knows(state) {
        return Ok(state);
    }
    let states: Vec<&str> = lifecycle.next.iter().map(|(state, _)| *state).collect();
    Err(value::unlisted(lifecycle.attribute, state, &states))
}

fn illegal(lifecycle: &Lifecycle, from: &str, to: &str) -> Invalid {
    let after = lifecycle.after(from);
    let allowed = match after.is_empty() {
        true => "nothing".to_string(),
        false => format!("`{}`", after.join("`, `")),
    };
    let name = lifecycle.attribute;
    let message =
        format!("`{name}` cannot go from `{from}` to `{to}`: after `{from}` comes {allowed}");
    Invalid::new(InvalidKind::IllegalTransition, name, message)
}

#[cfg(test)]
mod tests;
