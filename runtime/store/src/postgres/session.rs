//! One connection: its settings, its prepared statements, and what is asked over it.

use engine::store::{Direction, Epoch};
use tokio_postgres::{Client, IsolationLevel, Row, Statement};

use super::trouble::Trouble;

/// A key as it lies in the database, and the bytes of its value.
pub(super) type Kept = (Vec<u8>, Vec<u8>);

/// Greater than all keys of a store.
const LAST: [u8; engine::store::STORED_KEY_BYTES_MAX + 1] =
    [0xff; engine::store::STORED_KEY_BYTES_MAX + 1];

/// Something to ask a database. It is asked again after trouble, so to ask twice must do no harm.
pub(super) trait Ask: Send + Sync + 'static {
    type Answer: Send + 'static;

    fn of(
        &self,
        session: &mut Session,
    ) -> impl Future<Output = Result<Self::Answer, Trouble>> + Send;
}

/// A connection that is set up.
pub(super) struct Session {
    client: Client,
    get: Statement,
    forward: Statement,
    backward: Statement,
    commit: Statement,
    owner: Statement,
}

/// The values of keys.
pub(super) struct Get(pub(super) Vec<Vec<u8>>);

/// The facts of a range.
#[derive(Clone)]
pub(super) struct List {
    pub(super) first: Vec<u8>,
    /// The key behind the last; `None` if there is no end.
    pub(super) end: Option<Vec<u8>>,
    pub(super) direction: Direction,
    pub(super) limit: usize,
}

/// Facts with all that their values are put together of, as they lay at one moment.
pub(super) struct Snapshot<F> {
    pub(super) list: List,
    /// The keys that a fact needs besides.
    pub(super) needs: F,
}

/// One commit.
pub(super) struct Commit {
    pub(super) epoch: Epoch,
    /// Its number: there is one of each number.
    pub(super) number: u64,
    pub(super) removed: Vec<Vec<u8>>,
    pub(super) keys: Vec<Vec<u8>>,
    pub(super) values: Vec<Vec<u8>>,
}

/// The owner of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) epoch: Epoch,
    /// The number of the last commit.
    pub(super) commits: u64,
}

/// Reads who owns the store.
pub(super) struct LookAtOwner;

/// Raises the epoch of the owner: where the process leads, only while it does.
pub(super) struct Raise {
    pub(super) holder: Option<String>,
}

/// The settings of a connection: other defaults of the server would make an answer worth less.
const SETTINGS: &str = "SET default_transaction_isolation = 'read committed';
    SET statement_timeout = '20s'; SET lock_timeout = 0; SET client_min_messages = warning;
    SET idle_in_transaction_session_timeout = '20s'; SET jit = off;";

/// Everything of a commit, or nothing: only the owner writes, and each number once. Who asks a second time
/// waits for the row until the first attempt has ended.
const COMMIT: &str = "WITH owned AS (
        UPDATE owner SET commits = $2 WHERE epoch = $1 AND commits = $2::bigint - 1 RETURNING 1
    ), gone AS (
        DELETE FROM fact WHERE key = ANY($3) AND EXISTS (SELECT FROM owned)
    ), kept AS (
        INSERT INTO fact (key, value)
        SELECT key, value FROM unnest($4::bytea[], $5::bytea[]) AS new (key, value)
        WHERE EXISTS (SELECT FROM owned)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value
    ) SELECT count(*) FROM owned";

impl Session {
    /// Sets up a connection to a schema that is there.
    pub(super) async fn new(client: Client, schema: &str) -> Result<Self, Trouble> {
        client.batch_execute(&format!("{SETTINGS} SET search_path = \"{schema}\"")).await?;
        // An answer means durable. `on` and stronger ones are the operator's to choose.
        let level = client.query_one("SHOW synchronous_commit", &[]).await?;
        if ["off", "local"].contains(&level.get(0)) {
            client.batch_execute("SET synchronous_commit = on").await?;
        }
        let range = "SELECT key, value FROM fact WHERE key >= $1 AND key < $2 ORDER BY key";
        let get = client.prepare("SELECT key, value FROM fact WHERE key = ANY($1)");
        let (get, forward) = (get.await?, client.prepare(&format!("{range} LIMIT $3")).await?);
        let backward = client.prepare(&format!("{range} DESC LIMIT $3")).await?;
        let commit = client.prepare(COMMIT).await?;
        let owner = client.prepare("SELECT epoch, commits FROM owner").await?;
        Ok(Self { client, get, forward, backward, commit, owner })
    }

