//! `ferrule key`: API keys for systems. The first one is made on the store of a server that does not run;
//! after that an administrator makes them over HTTP.

mod first;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use hyper::Method;
use serde::{Deserialize, Serialize};

use super::import::escaped;
use super::say;
use crate::client::{Client, Login};

/// Keys that are asked for at once.
const AT_ONCE: usize = 100;

const PATH: &str = "/orchestration/v1/keys";

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key, and print it: it is shown this once.
    New(New),
    /// List the keys, without their secrets.
    List(At),
    /// Revoke a key: it stops at once.
    Revoke {
        /// The id of the key, or the key itself.
        key: String,
        #[command(flatten)]
        at: At,
    },
}

/// The server that is asked.
#[derive(Debug, Args)]
pub(crate) struct At {
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: String,
    #[command(flatten)]
    login: Login,
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// Who is to use it, such as `crm`.
    name: String,
    /// A role; repeat it for more.
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<String>,
    /// A plugin that is its own, for a vendor; repeat it for more.
    #[arg(long = "plugin", value_name = "ID")]
    plugins: Vec<String>,
    /// What it is good for, such as `TMF622/productOrder:read,create`; repeat it for more. All that its
    /// roles allow by default.
    #[arg(long, value_name = "API/RESOURCE:VERBS")]
    scope: Vec<String>,
    /// How long it is valid.
    #[arg(long, default_value_t = server::access::keys::DAYS)]
    days: u64,
    /// Write to the store in this folder, of a server that does not run: for the first key.
    #[arg(long, value_name = "DIR", conflicts_with = "server")]
    data: Option<PathBuf>,
    /// The settings of a server that does not run: its roles and tenants, and its store if there is no --data.
    #[arg(long, value_name = "FILE", conflicts_with = "server")]
    config: Option<PathBuf>,
    #[command(flatten)]
    at: At,
}

#[derive(Serialize)]
struct Asked<'a> {
    name: &'a str,
    roles: &'a [String],
    plugins: &'a [String],
    scope: &'a [String],
    days: u64,
}

#[derive(Deserialize)]
struct Made {
    id: String,
    expires: String,
    key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: String,
    name: String,
    roles: Vec<String>,
    scope: Vec<String>,
    state: String,
    expires: String,
    last_used: Option<String>,
}

/// Runs a command.
pub(super) async fn run(command: Key) -> Result<()> {
    match command {
        Key::New(new) if new.data.is_some() || new.config.is_some() => first::make(&new).await,
        Key::New(new) => make(&new).await,
        Key::List(at) => list(&at).await,
        Key::Revoke { key, at } => revoke(&key, &at).await,
    }
}

impl At {
    fn client(&self) -> Result<Client> {
        Client::new(&self.server, &self.login)
    }
}

async fn make(new: &New) -> Result<()> {
    let New { name, roles, plugins, scope, days, .. } = new;
    let asked = Asked { name, roles, plugins, scope, days: *days };
    let answer = new.at.client()?.send(Method::POST, PATH, &asked).await?;
    let made: Made = answer.success(PATH)?.json()?;
    show(&made.id, &made.expires, made.key.as_deref().unwrap_or_default())
}

/// Prints a new key alone on the standard output, so that it can be piped into a file.
fn show(id: &str, expires: &str, key: &str) -> Result<()> {
    crate::report::note(&format!("The key {id} is valid until {expires}. It is shown this once:"));
    say(key)
}

async fn list(at: &At) -> Result<()> {
    let client = at.client()?;
    let mut offset = 0;
    loop {
        let path = format!("{PATH}?limit={AT_ONCE}&offset={offset}");
        let keys: Vec<Listed> = client.get(&path).await?;
        for key in &keys {
            key.print()?;
        }
        if keys.len() < AT_ONCE {
            return Ok(());
        }
        offset += AT_ONCE;
    }
}

impl Listed {
    fn print(&self) -> Result<()> {
        let Self { id, name, roles, scope, state, expires, last_used } = self;
        let used = last_used.as_deref().unwrap_or("never");
        let roles = roles.join(",");
        let scope = if scope.is_empty() { String::new() } else { format!(" {}", scope.join(" ")) };
        say(&format!("{id} {state} until {expires}, used {used}, {name}: {roles}{scope}"))
    }
}

async fn revoke(key: &str, at: &At) -> Result<()> {
    // The key itself has a secret that is not to stand in a log of paths.
    let id = server::access::keys::Token::read(key).map(|token| token.id.to_string());
    let id = id.unwrap_or_else(|| key.to_owned());
    let path = format!("{PATH}/{}", escaped(&id));
    at.client()?.send_bytes(Method::DELETE, &path, &[], Vec::new()).await?.success(&path)?;
    say(&format!("The key {id} is revoked."))
}
