//! Who asks a registry: by variables of the environment, or as `docker login` left it. No secret is
//! shown.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

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
}

impl Login {
    /// The login for a registry; `None` if it is asked without one.
    pub(super) fn find(registry: &str) -> Result<Option<Self>, Usage> {
        match (std::env::var(USER), std::env::var(PASSWORD)) {
            (Ok(user), Ok(password)) => return Ok(Some(Self { user, password })),
            (Ok(_), Err(_)) => return Err(Usage(format!("{USER} is set, and {PASSWORD} is not"))),
            (Err(_), _) => {}
        }
        let Some(path) = config_file().filter(|path| path.exists()) else { return Ok(None) };
        let unusable = |what: &str| Usage(format!("`{}` {what}", path.display()));
        let text = std::fs::metadata(&path).and_then(|about| match about.len() <= FILE_BYTES_MAX {
            true => std::fs::read_to_string(&path),
            false => Err(std::io::Error::other("it is too large")),
        });
        let text = text.map_err(|error| unusable(&format!("cannot be read: {error}")))?;
        // The error of the parser may show what is in the file.
        let docker: Docker = serde_json::from_str(&text)
            .map_err(|_| unusable("is not as `docker login` writes it"))?;
        docker.login(registry).map_err(|what| unusable(&what))
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
            if let (Some(user), Some(password)) = (&kept.username, &kept.password) {
                let (user, password) = (user.to_owned(), password.to_owned());
                return Ok(Some(Login { user, password }));
            }
            let auth = kept.auth.as_deref().unwrap_or_default();
            let decoded = BASE64_STANDARD.decode(auth).ok();
            let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
            if let Some((user, password)) = decoded.as_deref().and_then(|text| text.split_once(':'))
            {
                return Ok(Some(Login { user: user.into(), password: password.into() }));
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

fn config_file() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".docker")));
    folder.map(|folder| folder.join("config.json"))
}
