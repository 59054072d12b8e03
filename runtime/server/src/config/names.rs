//! Names of tables in the settings.

/// Max characters of a name.
const CHARS_MAX: usize = 64;

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
