//! Text from outside, as it may be shown.

use std::path::Path;

/// A path as it may be shown in logs and lists: nothing in it ends a line, moves a cursor or turns
/// the direction of writing.
pub fn shown(path: &Path) -> String {
    plain(&path.to_string_lossy())
}

pub(crate) fn plain(text: &str) -> String {
    let is_bad = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match is_bad(c) {
            true => plain.extend(c.escape_default()),
            false => plain.push(c),
        }
    }
    plain
}
