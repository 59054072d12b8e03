//! JSON from outside: no deeper than the limit. serde has a limit of its own for depth; ours comes
//! first, so that the answer is one of ours.

use serde_json::Value;

/// Objects and arrays may nest so deep.
const DEPTH_MAX: usize = 64;

/// The most digits of a number that an answer repeats.
const SHOWN_DIGITS_MAX: usize = 40;

/// Max values in one document: each takes memory beside its text.
const VALUES_MAX: usize = 1_000_000;

/// Why a text is not taken for a document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotJson {
    /// It nests too deep.
    #[error("objects and arrays may nest {DEPTH_MAX} deep")]
    TooDeep,
    /// A whole number is too long to be kept as it is.
    #[error("the whole number `{0}` has more digits than are kept: send it as a text")]
    TooLong(String),
    /// It has too many values.
    #[error("a document may have {VALUES_MAX} values, members and entries")]
    TooMany,
    /// It is no JSON; the cause has line and column in its text.
    #[error("no JSON: {0}")]
    Malformed(serde_json::Error),
}

/// Reads a document, with the place of what is wrong.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, NotJson> {
    if depth(bytes) > DEPTH_MAX {
        return Err(NotJson::TooDeep);
    }
    if values(bytes) > VALUES_MAX {
        return Err(NotJson::TooMany);
    }
    let value = serde_json::from_slice(bytes).map_err(NotJson::Malformed)?;
    match too_long(bytes) {
        Some(number) => Err(NotJson::TooLong(number)),
        None => Ok(value),
    }
}

/// The first whole number of valid JSON that would lose digits, as far as it is shown.
fn too_long(bytes: &[u8]) -> Option<String> {
    let (mut in_text, mut escaped) = (false, false);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'-' | b'0'..=b'9' if !in_text => {
                let is_part =
                    |byte: &&u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                let length = bytes[at..].iter().take_while(is_part).count();
                let number = String::from_utf8_lossy(&bytes[at..at + length]);
                let is_whole = !number.contains(['.', 'e', 'E']);
                if is_whole && number.parse::<u64>().is_err() && number.parse::<i64>().is_err() {
                    return Some(number.chars().take(SHOWN_DIGITS_MAX).collect());
                }
                at += length;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// How many values a text has at the most, before it is parsed: each follows a comma or begins an
/// object, an array or the text.
pub(crate) fn values(bytes: &[u8]) -> usize {
    let (mut values, mut in_text, mut escaped) = (1_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' | b',' if !in_text => values += 1,
            _ => {}
        }
    }
    values
}

/// How deep the deepest object or array lies. Of what is no JSON it says no less than a parser
/// would get to before it notices.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests;
