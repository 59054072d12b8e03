//! Parses the notation of shapes.

use super::{Attribute, Kind, Shape, Shapes, Type, Typed};

/// The end of the first line of a shape without `@type`.
const PLAIN: &str = " plain";

/// An error in a text.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line}: {problem}")]
pub struct ParseError {
    /// The line, from 1, within its text.
    pub line: usize,
    /// The error.
    pub problem: Problem,
}

/// Errors in a line.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Problem {
    /// An attribute stands before the first shape, or in a list of values.
    #[error("`{0}` belongs to no shape")]
    Homeless(String),
    /// An attribute has no type.
    #[error("`{0}` does not say what it holds")]
    Untyped(String),
    /// A name is defined twice.
    #[error("`{0}` stands twice")]
    Twice(String),
    /// The type of an attribute is neither a shape, nor a list, nor one of the simple types.
    #[error("`{0}` is not known")]
    Unknown(String),
    /// A list has no values.
    #[error("`{0}` has no values")]
    Empty(String),
}

impl Shapes {
    /// Reads texts; each may use the shapes of the others.
    pub fn parse(texts: &[&'static str]) -> Result<Self, ParseError> {
        let mut shapes = Self::default();
        for text in texts {
            shapes.declare(text)?;
        }
        for text in texts {
            shapes.fill(text)?;
        }
        Ok(shapes)
    }

    /// Reads the names of shapes and the lists of values.
    fn declare(&mut self, text: &'static str) -> Result<(), ParseError> {
        for (line, text) in lines(text) {
            let at = |problem| ParseError { line, problem };
            if text.starts_with(' ') {
                continue;
            }
            let (name, values) = match text.split_once('=') {
                Some((name, values)) => (name.trim(), Some(values)),
                None => (text.trim(), None),
            };
            if self.objects.contains_key(name) || self.choices.contains_key(name) {
                return Err(at(Problem::Twice(name.into())));
            }
            let Some(values) = values else {
                self.head(name).map_err(at)?;
                continue;
            };
            let values: Vec<&str> = values.split('|').map(unquoted).collect();
            if values.iter().any(|value| value.is_empty()) {
                return Err(at(Problem::Empty(name.into())));
            }
            self.choices.insert(name, values);
        }
        Ok(())
    }

    /// Reads the first line of a shape: its name, whether it is plain, and its alternatives.
    fn head(&mut self, text: &'static str) -> Result<(), Problem> {
        let (head, alternatives) = text.split_once('<').unwrap_or((text, ""));
        let alternatives: Vec<&str> =
            alternatives.split('|').map(str::trim).filter(|name| !name.is_empty()).collect();
        let typed = match head.trim().ends_with(PLAIN) {
            true => Typed::Never,
            false => Typed::Always,
        };
        let shape = Shape { alternatives, typed, ..Shape::default() };
        let twice = match named(head) {
            Named::Shared(name) => self.objects.insert(name, shape),
            Named::Own(api, name) => self.own.entry(api).or_default().insert(name, shape),
        };
        if twice.is_some() { Err(Problem::Twice(head.trim().into())) } else { Ok(()) }
    }

    /// The shape that a line begins.
    fn headed(&mut self, text: &'static str) -> Option<&mut Shape> {
        match named(text) {
            Named::Shared(name) => self.objects.get_mut(name),
            Named::Own(api, name) => self.own.get_mut(&api)?.get_mut(name),
        }
    }

    /// Reads the attributes, now that all names are known.
    fn fill(&mut self, text: &'static str) -> Result<(), ParseError> {
        let mut current = None;
        for (line, text) in lines(text) {
            let at = |problem| ParseError { line, problem };
            if !text.starts_with(' ') {
                current = (!text.contains('=')).then_some(text);
                let (_, alternatives) = text.split_once('<').unwrap_or((text, ""));
                for name in alternatives.split('|').map(str::trim).filter(|name| !name.is_empty()) {
                    self.item(name).map_err(at)?;
                }
                continue;
            }
            let attribute = self.attribute(text.trim()).map_err(at)?;
            let shape = current.and_then(|head| self.headed(head));
            let Some(shape) = shape else {
                return Err(at(Problem::Homeless(attribute.name.into())));
            };
            if shape.attribute(attribute.name).is_some() {
                return Err(at(Problem::Twice(attribute.name.into())));
            }
            shape.attributes.push(attribute);
        }
        Ok(())
    }

    fn attribute(&self, text: &'static str) -> Result<Attribute, Problem> {
        let Some((name, kinds)) = text.split_once(':') else {
            return Err(Problem::Untyped(text.into()));
        };
        let kinds: Result<Vec<Kind>, Problem> =
            kinds.split('|').map(|kind| self.kind(kind.trim())).collect();
        let required = name.ends_with('*');
        Ok(Attribute { name: name.trim_end_matches('*'), required, kinds: kinds? })
    }

    fn kind(&self, text: &'static str) -> Result<Kind, Problem> {
        match text.strip_suffix("[]") {
            Some(item) => self.item(item).map(Kind::Many),
            None => self.item(text).map(Kind::One),
        }
    }

    fn item(&self, name: &'static str) -> Result<Type, Problem> {
        let simple = match name {
            "any" => Some(Type::Any),
            "string" => Some(Type::String),
            "integer" => Some(Type::Integer),
            "number" => Some(Type::Number),
            "boolean" => Some(Type::Boolean),
            "dateTime" => Some(Type::DateTime),
            "date" => Some(Type::Date),
            "uri" => Some(Type::Uri),
            "base64" => Some(Type::Base64),
            "object" => Some(Type::Fields),
            _ => None,
        };
        let choice = || self.choices.contains_key(name).then_some(Type::Choice(name));
        let object = || self.objects.contains_key(name).then_some(Type::Object(name));
        simple.or_else(choice).or_else(object).ok_or_else(|| Problem::Unknown(name.into()))
    }
}

/// The name of a shape, in all APIs or in one.
enum Named {
    Shared(&'static str),
    Own(u16, &'static str),
}

/// The name in the first line of a shape.
fn named(head: &'static str) -> Named {
    let (head, _) = head.split_once('<').unwrap_or((head, ""));
    let name = head.trim().trim_end_matches(PLAIN).trim();
    let own = name.split_once('@').and_then(|(name, api)| Some((api.parse().ok()?, name)));
    own.map_or(Named::Shared(name), |(api, name)| Named::Own(api, name))
}

/// The lines with content, each with its number.
fn lines(text: &'static str) -> impl Iterator<Item = (usize, &'static str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.filter(|(_, line)| !line.trim().is_empty())
}

fn unquoted(value: &'static str) -> &'static str {
    let value = value.trim();
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    inner.unwrap_or(value)
}
