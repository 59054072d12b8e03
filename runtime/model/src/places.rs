//! Where the values of a pack's files stand: a file read as a tree whose nodes know their lines.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// Levels of lists and mappings that are read: packs need few, and what nests without end is no pack.
const DEPTH_MAX: usize = 24;

/// A file as a tree. JSON is YAML too.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    root: Option<Spanned<Node>>,
}

#[derive(Debug)]
enum Node {
    Scalar(String),
    List(Vec<Spanned<Node>>),
    Map(BTreeMap<String, Field>),
}

/// A value with the place of its key.
#[derive(Debug)]
struct Field {
    line: usize,
    column: usize,
    value: Spanned<Node>,
}

/// A place in a file: that of a value, or of what it would stand in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    node: Option<&'a Spanned<Node>>,
    /// The line, from 1.
    pub(crate) line: usize,
    /// The column, from 1.
    pub(crate) column: usize,
}

impl Tree {
    /// Reads a file; a tree without nodes where it cannot be read.
    pub(crate) fn parse(text: &str) -> Self {
        let options = serde_saphyr::options! {
            strict_booleans: true,
            with_snippet: false,
            budget: serde_saphyr::budget! { max_depth: DEPTH_MAX },
        };
        Self { root: serde_saphyr::from_str_with_options(text, options).ok() }
    }

    /// Whether the file could be read.
    pub(crate) fn is_read(&self) -> bool {
        self.root.is_some()
    }

    /// The file as a whole.
    pub(crate) fn root(&self) -> Place<'_> {
        match &self.root {
            Some(node) => Place::of(node),
            None => Place { node: None, line: 1, column: 1 },
        }
    }
}

impl<'a> Place<'a> {
    fn of(node: &'a Spanned<Node>) -> Self {
        let (line, column) = position(node);
        Self { node: Some(node), line, column }
    }

    /// The place itself, without what is there.
    fn bare(self) -> Self {
        Self { node: None, ..self }
    }

    /// The value of a key; this place where there is none.
    pub(crate) fn get(self, key: &str) -> Self {
        match self.node.map(|node| &node.value) {
            Some(Node::Map(fields)) => {
                fields.get(key).map_or_else(|| self.bare(), |field| Self::of(&field.value))
            }
            Some(Node::Scalar(_) | Node::List(_)) | None => self.bare(),
        }
    }

    /// The value of a key, if it is there.
    pub(crate) fn value(self, key: &str) -> Option<Self> {
        match self.node.map(|node| &node.value) {
            Some(Node::Map(fields)) => fields.get(key).map(|field| Self::of(&field.value)),
            Some(Node::Scalar(_) | Node::List(_)) | None => None,
        }
    }

    /// Where a key itself stands; this place where it does not.
    pub(crate) fn key(self, key: &str) -> Self {
        match self.node.map(|node| &node.value) {
            Some(Node::Map(fields)) => fields.get(key).map_or_else(|| self.bare(), Field::place),
            Some(Node::Scalar(_) | Node::List(_)) | None => self.bare(),
        }
    }

    /// An entry of a list; this place where there is none.
    pub(crate) fn at(self, index: usize) -> Self {
        match self.node.map(|node| &node.value) {
            Some(Node::List(entries)) => entries.get(index).map_or_else(|| self.bare(), Self::of),
            Some(Node::Scalar(_) | Node::Map(_)) | None => self.bare(),
        }
    }

    /// The entries of a list.
    pub(crate) fn entries(self) -> Vec<Self> {
        match self.node.map(|node| &node.value) {
            Some(Node::List(entries)) => entries.iter().map(Self::of).collect(),
            Some(Node::Scalar(_) | Node::Map(_)) | None => Vec::new(),
        }
    }

