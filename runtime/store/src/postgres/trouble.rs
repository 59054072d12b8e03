//! What goes wrong with a database, sorted by whether it may pass.

use std::error::Error as _;

use tokio_postgres::error::SqlState;

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("it cannot be reached")]
    Away(#[source] tokio_postgres::Error),
    #[error("it did not answer in time")]
    Slow,
    /// The database refused something by itself.
    #[error("it answers {code}: {message}{}{hint}", if .hint.is_empty() { "" } else { "; " })]
    Refused {
        code: String,
        message: String,
        /// What to do; empty if nothing is known.
        hint: &'static str,
        may_pass: bool,
    },
    #[error("its connections need TLS, and no certificates to trust are there")]
    NoTls,
    #[error("a fact of it was not written by Ferrule: {0}")]
    Misread(String),
    #[error("its connections are closed")]
    Ended,
    #[error("another node has its lease")]
    NotLeading,
}

/// Codes by which a server tells of a state that may pass, and what to do.
const PASSING: [(&SqlState, &str); 14] = [
    (&SqlState::ADMIN_SHUTDOWN, ""),
    (&SqlState::CRASH_SHUTDOWN, ""),
    (&SqlState::CANNOT_CONNECT_NOW, ""),
    (&SqlState::QUERY_CANCELED, ""),
    (&SqlState::IDLE_SESSION_TIMEOUT, ""),
    (&SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT, ""),
    (&SqlState::T_R_SERIALIZATION_FAILURE, ""),
    (&SqlState::T_R_DEADLOCK_DETECTED, ""),
    (&SqlState::IO_ERROR, "look at the disk of the database"),
    (&SqlState::DISK_FULL, "make room on the disk of the database"),
    (&SqlState::OUT_OF_MEMORY, "give the database more memory"),
    (&SqlState::TOO_MANY_CONNECTIONS, "raise `max_connections`: a node has up to 10"),
    (
        &SqlState::READ_ONLY_SQL_TRANSACTION,
        "it is a standby, or was made read-only: name the primary, or all hosts with \
         `target_session_attrs=read-write`",
    ),
    (&SqlState::LOCK_NOT_AVAILABLE, ""),
];

const OWNED: &str = "the user must own the schema, or be allowed to make it";

/// Codes of what does not pass, and what to do.
const LASTING: [(&SqlState, &str); 6] = [
    (&SqlState::INVALID_PASSWORD, "look at `[postgres] password`"),
    (&SqlState::INVALID_AUTHORIZATION_SPECIFICATION, "look at the user, and at `pg_hba.conf`"),
    (&SqlState::INVALID_CATALOG_NAME, "make it with `createdb`"),
    (&SqlState::INSUFFICIENT_PRIVILEGE, OWNED),
    (&SqlState::INVALID_SCHEMA_NAME, OWNED),
    (&SqlState::UNDEFINED_TABLE, "the schema was changed by someone else"),
];

impl Trouble {
    /// Whether it is worth asking again.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Away(error) => !is_of_settings(error),
            Self::Slow => true,
            Self::Refused { may_pass, .. } => *may_pass,
            Self::NoTls | Self::Misread(_) | Self::Ended | Self::NotLeading => false,
        }
    }
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(refusal) = error.as_db_error() else { return Self::Away(error) };
        let (code, message) = (refusal.code(), refusal.message().to_owned());
        let found = |table: &[(&SqlState, &'static str)]| {
            table.iter().find(|(known, _)| *known == code).map(|(_, hint)| *hint)
        };
        let passing = found(&PASSING);
        let hint = passing.or_else(|| found(&LASTING)).unwrap_or_default();
        let may_pass = passing.is_some() || code.code().starts_with("08");
        Self::Refused { code: code.code().to_owned(), message, hint, may_pass }
    }
}

/// Whether a connection failed by what it was told, as a certificate that is not trusted.
fn is_of_settings(error: &tokio_postgres::Error) -> bool {
    let mut source = error.source();
    while let Some(inner) = source {
        if inner.is::<rustls::Error>() {
            return true;
        }
        if let Some(io) = inner.downcast_ref::<std::io::Error>()
            && io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
        {
            return true;
        }
        source = inner.source();
    }
    false
}
