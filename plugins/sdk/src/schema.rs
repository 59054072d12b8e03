//! The JSON Schemas of a plugin. They are derived from its types in its tests and kept in
//! `schema.json`, which the component embeds: the code that derives them would make it a third
//! larger.

use std::path::Path;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

pub use crate::bindings::described::exports::ferrule::plugin::description::{
    Guest as Description, Schemas,
};

/// Set to write `schema.json` rather than to compare it.
const BLESS: &str = "FERRULE_BLESS";

/// The schema of a type, without references.
pub fn root<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<T>()
}

/// The content of `schema.json`.
#[doc(hidden)]
pub fn of(input: Schema, output: Schema, settings: Option<Schema>) -> Value {
    let schemas = [("input", Some(input)), ("output", Some(output)), ("settings", settings)];
    let named = schemas.into_iter().filter_map(|(name, schema)| {
        let schema = schema?.to_value();
        // A schema with a title alone allows everything.
        let is_told = schema.as_object()?.keys().any(|key| key != "title");
        is_told.then(|| (name.to_owned(), schema))
    });
    Value::Object(named.collect())
}

/// Compares `schema.json` in a folder with the schemas of the types, or writes it.
///
/// # Panics
///
/// If the file differs.
#[doc(hidden)]
pub fn check(folder: &str, schemas: &Value) {
    let path = Path::new(folder).join("schema.json");
    let expected = format!("{schemas:#}\n");
    if std::env::var_os(BLESS).is_some() {
        std::fs::write(&path, &expected).expect("the folder of the plugin can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{} is out of date: write it with {BLESS}=1", path.display());
}

/// The schemas in the text of a `schema.json`.
#[doc(hidden)]
pub fn describe(text: &str) -> Schemas {
    let mut schemas: Map<String, Value> =
        serde_json::from_str(text).expect("a test of the plugin compares `schema.json`");
    let mut take = |name: &str| schemas.remove(name).map(|schema| schema.to_string());
    Schemas {
        input: take("input"),
        output: take("output"),
        settings: take("settings"),
        attributes: Vec::new(),
    }
}
