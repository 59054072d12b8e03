//! `store` and `[postgres]` of `ferrule.toml`: the database that the store is in, instead of a folder.

use std::path::PathBuf;

use ::host::Trust;
use engine::causes::chain;
use serde::Deserialize;
use store::postgres::{Address, AddressError, SCHEMA};

use crate::secrets::{Sources, Unread, value_of};

/// The database of the store.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Postgres {
    /// The schema with the tables of the store.
    pub schema: String,
    /// The secret with the password of the user.
    pub password: Option<String>,
    /// A PEM file with the CAs that its certificate is checked by, instead of those of the system.
    pub ca: Option<PathBuf>,
    /// The name of this node in messages, if it is not that of the machine.
    pub node: Option<String>,
}

impl Default for Postgres {
    fn default() -> Self {
        Self { schema: SCHEMA.into(), password: None, ca: None, node: None }
    }
}

/// Why the database cannot be used as it is set.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error(
        "`[postgres]` is set and `store` is not: set `store = \"postgres://<user>@<host>/<database>\"`"
    )]
    NoStore,
    #[error("`store` is no URL of a database")]
    Address(#[source] AddressError),
    #[error("`[postgres] schema` cannot be used")]
    Schema(#[source] AddressError),
    #[error(
        "`[postgres] password` names the secret `{0}`, which is not there: add `[secrets.{0}]` with its source"
    )]
    Unknown(String),
    #[error("the secret `{name}` of `[postgres] password` cannot be read")]
    Unread {
        name: String,
        #[source]
        source: Unread,
    },
    #[error(
        "`[postgres] ca` is for connections by TLS, and those of `store` go to this machine without: add `sslmode=require`"
    )]
    NoTls,
    #[error("{0}")]
    Trust(String),
    #[error(
        "`[postgres] node` is a name of 1 to {NODE_BYTES_MAX} bytes without control characters"
    )]
    Node,
}

/// Max bytes of the name of a node.
const NODE_BYTES_MAX: usize = 128;

/// A database that can be connected to.
pub struct Database {
    pub address: Address,
    pub tls: Option<rustls::ClientConfig>,
    pub node: String,
}

/// Checks the settings, without reading a secret. The address, if there is a database.
pub(crate) fn check(
    store: Option<&str>,
    postgres: Option<&Postgres>,
    secrets: &Sources,
) -> Result<Option<Address>, DatabaseError> {
    let Some(store) = store else {
        return if postgres.is_some() { Err(DatabaseError::NoStore) } else { Ok(None) };
    };
    let defaults = Postgres::default();
    let Postgres { schema, password, ca, node } = postgres.unwrap_or(&defaults);
    let address = Address::parse(store, schema).map_err(|error| match error {
        AddressError::Schema(_) => DatabaseError::Schema(error),
        AddressError::Scheme
        | AddressError::Form(_)
        | AddressError::Option(_)
        | AddressError::ReadOnly
        | AddressError::Password
        | AddressError::Lacks(_)
        | AddressError::Plain(_) => DatabaseError::Address(error),
    })?;
    if let Some(name) = password.as_ref().filter(|name| !secrets.contains_key(*name)) {
        return Err(DatabaseError::Unknown(name.into()));
    }
    if ca.is_some() && !address.has_tls() {
        return Err(DatabaseError::NoTls);
    }
    let is_name = |name: &String| {
        (1..=NODE_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
    };
    if node.as_ref().is_some_and(|node| !is_name(node)) {
        return Err(DatabaseError::Node);
    }
    Ok(Some(address))
}

/// Reads what is needed to connect; `None` if the store is in a folder.
pub(crate) async fn reached(
    store: Option<&str>,
    postgres: Option<&Postgres>,
    secrets: &Sources,
) -> Result<Option<Database>, DatabaseError> {
    let Some(mut address) = check(store, postgres, secrets)? else { return Ok(None) };
    let Postgres { password, ca, node, .. } = postgres.cloned().unwrap_or_default();
    if let Some(name) = password {
        let source = secrets.get(&name).ok_or_else(|| DatabaseError::Unknown(name.clone()))?;
        let value = value_of(source).await;
        let value = value.map_err(|source| DatabaseError::Unread { name, source })?;
        address = address.with_password(value.expose());
    }
    let tls = match address.has_tls() {
        true => {
            let trust = Trust::read(("[postgres]", "ca"), ca.as_deref());
            let trust = trust.map_err(|error| DatabaseError::Trust(chain(&error)))?;
            Some(trust.without_protocols())
        }
        false => None,
    };
    let machine = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    Ok(Some(Database { address, tls, node: node.unwrap_or_else(machine) }))
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::private::write_private;

    use engine::causes::chain;

    #[tokio::test]
    async fn a_database_that_cannot_be_used_as_it_is_set_is_refused_by_the_setting() {
        let folder = tempfile::tempdir().unwrap();
        let password = folder.path().join("password");
        write_private(&password, "correct horse\n");
        let secrets =
            format!("[secrets.db]\nfile = {password:?}\n[secrets.gone]\nfile = \"/nothing\"\n");
        let near = "store = \"postgres://f@localhost/f\"\n";
        let far = "store = \"postgres://f@db.example.com/f\"\n";
        let table = [
            (String::new(), None),
            (near.into(), None),
            (
                format!("{near}[postgres]\npassword = \"db\"\nschema = \"a_b\"\nnode = \"n 1\""),
                None,
            ),
            (format!("{far}[postgres]"), None),
            ("[postgres]".into(), Some("`[postgres]` is set and `store` is not")),
            ("store = \"/data\"".into(), Some("`store` is no URL of a database")),
            ("store = \"postgres://f:p@localhost/f\"".into(), Some("it has a password")),
            (
                format!("{near}[postgres]\nschema = \"A\""),
                Some("`[postgres] schema` cannot be used"),
            ),
            (
                format!("{near}[postgres]\npassword = \"no\""),
                Some("the secret `no`, which is not there"),
            ),
            (format!("{near}[postgres]\npassword = \"gone\""), Some("the secret `gone` of")),
            (format!("{near}[postgres]\nca = \"ca.pem\""), Some("add `sslmode=require`")),
            (format!("{far}[postgres]\nca = \"/nothing.pem\""), Some("/nothing.pem")),
            (format!("{near}[postgres]\nnode = \"\""), Some("`[postgres] node` is a name")),
            (format!("{near}[postgres]\nnode = \"a\\nb\""), Some("`[postgres] node` is a name")),
        ];
        for (text, wrong) in table {
            let config: Config = toml::from_str(&format!("{text}\n{secrets}")).unwrap();
            match (config.database().await, wrong) {
                (Ok(database), None) => {
                    assert_eq!(database.is_some(), !text.is_empty(), "{text}");
                    let shown = format!("{:?}", database.map(|database| database.address));
                    assert!(!shown.contains("correct horse"), "{shown}");
                }
                (Err(error), Some(part)) => {
                    let shown = chain(&error);
                    assert!(shown.contains(part), "{text}: {shown}");
                }
                (Ok(_), Some(part)) => panic!("{text} is not refused: {part}"),
                (Err(error), None) => panic!("{text}: {}", chain(&error)),
            }
        }
    }
}
