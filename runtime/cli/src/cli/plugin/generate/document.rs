//! OpenAPI 3.0, 3.1 and Swagger 2.0 as they are written, as far as adapters need them.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::json::Json;

/// A description of an API; the attributes of Swagger 2.0 stand beside those of OpenAPI 3.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Document {
    pub(super) openapi: Option<String>,
    pub(super) swagger: Option<String>,
    pub(super) info: Info,
    pub(super) servers: Vec<Server>,
    pub(super) host: Option<String>,
    pub(super) base_path: Option<String>,
    pub(super) schemes: Vec<String>,
    pub(super) paths: BTreeMap<String, Path>,
    pub(super) components: Components,
    pub(super) definitions: BTreeMap<String, Schema>,
    pub(super) parameters: BTreeMap<String, Parameter>,
    pub(super) responses: BTreeMap<String, Response>,
    pub(super) security_definitions: BTreeMap<String, Scheme>,
    pub(super) security: Vec<BTreeMap<String, Vec<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Info {
    pub(super) title: Option<String>,
    pub(super) version: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Server {
    pub(super) url: String,
    #[serde(default)]
    pub(super) variables: BTreeMap<String, Variable>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Variable {
    pub(super) default: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Components {
    pub(super) schemas: BTreeMap<String, Schema>,
    pub(super) parameters: BTreeMap<String, Parameter>,
    pub(super) responses: BTreeMap<String, Response>,
    pub(super) request_bodies: BTreeMap<String, Body>,
    pub(super) security_schemes: BTreeMap<String, Scheme>,
}

/// The operations of a path.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Path {
    #[serde(rename = "$ref")]
    pub(super) reference: Option<String>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) get: Option<Operation>,
    pub(super) put: Option<Operation>,
    pub(super) post: Option<Operation>,
    pub(super) patch: Option<Operation>,
    pub(super) delete: Option<Operation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Operation {
    pub(super) operation_id: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) request_body: Option<Body>,
    pub(super) responses: BTreeMap<String, Response>,
    pub(super) callbacks: BTreeMap<String, Callback>,
}

/// The requests that an API makes later: paths by the expression of their address.
pub(super) type Callback = BTreeMap<String, serde::de::IgnoredAny>;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Parameter {
    #[serde(rename = "$ref")]
    pub(super) reference: Option<String>,
    pub(super) name: String,
    #[serde(rename = "in")]
    pub(super) place: String,
    pub(super) required: bool,
    pub(super) description: Option<String>,
    pub(super) schema: Option<Schema>,
    /// Of Swagger 2.0, as are the next two.
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) items: Option<Schema>,
    #[serde(rename = "enum")]
    pub(super) values: Vec<Json>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Body {
    #[serde(rename = "$ref")]
    pub(super) reference: Option<String>,
    pub(super) required: bool,
    pub(super) content: BTreeMap<String, Media>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Response {
    #[serde(rename = "$ref")]
    pub(super) reference: Option<String>,
    pub(super) content: BTreeMap<String, Media>,
    /// Of Swagger 2.0.
    pub(super) schema: Option<Schema>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Media {
    pub(super) schema: Option<Schema>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Scheme {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) scheme: Option<String>,
    #[serde(rename = "in")]
    pub(super) place: Option<String>,
    pub(super) name: Option<String>,
}

/// A schema: a boolean allows or forbids every value.
#[derive(Debug)]
pub(super) enum Schema {
    Any,
    Keywords(Box<Keywords>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Keywords {
    #[serde(rename = "$ref")]
    pub(super) reference: Option<String>,
    #[serde(rename = "type")]
    pub(super) kinds: Kinds,
    pub(super) description: Option<String>,
    pub(super) properties: BTreeMap<String, Schema>,
    pub(super) required: Vec<String>,
    pub(super) additional_properties: Option<Schema>,
    pub(super) items: Option<Schema>,
    #[serde(rename = "enum")]
    pub(super) values: Vec<Json>,
    pub(super) all_of: Vec<Schema>,
    pub(super) one_of: Vec<Schema>,
    pub(super) any_of: Vec<Schema>,
    pub(super) read_only: bool,
    pub(super) write_only: bool,
}

/// The types of a schema: one by name, or a list.
#[derive(Debug, Default)]
pub(super) struct Kinds(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Schema;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a schema")
            }

            fn visit_bool<E>(self, _: bool) -> Result<Schema, E> {
                Ok(Schema::Any)
            }

            fn visit_unit<E>(self) -> Result<Schema, E> {
                Ok(Schema::Any)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Schema, A::Error> {
                let keywords = Keywords::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Schema::Keywords(Box::new(keywords)))
            }
        }

        deserializer.deserialize_any(Read)
    }
}

impl<'de> Deserialize<'de> for Kinds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Kinds;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("the name of a type, or a list of them")
            }

            fn visit_str<E>(self, name: &str) -> Result<Kinds, E> {
                Ok(Kinds(vec![name.into()]))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut all: A,
            ) -> Result<Kinds, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = all.next_element()? {
                    names.push(name);
                }
                Ok(Kinds(names))
            }
        }

        deserializer.deserialize_any(Read)
    }
}
