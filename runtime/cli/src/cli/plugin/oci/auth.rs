//! Who asks a registry: by variables of the environment, or as `docker login` left it. No secret is
//! shown.

use std::collections::BTreeMap;
use std::env::VarError;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use super::file;
use crate::cli::Usage;

const USER: &str = "FERRULE_REGISTRY_USER";
const PASSWORD: &str = "FERRULE_REGISTRY_PASSWORD";

/// Max bytes of a `config.json`.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A name and its password.
pub(super) struct Login {
    user: String,
    password: String,
}

/// What docker keeps of logins.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Docker {
    auths: BTreeMap<String, Kept>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Kept {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl Login {
    /// The login for a registry; `None` if it is asked without one.
    pub(super) fn find(registry: &str) -> Result<Option<Self>, Usage> {
        if let Some(login) = Self::given(variable(USER)?, variable(PASSWORD)?).map_err(Usage)? {
            return Ok(Some(login));
        }
        let Some(path) = config_file().filter(|path| path.exists()) else { return Ok(None) };
        let unusable = |what: &str| Usage(format!("`{}` {what}", path.display()));
        let text = file::read(&path, FILE_BYTES_MAX);
        let text = text.map_err(|error| unusable(&format!("cannot be read: {error}")))?;
        // The error of the parser may show what is in the file.
        let docker: Docker = serde_json::from_slice(&text)
            .map_err(|_| unusable("is not as `docker login` writes it"))?;
        docker.login(registry).map_err(|what| unusable(&what))
    }

    /// The login of the environment.
    fn given(user: Option<String>, password: Option<String>) -> Result<Option<Self>, String> {
        match (user, password) {
            (Some(user), Some(password)) => Ok(Some(Self { user, password })),
            (Some(_), None) => Err(format!("{USER} is set, and {PASSWORD} is not")),
            (None, Some(_)) => Err(format!("{PASSWORD} is set, and {USER} is not")),
            (None, None) => Ok(None),
        }
    }

    pub(super) fn password(&self) -> &str {
        &self.password
    }

    /// The value of a header.
    pub(super) fn basic(&self) -> String {
        let Self { user, password } = self;
        format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
    }
}

impl Docker {
    fn login(&self, registry: &str) -> Result<Option<Login>, String> {
        let is_it = |name: &str| {
            let name = name.trim_start_matches("https://").trim_start_matches("http://");
            name == registry || name.split('/').next() == Some(registry)
        };
        if let Some((_, kept)) = self.auths.iter().find(|(name, _)| is_it(name)) {
            let tokens = [&kept.identitytoken, &kept.registrytoken].into_iter().flatten();
            if tokens.into_iter().any(|token| !token.is_empty()) {
                return Err(format!(
                    "has a token of the registry, which is not used here: give a login in {USER} and {PASSWORD}"
                ));
            }
            if let (Some(user), Some(password)) = (&kept.username, &kept.password) {
                let (user, password) = (user.to_owned(), password.to_owned());
                return Ok(Some(Login { user, password }));
            }
            if let Some(auth) = kept.auth.as_deref().filter(|auth| !auth.is_empty()) {
                return decoded(auth).map(Some).ok_or_else(|| {
                    "has an `auth` of the registry that is not `user:password` in base64: use `docker login` again"
                        .into()
                });
            }
        }
        let helper = self.cred_helpers.get(registry).or(self.creds_store.as_ref());
        match helper {
            None => Ok(None),
            Some(_) if !self.auths.keys().any(|name| is_it(name)) => Ok(None),
            Some(_) => Err(format!(
                "leaves the login to a helper of docker, which is not run: give it in {USER} and {PASSWORD}"
            )),
        }
    }
}

/// The login that an `auth` is.
fn decoded(auth: &str) -> Option<Login> {
    let text = String::from_utf8(BASE64_STANDARD.decode(auth).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some(Login { user: user.into(), password: password.into() })
}

fn variable(name: &str) -> Result<Option<String>, Usage> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Usage(format!("{name} is not UTF-8 text"))),
    }
}

fn config_file() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".docker")));
    folder.map(|folder| folder.join("config.json"))
}

#[cfg(test)]
mod tests;
