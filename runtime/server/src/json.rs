//! JSON from outside: no deeper than the limit. serde has a limit of its own for depth; ours comes
//! first, so that the answer is one of ours.

use serde_json::Value;

/// Objects and arrays may nest so deep.
const DEPTH_MAX: usize = 64;

/// Why a text is not taken for a document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotJson {
    /// It nests too deep.
    #[error("objects and arrays may nest {DEPTH_MAX} deep")]
    TooDeep,
    /// It is no JSON; the cause has line and column in its text.
    #[error("no JSON: {0}")]
    Malformed(serde_json::Error),
}

/// Reads a document, with the place of what is wrong.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, NotJson> {
    if depth(bytes) > DEPTH_MAX {
        return Err(NotJson::TooDeep);
    }
    serde_json::from_slice(bytes).map_err(NotJson::Malformed)
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
