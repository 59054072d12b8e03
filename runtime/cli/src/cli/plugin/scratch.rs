//! `ferrule plugin scratch`: what a plugin keeps on a server.

use std::fmt::Write as _;

use anyhow::Result;
use clap::Args;
use hyper::Method;
use serde::Deserialize;

use super::remote::path;
use crate::cli::say;
use crate::client::{Client, Login};

#[derive(Debug, Args)]
pub(crate) struct Scratch {
    /// The id of the plugin.
    id: String,
    /// The server.
    #[arg(long, value_name = "URL")]
    server: String,
    #[command(flatten)]
    login: Login,
    /// Only keys that begin with this.
    #[arg(long, default_value = "")]
    prefix: String,
    /// Show the value of this key.
    #[arg(long, conflicts_with = "prefix")]
    key: Option<String>,
    /// Delete this key.
    #[arg(long, value_name = "KEY", conflicts_with_all = ["prefix", "key"])]
    delete: Option<String>,
    /// Delete every key.
    #[arg(long, conflicts_with_all = ["prefix", "key", "delete"])]
    delete_all: bool,
}

#[derive(Deserialize)]
struct Page {
    keys: u64,
    bytes: u64,
    entries: Vec<Listed>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    key: String,
    bytes: u32,
    since: String,
}

#[derive(Deserialize)]
struct Shown {
    value: String,
}

#[derive(Deserialize)]
struct Deleted {
    deleted: usize,
}

pub(super) async fn run(scratch: Scratch) -> Result<()> {
    let client = Client::new(&scratch.server, &scratch.login)?;
    let path = format!("{}/scratch", path(&scratch.id));
    let of_key = |key: &str| format!("{path}/{}", encoded(key));
    if let Some(key) = &scratch.key {
        let shown: Shown = client.get(&of_key(key)).await?;
        return say(&shown.value);
    }
    let deleted = match &scratch.delete {
        Some(key) => Some(of_key(key)),
        None => scratch.delete_all.then(|| path.to_owned()),
    };
    if let Some(path) = deleted {
        let answer = client.send_bytes(Method::DELETE, &path, &[], Vec::new()).await?;
        let Deleted { deleted } = answer.success(&path)?.json()?;
        return say(&format!("deleted: {deleted}"));
    }
    list(&client, &path, &scratch.prefix).await
}

async fn list(client: &Client, path: &str, prefix: &str) -> Result<()> {
    let prefix = encoded(prefix);
    let mut after = String::new();
    loop {
        let page: Page = client.get(&format!("{path}?prefix={prefix}{after}")).await?;
        for Listed { key, bytes, since } in &page.entries {
            say(&format!("{key}  {bytes} bytes  {since}"))?;
        }
        match page.next {
            Some(next) => after = format!("&after={}", encoded(&next)),
            None => return say(&format!("{} keys, {} bytes", page.keys, page.bytes)),
        }
    }
}

/// A key as a part of a URL.
fn encoded(key: &str) -> String {
    let mut text = String::new();
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte));
            }
            _ => {
                // Writing to a text cannot fail.
                let _ok = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}
