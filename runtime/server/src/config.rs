//! `ferrule.toml`: where to listen, where things lie, and what each plugin is granted.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use host::Grants;
use model::subscription::Keep;
use serde::Deserialize;

use crate::events::{Allowed, Guard, Settings};

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
    /// How subscribers are told of events.
    pub events: Events,
    /// What each plugin is granted, by its id.
    pub plugins: BTreeMap<String, Grants>,
}

/// How subscribers are told of events.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Events {
    /// Addresses, networks and hosts inside that may be called.
    pub allow: Vec<Allowed>,
    /// So often one event is sent before it is a dead letter.
    pub attempts: u32,
    /// After so long without an event taken a subscription is paused, in minutes.
    pub pause_after_minutes: u64,
    /// So long a subscriber may take to answer, in milliseconds.
    pub answer_wait_ms: u64,
    /// So many events are kept that nobody waits for any more.
    pub keep: u64,
    /// So long they are kept, in hours.
    pub keep_hours: u64,
    /// So many are kept at the most, whoever still waits.
    pub keep_max: u64,
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
            events: Events::default(),
            plugins: BTreeMap::new(),
        }
    }
}

impl Default for Events {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            attempts: 10,
            pause_after_minutes: 60,
            answer_wait_ms: 10_000,
            keep: 100_000,
            keep_hours: 7 * 24,
            keep_max: 1_000_000,
        }
    }
}

impl Events {
    /// What couriers go by, in a server that listens there and is reached under a URL.
    pub fn settings(&self, base: &str, own: SocketAddr) -> Settings {
        const HOUR_MS: u64 = 3_600_000;
        let mut settings = Settings::new(base, Guard::new(self.allow.clone(), own));
        settings.patience.attempts_max = self.attempts;
        settings.patience.silence_ms_max = self.pause_after_minutes.saturating_mul(60_000);
        settings.answer_wait = Duration::from_millis(self.answer_wait_ms);
        let age_ms = self.keep_hours.saturating_mul(HOUR_MS);
        settings.keep = Keep { count: self.keep, age_ms, count_max: self.keep_max };
        settings
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
