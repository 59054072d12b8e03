//! What we ask of clients beyond what the definitions ask, attribute by attribute: a list with a reason
//! each, so that nothing is added to it unseen.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::definitions::definitions;
use crate::resource::{Operation, Served};
use crate::shape::{Kind, Type, TypeSet};
use crate::table::APIS;
use crate::version::{Version, View};

/// What is stricter than the definitions, and why.
const STRICTER: &[(&str, &str)] = &[
    ("v5 AccountRef.id is demanded {629}", NAMED),
    ("v5 AgreementRef.id is demanded {629}", NAMED),
    ("v5 AttachmentRef.id is demanded {629}", NAMED),
    ("v5 GeographicAddressRef.id is demanded {629}", NAMED),
    ("v5 OrganizationRef.id is demanded {629}", NAMED),
    ("v5 PartyRef.id is demanded {629}", NAMED),
    ("v5 PartyRoleRef.id is demanded {629}", NAMED),
    ("v5 PartyRoleSpecificationRef.id is demanded {629}", NAMED),
    ("v5 PaymentMethodRef.id is demanded {629}", NAMED),
];

/// A reference without an id names nothing; only one definition leaves it out.
const NAMED: &str = "all other definitions ask for the id of a reference";

/// A walk through the schemas of a definition and our shapes at once.
struct Walk<'a> {
    schemas: &'a Value,
    types: TypeSet,
    seen: BTreeSet<(String, &'static str)>,
    found: BTreeMap<String, BTreeSet<u16>>,
    number: u16,
}

impl<'a> Walk<'a> {
    fn named(&self, schema: &'a Value) -> (Option<&'a str>, &'a Value) {
        match schema.get("$ref").and_then(Value::as_str) {
            Some(to) => {
                let name = to.rsplit('/').next().unwrap();
                (Some(name), &self.schemas[name])
            }
            None => (None, schema),
        }
    }

    fn merged(
        &self,
        schema: &'a Value,
        properties: &mut BTreeMap<&'a str, &'a Value>,
        required: &mut BTreeSet<&'a str>,
    ) {
        let (_, schema) = self.named(schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.merged(part, properties, required);
        }
        let own = schema["properties"].as_object().into_iter().flatten();
        properties.extend(own.map(|(name, property)| (name.as_str(), property)));
        let names = schema["required"].as_array().into_iter().flatten();
        required.extend(names.filter_map(Value::as_str));
    }

    fn classes(&self, schema: &'a Value) -> Vec<(&'a str, &'a Value)> {
        let mapping = schema["discriminator"]["mapping"].as_object().into_iter().flatten();
        let to = |to: &'a Value| &self.schemas[to.as_str().unwrap().rsplit('/').next().unwrap()];
        mapping.map(|(name, schema)| (name.as_str(), to(schema))).collect()
    }

    /// Compares an object; `top` leaves out what a client must give of a document, which others compare.
    fn object(&mut self, schema: &'a Value, name: &str, shape: &'static str, is_top: bool) {
        if !self.seen.insert((name.to_string(), shape)) {
            return;
        }
        let Some(ours) = self.types.object(shape) else { return };
        let (mut properties, mut required) = (BTreeMap::new(), BTreeSet::new());
        self.merged(schema, &mut properties, &mut required);
        if properties.is_empty() {
            return;
        }
        for attribute in &ours.attributes {
            let place = format!("{shape}.{}", attribute.name);
            // Of what is looked for nothing must be there.
            let Some(property) =
                properties.get(attribute.name).filter(|_| attribute.name != "searchCriteria")
            else {
                continue;
            };
            if attribute.required && !is_top && !required.contains(attribute.name) {
                self.found(&format!("{place} is demanded"));
            }
            self.value(property, &attribute.kinds, &place);
        }
    }

    fn found(&mut self, what: &str) {
        self.found.entry(what.to_string()).or_default().insert(self.number);
    }

