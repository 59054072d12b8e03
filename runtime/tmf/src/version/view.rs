//! A resource in a version of an API: the documents that it shows and accepts, and the names of
//! their attributes.

use serde_json::{Map, Value};

use super::hrefs;
use super::walk::{self, Kept, Place};
use super::{Version, path};
use crate::check::Invalid;
use crate::check::{check_given, object, value};
use crate::filter::{Attributes, Holds, Unknown, found, likely};
use crate::new::without_nulls;
use crate::patch::{self, Format, PatchError};
use crate::resource::{Api, Resource, Served, capitalised};
use crate::shape::{Attribute, TypeSet};

/// A resource in a version of an API.
#[derive(Clone, Copy, Debug)]
pub struct View {
    pub api: &'static Api,
    pub resource: &'static Resource,
    pub version: Version,
}

/// Why a change was refused; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The patch cannot be applied.
    #[error("{0}")]
    Patch(PatchError),
    /// The result is no document.
    #[error("{0}")]
    Invalid(Invalid),
}

impl View {
    pub fn name(&self) -> &'static str {
        match self.version {
            Version::V4 => self.resource.name,
            Version::V5 => self.resource.name_v5.unwrap_or(self.resource.name),
        }
    }

    /// The path of its documents in this API and version.
    pub fn path(&self) -> String {
        let base = match (self.version, &self.api.v5) {
            (Version::V5, Some(later)) => later.base,
            (Version::V4 | Version::V5, _) => self.api.base,
        };
        format!("/tmf-api/{base}/{}/{}", self.version, self.name())
    }

    /// The shape of its documents.
    pub fn shape(&self) -> &'static str {
        match (self.version, self.resource.name_v5) {
            // A resource with another name has another shape too.
            (Version::V5, Some(name)) => named_like(name).unwrap_or(self.resource.shape),
            (Version::V4 | Version::V5, _) => self.resource.shape,
        }
    }

    /// The shapes of its documents.
    pub fn types(&self) -> TypeSet {
        match self.version {
            Version::V4 => TypeSet::V4,
            Version::V5 => TypeSet::V5(self.api.number),
        }
    }

    /// A stored document, as shown here.
    pub fn shown(&self, mut document: Value) -> Value {
        if let (Version::V5, Value::Object(fields)) = (self.version, &mut document) {
            let kept = match self.is_translated() {
                true => Kept::V4(Some(self.resource.shape)),
                false => Kept::V5,
            };
            walk::up(Place::root(self.types(), self.shape(), kept), fields);
            hrefs::lead_to(&mut document, Version::V5);
        }
        document
    }

    /// A document sent here, as stored.
    pub fn kept(&self, mut document: Value) -> Value {
        if let (true, Value::Object(fields)) = (self.is_translated(), &mut document) {
            walk::down(self.types(), self.shape(), fields);
            // Attributes with another name in version 4 are renamed when they are shown.
            let is_renamed = self.shape() != self.resource.shape;
            if is_renamed && fields.get("@type").and_then(Value::as_str) == Some(self.shape()) {
                fields.insert("@type".into(), self.resource.shape.into());
            }
            hrefs::lead_to(&mut document, Version::V4);
        }
        document
    }

    /// Attributes that a client must give when it creates one.
    pub fn mandatory(&self) -> Vec<&'static str> {
        match self.version {
            Version::V4 => self.resource.mandatory.to_vec(),
            Version::V5 => {
                let attributes = self.attributes().filter(|attribute| attribute.required);
                attributes.map(|attribute| attribute.name).filter(|name| !self.sets(name)).collect()
            }
        }
    }

    /// Whether only the server sets an attribute, by its name here.
    pub fn sets(&self, name: &str) -> bool {
        self.resource.server.contains(&self.kept_path(name).as_deref().unwrap_or(name))
    }

    /// Whether an attribute cannot be changed, by its name here.
    pub fn fixes(&self, name: &str) -> bool {
        self.resource.fixed.contains(&self.kept_path(name).as_deref().unwrap_or(name))
    }

    /// Whether documents may have an attribute, by its dotted path here. Attributes of version 4
    /// alone keep their name in version 5.
    pub fn knows(&self, path: &str) -> bool {
        match self.version {
            Version::V4 => self.resource.knows(path),
            Version::V5 => {
                self.types().may_have(self.shape(), path)
                    || (self.resource.knows(path) && self.shown_path(path) == path)
            }
        }
    }

    /// The dotted path here of a stored attribute.
    pub fn shown_path(&self, path: &str) -> String {
        match self.is_translated() {
            true => path::up(self.types(), self.shape(), path),
            false => path.to_string(),
        }
    }

    /// The stored path of a dotted path; `None` if its values differ.
    pub fn kept_path(&self, path: &str) -> Option<String> {
        match self.is_translated() {
            true => path::down(self.types(), self.shape(), path),
            false => Some(path.to_string()),
        }
    }

    /// The stored document for a client's body of a new one.
    pub fn new_body(&self, mut body: Value) -> Result<Value, Invalid> {
        if self.version == Version::V4 {
            self.resource.check_new(&body)?;
            return Ok(body);
        }
        let fields = object(&body)?;
        value::check_depth(&body)?;
        for name in self.mandatory() {
            check_given(fields, name)?;
        }
        for (name, value) in fields.iter().filter(|(name, _)| !self.sets(name)) {
            value::check_attribute(self.types(), self.meant(fields), name, value)?;
        }
        if let Some(fields) = body.as_object_mut() {
            without_nulls(self.types(), self.shape(), fields);
        }
        let kept = self.kept(body);
        let rules = self.resource.check_new_rules(object(&kept)?);
        rules.map_err(|invalid| self.in_its_words(invalid))?;
        Ok(kept)
    }

    /// The stored document after a patch.
    pub fn patched(&self, before: &Value, format: Format, patch: &Value) -> Result<Value, Refused> {
        if self.version == Version::V4 {
            let after = patch::apply(format, before, patch).map_err(Refused::Patch)?;
            self.resource.check_patched(before, &after).map_err(Refused::Invalid)?;
            return Ok(after);
        }
        let seen = self.shown(before.clone());
        let mut after = patch::apply(format, &seen, patch).map_err(Refused::Patch)?;
        self.check_changed(&seen, &after).map_err(Refused::Invalid)?;
        if let Some(fields) = after.as_object_mut() {
            without_nulls(self.types(), self.shape(), fields);
        }
        let kept = restored(before, &self.kept(seen), self.kept(after));
        let rules = self.resource.check_patched_rules(before, &kept);
        rules.map_err(|invalid| Refused::Invalid(self.in_its_words(invalid)))?;
        Ok(kept)
    }

    /// Whether changed attributes have their shape, and mandatory ones still exist.
    fn check_changed(&self, before: &Value, after: &Value) -> Result<(), Invalid> {
        let (old, new) = (object(before)?, object(after)?);
        value::check_depth(after)?;
        for name in self.mandatory().into_iter().filter(|name| old.contains_key(*name)) {
            check_given(new, name)?;
        }
        for (name, value) in new.iter().filter(|(name, value)| old.get(*name) != Some(value)) {
            value::check_attribute(self.types(), self.meant(new), name, value)?;
        }
        Ok(())
    }

    /// The shape of a document.
    fn meant(&self, fields: &Map<String, Value>) -> &'static str {
        self.types().meant(self.shape(), fields)
    }

    /// Whether documents are stored differently: those of version 5 alone are stored as they are.
    fn is_translated(&self) -> bool {
        self.version == Version::V5 && self.resource.served != Served::V5
    }

    fn attributes(&self) -> impl Iterator<Item = &'static Attribute> {
        self.types().object(self.shape()).into_iter().flat_map(|shape| &shape.attributes)
    }

    /// An error with the name of the attribute here.
    fn in_its_words(&self, invalid: Invalid) -> Invalid {
        let Invalid { path, message, kind } = invalid;
        let here = self.shown_path(&path);
        let message = message.replace(&format!("`{path}`"), &format!("`{here}`"));
        Invalid { path: here, message, kind }
    }
}

