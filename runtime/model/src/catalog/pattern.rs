//! The patterns that values of a characteristic must match (`regex` of TMF620, 633, 634).
//!
//! A value must match as a whole. Matching takes time in proportion to the lengths of pattern
//! and value. Both are bounded, so no pattern makes an order slow.

use std::fmt;

use regex_lite::{Regex, RegexBuilder};
use serde_json::Value;

/// Max bytes of a pattern.
const PATTERN_BYTES_MAX: usize = 1_000;

/// Max bytes of memory of a compiled pattern: `(a{1000}){1000}` is refused.
const COMPILED_BYTES_MAX: usize = 64 << 10;

/// A longer value matches no pattern, in bytes.
const VALUE_BYTES_MAX: usize = 10_000;

/// What values must match.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(format!("`regex` is longer than {PATTERN_BYTES_MAX} bytes"));
        }
        // By itself first: `a)(b` is no pattern, though it would be one within brackets.
        let build = |text: &str| RegexBuilder::new(text).size_limit(COMPILED_BYTES_MAX).build();
        let wrong = |error: regex_lite::Error| format!("`regex` `{text}` cannot be used: {error}");
        build(text).map_err(wrong)?;
        let regex = build(&format!("^(?:{text})$")).map_err(wrong)?;
        Ok(Self { text: text.into(), regex })
    }

    /// Whether a value matches as a whole; a number does by its shortest text.
    pub fn matches(&self, value: &Value) -> bool {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => &number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return false,
        };
        text.len() <= VALUE_BYTES_MAX && self.regex.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "what matches `{}`", self.text)
    }
}

#[cfg(test)]
mod tests;
