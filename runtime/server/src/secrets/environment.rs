//! A secret in a variable of the process, or in a file of `NAME=value` lines, such as the `EnvironmentFile`
//! of systemd. The variables of a process never change, so only a file is renewed.

use std::path::Path;

use super::{SecretError, read_file};

pub(super) fn variable(name: &str) -> Result<Vec<u8>, SecretError> {
    let value = std::env::var_os(name).ok_or_else(|| SecretError::Unset(name.into()))?;
    Ok(std::os::unix::ffi::OsStringExt::into_vec(value))
}

pub(super) async fn of_file(name: &str, file: &Path) -> Result<Vec<u8>, SecretError> {
    let bytes = zeroize::Zeroizing::new(read_file(file).await?);
    let lines = bytes.split(|&byte| byte == b'\n');
    let found = lines.filter_map(|line| value(line, name)).next_back();
    let missing = || SecretError::NotInFile { name: name.into(), file: file.into() };
    found.map(<[u8]>::to_vec).ok_or_else(missing)
}

/// The value of a line, if it is that of the variable. Quotes around it are not part of it.
fn value<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"export ").unwrap_or(line).trim_ascii_start();
    let value = line.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
    let bare = |quote: &[u8]| value.strip_prefix(quote)?.strip_suffix(quote);
    Some(bare(b"\"").or_else(|| bare(b"'")).unwrap_or(value))
}
