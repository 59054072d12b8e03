//! `ferrule plugin shadow`: what the version of a plugin that is in shadow does otherwise than the one in use.

use anyhow::Result;
use clap::Args;
use host::shadow::{Change, Difference, Of, Repeated, Shadow, Verdict};

use super::remote::path;
use crate::cli::say;
use crate::client::{Client, Login};

#[derive(Debug, Args)]
pub(crate) struct Listing {
    /// The id of the plugin.
    id: String,
    /// The server.
    #[arg(long, value_name = "URL")]
    server: String,
    #[command(flatten)]
    login: Login,
    /// Max calls that are listed, the latest first.
    #[arg(long, value_name = "CALLS", default_value_t = 20)]
    limit: usize,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(listing: Listing) -> Result<()> {
    let Listing { id, server, login, limit, json } = listing;
    let path = format!("{}/shadow?limit={limit}", path(&id));
    let shadow: Shadow = Client::new(&server, &login)?.get(&path).await?;
    if json {
        return say(&serde_json::to_string_pretty(&shadow)?);
    }
    let Shadow { candidate, counts, calls } = shadow;
    let digest: String = candidate.digest.as_str().chars().take(12).collect();
    say(&format!(
        "{id} {digest}: {} calls the same, {} different, {} failed, {} skipped",
        counts.same, counts.different, counts.failed, counts.skipped
    ))?;
    for call in &calls {
        say(&lines(call).join("\n"))?;
    }
    Ok(())
}

/// A call as a person reads it.
fn lines(call: &Repeated) -> Vec<String> {
    let about = &call.about;
    let verdict = match call.verdict {
        Verdict::Same => "same",
        Verdict::Different => "different",
        Verdict::Failed => "failed",
        Verdict::Skipped => "skipped",
    };
    let mut lines = vec![format!(
        "{} {} {} #{} {}: {verdict}",
        call.at.0, about.fulfilment, about.task, about.attempt, about.operation
    )];
    lines.extend(call.differences.iter().map(line));
    if call.more > 0 {
        lines.push(format!("  and {} more", call.more));
    }
    lines
}

fn line(difference: &Difference) -> String {
    let Difference { of, change, request, at, before, now } = difference;
    let of = match of {
        Of::Outcome => "outcome",
        Of::Output => "output",
        Of::Request => "request",
        Of::Header => "header",
        Of::Body => "body",
        Of::Reservation => "reservation",
    };
    let change = match change {
        Change::Added => "added",
        Change::Missing => "missing",
        Change::Changed => "changed",
    };
    let place = [request, at].into_iter().flatten().map(|part| format!(" {part}"));
    let place: String = place.collect();
    let values = match (before, now) {
        (Some(before), Some(now)) => format!(": {before} -> {now}"),
        (Some(value), None) | (None, Some(value)) => format!(": {value}"),
        (None, None) => String::new(),
    };
    format!("  {of} {change}{place}{values}")
}
