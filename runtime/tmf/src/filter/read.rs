//! Parses conditions of a query: `attribute operator value`, several by `;`, values by `,`.

use super::compare::{Operator, SIGNED, WORDS};
use super::written::{Parameter, SIGNS, Span};
use super::{Attributes, Condition, FilterError, VALUES_MAX};
use crate::nearest::nearest;

/// Operators of other systems: read as part of an attribute, they would match nothing.
const FOREIGN: [&str; 11] = [
    "like",
    "contains",
    "in",
    "nin",
    "startsWith",
    "endsWith",
    "between",
    "not",
    "exists",
    "neq",
    "ge",
];

/// A condition as it is written.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) path: Vec<String>,
    /// The attribute with its operator, if that is a word.
    pub(super) name: String,
    pub(super) operator: Operator,
    pub(super) values: Vec<Value>,
    /// Other readings of the values: with spaces or pluses, or with a separator that was
    /// percent-encoded and so may be part of a value.
    pub(super) readings: Vec<String>,
}

/// A value as it is written.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) text: String,
    /// The same where a plus is a plus.
    pub(super) plain: String,
}

/// The conditions of a parameter; one of them must hold.
pub(super) fn conditions(
    parameter: &Parameter,
    base: &str,
    attributes: &dyn Attributes,
) -> Result<Vec<Condition>, FilterError> {
    let written = Reader { parameter, attributes, written: Vec::new() }.read()?;
    if let Some(large) = written.iter().find(|written| written.values.len() > VALUES_MAX) {
        return Err(FilterError::TooMany { name: large.name.clone() });
    }
    written.into_iter().map(|written| Condition::of(written, base)).collect()
}

struct Reader<'a> {
    parameter: &'a Parameter,
    attributes: &'a dyn Attributes,
    written: Vec<Written>,
}

impl Reader<'_> {
    fn read(mut self) -> Result<Vec<Written>, FilterError> {
        let parameter = self.parameter;
        // The values of the current condition, and whether the separator before each
        // was percent-encoded.
        let mut items: Vec<(Span, bool)> = Vec::new();
        for (segment, is_encoded) in parameter.split(parameter.whole(), ';') {
            let is_quoted = parameter.is_quoted(parameter.trimmed(segment));
            let is_value =
                !self.written.is_empty() && (is_quoted || parameter.sign(segment).is_none());
            let (values, is_encoded) = match is_value {
                true => (segment, is_encoded),
                false => {
                    self.finish(&std::mem::take(&mut items))?;
                    (self.head(segment)?, false)
                }
            };
            if self.is_regex() {
                items.push((values, is_encoded));
                continue;
            }
            for (at, (value, is_part_encoded)) in
                parameter.split(values, ',').into_iter().enumerate()
            {
                items.push((value, if at == 0 { is_encoded } else { is_part_encoded }));
            }
        }
        self.finish(&items)?;
        Ok(self.written)
    }

    fn is_regex(&self) -> bool {
        self.written.last().is_some_and(|written| written.operator == Operator::Regex)
    }

    /// Reads the attribute and operator of a condition; returns the range of its values.
    fn head(&mut self, segment: Span) -> Result<Span, FilterError> {
        let parameter = self.parameter;
        let shown = || parameter.read(parameter.trimmed(segment));
        let Some(sign) = parameter.sign(segment) else {
            let name = shown();
            return Err(match name.is_empty() {
                true => FilterError::Empty { name: parameter.raw().into() },
                false => FilterError::NoOperator { name },
            });
        };
        let name = parameter.read(parameter.trimmed(Span { end: sign, ..segment }));
        let rest = parameter.read(Span { start: sign, ..segment });
        let Some((signs, signed)) = SIGNED.iter().find(|(signs, _)| rest.starts_with(signs)) else {
            return Err(unknown(&name, rest.chars().next().map(String::from).unwrap_or_default()));
        };
        let values = Span { start: sign + signs.len(), ..segment };
        let trimmed = parameter.trimmed(values);
        if let Some(next) = parameter.read(trimmed).chars().next()
            && !parameter.is_quoted(trimmed)
            && next != '*'
            && SIGNS.contains(next)
        {
            return Err(unknown(&name, format!("{signs}{next}")));
        }
        let (path, operator) = path(&name, signs, *signed, self.attributes)
            .map_err(|error| error.unwrap_or_else(|| FilterError::NoAttribute { name: shown() }))?;
        self.written.push(Written {
            path,
            name,
            operator,
            values: Vec::new(),
            readings: Vec::new(),
        });
        Ok(values)
    }

    /// Adds the values to the last condition.
    fn finish(&mut self, items: &[(Span, bool)]) -> Result<(), FilterError> {
        let parameter = self.parameter;
        let Some(written) = self.written.last_mut() else { return Ok(()) };
        let is_regex = written.operator == Operator::Regex;
        // A value that holds separators which are percent-encoded begins here.
        let mut begin = 0;
        for (at, (item, is_encoded)) in items.iter().enumerate() {
            begin = if *is_encoded { begin } else { at };
            let range = parameter.trimmed(*item);
            let ends = items.get(at + 1).is_none_or(|(_, is_encoded)| !is_encoded);
            let is_part = *is_encoded || !ends;
            if range.is_empty() && items.len() > 1 && !is_part {
                return Err(FilterError::Empty { name: written.name.clone() });
            }
            if parameter.is_quoted(range) {
                let value = quoted(parameter, &written.name, range, is_regex)?;
                written.readings.push(value.plain.clone());
                written.values.push(value);
                continue;
            }
            if !range.is_empty() || items.len() == 1 {
                let text = parameter.read(range);
                written.values.push(Value { text, plain: parameter.plain(range) });
            }
            let whole = Span { start: items[begin].0.start, ..*item };
            if ends && !is_regex {
                let trimmed = parameter.trimmed(whole);
                written.readings.extend([
                    parameter.read(whole),
                    parameter.plain(whole),
                    parameter.read(trimmed),
                    parameter.plain(trimmed),
                ]);
            }
        }
        Ok(())
    }
}

