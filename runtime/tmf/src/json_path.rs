//! Filters and paths in JSONPath (RFC 9535), within limits: they are small before they are
//! parsed, and read a document from its beginning only, so that no filter costs more than a
//! few passes over a document. Regular expressions are not supported.

use serde_json::Value;

/// Max length of a path, in bytes.
pub const BYTES_MAX: usize = 1_024;

/// Max nesting of brackets and parentheses.
const NESTING_MAX: usize = 8;

/// Max nesting of filters; each level doubles the time to parse.
const FILTERS_NESTED_MAX: usize = 3;

/// Max filters in a path.
const FILTERS_MAX: usize = 16;

/// Max commas in a path.
const COMMAS_MAX: usize = 16;

/// Max combinations of selectors beside each other, one of each pair of brackets: a value may be selected as often.
const COMBINATIONS_MAX: usize = 17;

/// A valid path.
#[derive(Clone, Debug)]
pub struct JsonPath {
    path: serde_json_path::JsonPath,
    over: Over,
}

/// The root of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// A list of documents, as in `$[?(@.state=='held')]`.
    List,
    /// A document, as in `$.note[?(@.author=='x')]`.
    Document,
}

/// Errors of a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonPathError {
    /// The text is too long.
    #[error("a path has at most {BYTES_MAX} bytes")]
    TooLong,
    /// The text exceeds a limit.
    #[error("a path with {0} is not taken")]
    TooMuch(&'static str),
    /// The text is not a path.
    #[error("not a path: {message}, at {position}")]
    Syntax {
        /// The position in bytes, approximately.
        position: usize,
        /// A description of the error.
        message: String,
    },
}

impl JsonPath {
    /// Reads a path. `$` may be left out, and names may begin with `@`, as those of TM Forum do.
    pub fn parse(text: &str) -> Result<Self, JsonPathError> {
        if text.len() > BYTES_MAX {
            return Err(JsonPathError::TooLong);
        }
        let text = spelled_out(text.trim())?;
        let path = serde_json_path::JsonPath::parse(&text).map_err(|error| {
            JsonPathError::Syntax { position: error.position(), message: error.message().into() }
        })?;
        let over = if text.starts_with("$[?") || text.starts_with("$[*") {
            Over::List
        } else {
            Over::Document
        };
        Ok(Self { path, over })
    }

    /// Whether a path selects a document, or something in it.
    pub fn selects(&self, document: &Value) -> bool {
        match self.over {
            Over::Document => !self.path.query(document).is_empty(),
            Over::List => {
                let list = Value::Array(vec![document.clone()]);
                !self.path.query(&list).is_empty()
            }
        }
    }

    /// The selection within a document, as JSON pointers without duplicates.
    pub fn pointers(&self, document: &Value) -> Vec<String> {
        let nodes = self.path.query_located(document).dedup();
        nodes.locations().map(|location| location.to_json_pointer()).collect()
    }
}

/// The path in the spelling of RFC 9535, if it is within the limits.
fn spelled_out(text: &str) -> Result<String, JsonPathError> {
    let mut scan = Scan::default();
    let mut out = String::with_capacity(text.len() + 8);
    if !text.starts_with('$') {
        out.push('$');
        if !text.starts_with(['.', '[']) {
            out.push('.');
        }
    }
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        scan.take(next, out.chars().next_back())?;
        let name_ends = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '@');
        let name = &rest[..name_ends.unwrap_or(rest.len())];
        if next == '.' && scan.quote.is_none() && name.len() > 1 && name.starts_with('@') {
            out.push_str(&format!("['{name}']"));
            rest = &rest[name.len()..];
        } else {
            out.push(next);
        }
    }
    Ok(out)
}

/// Counts while a path is read.
#[derive(Default)]
struct Scan {
    quote: Option<char>,
    escaped: bool,
    /// The signs that are open, each with its place in `beside`.
    open: Vec<(char, usize)>,
    /// How many selectors stand beside each other, for each sign that was opened.
    beside: Vec<usize>,
    filters: usize,
    commas: usize,
    roots: usize,
    descents: usize,
}

impl Scan {
    fn take(&mut self, next: char, before: Option<char>) -> Result<(), JsonPathError> {
        if let Some(quote) = self.quote {
            let ends = next == quote && !self.escaped;
            self.escaped = next == '\\' && !self.escaped;
            self.quote = (!ends).then_some(quote);
            return Ok(());
        }
        match next {
            '\'' | '"' => self.quote = Some(next),
            '(' | '[' => self.open(next),
            ')' | ']' => self.close(next),
            '?' => {
                self.open(next);
                self.filters += 1;
            }
            ',' => self.comma(),
            '$' => self.roots += 1,
            '.' if before == Some('.') => self.descents += 1,
            _ => {}
        }
        self.check()
    }

    fn open(&mut self, sign: char) {
        self.open.push((sign, self.beside.len()));
        self.beside.push(1);
    }

    /// Another selector of the innermost bracket; in parentheses, another argument.
    fn comma(&mut self) {
        self.commas += 1;
        let within = self.open.iter().rev().find(|(sign, _)| *sign != '?');
        if let Some(('[', place)) = within
            && let Some(selectors) = self.beside.get_mut(*place)
        {
            *selectors += 1;
        }
    }

    /// Closes the last opened bracket; whether they match is not checked.
    fn close(&mut self, bracket: char) {
        let counterpart = if bracket == ')' { '(' } else { '[' };
        let opened = self.open.iter().rposition(|(sign, _)| *sign == counterpart);
        self.open.truncate(opened.unwrap_or(0));
    }

    fn check(&self) -> Result<(), JsonPathError> {
        let nested = self.open.iter().filter(|(sign, _)| *sign == '?').count();
        let combinations = self.beside.iter().fold(1, |all: usize, one| all.saturating_mul(*one));
        let much = [
            (self.open.len() - nested > NESTING_MAX, "more than 8 brackets within each other"),
            (nested > FILTERS_NESTED_MAX, "more than 3 filters within each other"),
            (self.filters > FILTERS_MAX, "more than 16 filters"),
            (self.commas > COMMAS_MAX, "more than 16 commas"),
            (combinations > COMBINATIONS_MAX, "more than 17 combinations of selectors"),
            (self.roots > 1, "`$` within a filter"),
            (self.descents > 1, "`..` twice"),
        ];
        match much.into_iter().find(|(is_too_much, _)| *is_too_much) {
            Some((_, what)) => Err(JsonPathError::TooMuch(what)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
