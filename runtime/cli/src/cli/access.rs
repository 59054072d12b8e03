//! `ferrule access`: who the server takes the client for, and what its roles allow.

use anyhow::Result;
use clap::Args;
use serde::Deserialize;

use super::say;
use crate::client::{Client, Login};

#[derive(Debug, Args)]
pub(crate) struct Access {
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: String,
    #[command(flatten)]
    login: Login,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    subject: String,
    proof: String,
    tenant: Option<String>,
    roles: Vec<String>,
    unknown_roles: Vec<String>,
    plugins: Vec<String>,
    permissions: Vec<Permission>,
}

#[derive(Deserialize)]
struct Permission {
    permission: String,
    #[serde(default)]
    when: Vec<String>,
}

/// Runs the command.
pub(super) async fn run(access: &Access) -> Result<()> {
    let client = Client::new(&access.server, &access.login)?;
    let shown: Shown = client.get("/orchestration/v1/access").await?;
    say(&format!("subject  {} (by {})", shown.subject, shown.proof))?;
    if let Some(tenant) = &shown.tenant {
        say(&format!("tenant   {tenant}"))?;
    }
    say(&format!("roles    {}", shown.roles.join(", ")))?;
    if !shown.unknown_roles.is_empty() {
        say(&format!("unknown  {}: they allow nothing", shown.unknown_roles.join(", ")))?;
    }
    if !shown.plugins.is_empty() {
        say(&format!("plugins  {}", shown.plugins.join(", ")))?;
    }
    for Permission { permission, when } in &shown.permissions {
        match when.as_slice() {
            [] => say(permission)?,
            when => say(&format!("{permission} when {}", when.join(" or ")))?,
        }
    }
    Ok(())
}