/// The attribute and the operator of a condition; a sign after an operator in words is
/// `=`. Fails if there is no attribute.
fn path(
    name: &str,
    signs: &str,
    signed: Operator,
    attributes: &dyn Attributes,
) -> Result<(Vec<String>, Operator), Option<FilterError>> {
    if name.is_empty() {
        return Err(None);
    }
    let whole: Vec<String> = name.split('.').map(|piece| piece.trim().to_string()).collect();
    let is_name = |piece: &String| {
        !piece.is_empty()
            && !piece.contains(|c: char| c.is_whitespace() || "()[]{}\"'`\\/?,".contains(c))
    };
    if !whole.iter().all(is_name) {
        return Err(Some(FilterError::NoAttribute { name: name.into() }));
    }
    let Some((last, rest)) = whole.split_last().filter(|(_, rest)| !rest.is_empty()) else {
        return Ok((whole, signed));
    };
    let Some((word, operator)) = WORDS.iter().find(|(word, _)| word == last) else {
        let is_attribute = || attributes.find(&whole).is_ok_and(|holds| !holds.is_anything());
        return match FOREIGN.contains(&last.as_str()) && !is_attribute() {
            true => Err(Some(unknown(name, format!(".{last}")))),
            false => Ok((whole, signed)),
        };
    };
    // An object cannot be compared: the word is one of its attributes.
    let is_object = attributes.find(rest).is_ok_and(|holds| holds.is_object());
    if is_object && attributes.find(&whole).is_ok() {
        return Ok((whole, signed));
    }
    match signs {
        "=" | "==" => Ok((rest.to_vec(), *operator)),
        signs => Err(Some(unknown(name, format!(".{word}{signs}")))),
    }
}

fn unknown(name: &str, operator: impl Into<String>) -> FilterError {
    let operator = operator.into();
    let word = operator.strip_prefix('.').unwrap_or_default();
    let meant = nearest(word, WORDS.iter().map(|(known, _)| *known));
    FilterError::Operator {
        name: name.into(),
        meant: meant.map(|word| format!(".{word}")),
        operator,
    }
}

/// A value in quotes; a plus within them is a space, or a plus.
fn quoted(
    parameter: &Parameter,
    name: &str,
    range: Span,
    is_regex: bool,
) -> Result<Value, FilterError> {
    let text = unquoted(&parameter.read(range), is_regex, name)?;
    let plain = unquoted(&parameter.plain(range), is_regex, name)?;
    Ok(Value { text, plain })
}

/// Removes quotes; within them a backslash escapes a quote and a backslash. Backslashes
/// of a regular expression are its own.
fn unquoted(text: &str, is_regex: bool, name: &str) -> Result<String, FilterError> {
    let (mut out, mut is_escaped) = (String::new(), false);
    let mut chars = text.chars().skip(1);
    while let Some(next) = chars.next() {
        match next {
            '\\' if !is_escaped => {
                is_escaped = true;
                continue;
            }
            '"' if !is_escaped => {
                let is_end = chars.next().is_none();
                return if is_end {
                    Ok(out)
                } else {
                    Err(FilterError::AfterQuote { name: name.into() })
                };
            }
            '"' => out.push('"'),
            '\\' if is_regex => out.push_str("\\\\"),
            '\\' => out.push('\\'),
            other if is_escaped => out.extend(['\\', other]),
            other => out.push(other),
        }
        is_escaped = false;
    }
    Err(FilterError::Unclosed { name: name.into() })
}
