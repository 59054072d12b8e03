//! `ferrule.toml`: where to listen, where things lie, and what each plugin is granted.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use host::Grants;
use serde::Deserialize;

/// The settings of a server. Everything has a default; flags of the command line win.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen; only loopback, as long as there is no authentication.
    pub listen: SocketAddr,
    /// Where elements and clients reach the server, where that is not `http://<listen>`.
    pub public_url: Option<String>,
    /// The store.
    pub data: PathBuf,
    /// The folder that plugins are dropped into.
    pub plugins_dir: PathBuf,
    /// The folder with a folder for each pack.
    pub workflows_dir: PathBuf,
    /// Whether every step is on disk before the next begins, even where nobody could tell.
    pub commit_each_step: bool,
    /// The largest body that is read, in bytes.
    pub body_bytes_max: usize,
    /// What each plugin is granted, by its id.
    pub plugins: BTreeMap<String, Grants>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            data: ".ferrule/data".into(),
            plugins_dir: ".ferrule/plugins".into(),
            workflows_dir: "workflows".into(),
            commit_each_step: false,
            body_bytes_max: 10 << 20,
            plugins: BTreeMap::new(),
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is wrong; the message has line and column.
    #[error("`{}` is wrong:\n{source}", .path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// It would listen where others can reach it.
    #[error(
        "`{0}` can be reached from other machines, and there is no authentication yet: listen on \
         a loopback address such as 127.0.0.1:8080, with a proxy in front that authenticates"
    )]
    Exposed(SocketAddr),
}

impl Config {
    /// Reads a file; the defaults where none is given.
    pub fn read(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.into(), source })?;
        toml::from_str(&text)
            .map_err(|source| ConfigError::Parse { path: path.into(), source: Box::new(source) })
    }

    /// Refuses to listen beyond loopback.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.listen.ip().is_loopback() { Ok(()) } else { Err(ConfigError::Exposed(self.listen)) }
    }
}
