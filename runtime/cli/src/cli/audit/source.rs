//! Where entries of the audit are read from: a store, a server that runs, or an exported file.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use engine::audit::{Anchor, Hash, Head, Line, Stored};
use engine::keys;
use engine::store::{Scan, Store, View, tenants};
use engine::tenant::TenantName;
use serde::Deserialize;
use server::config::Config;

use crate::cli::store::{self, Missing};
use crate::client::{Client, Login};

/// Entries that are read at once.
const ENTRIES_AT_ONCE: usize = 1_000;

/// Max bytes of a line of a file.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// The place of the entries, as the command line names it.
#[derive(Debug, Args)]
pub(in crate::cli) struct Place {
    /// An exported file, with an entry on each line.
    #[arg(conflicts_with_all = ["data", "server", "config"])]
    file: Option<PathBuf>,
    /// The settings, which name the folder of the store.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the store of a server that does not run.
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    data: Option<PathBuf>,
    /// A server that runs.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    #[command(flatten)]
    login: Login,
}

/// Reads entries, page by page.
pub(super) enum Source {
    Store {
        store: Box<View>,
        /// The key to go on after.
        after: Vec<u8>,
    },
    Server {
        client: Box<Client>,
        /// The number to go on after.
        after: u64,
    },
    File(BufReader<File>),
}

/// What stands in the place of an entry.
pub(super) enum Found {
    /// An entry, and the hash that it is given there.
    Entry(Stored, Hash),
    /// Something else.
    Other,
}

/// The ends of a chain.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    pub(super) anchor: Anchor,
    pub(super) head: Head,
}

/// The ends as a server tells them.
#[derive(Deserialize)]
struct Told {
    head: End,
    anchor: End,
}

#[derive(Deserialize)]
struct End {
    sequence: u64,
    hash: String,
}

impl End {
    fn read(&self) -> Result<Head> {
        let hash = Hash::parse(&self.hash).context("the server answers with no hash")?;
        Ok(Head { sequence: self.sequence, hash })
    }
}

impl Source {
    /// The chains of what a command line names, with their tenants: those of a store are all looked at, unless one is
    /// named.
    pub(super) async fn all(place: Place) -> Result<Vec<(Option<TenantName>, Self)>> {
        let named = place.login.tenant()?;
        if named.is_some() || place.file.is_some() || place.server.is_some() {
            return Ok(vec![(named, Self::at(place).await?)]);
        }
        let store = opened(place.config, place.data).await?;
        let others = tenants(&*store).context("the store cannot be read")?.into_iter();
        let others = others
            .map(|(name, number)| (Some(name), Self::stored(View::of(Arc::clone(&store), number))));
        let own = (None, Self::stored(View::of_default(Arc::clone(&store))));
        Ok(std::iter::once(own).chain(others).collect())
    }

    /// What a command line names; the store of the settings by default.
    pub(super) async fn at(place: Place) -> Result<Self> {
        let Place { file, config, data, server, login } = place;
        if let Some(path) = file {
            let cannot = || format!("`{}` cannot be read", path.display());
            return Ok(Self::File(BufReader::new(File::open(&path).with_context(cannot)?)));
        }
        if let Some(server) = server {
            return Ok(Self::Server { client: Box::new(Client::new(&server, &login)?), after: 0 });
        }
        let store = opened(config, data).await?;
        Ok(Self::stored(view(store, login.tenant()?.as_ref())?))
    }

    fn stored(store: View) -> Self {
        Self::Store { store: Box::new(store), after: keys::AUDIT.to_vec() }
    }

    /// Goes on after the entry of a number; a file is read from its beginning.
    pub(super) fn begin_after(&mut self, sequence: u64) {
        match self {
            Self::Store { after, .. } => *after = keys::audit(sequence),
            Self::Server { after, .. } => *after = sequence,
            Self::File(_) => {}
        }
    }

