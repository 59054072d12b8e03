//! Names of tables and ids of plugins in the settings.

use host::manifest::is_id;

/// Max characters of a name.
const CHARS_MAX: usize = 64;

/// Why a text names no plugin.
pub(super) const NO_ID: &str = "the id of a plugin has 1 to 64 of `a` to `z`, `0` to `9`, `-`, `_` and `.`, with a letter first";

/// Refuses a name that cannot stand in a log, a claim or an argument as one word.
pub(super) fn check_name(table: &str, name: &str) -> Result<(), String> {
    let is_plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if (1..=CHARS_MAX).contains(&name.chars().count()) && name.chars().all(is_plain) {
        return Ok(());
    }
    Err(format!(
        "`[{table}.{name:?}]`: a name has 1 to {CHARS_MAX} letters, digits, `-`, `_` and `.`"
    ))
}

/// Refuses what cannot be the id of a plugin.
pub(crate) fn check_plugins<'a>(ids: impl IntoIterator<Item = &'a String>) -> Result<(), String> {
    match ids.into_iter().find(|id| !is_id(id)) {
        None => Ok(()),
        Some(id) => Err(format!("`plugins` lists {id:?}: {NO_ID}")),
    }
}
