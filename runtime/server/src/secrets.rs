//! The secrets of the operator, `[secrets]` of `ferrule.toml`: where each is read from. The host keeps their
//! values and puts them into the requests of plugins.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use host::regular;
use host::secret::{BYTES_MAX, Secret, UnusableSecret};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use zeroize::Zeroizing;

use self::vault::{Vault, VaultError};

mod command;
mod environment;
pub(crate) mod renewal;
mod vault;

/// The default interval of reads, in seconds.
const RENEW_S: u32 = 60;

/// The max interval of reads, in seconds.
const RENEW_S_MAX: u32 = 86_400;

/// The secrets by name.
pub type Sources = BTreeMap<String, Source>;

/// Where a secret is read from, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Source {
    from: From,
    renew_s: u32,
    shortest: Shortest,
}

/// Whether a value may be too short to be masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shortest {
    Masked,
    Allowed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum From {
    File(PathBuf),
    /// A variable of the process, or of a file of `NAME=value` lines.
    Env {
        name: String,
        file: Option<PathBuf>,
    },
    Command(Vec<String>),
    Credential(String),
    Vault(Vault),
}

/// A source as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    file: Option<PathBuf>,
    env: Option<String>,
    env_file: Option<PathBuf>,
    command: Option<Vec<String>>,
    credential: Option<String>,
    vault: Option<Vault>,
    renew_s: Option<u32>,
    allow_short: Option<bool>,
}

impl TryFrom<Written> for Source {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { file, env, env_file, command, credential, vault, renew_s, allow_short } =
            written;
        let shortest = match allow_short {
            Some(true) => Shortest::Allowed,
            Some(false) | None => Shortest::Masked,
        };
        if env_file.is_some() && env.is_none() {
            return Err("`env-file` needs `env`, the name of the variable in it".into());
        }
        let given = [
            file.map(From::File),
            env.map(|name| From::Env { name, file: env_file }),
            command.map(From::Command),
            credential.map(From::Credential),
            vault.map(From::Vault),
        ];
        let mut given: Vec<_> = given.into_iter().flatten().collect();
        let (Some(from), true) = (given.pop(), given.is_empty()) else {
            let expected = "one of `file`, `env`, `command`, `credential` and `vault`";
            return Err(format!("a secret has {expected}"));
        };
        match &from {
            From::File(path) if path.as_os_str().is_empty() => {
                return Err("`file` is empty: write the path of a file".into());
            }
            From::Env { name, .. } if name.is_empty() || name.contains(['=', '\0']) => {
                return Err("`env` is the name of a variable".into());
            }
            From::Env { file: None, .. } if renew_s.is_some() => {
                return Err(
                    "`renew-s` is of no use for a variable of the process, which never changes"
                        .into(),
                );
            }
            From::Command(words) if words.first().is_none_or(String::is_empty) => {
                return Err("`command` is a program and its arguments".into());
            }
            From::Credential(name) if !is_file_name(name) => {
                return Err("`credential` is the name of a file, without a folder".into());
            }
            From::Vault(vault) => vault.check()?,
            From::File(_) | From::Env { .. } | From::Command(_) | From::Credential(_) => {}
        }
        let renew_s = renew_s.unwrap_or(RENEW_S);
        match (1..=RENEW_S_MAX).contains(&renew_s) {
            true => Ok(Self { from, renew_s, shortest }),
            false => Err(format!("`renew-s` is a number of seconds from 1 to {RENEW_S_MAX}")),
        }
    }
}

fn is_file_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('/') && !name.starts_with('.')
}

/// A value that was read.
struct Reading {
    value: Secret,
    /// How long it is good for, in seconds, if its source tells.
    lease_s: Option<u32>,
}

/// Why a secret cannot be read. No message has any of its value.
#[derive(Debug, thiserror::Error)]
enum SecretError {
    #[error("cannot read `{}`", .path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the variable `{0}` is not set")]
    Unset(String),
    #[error("there is no variable `{name}` in `{}`", .file.display())]
    NotInFile { name: String, file: PathBuf },
    #[error("systemd gave no credentials: `CREDENTIALS_DIRECTORY` is not set")]
    NoCredentials,
    #[error("cannot run `{program}`")]
    Command {
        program: String,
        #[source]
        source: std::io::Error,
    },
    #[error("`{program}` failed: {status}")]
    Status { program: String, status: std::process::ExitStatus },
    #[error("`{program}` did not end within {seconds} s")]
    Late { program: String, seconds: u64 },
    #[error("cannot be read from Vault")]
    Vault(#[source] VaultError),
    #[error(transparent)]
    Unusable(#[from] UnusableSecret),
}

impl Source {
    /// The file that it is read from, if the settings name one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.from {
            From::File(path) | From::Env { file: Some(path), .. } => Some(path),
            From::Env { file: None, .. }
            | From::Command(_)
            | From::Credential(_)
            | From::Vault(_) => None,
        }
    }

    /// Refuses what its settings name that is not there.
    pub(crate) fn check(&self) -> Result<(), String> {
        match &self.from {
            From::Vault(vault) => vault.check_ca(),
            From::File(_) | From::Env { .. } | From::Command(_) | From::Credential(_) => Ok(()),
        }
    }

    async fn read(&self) -> Result<Reading, SecretError> {
        let bytes = match &self.from {
            From::File(path) => read_file(path).await?,
            From::Env { name, file: None } => environment::variable(name)?,
            From::Env { name, file: Some(file) } => environment::of_file(name, file).await?,
            From::Command(words) => command::run(words).await?,
            From::Credential(name) => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY");
                let folder = folder.ok_or(SecretError::NoCredentials)?;
                read_file(&Path::new(&folder).join(name)).await?
            }
            From::Vault(vault) => {
                let (bytes, lease_s) = vault.read().await.map_err(SecretError::Vault)?;
                return Ok(Reading { value: self.secret(bytes)?, lease_s });
            }
        };
        Ok(Reading { value: self.secret(bytes)?, lease_s: None })
    }

    fn secret(&self, value: Vec<u8>) -> Result<Secret, UnusableSecret> {
        match self.shortest {
            Shortest::Masked => Secret::new(value),
            Shortest::Allowed => Secret::short(value),
        }
    }
}

async fn read_file(path: &Path) -> Result<Vec<u8>, SecretError> {
    let unreadable = |source| SecretError::File { path: path.into(), source };
    let opened = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || regular::open(&opened)).await;
    let opened = opened.unwrap_or_else(|error| Err(error.into())).map_err(unreadable)?;
    capped(tokio::fs::File::from_std(opened)).await.map_err(unreadable)
}

/// What there is to read, and no more than tells that it is too much.
async fn capped(from: impl AsyncRead + Unpin) -> std::io::Result<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::new());
    from.take(BYTES_MAX as u64 + 3).read_to_end(&mut bytes).await?;
    Ok(std::mem::take(&mut *bytes))
}

/// Why a secret that the server itself needs cannot be read. No message has any of its value.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Unread(SecretError);

/// The value of one secret, for the server itself.
pub(crate) async fn value_of(source: &Source) -> Result<Secret, Unread> {
    source.read().await.map(|reading| reading.value).map_err(Unread)
}

/// The values of all secrets that can be read now. Why another cannot is logged.
pub async fn values(sources: &Sources) -> BTreeMap<String, Secret> {
    renewal::Renewal::begin(sources).await.1
}

#[cfg(test)]
mod tests;
