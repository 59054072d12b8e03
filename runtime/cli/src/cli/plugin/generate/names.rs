//! Names of a program, made of the names of an API.

use std::collections::BTreeSet;

/// Max characters of a name.
const NAME_CHARS_MAX: usize = 60;

/// Words that no name in Rust may be; those of Python and JavaScript stand in quotes.
const KEYWORDS: [&str; 54] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "union", "raw", "safe",
];

/// Names that are taken.
#[derive(Debug, Default)]
pub(super) struct Taken(BTreeSet<String>);

impl Taken {
    pub(super) fn of(names: &[&str]) -> Self {
        Self(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// This name, or the same with a number.
    pub(super) fn unique(&mut self, name: &str) -> String {
        self.numbered(name, "_")
    }

    /// The same for a type.
    pub(super) fn unique_type(&mut self, name: &str) -> String {
        self.numbered(name, "")
    }

    fn numbered(&mut self, name: &str, mark: &str) -> String {
        let numbered = (2..).map(|number| format!("{name}{mark}{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let free = names.find(|name| !self.0.contains(name)).expect("numbers do not end");
        self.0.insert(free.clone());
        free
    }
}

/// The words of a name: `serviceOrder-id` has three.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    let mut was_lower = false;
    for char in text.chars().take(NAME_CHARS_MAX) {
        if !char.is_ascii_alphanumeric() {
            (is_open, was_lower) = (false, false);
            continue;
        }
        let begins = !is_open || (char.is_ascii_uppercase() && was_lower);
        match words.last_mut() {
            Some(word) if !begins => word.push(char.to_ascii_lowercase()),
            Some(_) | None => words.push(char.to_ascii_lowercase().to_string()),
        }
        (is_open, was_lower) = (true, !char.is_ascii_uppercase());
    }
    words
}

/// A name such as `service_order`, for a field or a module; `other` if nothing is left of it.
pub(super) fn snake(text: &str, other: &str) -> String {
    let name = words(text).join("_");
    if name.is_empty() {
        return other.into();
    }
    if KEYWORDS.contains(&name.as_str()) || name.starts_with(|char: char| char.is_ascii_digit()) {
        return format!("{other}_{name}");
    }
    name
}

/// A name such as `ServiceOrder`, for a type.
pub(super) fn camel(text: &str, other: &str) -> String {
    let mut name = String::new();
    for word in words(text) {
        let mut chars = word.chars();
        name.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(chars.as_str());
    }
    if name.is_empty() || name.starts_with(|char: char| char.is_ascii_digit()) || name == "Self" {
        return format!("{other}{name}");
    }
    name
}
