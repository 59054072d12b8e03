//! Kinds of values: the types that an adapter has, whatever language it is written in.

/// The kind of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Any JSON.
    Any,
    Text,
    Integer,
    Number,
    Boolean,
    /// One of these texts.
    Choice(Vec<String>),
    List(Box<Kind>),
    /// An object with any names.
    Map(Box<Kind>),
    Object(Shape),
}

/// An object with known properties.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shape {
    /// A name for the type.
    pub(super) name: String,
    /// The properties, by name in ascending order.
    pub(super) properties: Vec<Property>,
}

/// A property of an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) is_mandatory: bool,
    /// Its purpose, in one line.
    pub(super) about: Option<String>,
}

impl Kind {
    /// Whether it can be a part of an address.
    pub(super) fn is_scalar(&self) -> bool {
        match self {
            Self::Text | Self::Integer | Self::Number | Self::Boolean | Self::Choice(_) => true,
            Self::Any | Self::List(_) | Self::Map(_) | Self::Object(_) => false,
        }
    }

    /// The texts of a choice.
    pub(super) fn choices(&self) -> &[String] {
        match self {
            Self::Choice(choices) => choices,
            Self::Any
            | Self::Text
            | Self::Integer
            | Self::Number
            | Self::Boolean
            | Self::List(_)
            | Self::Map(_)
            | Self::Object(_) => &[],
        }
    }

    /// Whether it is a list of such.
    pub(super) fn is_scalars(&self) -> bool {
        matches!(self, Self::List(item) if item.is_scalar())
    }

    /// The kind of a parameter: a choice is a text there.
    pub(super) fn into_parameter(self) -> Self {
        match self {
            Self::Choice(_) => Self::Text,
            Self::List(item) => Self::List(Box::new(item.into_parameter())),
            Self::Any
            | Self::Text
            | Self::Integer
            | Self::Number
            | Self::Boolean
            | Self::Map(_)
            | Self::Object(_) => self,
        }
    }

    /// The number of properties in it and below.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Object(shape) => shape.properties.iter().map(|one| 1 + one.kind.size()).sum(),
            Self::List(kind) | Self::Map(kind) => kind.size(),
            Self::Any
            | Self::Text
            | Self::Integer
            | Self::Number
            | Self::Boolean
            | Self::Choice(_) => 0,
        }
    }

    /// The kind without structure below the first level.
    pub(super) fn flat(self) -> Self {
        if self.is_scalar() { self } else { Self::Any }
    }
}

/// Max characters of a purpose.
const ABOUT_CHARS_MAX: usize = 200;

/// A text as one line of a comment, or `None` if nothing is left of it.
pub(super) fn line(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_plain = |char: &char| {
        // Marks that change the direction of text have no place in code.
        !char.is_control()
            && !matches!(char, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let line: String = words.join(" ").chars().filter(is_plain).take(ABOUT_CHARS_MAX).collect();
    // A heading would become the title of a schema, and these end a comment of another language.
    let line = line.trim_start_matches(['#', '/', '*', '!', ' ']).replace("*/", "* /");
    let line = line.replace("\"\"\"", "\"").replace('\\', "/").trim().to_owned();
    (!line.is_empty()).then_some(line)
}
