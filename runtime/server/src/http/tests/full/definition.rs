//! The definitions of the TM Forum as far as a full body needs them, and the bodies that they allow.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use tmf::version::Version;

/// Below this depth of objects only what is required is filled in.
const DEPTH: usize = 4;

/// The variant in which all that is free text is a text of the client's own.
const FREE: usize = 3;

/// Free text by the definitions, and yet words that we act on: what is wanted of an item, when an
/// account is billed, how a product is charged (`[inventory] prices`), and what a topic is asked.
const WORDS: [&str; 7] = [
    "action",
    "contentQuery",
    "frequency",
    "headerQuery",
    "priceType",
    "recurringChargePeriod",
    "unit",
];

/// Numbers that floating point would change.
const EXACT: &str = "[0.10, 1.0, 123456789012345678901234567890, -0.12345678901234567890, 9007199254740993, 1e+400]";

/// An API definition: Swagger 2 in version 4, OpenAPI 3 in version 5.
pub(super) struct Definition {
    /// The number of the API.
    pub(super) number: u16,
    schemas: Value,
}

/// All definitions of a version; `None` if they are not on this machine.
#[expect(clippy::print_stderr, reason = "a skipped test prints why")]
pub(super) fn all(version: Version) -> Option<Vec<Definition>> {
    let folder = format!("{}/../../../shared/tmf/{version}", env!("CARGO_MANIFEST_DIR"));
    let Ok(entries) = std::fs::read_dir(folder) else {
        assert!(std::env::var_os("FERRULE_CI").is_none(), "the API definitions are not there");
        eprintln!("SKIPPED: the API definitions are not there");
        return None;
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let number = name.trim_start_matches("TMF").get(..3).unwrap().parse().unwrap();
        let schemas = match version {
            Version::V4 => serde_json::from_str::<Value>(&text).unwrap()["definitions"].take(),
            Version::V5 => {
                serde_saphyr::from_str::<Value>(&text).unwrap()["components"]["schemas"].take()
            }
        };
        Definition { number, schemas }
    };
    Some(paths.iter().map(read).collect())
}

/// How the bodies of one row differ from those of another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variant {
    /// The first of the classes and values that may stand at a place.
    pub(super) first: usize,
    /// Whether every object is of a class of the client's own.
    pub(super) is_own: bool,
}

pub(super) struct Maker<'a> {
    definition: &'a Definition,
    variant: Variant,
    depth: usize,
    serial: usize,
    picks: BTreeMap<String, usize>,
}

/// A schema with what it extends: its attributes, and those that must be there.
#[derive(Default)]
struct Merged<'a> {
    properties: BTreeMap<&'a str, &'a Value>,
    required: Vec<&'a str>,
}

impl Definition {
    /// The schema of what is sent to create a document of a shape.
    pub(super) fn creates(&self, shape: &str) -> Option<String> {
        let names = [format!("{shape}_FVO"), format!("{shape}_Create")];
        names.into_iter().find(|name| self.schemas.get(name).is_some())
    }

    /// The schemas that may stand for one, each with what its objects call their type.
    pub(super) fn classes<'a>(&'a self, schema: &'a str) -> Vec<(&'a str, &'a str)> {
        let mapping = &self.schemas[schema]["discriminator"]["mapping"];
        let classes = mapping.as_object().into_iter().flatten();
        classes.map(|(name, to)| (name.as_str(), last(to))).collect()
    }

    fn merge<'a>(&'a self, schema: &'a Value, merged: &mut Merged<'a>) {
        if let Some(name) = schema.get("$ref") {
            return self.merge(&self.schemas[last(name)], merged);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.merge(part, merged);
        }
        let properties = schema["properties"].as_object().into_iter().flatten();
        merged.properties.extend(properties.map(|(name, property)| (name.as_str(), property)));
        let required = schema["required"].as_array().into_iter().flatten();
        merged.required.extend(required.filter_map(Value::as_str));
    }
}

impl<'a> Maker<'a> {
    pub(super) fn new(definition: &'a Definition, variant: Variant) -> Self {
        Self { definition, variant, depth: DEPTH, serial: 0, picks: BTreeMap::new() }
    }

    /// A body with every attribute that a schema names, at most this many bytes long.
    pub(super) fn body(&mut self, class: &str, schema: &'a str, bytes_max: usize) -> Value {
        for depth in (1..=DEPTH).rev() {
            (self.depth, self.serial) = (depth, 0);
            self.picks.clear();
            let body = self.object(class, &self.definition.schemas[schema], &mut vec![schema]);
            if body.to_string().len() <= bytes_max || depth == 1 {
                return body;
            }
        }
        Value::Null
    }

    fn next(&mut self) -> usize {
        self.serial += 1;
        self.serial
    }