impl Attributes for View {
    fn find(&self, path: &[String]) -> Result<Holds, Unknown> {
        let name = path.join(".");
        let mut holds = found(self.types(), self.shape(), path);
        if self.version == Version::V5 {
            // The stored document may be older, or from version 4, which allows other values.
            let kept = self.kept_path(&name);
            let kept = kept.as_deref().unwrap_or(&name).split('.');
            let kept: Vec<String> = kept.map(str::to_string).collect();
            let is_known = holds.is_some() || self.knows(&name);
            let older = found(TypeSet::V4, self.resource.shape, &kept).filter(|_| is_known);
            holds = match (holds, older) {
                (Some(holds), Some(older)) => Some(holds.or(older)),
                (holds, older) => holds.or(older),
            };
        }
        let Some(mut holds) = holds else {
            let of = format!("a {}", self.name());
            let meant = likely(self.types(), self.shape(), path);
            return Err(Unknown { of, name, meant });
        };
        if let Some(lifecycle) = self.resource.lifecycle
            && self.kept_path(&name).as_deref() == Some(lifecycle.attribute)
        {
            match lifecycle.next {
                // Any text is a state.
                [] => holds = Holds::text(),
                next => holds.words.extend(next.iter().map(|(state, _)| (*state).to_string())),
            }
            holds.words.sort();
            holds.words.dedup();
        }
        Ok(holds)
    }
}

