//! `ferrule plugin move`: has open orders and runs of a server use another version of a plugin.

use anyhow::Result;
use clap::Args;
use hyper::Method;
use serde::{Deserialize, Serialize};

use super::remote::path;
use crate::cli::say;
use crate::client::{Client, Login};

/// Max orders and runs that a preview lists.
const SHOWN_MAX: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct Move {
    /// The id of the plugin.
    id: String,
    /// The server.
    #[arg(long, value_name = "URL")]
    server: String,
    #[command(flatten)]
    login: Login,
    #[command(flatten)]
    wanted: Wanted,
}

/// What is moved, as the server takes it.
#[derive(Debug, Args, Serialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    /// The version that they use, by its digest or the beginning of it.
    #[arg(long, value_name = "DIGEST")]
    from: String,
    /// The version that they are to use.
    #[arg(long, value_name = "DIGEST")]
    to: String,
    /// Only these orders and runs, by their ids with commas.
    #[arg(long, value_name = "IDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    fulfilments: Option<String>,
    /// Only those in this state, such as `held` or `inProgress`.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    /// Only those with an open task of this name, or of this step.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    /// Only orders of this customer.
    #[arg(long, value_name = "ID")]
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    /// Only those that were submitted before this time, such as `2026-03-12T02:00:00Z`.
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    submitted_before: Option<String>,
    /// The token of a preview: nothing is moved if they are others by now.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// Moves nothing, and lists what would be moved.
    #[arg(long)]
    dry_run: bool,
    /// Who decides; kept in the journals.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// Why; kept in the journals.
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Moved {
    total: usize,
    moved: Vec<String>,
    unfit: Vec<Unfit>,
    unfit_total: usize,
    more: usize,
    token: String,
    notes: Vec<String>,
}

#[derive(Deserialize)]
struct Unfit {
    id: String,
    reasons: Vec<String>,
}

/// Moves all of them, as many at once as the server does, and tells how far it is.
pub(super) async fn run(arguments: Move) -> Result<()> {
    let Move { id, server, login, mut wanted } = arguments;
    let client = Client::new(&server, &login)?;
    let path = format!("{}/moves", path(&id));
    let (mut moved, mut total) = (0, None);
    loop {
        let of = if wanted.dry_run { format!("{path}?limit={SHOWN_MAX}") } else { path.clone() };
        let answer = client.send(Method::POST, &of, &wanted).await?;
        let answer: Moved = answer.success(&path)?.json()?;
        if wanted.dry_run {
            return preview(&answer);
        }
        moved += answer.moved.len();
        let total = *total.get_or_insert(answer.total);
        say(&format!("{moved} of {total} orders and runs are moved"))?;
        if answer.more == 0 {
            return unfit(&answer);
        }
        // The rest is what is left of the same set.
        wanted.token = Some(answer.token);
    }
}

fn preview(answer: &Moved) -> Result<()> {
    say(&format!("{} orders and runs would be moved", answer.total))?;
    answer.moved.iter().try_for_each(|id| say(&format!("  {id}")))?;
    if answer.more > 0 {
        say(&format!("  and {} more", answer.more))?;
    }
    unfit(answer)?;
    say(&format!("to move them and no others: --token {}", answer.token))
}

fn unfit(answer: &Moved) -> Result<()> {
    answer.notes.iter().try_for_each(|note| say(&format!("note: {note}")))?;
    if answer.unfit_total == 0 {
        return Ok(());
    }
    say(&format!("{} stay as they are", answer.unfit_total))?;
    let line = |one: &Unfit| say(&format!("  {}: {}", one.id, one.reasons.join("; ")));
    answer.unfit.iter().take(SHOWN_MAX).try_for_each(line)
}
