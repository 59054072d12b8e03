//! `ferrule user`: local users, for `[access] users-file`.

use std::io::{IsTerminal as _, Read as _};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use server::access::users::{PASSWORD_BYTES_MAX, hashed};

use super::say;

/// The least characters of a password.
const PASSWORD_CHARS_MIN: usize = 12;

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Print the line with the hash of a password, which is read from the terminal or from the standard
    /// input.
    Hash,
}

/// Runs a command.
pub(super) fn run(command: &User) -> Result<()> {
    match command {
        User::Hash => {
            let password = read()?;
            if password.chars().count() < PASSWORD_CHARS_MIN {
                bail!("a password has at least {PASSWORD_CHARS_MIN} characters");
            }
            say(&format!("password = \"{}\"", hashed(&password)?))
        }
    }
}

/// A password, without its line end. A terminal does not show it.
fn read() -> Result<String> {
    let mut input = std::io::stdin().lock();
    if !input.is_terminal() {
        let mut text = String::new();
        let limit = u64::try_from(PASSWORD_BYTES_MAX)?.saturating_add(3);
        input.by_ref().take(limit).read_to_string(&mut text).context("the input is no text")?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        return checked(text.strip_suffix('\r').unwrap_or(text));
    }
    drop(input);
    let once = rpassword::prompt_password("Password: ").context("the terminal cannot be read")?;
    let again = rpassword::prompt_password("Again: ").context("the terminal cannot be read")?;
    if once != again {
        bail!("the two passwords differ");
    }
    checked(&once)
}

fn checked(password: &str) -> Result<String> {
    if password.len() > PASSWORD_BYTES_MAX {
        bail!("a password has at most {PASSWORD_BYTES_MAX} bytes");
    }
    if password.contains(char::is_control) {
        bail!("a password is one line without control characters");
    }
    Ok(password.to_owned())
}
