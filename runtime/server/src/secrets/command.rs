//! A secret that a command prints, such as that of a password manager.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::{SecretError, capped};

/// Timeout of a command.
const WAIT_S: u64 = 10;

/// Runs a command, without a shell, and returns what it prints. Its standard error is not kept: it may
/// have the secret.
pub(super) async fn run(words: &[String]) -> Result<Vec<u8>, SecretError> {
    let (program, arguments) =
        words.split_first().map_or(("", &[][..]), |(first, rest)| (first, rest));
    let failed = |source| SecretError::Command { program: program.into(), source };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let ended = async {
        let printed = match child.stdout.take() {
            Some(stdout) => capped(stdout).await?,
            None => Vec::new(),
        };
        Ok((child.wait().await?, printed))
    };
    let ended = tokio::time::timeout(Duration::from_secs(WAIT_S), ended).await;
    let late = |_| SecretError::Late { program: program.into(), seconds: WAIT_S };
    let (status, printed) = ended.map_err(late)?.map_err(failed)?;
    match status.success() {
        true => Ok(printed),
        false => Err(SecretError::Status { program: program.into(), status }),
    }
}
