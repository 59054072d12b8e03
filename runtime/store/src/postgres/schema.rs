//! The tables of a store: made where there are none, and looked at before anything is read or written.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_postgres::{Client, Transaction};

use super::Purpose;
use super::session::{Ask, Session};
use super::trouble::Trouble;
use crate::form::Form;
use crate::seal::{MasterKeys, Seal, SealError};

/// The version of the tables. Another one is made by a migration.
const VERSION: i32 = 1;

/// The version while a copy is made.
const COPY: i32 = 0;

/// The oldest server that is known to do.
const SERVER_MIN: i32 = 130_000;

/// Clocks of a node and the database may differ by this much.
const SKEW_MAX: Duration = Duration::from_secs(60);

/// Differences of clocks above this are told.
const SKEW_TOLD: Duration = Duration::from_secs(2);

/// The database's number of the lock under which tables are made.
const LOCK: i64 = 0x0066_6572_7275_6c65;

/// Why the schema cannot be used. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error(transparent)]
    Trouble(#[from] Trouble),
    #[error("it is a PostgreSQL of version {0}; 13 or a later one is needed")]
    Server(i32),
    #[error(
        "its tables are of version {found}, and this Ferrule knows {VERSION}: use the Ferrule that made them, or a later one"
    )]
    Version { found: i32 },
    #[error("there is no store in it")]
    Missing,
    #[error("a copy into it was not finished: run `ferrule store copy` again, or drop the schema")]
    Unfinished,
    #[error("it has tables of something else, such as `{0}`: name another schema")]
    Foreign(String),
    #[error(
        "the server runs with `{0} = off`, by which it may lose what it has acknowledged: set it to `on`"
    )]
    Unsafe(&'static str),
    #[error("its clock and that of this node differ by {} s: set both by NTP", .0.as_secs())]
    Skew(Duration),
    #[error("it cannot be opened with the key that is set")]
    Seal(#[from] SealError),
}

impl From<tokio_postgres::Error> for SchemaError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Trouble(error.into())
    }
}

/// Ends the making of a copy, by who leads.
pub(super) struct Finish(pub(super) String);

impl Ask for Finish {
    type Answer = ();

    async fn of(&self, session: &mut Session) -> Result<(), Trouble> {
        let finish = "UPDATE store SET version = $1
            WHERE EXISTS (SELECT FROM lease WHERE holder = $2 AND until > clock_timestamp())";
        match session.client().execute(finish, &[&VERSION, &self.0]).await? {
            0 => Err(Trouble::NotLeading),
            _ => Ok(()),
        }
    }
}

/// A store as it was found.
pub(super) struct Found {
    /// The name that the store got when it was made.
    pub(super) name: String,
    pub(super) form: Form,
}

const TABLES: &str = "
    CREATE TABLE store (single bool PRIMARY KEY DEFAULT true CHECK (single), version int NOT NULL,
        name text NOT NULL, keys bytea);
    CREATE TABLE owner (single bool PRIMARY KEY DEFAULT true CHECK (single), epoch bigint NOT NULL,
        commits bigint NOT NULL) WITH (fillfactor = 10);
    CREATE TABLE lease (single bool PRIMARY KEY DEFAULT true CHECK (single), holder text NOT NULL,
        node text NOT NULL, until timestamptz NOT NULL) WITH (fillfactor = 10);
    CREATE TABLE fact (key bytea PRIMARY KEY, value bytea NOT NULL)
        WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.2);
    ALTER TABLE fact ALTER value SET STORAGE EXTERNAL;
    INSERT INTO owner (epoch, commits) VALUES (0, 0);
    INSERT INTO lease (holder, node, until) VALUES ('', '', '-infinity');";

