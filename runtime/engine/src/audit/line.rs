//! An entry as a line of text, as the API and the export write it: the entry as it was stored, with the hash
//! before and its own added at its end. So a line can be checked without a parser that keeps every byte.

use super::chain::{Hash, Stored};

/// The bytes of a hash in a line.
const HASH_BYTES: usize = 64;

/// A stored entry as a line, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(pub String);

/// A line that is not an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it does not end with `\"previous\":\"HASH\",\"hash\":\"HASH\"}}`")]
pub struct NotALine;

impl From<&Stored> for Line {
    fn from(stored: &Stored) -> Self {
        let text = String::from_utf8_lossy(&stored.bytes);
        let text = text.strip_suffix('}').unwrap_or(&text);
        let (previous, hash) = (stored.previous, stored.hash());
        Self(format!("{text},\"previous\":\"{previous}\",\"hash\":\"{hash}\"}}"))
    }
}

impl Line {
    /// Reads a line: the entry, and the hash that the line gives it.
    pub fn read(line: &str) -> Result<(Stored, Hash), NotALine> {
        let read = || {
            let rest = line.trim_end().strip_suffix("\"}")?;
            let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(HASH_BYTES)?)?;
            let rest = rest.strip_suffix("\",\"hash\":\"")?;
            let (rest, previous) = rest.split_at_checked(rest.len().checked_sub(HASH_BYTES)?)?;
            let entry = rest.strip_suffix(",\"previous\":\"")?;
            let bytes = format!("{entry}}}").into_bytes();
            Some((Stored { previous: Hash::parse(previous)?, bytes }, Hash::parse(hash)?))
        };
        read().ok_or(NotALine)
    }
}
