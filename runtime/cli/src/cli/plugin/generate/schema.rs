//! Kinds of the schemas of a description: references are followed, compositions are put together, and the
//! result is bounded whatever the schema is.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Document, Keywords, Schema};
use super::kind::{Kind, Property, Shape, line};

/// Max levels of objects that have types of their own; below them JSON is open.
const LEVELS_MAX: usize = 4;

/// Max properties of one operation with types of their own.
const PROPERTIES_MAX: usize = 600;

/// Max schemas that are looked at for one operation.
const STEPS_MAX: usize = 20_000;

/// Max references that follow one another, and compositions within one another.
const HOPS_MAX: usize = 32;

/// Max values of a choice; with more it is a text.
const CHOICES_MAX: usize = 64;

/// Which way a value goes: an API leaves some properties out of requests, others out of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Request,
    Answer,
}

/// Reads schemas.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    document: &'a Document,
    way: Way,
    steps: usize,
}

/// A schema with its references followed, and the name that the last one gives.
struct Resolved<'a> {
    keywords: Option<&'a Keywords>,
    name: Option<&'a str>,
}

/// The properties of an object, of all that it is composed of.
#[derive(Default)]
struct Members<'a> {
    properties: BTreeMap<&'a str, &'a Schema>,
    mandatory: BTreeSet<&'a str>,
    others: Option<&'a Schema>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(document: &'a Document, way: Way) -> Self {
        Self { document, way, steps: 0 }
    }

    /// The kind of a schema, with as many levels as keep it small.
    pub(super) fn kind(&mut self, schema: &'a Schema, name: &str) -> Result<Kind, String> {
        let mut levels = LEVELS_MAX;
        loop {
            self.steps = 0;
            let kind = self.of(schema, name, levels, 0);
            match kind {
                Ok(kind) if levels == 1 || kind.size() <= PROPERTIES_MAX => return Ok(kind),
                Err(problem) if levels == 1 => return Err(problem),
                Ok(_) | Err(_) => levels -= 1,
            }
        }
    }

    /// The kind of a schema of which only the first level is of interest.
    pub(super) fn top(&mut self, schema: &'a Schema) -> Result<Kind, String> {
        self.steps = 0;
        self.of(schema, "answer", 1, 0)
    }

    fn of(
        &mut self,
        schema: &'a Schema,
        name: &str,
        levels: usize,
        hops: usize,
    ) -> Result<Kind, String> {
        self.step(hops)?;
        let resolved = self.resolve(schema)?;
        let Some(keywords) = resolved.keywords else { return Ok(Kind::Any) };
        if let Some(choice) = choice(keywords) {
            return Ok(choice);
        }
        let name = resolved.name.unwrap_or(name);
        let composed = keywords.one_of.iter().chain(&keywords.any_of);
        let variants: Vec<&Schema> = composed.filter(|one| !is_null(one)).collect();
        if keywords.properties.is_empty() && keywords.all_of.is_empty() && !variants.is_empty() {
            return match variants[..] {
                [one] => self.of(one, name, levels, hops + 1),
                _ => Ok(Kind::Any),
            };
        }
        let mut kinds = keywords.kinds.0.iter().map(String::as_str).filter(|kind| *kind != "null");
        match (kinds.next(), kinds.next()) {
            (Some("string"), None) => Ok(Kind::Text),
            (Some("integer"), None) => Ok(Kind::Integer),
            (Some("number"), None) => Ok(Kind::Number),
            (Some("boolean"), None) => Ok(Kind::Boolean),
            (Some("array"), None) => match &keywords.items {
                Some(items) => {
                    let item = self.of(items, name, levels, hops + 1)?;
                    Ok(Kind::List(Box::new(item)))
                }
                None => Ok(Kind::List(Box::new(Kind::Any))),
            },
            (Some("object") | None, None) => self.object(keywords, name, levels, hops),
            _ => Ok(Kind::Any),
        }
    }

    fn object(
        &mut self,
        keywords: &'a Keywords,
        name: &str,
        levels: usize,
        hops: usize,
    ) -> Result<Kind, String> {
        // A composition of one is that one, with a description of its own.
        if let ([one], true) = (&keywords.all_of[..], keywords.properties.is_empty()) {
            return self.of(one, name, levels, hops + 1);
        }
        if levels == 0 {
            return Ok(Kind::Any);
        }
        let mut members = Members::default();
        self.collect(keywords, &mut members, hops)?;
        if members.properties.is_empty() {
            return Ok(match members.others {
                Some(others @ Schema::Keywords(_)) => {
                    Kind::Map(Box::new(self.of(others, name, levels - 1, hops + 1)?))
                }
                Some(Schema::Any) | None => Kind::Any,
            });
        }
        let mut properties = Vec::new();
        for (own, schema) in &members.properties {
            if let Some(mut property) = self.property(own, schema, levels - 1, hops)? {
                property.is_mandatory = members.mandatory.contains(own);
                properties.push(property);
            }
        }
        Ok(Kind::Object(Shape { name: name.into(), properties }))
    }

    /// A property; `None` if values that go this way do not have it.
    fn property(
        &mut self,
        name: &str,
        schema: &'a Schema,
        levels: usize,
        hops: usize,
    ) -> Result<Option<Property>, String> {
        let resolved = self.resolve(schema)?.keywords;
        let own = match schema {
            Schema::Keywords(keywords) => Some(&**keywords),
            Schema::Any => None,
        };
        let is_left_out = own.into_iter().chain(resolved).any(|keywords| match self.way {
            Way::Request => keywords.read_only,
            Way::Answer => keywords.write_only,
        });
        if is_left_out {
            return Ok(None);
        }
        let about = own.and_then(|keywords| keywords.description.as_ref());
        let about = about.or_else(|| resolved?.description.as_ref());
        let kind = self.of(schema, name, levels, hops + 1)?;
        let choices: Vec<String> = kind.choices().iter().map(|one| format!("`{one}`")).collect();
        let about = about.map(String::as_str).unwrap_or_default();
        let about = match choices[..] {
            [] => line(about),
            _ => line(&format!("One of {}. {about}", choices.join(", "))),
        };
        Ok(Some(Property { name: name.into(), kind, is_mandatory: false, about }))
    }

    fn collect(
        &mut self,
        keywords: &'a Keywords,
        members: &mut Members<'a>,
        hops: usize,
    ) -> Result<(), String> {
        self.step(hops)?;
        for part in &keywords.all_of {
            if let Some(part) = self.resolve(part)?.keywords {
                self.collect(part, members, hops + 1)?;
            }
        }
        members
            .properties
            .extend(keywords.properties.iter().map(|(name, one)| (name.as_str(), one)));
        members.mandatory.extend(keywords.required.iter().map(String::as_str));
        members.others = keywords.additional_properties.as_ref().or(members.others);
        Ok(())
    }

    fn resolve(&self, schema: &'a Schema) -> Result<Resolved<'a>, String> {
        let mut schema = schema;
        let mut name = None;
        for _ in 0..HOPS_MAX {
            let Schema::Keywords(keywords) = schema else {
                return Ok(Resolved { keywords: None, name });
            };
            let Some(reference) = &keywords.reference else {
                return Ok(Resolved { keywords: Some(keywords), name });
            };
            let schemas = [
                ("#/components/schemas/", &self.document.components.schemas),
                ("#/definitions/", &self.document.definitions),
            ];
            let (found, last) = find(reference, &schemas)?;
            (schema, name) = (found, Some(last));
        }
        Err("`$ref` leads from one schema to the next and never to a type".into())
    }

    fn step(&mut self, hops: usize) -> Result<(), String> {
        self.steps += 1;
        if hops > HOPS_MAX {
            return Err(format!(
                "a schema is composed of others more than {HOPS_MAX} levels deep, or of itself"
            ));
        }
        if self.steps > STEPS_MAX {
            return Err(format!("its schemas are made of more than {STEPS_MAX} others"));
        }
        Ok(())
    }
}