/// Looks at the server and the schema, and makes the tables if there are none.
pub(super) async fn prepare(
    client: &mut Client,
    schema: &str,
    masters: Option<&MasterKeys>,
    (purpose, is_led): (Purpose, bool),
) -> Result<Found, SchemaError> {
    client.batch_execute("SET statement_timeout = '20s'").await?;
    check_server(client).await?;
    let change = client.transaction().await?;
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, $2))";
    change.execute(lock, &[&schema, &LOCK]).await?;
    let is_made = is_made(&change, schema).await?;
    match (is_made, purpose) {
        (false, Purpose::Look) => return Err(SchemaError::Missing),
        (false, Purpose::Use) => make(&change, schema, VERSION).await?,
        (false, Purpose::Copy) => make(&change, schema, COPY).await?,
        (true, _) => {}
    }
    change.batch_execute(&format!("SET LOCAL search_path = \"{schema}\"")).await?;
    let row = change.query_one("SELECT version, name, keys FROM store FOR UPDATE", &[]).await?;
    let found: i32 = row.get(0);
    match (found, purpose) {
        (VERSION, Purpose::Use | Purpose::Look) => {}
        (VERSION | COPY, Purpose::Copy) if !is_led => {}
        (VERSION, Purpose::Copy) => {
            // One with facts is refused as it is.
            let empty = "UPDATE store SET version = $1 WHERE NOT EXISTS (SELECT FROM fact)";
            change.execute(empty, &[&COPY]).await?;
        }
        // The rest of an earlier attempt.
        (COPY, Purpose::Copy) => change.batch_execute("TRUNCATE fact").await?,
        (COPY, Purpose::Use | Purpose::Look) => return Err(SchemaError::Unfinished),
        (found, _) => return Err(SchemaError::Version { found }),
    }
    let form = form(&change, row.get(2), masters).await?;
    change.commit().await?;
    Ok(Found { name: row.get(1), form })
}

async fn check_server(client: &Client) -> Result<(), SchemaError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let asked = "SELECT current_setting('server_version_num')::int, current_setting('fsync'),
        current_setting('full_page_writes'), extract(epoch FROM clock_timestamp())::float8";
    let row = client.query_one(asked, &[]).await?;
    let version: i32 = row.get(0);
    if version < SERVER_MIN {
        return Err(SchemaError::Server(version / 10_000));
    }
    for (at, name) in [(1, "fsync"), (2, "full_page_writes")] {
        if row.get::<_, &str>(at) != "on" {
            return Err(SchemaError::Unsafe(name));
        }
    }
    let theirs = Duration::try_from_secs_f64(row.get(3)).unwrap_or_default();
    let skew = theirs.abs_diff(now);
    if skew > SKEW_MAX {
        return Err(SchemaError::Skew(skew));
    }
    if skew > SKEW_TOLD {
        tracing::warn!(
            ?skew,
            "the clocks of the database and of this node differ: set both by NTP"
        );
    }
    Ok(())
}

/// Whether the tables are there; an error if others are.
async fn is_made(change: &Transaction<'_>, schema: &str) -> Result<bool, SchemaError> {
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = $1
        ORDER BY table_name";
    let rows = change.query(tables, &[&schema]).await?;
    let tables: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    if ["fact", "lease", "owner", "store"].iter().all(|table| tables.contains(table)) {
        return Ok(true);
    }
    match tables.first() {
        Some(table) => Err(SchemaError::Foreign((*table).to_owned())),
        None => Ok(false),
    }
}

async fn make(change: &Transaction<'_>, schema: &str, version: i32) -> Result<(), SchemaError> {
    let there = "SELECT 1 FROM pg_namespace WHERE nspname = $1";
    if change.query_opt(there, &[&schema]).await?.is_none() {
        change.batch_execute(&format!("CREATE SCHEMA \"{schema}\"")).await?;
    }
    change.batch_execute(&format!("SET LOCAL search_path = \"{schema}\"; {TABLES}")).await?;
    let name = uuid::Uuid::now_v7().simple().to_string();
    let insert = "INSERT INTO store (version, name) VALUES ($1, $2)";
    change.execute(insert, &[&version, &name]).await?;
    tracing::info!(schema, "the tables of the store are made");
    Ok(())
}

/// The form of the facts. Its wrapped keys are written before anything is sealed by them.
async fn form(
    change: &Transaction<'_>,
    keys: Option<Vec<u8>>,
    masters: Option<&MasterKeys>,
) -> Result<Form, SchemaError> {
    let Some(masters) = masters else {
        return if keys.is_some() { Err(SealError::NoKey.into()) } else { Ok(Form::default()) };
    };
    let is_empty = change.query_opt("SELECT 1 FROM fact LIMIT 1", &[]).await?.is_none();
    if keys.is_none() && !is_empty {
        return Err(SealError::Plain.into());
    }
    let (seal, keys) = Seal::open(keys.as_deref(), masters)?;
    change.execute("UPDATE store SET keys = $1", &[&keys]).await?;
    Ok(Form::sealed(seal))
}
