//! Regular expressions in filters, within limits: a search takes as long as the expression is large and the text is
//! long, and clients choose both.

use std::cell::Cell;

use regex_lite::{Regex, RegexBuilder};

/// Sizes of compiled expressions, in KiB; a larger one is refused.
const SIZES_KIB: [usize; 4] = [1, 2, 4, 8];

/// Max work of all searches in one document: the bytes of its texts, times the size of the expression in KiB.
const WORK_MAX: usize = 128 << 10;

/// The work that each search is, however short the text.
const TEXT_BYTES: usize = 32;

/// An expression with its size.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    regex: Regex,
    kib: usize,
}

/// The work that is left for searches in a document.
#[derive(Debug)]
pub(super) struct Left(Cell<usize>);

impl Default for Left {
    fn default() -> Self {
        Self(Cell::new(WORK_MAX))
    }
}

impl Expression {
    /// Reads an expression; the reason if it is none, or too large.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut refused = String::new();
        for kib in SIZES_KIB {
            match RegexBuilder::new(text).size_limit(kib << 10).build() {
                Ok(regex) => return Ok(Self { regex, kib }),
                Err(error) => refused = error.to_string(),
            }
        }
        Err(refused)
    }

    /// Its text.
    pub(super) fn as_str(&self) -> &str {
        self.regex.as_str()
    }

    /// Whether it is found in a word of a definition.
    pub(super) fn is_found_in(&self, word: &str) -> bool {
        self.regex.is_match(word)
    }

    /// Whether it is found in a text of a document. One that is too long for what is left is not searched.
    pub(super) fn is_in(&self, text: &str, left: &Left) -> bool {
        let work = (text.len() + TEXT_BYTES).saturating_mul(self.kib);
        let Some(rest) = left.0.get().checked_sub(work) else { return false };
        left.0.set(rest);
        self.regex.is_match(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_of_searches_in_a_document_has_a_limit() {
        let small = Expression::read("[0-9]+x").unwrap();
        let large = Expression::read("[a-z]{100}c").unwrap();
        assert!((small.kib, large.kib) == (1, 8), "{} {}", small.kib, large.kib);
        assert!(Expression::read("[a-z]{500}c").is_err());
        let text = |bytes: usize| format!("{}1x", "a".repeat(bytes));
        let left = Left::default();
        assert!(small.is_in(&text(100 << 10), &left));
        assert!(!small.is_in(&text(100 << 10), &left), "the document is too long for two searches");
        assert!(small.is_in(&text(10), &left), "a short text is searched after a long one");
        assert!(!Expression::read("a").unwrap().is_in(&text(WORK_MAX), &Left::default()));
        let (left, long) = (Left::default(), format!("{}c", "a".repeat(100)));
        let found = (0..).take_while(|_| large.is_in(&long, &left)).count();
        assert!((50..200).contains(&found), "{found}");
    }
}
