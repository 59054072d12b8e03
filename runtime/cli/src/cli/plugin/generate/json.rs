//! JSON that is passed on: examples that come in, schemas and test cases that go out.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::kind::{Kind, Property, Shape};

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Json(pub(super) serde_json::Value);

impl Json {
    /// On several lines, with a line end.
    pub(super) fn pretty(&self) -> String {
        format!("{:#}\n", self.0)
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.0.as_str()
    }

    /// The JSON Schema of a kind, as `schemars` derives it from the type in Rust.
    pub(super) fn schema(kind: &Kind) -> Self {
        Self(match kind {
            Kind::Any => json!(true),
            // The API may have learned another choice since.
            Kind::Text | Kind::Choice(_) => json!({ "type": "string" }),
            Kind::Integer => json!({ "type": "integer", "format": "int64" }),
            Kind::Number => json!({ "type": "number", "format": "double" }),
            Kind::Boolean => json!({ "type": "boolean" }),
            Kind::List(item) => json!({ "type": "array", "items": Self::schema(item) }),
            Kind::Map(value) => {
                json!({ "type": "object", "additionalProperties": Self::schema(value) })
            }
            Kind::Object(shape) => Self::of_shape(shape).0,
        })
    }

    /// The schema of an object that has no other properties.
    pub(super) fn of_shape(shape: &Shape) -> Self {
        let mut schema = Self::of_properties(&shape.properties);
        schema.0["additionalProperties"] = json!(false);
        schema
    }

    /// The schema of an object with these properties and others.
    pub(super) fn of_properties(properties: &[Property]) -> Self {
        let mut schema = json!({ "type": "object" });
        if !properties.is_empty() {
            schema["properties"] = json!({});
        }
        let mut mandatory = Vec::new();
        for property in properties {
            schema["properties"][&property.name] = Self::of_property(property).0;
            if property.is_mandatory {
                mandatory.push(&property.name);
            }
        }
        if !mandatory.is_empty() {
            schema["required"] = json!(mandatory);
        }
        Self(schema)
    }

    fn of_property(property: &Property) -> Self {
        let mut schema = Self::schema(&property.kind).0;
        if !property.is_mandatory && schema["type"].is_string() {
            schema["type"] = json!([schema["type"], "null"]);
        }
        if let Some(about) = &property.about {
            // `true` allows every value; with a description it is an object.
            if schema.is_boolean() {
                schema = json!({});
            }
            schema["description"] = json!(about);
        }
        Self(schema)
    }

    /// A value of a kind, for tests.
    pub(super) fn sample(name: &str, kind: &Kind) -> Self {
        Self(match kind {
            Kind::Any | Kind::Text => json!(name),
            Kind::Integer => json!(1),
            Kind::Number => json!(1.5),
            Kind::Boolean => json!(true),
            Kind::Choice(values) => json!(values.first()),
            Kind::List(item) => json!([Self::sample(name, item)]),
            Kind::Map(_) => json!({}),
            Kind::Object(shape) => Self::sample_of(&shape.properties).0,
        })
    }

    /// The mandatory properties; the first scalar one if none is.
    pub(super) fn sample_of(properties: &[Property]) -> Self {
        let mut sample = json!({});
        let mandatory = properties.iter().filter(|one| one.is_mandatory);
        let first = properties.iter().find(|one| one.kind.is_scalar());
        let is_free = properties.iter().all(|one| !one.is_mandatory);
        for property in mandatory.chain(first.filter(|_| is_free)) {
            sample[&property.name] = Self::sample(&property.name, &property.kind).0;
        }
        Self(sample)
    }
}