/// The shape of version 5 with the name of a resource.
fn named_like(name: &str) -> Option<&'static str> {
    let shapes = &crate::shape::shapes_v5().objects;
    shapes.get_key_value(capitalised(name).as_str()).map(|(name, _)| *name)
}

/// A changed value in which all unchanged parts are as they were stored: `seen` is the stored
/// value after it was shown and read again.
fn restored(before: &Value, seen: &Value, after: Value) -> Value {
    if after == *seen {
        return before.clone();
    }
    match (before, seen, after) {
        (Value::Object(before), Value::Object(seen), Value::Object(after)) => {
            Value::Object(restored_fields(before, seen, after))
        }
        (Value::Array(before), Value::Array(seen), Value::Array(after))
            if before.len() == seen.len() =>
        {
            Value::Array(restored_entries(before, seen, after))
        }
        (_, _, after) => after,
    }
}

fn restored_fields(
    before: &Map<String, Value>,
    seen: &Map<String, Value>,
    mut after: Map<String, Value>,
) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, old) in before {
        match (seen.get(name), after.remove(name)) {
            (Some(seen), Some(new)) => drop(fields.insert(name.clone(), restored(old, seen, new))),
            // An attribute that is not shown was not changed.
            (None, None) => drop(fields.insert(name.clone(), old.clone())),
            (None, Some(new)) => drop(fields.insert(name.clone(), new)),
            (Some(_), None) => {}
        }
    }
    // Attributes that only this view adds are not stored.
    after.retain(|name, new| seen.get(name) != Some(new));
    fields.extend(after);
    fields
}

/// An entry that equals an old one is that one; an entry in the place of a removed one is that one,
/// changed.
fn restored_entries(before: &[Value], seen: &[Value], after: Vec<Value>) -> Vec<Value> {
    let mut is_left = vec![true; seen.len()];
    let mut same: Vec<Option<usize>> = Vec::with_capacity(after.len());
    for (at, entry) in after.iter().enumerate() {
        let here = seen.get(at).is_some_and(|seen| is_left[at] && seen == entry).then_some(at);
        let found = here.or_else(|| (0..seen.len()).find(|at| is_left[*at] && seen[*at] == *entry));
        if let Some(found) = found {
            is_left[found] = false;
        }
        same.push(found);
    }
    let entries = after.into_iter().enumerate().map(|(at, entry)| match same[at] {
        Some(same) => before[same].clone(),
        None if is_left.get(at) == Some(&true) => restored(&before[at], &seen[at], entry),
        None => entry,
    });
    entries.collect()
}