    pub(super) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    pub(super) fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    pub(super) async fn owner(&self) -> Result<Owner, Trouble> {
        let row = self.client.query_one(&self.owner, &[]).await?;
        Ok(owner(&row))
    }
}

impl Ask for Get {
    type Answer = Vec<Kept>;

    async fn of(&self, session: &mut Session) -> Result<Vec<Kept>, Trouble> {
        Ok(kept(&session.client.query(&session.get, &[&self.0]).await?))
    }
}

impl List {
    fn statement<'a>(&self, session: &'a Session) -> &'a Statement {
        match self.direction {
            Direction::Forward => &session.forward,
            Direction::Backward => &session.backward,
        }
    }

    fn limit(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX)
    }

    fn end(&self) -> &[u8] {
        self.end.as_deref().unwrap_or(&LAST)
    }
}

impl Ask for List {
    type Answer = Vec<Kept>;

    async fn of(&self, session: &mut Session) -> Result<Vec<Kept>, Trouble> {
        let (end, limit) = (self.end(), self.limit());
        let statement = self.statement(session);
        Ok(kept(&session.client.query(statement, &[&self.first, &end, &limit]).await?))
    }
}

impl<F: Fn(&Kept) -> Result<Vec<Vec<u8>>, Trouble> + Send + Sync + 'static> Ask for Snapshot<F> {
    type Answer = (Vec<Kept>, Vec<Kept>);

    async fn of(&self, session: &mut Session) -> Result<Self::Answer, Trouble> {
        let statement = self.list.statement(session).clone();
        let (end, limit) = (self.list.end(), self.list.limit());
        let begin = session.client.build_transaction().read_only(true);
        let moment = begin.isolation_level(IsolationLevel::RepeatableRead).start().await?;
        let facts = kept(&moment.query(&statement, &[&self.list.first, &end, &limit]).await?);
        let mut needed = Vec::new();
        for fact in &facts {
            let keys = (self.needs)(fact)?;
            if !keys.is_empty() {
                needed.extend(kept(&moment.query(&session.get, &[&keys]).await?));
            }
        }
        moment.commit().await?;
        Ok((facts, needed))
    }
}

impl Ask for Commit {
    /// `None` if it is in the database, else who owns the store.
    type Answer = Option<Owner>;

    async fn of(&self, session: &mut Session) -> Result<Option<Owner>, Trouble> {
        let (epoch, number) = (signed(self.epoch.0), signed(self.number));
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
            [&epoch, &number, &self.removed, &self.keys, &self.values];
        let row = session.client.query_one(&session.commit, &parameters).await?;
        if row.get::<_, i64>(0) == 1 {
            return Ok(None);
        }
        // An attempt before this one may have been carried out without our hearing of it. To look is a write, since its
        // own commit waits for the standby of the database, as the first one may not have.
        let look = "UPDATE owner SET commits = commits WHERE epoch = $1 AND commits = $2";
        if session.client.execute(look, &[&epoch, &number]).await? == 1 {
            return Ok(None);
        }
        session.owner().await.map(Some)
    }
}

impl Ask for LookAtOwner {
    type Answer = Owner;

    async fn of(&self, session: &mut Session) -> Result<Owner, Trouble> {
        session.owner().await
    }
}

impl Ask for Raise {
    type Answer = Owner;

    async fn of(&self, session: &mut Session) -> Result<Owner, Trouble> {
        let raise = "UPDATE owner SET epoch = epoch + 1 WHERE $1::text IS NULL
                OR EXISTS (SELECT FROM lease WHERE holder = $1 AND until > clock_timestamp())
            RETURNING epoch, commits";
        let raised = session.client.query_opt(raise, &[&self.holder]).await?;
        raised.map(|row| owner(&row)).ok_or(Trouble::NotLeading)
    }
}

fn kept(rows: &[Row]) -> Vec<Kept> {
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn owner(row: &Row) -> Owner {
    Owner { epoch: Epoch(unsigned(row.get(0))), commits: unsigned(row.get(1)) }
}

/// Numbers of the database have a sign, which none of ours reaches.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
