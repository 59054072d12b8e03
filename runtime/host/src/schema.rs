//! Reads the keys of a step's input from a JSON Schema: names, types and which are mandatory. The
//! rest of a schema is for other readers.

use std::collections::{BTreeMap, BTreeSet};

use model::pack::InputKind;
use serde::Deserialize;

use crate::manifest::{Input, Key};
use crate::setting::{self, Settings};

/// Max depth of a schema that is read.
const DEPTH_MAX: usize = 16;

/// A schema: a boolean allows or forbids every value.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Schema {
    Any(bool),
    Keywords(Box<Keywords>),
}

/// The keywords of a schema from which a step's keys are read.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Keywords {
    #[serde(rename = "$ref")]
    reference: Option<String>,
    #[serde(rename = "$defs")]
    definitions: BTreeMap<String, Schema>,
    #[serde(rename = "type")]
    kinds: Option<Kinds>,
    any_of: Vec<Schema>,
    one_of: Vec<Schema>,
    properties: BTreeMap<String, Schema>,
    required: BTreeSet<String>,
    additional_properties: Option<Schema>,
    items: Option<Schema>,
    #[serde(rename = "enum")]
    values: Vec<Literal>,
    #[serde(rename = "const")]
    value: Option<Literal>,
    description: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Kinds {
    One(String),
    Several(Vec<String>),
}

/// A value that a schema lists.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Literal {
    Text(String),
    Other(serde::de::IgnoredAny),
}

impl Keywords {
    /// Fails with the setting that a schema has otherwise than a manifest.
    pub(crate) fn agree(&self, declared: &Settings) -> Result<(), String> {
        for name in declared.keys().filter(|name| !name.contains('*')) {
            if !self.properties.contains_key(name) {
                return Err(format!("the schema has no setting `{name}`"));
            }
        }
        for name in self.properties.keys() {
            match setting::find(declared, name) {
                None => return Err(format!("the manifest has no setting `{name}`")),
                Some(setting) if setting.mandatory != self.required.contains(name) => {
                    return Err(format!("`{name}` is mandatory in one of them alone"));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

impl Input {
    /// The input that a schema describes.
    pub fn of_schema(schema: &Keywords) -> Self {
        let reader = Reader { root: schema };
        let variants = reader.variants(schema);
        let is_common = |name: &&str| variants.iter().all(|one| one.required.contains(*name));
        let all: BTreeSet<&str> =
            variants.iter().flat_map(|one| &one.required).map(String::as_str).collect();
        let (mandatory, alternatives): (Vec<&str>, Vec<&str>) =
            all.into_iter().partition(is_common);
        let texts = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        let mut keys = BTreeMap::new();
        // A schema that allows other names does not list them.
        if variants.iter().all(|variant| variant.is_closed()) {
            for variant in &variants {
                reader.keys(variant, "", 0, &mut keys);
            }
        }
        Self {
            mandatory: texts(mandatory),
            one_of: texts(alternatives),
            keys: keys.into_values().collect(),
        }
    }
}

struct Reader<'a> {
    root: &'a Keywords,
}

impl<'a> Reader<'a> {
    /// The alternatives of a schema; itself if it has none.
    fn variants(&self, schema: &'a Keywords) -> Vec<&'a Keywords> {
        let schema = self.resolved(schema);
        let listed = if schema.any_of.is_empty() { &schema.one_of } else { &schema.any_of };
        if listed.is_empty() {
            return vec![schema];
        }
        let resolved = listed.iter().filter_map(Schema::keywords).map(|one| self.resolved(one));
        resolved.filter(|schema| !schema.is_null()).collect()
    }

    /// The schema that a reference within this one names.
    fn resolved(&self, schema: &'a Keywords) -> &'a Keywords {
        let mut schema = schema;
        for _ in 0..DEPTH_MAX {
            let Some(reference) = &schema.reference else { break };
            let named = reference.strip_prefix("#/$defs/");
            let found = named.and_then(|name| self.root.definitions.get(name)?.keywords());
            let Some(found) = found else { break };
            schema = found;
        }
        schema
    }

    /// Adds the properties of a schema, and those within them.
    fn keys(
        &self,
        schema: &'a Keywords,
        prefix: &str,
        depth: usize,
        keys: &mut BTreeMap<String, Key>,
    ) {
        if depth > DEPTH_MAX {
            return;
        }
        for (name, property) in &schema.properties {
            let path = format!("{prefix}{name}");
            let own = property.keywords();
            let variants = own.map(|one| self.variants(one)).unwrap_or_default();
            let key = Key {
                name: path.clone(),
                kind: kind(&variants),
                about: own.map(Keywords::about).unwrap_or_default(),
                // At the top it is in the list of mandatory names.
                mandatory: depth > 0 && schema.required.contains(name),
            };
            for variant in &variants {
                if variant.is_closed() {
                    self.keys(variant, &format!("{path}."), depth + 1, keys);
                }
                let items = variant.items.as_ref().and_then(Schema::keywords);
                for item in items.into_iter().flat_map(|items| self.variants(items)) {
                    if item.is_closed() {
                        self.keys(item, &format!("{path}[]."), depth + 1, keys);
                    }
                }
            }
            keys.entry(path).or_insert(key);
        }
    }
}

impl Schema {
    fn keywords(&self) -> Option<&Keywords> {
        match self {
            Self::Keywords(keywords) => Some(keywords),
            Self::Any(_) => None,
        }
    }
}

impl Keywords {
    /// Whether other properties than the listed ones are forbidden.
    fn is_closed(&self) -> bool {
        self.additional_properties == Some(Schema::Any(false))
    }

    fn is_null(&self) -> bool {
        matches!(&self.kinds, Some(Kinds::One(kind)) if kind == "null")
    }

    /// The types apart from null; `any` if they are not restricted.
    fn types(&self) -> Vec<&str> {
        match &self.kinds {
            Some(Kinds::One(one)) => vec![one],
            Some(Kinds::Several(several)) => {
                several.iter().map(String::as_str).filter(|one| *one != "null").collect()
            }
            None => {
                // An enumeration without a type is one of texts, if its values are.
                let mut values = self.values.iter().chain(&self.value).peekable();
                let is_listed = values.peek().is_some();
                let are_texts = is_listed && values.all(|value| matches!(value, Literal::Text(_)));
                vec![if are_texts { "string" } else { "any" }]
            }
        }
    }

    /// The description, on one line.
    fn about(&self) -> String {
        self.description.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// The kind of a value, if all alternatives have the same one.
fn kind(variants: &[&Keywords]) -> InputKind {
    let kinds: BTreeSet<&str> = variants.iter().flat_map(|variant| variant.types()).collect();
    let mut kinds = kinds.into_iter();
    match (kinds.next(), kinds.next()) {
        (Some("string"), None) => InputKind::Text,
        (Some("integer" | "number"), None) | (Some("integer"), Some("number")) => InputKind::Number,
        (Some("boolean"), None) => InputKind::Boolean,
        (Some("array"), None) => InputKind::List,
        (Some("object"), None) => InputKind::Mapping,
        _ => InputKind::Any,
    }
}

#[cfg(test)]
mod tests;
