//! Plugins of a server that runs: sent to it, removed and rolled back over its API.

use std::path::Path;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::Args;
use host::candidate::{Mode, SHARE_MAX};
use host::registry::Entry;
use host::trust::Proofs;
use hyper::Method;
use serde::Serialize;

use super::read_file;
use crate::cli::say;
use crate::client::{Client, Login};

/// The orders that a version is tried with, if not all new ones are to use it.
#[derive(Debug, Args)]
pub(crate) struct Trial {
    /// No order uses it: it repeats calls of the version in use without effects, and `plugin shadow` lists
    /// how it differs; with `--server`.
    #[arg(long, requires = "server")]
    shadow: bool,
    /// Only this share of new orders uses it, in percent, until it is promoted; with `--server`.
    #[arg(long, value_name = "PERCENT", requires = "server")]
    share: Option<u8>,
    /// Only new orders of this customer use it, and those of `--share`; with `--server`.
    #[arg(long = "customer", value_name = "ID", requires = "server")]
    customers: Vec<String>,
}

/// A plugin of a server.
#[derive(Debug, Args)]
pub(crate) struct OfServer {
    /// The id of the plugin.
    id: String,
    /// The server.
    #[arg(long, value_name = "URL")]
    server: String,
    #[command(flatten)]
    login: Login,
}

impl OfServer {
    fn client(&self) -> Result<Client> {
        Client::new(&self.server, &self.login)
    }
}

impl Trial {
    /// Where a component is sent.
    fn path(&self, id: &str) -> String {
        let path = path(id);
        let is_for_all = self.share.is_none() && self.customers.is_empty();
        if is_for_all && !self.shadow {
            return path;
        }
        let customers: Vec<_> = self.customers.iter().map(|id| server::http::in_url(id)).collect();
        let share = self.share.unwrap_or(if is_for_all { SHARE_MAX } else { 0 });
        let mode = if self.shadow { "shadow" } else { "live" };
        format!("{path}/candidate?mode={mode}&share={share}&customers={}", customers.join(","))
    }
}

/// The body of a rollback.
#[derive(Serialize)]
struct Rollback<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
}

/// Sends a plugin to a server, which checks it.
pub(super) async fn install(client: &Client, file: &Path, trial: &Trial) -> Result<()> {
    let bytes = read_file(file)?;
    let id = host::Manifest::of(bytes.clone())?.id;
    let path = trial.path(&id);
    let Proofs { signature, certificate } = proofs(file)?;
    let sent = [("plugin-signature", signature), ("plugin-certificate", certificate)];
    let sent = sent.map(|(name, proof)| (name, proof.map(|text| BASE64_STANDARD.encode(text))));
    let mut headers = vec![("content-type", "application/wasm")];
    headers.extend(sent.iter().filter_map(|(name, proof)| Some((*name, proof.as_deref()?))));
    let answer = client.send_bytes(Method::PUT, &path, &headers, bytes).await?;
    used(&answer.success(&path)?.json()?)
}

/// Has all new orders of a server use the version on trial.
pub(super) async fn promote(of: OfServer) -> Result<()> {
    let path = format!("{}/candidate/promote", path(&of.id));
    let answer = of.client()?.send_bytes(Method::POST, &path, &[], Vec::new()).await?;
    used(&answer.success(&path)?.json()?)
}

/// Ends the trial of a version.
pub(super) async fn abort(of: OfServer) -> Result<()> {
    let path = format!("{}/candidate", path(&of.id));
    let answer = of.client()?.send_bytes(Method::DELETE, &path, &[], Vec::new()).await?;
    answer.success(&path)?;
    say(&format!("the trial of {} is over: no new order uses the version", of.id))
}

/// What vouches for a plugin, beside its file.
pub(super) fn proofs(file: &Path) -> Result<Proofs> {
    Proofs::beside(file).with_context(|| format!("cannot read what is beside `{}`", file.display()))
}

/// Removes a plugin from a server. Open orders that began with it go on.
pub(super) async fn remove(client: &Client, id: &str) -> Result<()> {
    let path = path(id);
    client.send_bytes(Method::DELETE, &path, &[], Vec::new()).await?.success(&path)?;
    say(&format!("{id} is removed"))
}

/// Has a server go back to an earlier version.
pub(super) async fn roll_back(client: &Client, id: &str, digest: Option<&str>) -> Result<()> {
    let path = format!("{}/rollback", path(id));
    let answer = client.send(Method::POST, &path, &Rollback { digest }).await?;
    used(&answer.success(&path)?.json()?)
}

pub(super) fn path(id: &str) -> String {
    format!("/orchestration/v1/plugins/{}", server::http::in_url(id))
}

/// Prints the version that new orders use.
fn used(entry: &Entry) -> Result<()> {
    let (does, orders) = match &entry.trial {
        Some(trial) if trial.mode == Mode::Shadow => ("is in shadow of", "orders"),
        Some(_) | None => ("is used by", "new orders"),
    };
    let by = match &entry.trial {
        Some(trial) if trial.customers.is_empty() => format!("{} % of {orders}", trial.share),
        Some(trial) => {
            let customers: Vec<_> = trial.customers.iter().map(String::as_str).collect();
            format!("{} % of {orders} and those of {}", trial.share, customers.join(", "))
        }
        None => orders.into(),
    };
    let text = |part: &Option<String>| part.as_deref().unwrap_or("-").to_string();
    let digest: String = text(&entry.digest).chars().take(12).collect();
    let (id, version) = (text(&entry.id), text(&entry.version));
    say(&format!("{id} {version} {digest} {does} {by}"))
}