    fn value(&mut self, property: &'a Value, kinds: &[Kind], place: &str) {
        let (name, schema) = self.named(property);
        if schema["type"] == "array" {
            let items: Vec<Kind> = kinds
                .iter()
                .filter_map(|kind| match kind {
                    Kind::Many(item) => Some(Kind::One(*item)),
                    Kind::One(Type::Any) => Some(Kind::One(Type::Any)),
                    Kind::One(_) => None,
                })
                .collect();
            match items.is_empty() {
                true => self.found(&format!("{place} is no array")),
                false => self.value(&schema["items"], &items, place),
            }
            return;
        }
        let types = || {
            kinds.iter().filter_map(|kind| match kind {
                Kind::One(item) => Some(*item),
                Kind::Many(_) => None,
            })
        };
        if types().any(|item| item == Type::Any) {
            return;
        }
        for item in types() {
            if let Type::Choice(choice) = item {
                let values = self.types.choice(choice);
                match schema["enum"].as_array() {
                    Some(listed) => {
                        let missing = listed.iter().filter_map(Value::as_str);
                        for value in missing.filter(|value| !values.contains(value)) {
                            self.found(&format!("{place} takes no `{value}`"));
                        }
                    }
                    None => self.found(&format!("{place} is one of a list")),
                }
            }
        }
        let said = schema["type"].as_str();
        let format = schema["format"].as_str();
        let takes = |wanted: &[Type]| types().any(|item| wanted.contains(&item));
        let is_text =
            |item: Type| matches!(item, Type::String | Type::Uri | Type::Base64 | Type::Choice(_));
        let is_object = types().any(|item| matches!(item, Type::Object(_) | Type::Fields));
        let fits = match (said, format) {
            (Some("string"), Some("date-time")) => takes(&[Type::DateTime]) || types().any(is_text),
            (Some("string"), Some("date")) => takes(&[Type::Date]) || types().any(is_text),
            (Some("string"), _) => types().any(is_text),
            (Some("integer"), _) => takes(&[Type::Integer, Type::Number]),
            (Some("number"), _) => takes(&[Type::Number]),
            (Some("boolean"), _) => takes(&[Type::Boolean]),
            _ => is_object || schema.get("properties").is_none() && schema.get("allOf").is_none(),
        };
        if !fits {
            self.found(&format!("{place} is not what it is there"));
        }
        for shape in types().filter_map(Type::object).collect::<Vec<_>>() {
            let classes = self.classes(schema);
            if classes.is_empty() {
                self.object(property, name.unwrap_or(place), shape, false);
            }
            for (class, schema) in classes {
                let alternatives = self.types.alternatives(shape);
                let ours = alternatives.into_iter().find(|ours| *ours == class).unwrap_or(shape);
                self.object(schema, class, ours, false);
            }
        }
    }
}

#[test]
fn every_deviation_to_the_strict_side_has_a_reason() {
    let mut found: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    for version in [Version::V4, Version::V5] {
        let Some(definitions) = definitions(version.as_str()) else { return };
        for (number, definition) in &definitions {
            let api = APIS.iter().find(|api| api.number == *number).unwrap();
            let schemas = match version {
                Version::V4 => &definition["definitions"],
                Version::V5 => &definition["components"]["schemas"],
            };
            for resource in api.resources {
                let view = View { api, resource, version };
                let other = if version == Version::V4 { Served::V5 } else { Served::V4 };
                if resource.served == other || !resource.takes(Operation::Create) {
                    continue;
                }
                let suffix = if version == Version::V4 { "_Create" } else { "_FVO" };
                let name = format!("{}{suffix}", view.shape());
                let seen = BTreeSet::new();
                let mut walk = Walk {
                    schemas,
                    types: view.types(),
                    seen,
                    found: BTreeMap::new(),
                    number: *number,
                };
                let classes = walk.classes(&schemas[&name]);
                walk.object(&schemas[&name], &name, view.shape(), true);
                for (class, schema) in classes {
                    let ours = view.types().alternatives(view.shape());
                    let ours = ours
                        .into_iter()
                        .find(|ours| *ours == class)
                        .unwrap_or_else(|| view.shape());
                    walk.object(schema, class, ours, true);
                }
                for (what, numbers) in walk.found {
                    found.entry(format!("{version} {what}")).or_default().extend(numbers);
                }
            }
        }
    }
    let found: Vec<String> =
        found.iter().map(|(what, numbers)| format!("{what} {numbers:?}")).collect();
    let known: Vec<&str> = STRICTER.iter().map(|(what, _)| *what).collect();
    let unexplained: Vec<&String> =
        found.iter().filter(|found| !known.contains(&found.as_str())).collect();
    let solved: Vec<&&str> =
        known.iter().filter(|known| !found.iter().any(|found| found == **known)).collect();
    assert!(unexplained.is_empty() && solved.is_empty(), "{unexplained:#?}\n{solved:#?}");
}
