//! JSON from clients: within the limit of nesting, without duplicate names, numbers as they were
//! written. serde has a limit of its own for nesting; ours comes first, for a clear error.

mod once;

use serde_json::Value;

/// Max nesting of objects and arrays.
const DEPTH_MAX: usize = 64;

/// Max characters of a number.
const NUMBER_CHARS_MAX: usize = 1_000;

/// Max characters of a number that an answer repeats.
const SHOWN_CHARS_MAX: usize = 40;

/// The name under which serde passes numbers; an object with it would be read as one.
const NUMBER_NAME: &str = "$serde_json::private::Number";

/// Max values in one document: each takes memory beside its text.
const VALUES_MAX: usize = 1_000_000;

/// Why a text is refused.
#[derive(Debug, thiserror::Error)]
pub enum NotJson {
    /// It nests too deep.
    #[error("objects and arrays may nest {DEPTH_MAX} deep")]
    TooDeep,
    /// A number is too long.
    #[error(
        "a number may have {NUMBER_CHARS_MAX} characters, `{0}...` has more: send it as a text"
    )]
    TooLong(String),
    /// An object has an attribute twice, and it is unclear which one is meant.
    #[error("`{0}` stands twice in one object")]
    Twice(String),
    /// An attribute has a name that cannot be told from a number.
    #[error("no attribute may be called `{NUMBER_NAME}`")]
    Reserved,
    /// It has too many values.
    #[error("a document may have {VALUES_MAX} values, members and entries")]
    TooMany,
    /// It is no JSON; the cause has line and column in its text.
    #[error("no JSON: {0}")]
    Malformed(serde_json::Error),
}

/// Reads a document; an error has its position.
pub fn parse(bytes: &[u8]) -> Result<Value, NotJson> {
    if depth(bytes) > DEPTH_MAX {
        return Err(NotJson::TooDeep);
    }
    if values(bytes) > VALUES_MAX {
        return Err(NotJson::TooMany);
    }
    if let Some(number) = too_long(bytes) {
        return Err(NotJson::TooLong(number));
    }
    if has_reserved_name(bytes) {
        return Err(NotJson::Reserved);
    }
    once::parse(bytes)
}

/// The beginning of the first number that is too long, before parsing.
fn too_long(bytes: &[u8]) -> Option<String> {
    let is_part = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
    let (mut in_text, mut escaped, mut length) = (false, false, 0);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ => {}
        }
        length = if !in_text && is_part(byte) { length + 1 } else { 0 };
        if length > NUMBER_CHARS_MAX {
            let begin = at + 1 - length;
            let shown = &bytes[begin..begin + SHOWN_CHARS_MAX];
            return Some(String::from_utf8_lossy(shown).into_owned());
        }
    }
    None
}

/// Whether a text of valid JSON is the reserved name, in any spelling.
fn has_reserved_name(bytes: &[u8]) -> bool {
    let (mut begin, mut escaped, mut has_escapes) = (None, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match (byte, begin) {
            _ if escaped => escaped = false,
            (b'\\', Some(_)) => (escaped, has_escapes) = (true, true),
            (b'"', Some(first)) => {
                let text = &bytes[first..=at];
                let is_it = match has_escapes {
                    true => serde_json::from_slice::<String>(text).is_ok_and(|t| t == NUMBER_NAME),
                    false => text[1..text.len() - 1] == *NUMBER_NAME.as_bytes(),
                };
                if is_it {
                    return true;
                }
                (begin, has_escapes) = (None, false);
            }
            (b'"', None) => begin = Some(at),
            _ => {}
        }
    }
    false
}

/// Max number of values in a text, before it is parsed: each follows a comma or begins an
/// object, an array or the text.
pub fn values(bytes: &[u8]) -> usize {
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

/// The depth of the deepest object or array. For invalid JSON it is at least the depth that a
/// parser reaches before it fails.
pub fn depth(bytes: &[u8]) -> usize {
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