    /// The values below this one: of a list or of a mapping.
    pub(crate) fn below(self) -> Vec<Self> {
        match self.node.map(|node| &node.value) {
            Some(Node::Map(fields)) => {
                fields.values().map(|field| Self::of(&field.value)).collect()
            }
            Some(Node::List(_) | Node::Scalar(_)) | None => self.entries(),
        }
    }

    /// The text of a value.
    pub(crate) fn text(self) -> Option<&'a str> {
        match self.node.map(|node| &node.value) {
            Some(Node::Scalar(text)) => Some(text),
            Some(Node::List(_) | Node::Map(_)) | None => None,
        }
    }

    /// The entry of a list whose key has this text; this place where there is none.
    pub(crate) fn entry(self, key: &str, text: &str) -> Self {
        let mut entries = self.entries().into_iter();
        entries.find(|entry| entry.get(key).text() == Some(text)).unwrap_or_else(|| self.bare())
    }

    /// The first value below this one with this text; this place where there is none.
    pub(crate) fn find(self, text: &str) -> Self {
        self.seek(text).unwrap_or_else(|| self.bare())
    }

    /// The first value below this one with this text, if there is one.
    pub(crate) fn seek(self, text: &str) -> Option<Self> {
        let mut open = vec![self];
        while let Some(place) = open.pop() {
            if place.text() == Some(text) {
                return Some(place);
            }
            open.extend(place.below().into_iter().rev());
        }
        None
    }
}

impl Field {
    fn place<'a>(&self) -> Place<'a> {
        Place { node: None, line: self.line, column: self.column }
    }
}

fn position<T>(node: &Spanned<T>) -> (usize, usize) {
    let at = |n: u64| usize::try_from(n).unwrap_or(1).max(1);
    (at(node.referenced.line()), at(node.referenced.column()))
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(String::new()))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(String::new()))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element()? {
            list.push(entry);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, value)) = entries.next_entry::<Spanned<String>, _>()? {
            let (line, column) = position(&key);
            map.insert(key.value, Field { line, column, value });
        }
        Ok(Node::Map(map))
    }
}

/// Where a character of an expression stands: line and column from 1. The text of a file folds,
/// indents and escapes it, so both are followed side by side from where the value stands.
pub(super) fn within(text: &str, place: Place<'_>, source: &str, offset: usize) -> (usize, usize) {
    let begin = text.split_inclusive('\n').take(place.line - 1).map(str::len).sum::<usize>();
    let column = text.get(begin..).unwrap_or_default().chars().take(place.column - 1);
    let begin = begin + column.map(char::len_utf8).sum::<usize>();
    let word: String = source.trim_start().chars().take_while(|c| !c.is_whitespace()).collect();
    let rest = text.get(begin..).unwrap_or_default();
    let Some(start) = rest.find(&word) else {
        return (place.line, place.column);
    };
    let mut at = begin + start;
    let mut wanted = source.trim_start().chars().peekable();
    let mut left = offset.saturating_sub(source.chars().take_while(|c| c.is_whitespace()).count());
    while left > 0 {
        let Some(next) = wanted.next() else { break };
        left -= 1;
        if next.is_whitespace() {
            while wanted.peek().is_some_and(|c| c.is_whitespace()) && left > 0 {
                wanted.next();
                left -= 1;
            }
            at += blank(text.get(at..).unwrap_or_default());
            continue;
        }
        match step(text.get(at..).unwrap_or_default(), next) {
            Some(bytes) => at += bytes,
            None => break,
        }
    }
    line_and_column(text, at)
}

/// How many bytes of blanks a text begins with.
fn blank(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// How many bytes of a text stand for a character: an escape has one more.
fn step(text: &str, wanted: char) -> Option<usize> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if first == wanted && !(first == '\'' && text.starts_with("''")) {
        return Some(first.len_utf8());
    }
    let is_escape = matches!(first, '\\' | '\'') && chars.next() == Some(wanted);
    is_escape.then(|| first.len_utf8() + wanted.len_utf8())
}

pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or_default();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}
