//! The attributes of documents: facts in a notation of our own, one file for each API and one for
//! shared shapes. Checks and the OpenAPI description read them here.
//!
//! A name alone on a line begins a shape; its attributes follow, indented, each with its types.
//! `*` marks a mandatory attribute, `[]` an array, `|` separates alternatives, and quotes keep
//! blanks. `Name = one | other` lists the values of a text. Both versions of an API are merged;
//! attributes whose names begin with `@` are left out.
//!
//! Version 5 has shapes of its own besides. There `Name < One | Other` lists the shapes that may
//! replace one, told apart by `@type`; `Name@637` is an API-specific override; a `plain` shape has
//! no `@type`.

mod parse;
mod type_set;

use std::collections::BTreeMap;
use std::sync::OnceLock;

pub use parse::{ParseError, Problem};
pub use type_set::TypeSet;

#[derive(Debug, Default)]
pub struct Shapes {
    pub objects: BTreeMap<&'static str, Shape>,
    /// The values that a text may have, by name.
    pub choices: BTreeMap<&'static str, Vec<&'static str>>,
    /// Shapes that one API defines differently from the others, by its number and their name.
    pub own: BTreeMap<u16, BTreeMap<&'static str, Shape>>,
}

/// The attributes of an object.
#[derive(Debug, Default)]
pub struct Shape {
    pub attributes: Vec<Attribute>,
    /// The alternatives of a shape, told apart by `@type`; empty if it stands for itself.
    pub alternatives: Vec<&'static str>,
    /// Whether its objects have an `@type`.
    pub typed: Typed,
}

/// Whether the objects of a shape have an `@type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Typed {
    /// They do, in version 5.
    #[default]
    Always,
    /// They do not: they are too plain.
    Never,
}

/// An attribute of an object.
#[derive(Debug)]
pub struct Attribute {
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// Its alternative types.
    pub kinds: Vec<Kind>,
}

/// The type of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    One(Type),
    /// An array of values.
    Many(Type),
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Any,
    String,
    Integer,
    Number,
    Boolean,
    /// A date with a time.
    DateTime,
    Date,
    /// A URI.
    Uri,
    /// Bytes in Base64.
    Base64,
    /// An object with any attributes.
    Fields,
    /// A text out of a list, by the name of the list.
    Choice(&'static str),
    /// An object of a shape, by its name.
    Object(&'static str),
}

/// The files, each with its text.
const FILES: &[(&str, &str)] = &[
    ("shared", include_str!("shape/shared.txt")),
    ("tmf620", include_str!("shape/tmf620.txt")),
    ("tmf622", include_str!("shape/tmf622.txt")),
    ("tmf629", include_str!("shape/tmf629.txt")),
    ("tmf632", include_str!("shape/tmf632.txt")),
    ("tmf633", include_str!("shape/tmf633.txt")),
    ("tmf634", include_str!("shape/tmf634.txt")),
    ("tmf635", include_str!("shape/tmf635.txt")),
    ("tmf637", include_str!("shape/tmf637.txt")),
    ("tmf638", include_str!("shape/tmf638.txt")),
    ("tmf639", include_str!("shape/tmf639.txt")),
    ("tmf641", include_str!("shape/tmf641.txt")),
    ("tmf645", include_str!("shape/tmf645.txt")),
    ("tmf648", include_str!("shape/tmf648.txt")),
    ("tmf652", include_str!("shape/tmf652.txt")),
    ("tmf666", include_str!("shape/tmf666.txt")),
    ("tmf669", include_str!("shape/tmf669.txt")),
    ("tmf678", include_str!("shape/tmf678.txt")),
    ("tmf679", include_str!("shape/tmf679.txt")),
    ("tmf687", include_str!("shape/tmf687.txt")),
    ("tmf688", include_str!("shape/tmf688.txt")),
    ("tmf701", include_str!("shape/tmf701.txt")),
];

/// The files of version 5.
const FILES_V5: &[&str] = &[
    include_str!("shape/v5/shared.txt"),
    include_str!("shape/v5/tmf620.txt"),
    include_str!("shape/v5/tmf622.txt"),
    include_str!("shape/v5/tmf629.txt"),
    include_str!("shape/v5/tmf632.txt"),
    include_str!("shape/v5/tmf634.txt"),
    include_str!("shape/v5/tmf637.txt"),
    include_str!("shape/v5/tmf638.txt"),
    include_str!("shape/v5/tmf639.txt"),
    include_str!("shape/v5/tmf641.txt"),
    include_str!("shape/v5/tmf648.txt"),
    include_str!("shape/v5/tmf666.txt"),
    include_str!("shape/v5/tmf678.txt"),
    include_str!("shape/v5/tmf679.txt"),
];

/// Every shape of version 5, read once.
pub fn shapes_v5() -> &'static Shapes {
    static SHAPES: OnceLock<Shapes> = OnceLock::new();
    SHAPES.get_or_init(|| {
        Shapes::parse(FILES_V5).expect("the shapes are ours, and a test reads them")
    })
}

/// Every shape, read once.
pub fn shapes() -> &'static Shapes {
    static SHAPES: OnceLock<Shapes> = OnceLock::new();
    SHAPES.get_or_init(|| {
        let texts: Vec<&str> = FILES.iter().map(|(_, text)| *text).collect();
        Shapes::parse(&texts).expect("the shapes are ours, and a test reads them")
    })
}

impl Shapes {
    /// The shape of this name.
    pub fn object(&self, name: &str) -> Option<&Shape> {
        self.objects.get(name)
    }

    /// The values that a text may have, by the name of the list.
    pub fn choice(&self, name: &str) -> &[&'static str] {
        self.choices.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The attribute at a dotted path, through arrays, from an object of a shape; `None` if there is
    /// none.
    pub fn at(&self, shape: &str, path: &str) -> Option<&Attribute> {
        let (name, rest) =
            path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let attribute = self.object(shape)?.attribute(name)?;
        let Some(rest) = rest else { return Some(attribute) };
        let mut shapes = attribute.kinds.iter().filter_map(|kind| kind.item().object());
        shapes.find_map(|shape| self.at(shape, rest))
    }
}

impl Shape {
    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

impl Type {
    /// The shape of an object; `None` of any other value.
    pub fn object(self) -> Option<&'static str> {
        match self {
            Self::Object(shape) => Some(shape),
            Self::Any
            | Self::Fields
            | Self::String
            | Self::Integer
            | Self::Number
            | Self::Boolean
            | Self::DateTime
            | Self::Date
            | Self::Uri
            | Self::Base64
            | Self::Choice(_) => None,
        }
    }
}

impl Kind {
    /// The type of the value, or of each of the values.
    pub fn item(self) -> Type {
        match self {
            Self::One(item) | Self::Many(item) => item,
        }
    }
}

#[cfg(test)]
mod tests;