/// Finds what a reference names: the entry, and its name.
pub(super) fn find<'a, T>(
    reference: &'a str,
    folders: &[(&str, &'a BTreeMap<String, T>)],
) -> Result<(&'a T, &'a str), String> {
    if !reference.starts_with('#') {
        return Err(format!(
            "`$ref` `{reference}` leads out of the file: put all of it into one file first, such as with \
             `npx @redocly/cli bundle`"
        ));
    }
    for (folder, entries) in folders {
        let Some(name) = reference.strip_prefix(folder) else { continue };
        let plain = name.replace("~1", "/").replace("~0", "~");
        return match entries.get(&plain) {
            Some(found) => Ok((found, name)),
            None => Err(format!("`$ref` `{reference}` leads nowhere")),
        };
    }
    let folders: Vec<String> =
        folders.iter().map(|(folder, _)| format!("`{folder}NAME`")).collect();
    Err(format!("`$ref` `{reference}` is none of {}", folders.join(", ")))
}

/// The choice that the values of a schema are.
fn choice(keywords: &Keywords) -> Option<Kind> {
    let texts: Option<BTreeSet<&str>> = keywords.values.iter().map(|value| value.text()).collect();
    let texts = texts.filter(|texts| (1..=CHOICES_MAX).contains(&texts.len()))?;
    Some(Kind::Choice(texts.into_iter().map(str::to_owned).collect()))
}

fn is_null(schema: &Schema) -> bool {
    match schema {
        Schema::Keywords(keywords) => keywords.kinds.0 == ["null"],
        Schema::Any => false,
    }
}
