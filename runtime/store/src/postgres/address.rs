//! Where a database is: the URL of the settings, checked.

use std::net::IpAddr;
use std::str::FromStr as _;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// The longest that a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// After this time without an answer of its system a server is taken for gone.
const SILENCE_MAX: Duration = Duration::from_secs(10);

/// Idle connections are probed this often.
const PROBE_PAUSE: Duration = Duration::from_secs(5);

/// The schema where none is set.
pub const SCHEMA: &str = "ferrule";

/// Options of a URL that Ferrule sets itself.
const OURS: [&str; 6] = [
    "connect_timeout=",
    "tcp_user_timeout=",
    "keepalives_idle=",
    "application_name=",
    "options=",
    "sslmode=prefer",
];

/// PostgreSQL cuts longer names.
const NAME_BYTES_MAX: usize = 63;

/// A database and a schema in it.
#[derive(Clone)]
pub struct Address {
    pub(super) config: Config,
    pub(super) schema: String,
}

/// Why an address cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error("it begins with neither `postgres://` nor `postgresql://`")]
    Scheme,
    #[error("it cannot be read as `postgres://<user>@<host>:<port>/<database>?<options>`")]
    Form(#[source] tokio_postgres::Error),
    #[error("`{0}` cannot be set in it: Ferrule sets that itself")]
    Option(&'static str),
    #[error("`target_session_attrs=read-only` leads to a standby, which cannot be written to")]
    ReadOnly,
    #[error("it has a password: name the secret that has it as `[postgres] password`")]
    Password,
    #[error("it names no {0}")]
    Lacks(&'static str),
    #[error("`sslmode=disable` goes to this machine only: `{0}` is another")]
    Plain(String),
    #[error(
        "the schema `{0}` is no name: small letters, digits and `_`, no digit first, at most 63"
    )]
    Schema(String),
}

impl Address {
    /// Reads a URL, as libpq has it. Whatever is beyond this machine is reached by TLS only, with its
    /// certificate and its name checked.
    pub fn parse(url: &str, schema: &str) -> Result<Self, AddressError> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(AddressError::Scheme);
        }
        let mut config = Config::from_str(url).map_err(AddressError::Form)?;
        if let Some(option) = OURS.iter().find(|option| has(url, option)) {
            return Err(AddressError::Option(option));
        }
        if config.get_target_session_attrs() == TargetSessionAttrs::ReadOnly {
            return Err(AddressError::ReadOnly);
        }
        if config.get_password().is_some() {
            return Err(AddressError::Password);
        }
        for (name, is_there) in [
            ("user", config.get_user().is_some()),
            ("host", !config.get_hosts().is_empty() || !config.get_hostaddrs().is_empty()),
            ("database", config.get_dbname().is_some()),
        ] {
            if !is_there {
                return Err(AddressError::Lacks(name));
            }
        }
        if !is_name(schema) {
            return Err(AddressError::Schema(schema.into()));
        }
        match (foreign(&config), config.get_ssl_mode()) {
            (Some(host), SslMode::Disable) => return Err(AddressError::Plain(host)),
            (Some(_), _) => config.ssl_mode(SslMode::Require),
            (None, SslMode::Require) => &mut config,
            (None, _) => config.ssl_mode(SslMode::Disable),
        };
        // Of several hosts only the primary will do: a standby would show what is old.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.connect_timeout(CONNECT_TIMEOUT);
        config.tcp_user_timeout(SILENCE_MAX);
        config.keepalives_idle(PROBE_PAUSE);
        config.application_name("ferrule");
        Ok(Self { config, schema: schema.into() })
    }

    /// With the password of its user.
    pub fn with_password(mut self, password: impl AsRef<[u8]>) -> Self {
        self.config.password(password);
        self
    }

    /// Whether its connections are by TLS.
    pub fn has_tls(&self) -> bool {
        self.config.get_ssl_mode() == SslMode::Require
    }
}

/// Shows its hosts, its database and its schema.
impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hosts: Vec<String> = hosts(&self.config).collect();
        let database = self.config.get_dbname().unwrap_or_default();
        write!(formatter, "the schema `{}` of `{database}` at {}", self.schema, hosts.join(", "))
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Address").field(&self.to_string()).finish()
    }
}

/// Whether a URL has an option.
fn has(url: &str, option: &str) -> bool {
    let options = url.split_once('?').map_or("", |(_, options)| options);
    options.split('&').any(|one| one.starts_with(option))
}

