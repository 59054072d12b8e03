//! `ferrule export`: the documents of a server that runs, one on each line of a file.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use axum::body::Body;
use clap::Args;
use http_body_util::BodyExt as _;
use hyper::Method;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWrite, AsyncWriteExt as _};

use super::import::escaped;
use crate::client::{Answer, Client, Login};
use crate::report::Piecewise;
use server::http::in_url;

/// Max bytes at the end of a file that are searched for its last line.
const LAST_LINE_BYTES_MAX: u64 = 16 << 20;

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// What to write, as in paths: `individual`, `customer`, `product`, `resource`.
    resource: String,
    /// The file; the standard output by default.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only documents that match, such as `status=active&startDate>=2026-01-01`.
    #[arg(long, default_value = "")]
    query: String,
    /// Go on with a file that was not written to its end.
    #[arg(long, requires = "output")]
    resume: bool,
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: String,
    #[command(flatten)]
    login: Login,
}

pub(crate) async fn run(export: Export) -> Result<()> {
    let client = Client::new(&export.server, &export.login)?;
    let (resource, query) = (escaped(&export.resource), in_url(&export.query));
    let mut path = format!("/orchestration/v1/exports/{resource}?{query}");
    match &export.output {
        None => write(&client, &path, (tokio::io::stdout(), for_terminal())).await,
        Some(file) if export.resume => {
            let (kept, last) = resumed(file).await?;
            if let Some(last) = last {
                path.push_str(&format!("&after={}", escaped(&last)));
            }
            write(&client, &path, (kept, None)).await
        }
        Some(file) => {
            let new = File::options().write(true).create_new(true).open(file).await;
            let new = new.with_context(|| {
                format!("cannot write `{}` (go on with it: `--resume`)", file.display())
            })?;
            write(&client, &path, (new, None)).await
        }
    }
}

/// A document on a line.
#[derive(Deserialize)]
struct Row {
    id: String,
}

/// Writes the answer as it comes.
async fn write(
    client: &Client,
    path: &str,
    (mut out, mut shown): (impl AsyncWrite + Unpin, Option<Piecewise>),
) -> Result<()> {
    let response = client.open(Method::GET, path, "", Body::empty()).await?;
    if !response.status().is_success() {
        Answer::read(response).await?.success("the export")?;
        bail!("the export was refused");
    }
    let bar = spinner();
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.context("the export broke off: what came is written, go on with `--resume`")?;
        if let Ok(data) = frame.into_data() {
            match &mut shown {
                Some(shown) => out.write_all(&shown.plain(&data)).await?,
                None => out.write_all(&data).await?,
            }
            bar.inc(data.len() as u64);
        }
    }
    out.flush().await?;
    bar.finish_and_clear();
    Ok(())
}

/// What keeps a terminal from being commanded, if one shows the standard output.
pub(super) fn for_terminal() -> Option<Piecewise> {
    std::io::stdout().is_terminal().then(Piecewise::default)
}

/// A file that was not written to its end: cut behind its last whole line, with that line's id.
async fn resumed(file: &Path) -> Result<(File, Option<String>)> {
    let cannot = || format!("cannot go on with `{}`", file.display());
    let opened = File::options().read(true).write(true).open(file).await;
    let mut opened = opened.with_context(cannot)?;
    let length = opened.metadata().await.with_context(cannot)?.len();
    let begin = length.saturating_sub(LAST_LINE_BYTES_MAX);
    opened.seek(std::io::SeekFrom::Start(begin)).await.with_context(cannot)?;
    let mut end = Vec::new();
    opened.read_to_end(&mut end).await.with_context(cannot)?;
    let Some(whole) = end.iter().rposition(|byte| *byte == b'\n') else {
        if begin > 0 {
            bail!("`{}` has no line at its end", file.display());
        }
        opened.set_len(0).await.with_context(cannot)?;
        opened.rewind().await.with_context(cannot)?;
        return Ok((opened, None));
    };
    let lines = end.get(..whole).unwrap_or_default();
    let last = lines.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let Row { id } = serde_json::from_slice(last)
        .with_context(|| format!("the last line of `{}` is no document", file.display()))?;
    let kept = begin + whole as u64 + 1;
    opened.set_len(kept).await.with_context(cannot)?;
    opened.seek(std::io::SeekFrom::Start(kept)).await.with_context(cannot)?;
    Ok((opened, Some(id)))
}

fn spinner() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("  {bytes} written, {bytes_per_sec}");
    let bar = ProgressBar::no_length();
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}