    /// The ends of the chain; `None` for a file, which may be a part of it.
    pub(super) async fn ends(&self) -> Result<Option<Ends>> {
        match self {
            Self::Store { store, .. } => {
                let (anchor, head) = (Head::anchor(&**store)?, Head::of(&**store)?);
                Ok(Some(Ends { anchor, head }))
            }
            Self::Server { client, .. } => {
                let told: Told = client.get("/orchestration/v1/audit/head").await?;
                Ok(Some(Ends { anchor: told.anchor.read()?, head: told.head.read()? }))
            }
            Self::File(_) => Ok(None),
        }
    }

    /// The next entries, up to the end of the chain as it was known; none after it.
    pub(super) async fn page(&mut self, ends: Option<Ends>) -> Result<Vec<Found>> {
        match self {
            Self::Store { store, after } => {
                let scan = Scan::prefix(keys::AUDIT, ENTRIES_AT_ONCE);
                let facts = store.scan(&Scan { after: Some(after.to_owned()), ..scan });
                let facts = facts.context("the store cannot be read")?;
                if let Some((last, _)) = facts.last() {
                    last.clone_into(after);
                }
                Ok(facts.into_iter().map(|(_, bytes)| Found::stored(bytes)).collect())
            }
            Self::Server { client, after } => page(client, after, ends).await,
            Self::File(reader) => lines(reader),
        }
    }
}

impl Found {
    fn stored(bytes: Vec<u8>) -> Self {
        Stored::read(bytes).map_or(Self::Other, |stored| {
            let hash = stored.hash();
            Self::Entry(stored, hash)
        })
    }
}

async fn opened(config: Option<PathBuf>, data: Option<PathBuf>) -> Result<Arc<dyn Store>> {
    let config = Config::read(config.as_deref())?;
    store::opened(&config, data, Missing::Refused).await
}

/// The part of a store that is a tenant's.
fn view(store: Arc<dyn Store>, tenant: Option<&TenantName>) -> Result<View> {
    let Some(name) = tenant else { return Ok(View::of_default(store)) };
    let all = tenants(&*store).context("the store cannot be read")?;
    let found = all.into_iter().find(|(known, _)| known == name);
    let (_, number) = found.with_context(|| format!("the store has no tenant `{name}`"))?;
    Ok(View::of(store, number))
}

/// Reads a page of a server.
async fn page(client: &Client, after: &mut u64, ends: Option<Ends>) -> Result<Vec<Found>> {
    let until = ends.map_or(u64::MAX, |ends| ends.head.sequence);
    if *after >= until {
        return Ok(Vec::new());
    }
    let path = format!("/orchestration/v1/audit?after={after}");
    let answer = client.look(&path).await?.success(&path)?;
    let (begin, mut found) = (*after, Vec::new());
    // An array with an entry on each line: a parser would not keep every byte.
    let text = answer.text();
    let entries = text.lines().map(|line| line.trim_matches(['[', ']', ',']));
    for entry in entries.filter(|entry| !entry.is_empty()) {
        let (stored, hash) = Line::read(entry)?;
        let sequence = stored.entry().context("the server answers with no entry")?.sequence;
        // Later ones were made while this was read.
        if sequence > until {
            break;
        }
        *after = (*after).max(sequence);
        found.push(Found::Entry(stored, hash));
    }
    if *after == begin && !found.is_empty() {
        bail!("the server answers with entries that it gave before");
    }
    Ok(found)
}

fn lines(reader: &mut BufReader<File>) -> Result<Vec<Found>> {
    let (mut found, mut line) = (Vec::new(), String::new());
    while found.len() < ENTRIES_AT_ONCE {
        line.clear();
        let read = reader.by_ref().take(LINE_BYTES_MAX).read_line(&mut line);
        if read.context("the file cannot be read")? == 0 {
            break;
        }
        if !line.trim().is_empty() {
            let read = Line::read(&line);
            found.push(read.map_or(Found::Other, |(stored, hash)| Found::Entry(stored, hash)));
        }
    }
    Ok(found)
}