fn is_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    let rest = |byte: u8| is_letter(byte) || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    bytes.len() <= NAME_BYTES_MAX
        && bytes.first().is_some_and(|first| is_letter(*first))
        && bytes.iter().all(|byte| rest(*byte))
}

fn hosts(config: &Config) -> impl Iterator<Item = String> {
    let named = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.to_owned(),
        Host::Unix(path) => path.display().to_string(),
    });
    named.chain(config.get_hostaddrs().iter().map(IpAddr::to_string))
}

/// A host that is another machine, if there is one.
fn foreign(config: &Config) -> Option<String> {
    let is_own = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || IpAddr::from_str(name).is_ok_and(|address| address.is_loopback())
        }
    };
    // Where addresses are given, the names are only those of certificates.
    let addresses = config.get_hostaddrs();
    if !addresses.is_empty() {
        return addresses.iter().find(|address| !address.is_loopback()).map(IpAddr::to_string);
    }
    hosts(config).zip(config.get_hosts()).find(|(_, host)| !is_own(host)).map(|(shown, _)| shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_cannot_be_used_are_refused_by_what_is_wrong() {
        let table = [
            ("postgres://f@localhost/f", "ferrule", None),
            ("postgresql://f@localhost:5433/f?sslmode=require", "ferrule", None),
            ("postgres://f@%2Frun%2Fpostgresql/f", "a_1", None),
            ("postgres://f@a,b:5433/f?target_session_attrs=read-write", "ferrule", None),
            ("postgres://f@127.0.0.1/f?sslmode=disable", "ferrule", None),
            ("mysql://f@localhost/f", "ferrule", Some("begins with neither")),
            ("postgres://f@localhost/f?colour=red", "ferrule", Some("cannot be read")),
            ("postgres://f@localhost:port/f", "ferrule", Some("cannot be read")),
            (
                "postgres://f@localhost/f?connect_timeout=3",
                "ferrule",
                Some("`connect_timeout=` cannot be set"),
            ),
            (
                "postgres://f@localhost/f?sslmode=prefer",
                "ferrule",
                Some("`sslmode=prefer` cannot be set"),
            ),
            (
                "postgres://f@localhost/f?target_session_attrs=read-only",
                "ferrule",
                Some("leads to a standby"),
            ),
            ("postgres://f:secret@localhost/f", "ferrule", Some("it has a password")),
            ("postgres://localhost/f", "ferrule", Some("names no user")),
            ("postgres://f@localhost", "ferrule", Some("names no database")),
            ("postgres://f@/f", "ferrule", Some("names no host")),
            ("postgres://f@db/f?sslmode=disable", "ferrule", Some("`db` is another")),
            ("postgres://f@localhost,10.0.0.1/f?sslmode=disable", "ferrule", Some("`10.0.0.1`")),
            (
                "postgres://f@localhost/f?hostaddr=10.0.0.1&sslmode=disable",
                "ferrule",
                Some("`10.0.0.1` is another"),
            ),
            ("postgres://f@localhost/f", "Ferrule", Some("the schema `Ferrule` is no name")),
            ("postgres://f@localhost/f", "1a", Some("is no name")),
            ("postgres://f@localhost/f", "a\"; drop", Some("is no name")),
            ("postgres://f@localhost/f", "", Some("is no name")),
        ];
        for (url, schema, wrong) in table {
            match (Address::parse(url, schema), wrong) {
                (Ok(_), None) => {}
                (Err(error), Some(part)) => {
                    assert!(error.to_string().contains(part), "{url}: {error}");
                }
                (other, _) => panic!("{url} {schema}: {other:?}"),
            }
        }
    }

    #[test]
    fn everything_beyond_this_machine_is_reached_by_tls() {
        for (url, has_tls) in [
            ("postgres://f@localhost/f", false),
            ("postgres://f@[::1]/f", false),
            ("postgres://f@%2Frun%2Fpostgresql/f", false),
            ("postgres://f@localhost/f?sslmode=require", true),
            ("postgres://f@db.example.com/f", true),
            ("postgres://f@localhost,db.example.com/f", true),
        ] {
            assert_eq!(Address::parse(url, SCHEMA).unwrap().has_tls(), has_tls, "{url}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        let address = Address::parse("postgres://f@localhost/f", SCHEMA).unwrap();
        let address = address.with_password("hunter2");
        assert!(!format!("{address} {address:?}").contains("hunter2"));
    }
}