    /// Another one of several whenever it is asked for the same.
    fn pick(&mut self, of: &str, count: usize) -> usize {
        let first = self.variant.first;
        let pick = self.picks.entry(of.to_string()).or_insert(first);
        *pick += 1;
        (*pick - 1) % count
    }

    fn value(&mut self, schema: &'a Value, name: &str, chain: &mut Vec<&'a str>) -> Option<Value> {
        if let Some(to) = schema.get("$ref") {
            let to = last(to);
            let classes = self.definition.classes(to);
            let (class, to) = match classes.len() {
                0 => (to.split('_').next().unwrap_or(to), to),
                count => classes[self.pick(to, count)],
            };
            if chain.contains(&to) || chain.len() > 2 * DEPTH {
                return None;
            }
            chain.push(to);
            let meant = &self.definition.schemas[to];
            let value = match is_object(self.definition, meant) {
                true => Some(self.object(class, meant, chain)),
                false => self.value(meant, name, chain),
            };
            chain.pop();
            return value;
        }
        if let Some(values) = schema["enum"].as_array() {
            let at = self.pick(name, values.len());
            return values.get(at).cloned();
        }
        let value = match schema["type"].as_str() {
            Some("string") => match schema["format"].as_str() {
                Some("date-time") => json!("2031-03-01T10:00:00.000Z"),
                Some("date") => json!("2031-03-01"),
                Some("uri" | "url") => json!(format!("https://example.com/{}", self.next())),
                Some("base64" | "byte") => json!("d2Fsaw=="),
                _ => self.text(name),
            },
            Some("integer") => json!(1),
            Some("number") => serde_json::from_str("1.50").unwrap(),
            Some("boolean") => json!(true),
            Some("array") => {
                let entry = self.value(&schema["items"], name, chain)?;
                json!([entry])
            }
            _ if is_object(self.definition, schema) && has_properties(schema) => {
                self.object(name, schema, chain)
            }
            Some("object") => json!({ "inner": self.next() }),
            _ => self.text(name),
        };
        Some(value)
    }

    /// A text that no other place has, unless the attribute is acted on.
    fn text(&mut self, name: &str) -> Value {
        let is_free = self.variant.first == FREE;
        match name {
            _ if is_free && !WORDS.contains(&name) => json!(format!("{name} {}", self.next())),
            "priceType" => json!("recurring"),
            "recurringChargePeriod" | "recurringChargePeriodType" => json!("month"),
            "frequency" | "billingPeriod" => json!("monthly"),
            "unit" => json!("EUR"),
            "action" => json!("add"),
            _ => json!(format!("{name} {}", self.next())),
        }
    }

    fn object(&mut self, class: &str, schema: &'a Value, chain: &mut Vec<&'a str>) -> Value {
        let mut merged = Merged::default();
        self.definition.merge(schema, &mut merged);
        let mut fields = Map::new();
        let is_full = chain.len() <= self.depth;
        // Beside an amount there is no percentage.
        let is_amount = merged.properties.contains_key("dutyFreeAmount")
            || merged.properties.contains_key("taxIncludedAmount");
        let has = |name: &str| merged.properties.contains_key(name);
        let is_money = has("unit") && has("value");
        for (name, property) in merged.properties {
            if is_amount && name == "percentage" {
                continue;
            }
            let is_money = is_money && ["unit", "value"].contains(&name);
            let is_wanted = is_full || is_money || merged.required.contains(&name) || name == "id";
            if !is_wanted || ["@type", "@baseType", "@schemaLocation"].contains(&name) {
                continue;
            }
            if let Some(value) = self.value(property, name, chain) {
                fields.insert(name.into(), value);
            }
        }
        let serial = self.next();
        let own = format!("My{class}");
        let (kind, base) = match self.variant.is_own {
            true => (own.as_str(), class),
            false => (class, "Entity"),
        };
        fields.insert("@type".into(), kind.into());
        fields.insert("@baseType".into(), base.into());
        let location = format!("https://example.com/schema/{serial}");
        fields.insert("@schemaLocation".into(), location.into());
        let exact: Value = serde_json::from_str(EXACT).unwrap();
        let more = json!({ "exact": exact, "text": format!("unknown {serial}"), "none": [], "empty": "", "null": null,
            "@type": "Mine", "a.b/c": true, "__proto__": { "é\u{1f600}": "\u{0}" } });
        fields.insert("xUnknown".into(), more);
        Value::Object(fields)
    }
}

/// The last piece of a reference.
fn last(reference: &Value) -> &str {
    reference.as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default()
}

fn has_properties(schema: &Value) -> bool {
    schema["properties"].is_object() || schema["allOf"].is_array()
}

fn is_object(definition: &Definition, schema: &Value) -> bool {
    let mut merged = Merged::default();
    definition.merge(schema, &mut merged);
    !merged.properties.is_empty()
}
