//! `ferrule import`: a file of documents into a server that runs. What was cut off goes on when the
//! same command runs again.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use axum::body::{Body, Bytes};
use clap::{Args, ValueEnum};
use futures_util::stream;
use hyper::Method;
use indicatif::{ProgressBar, ProgressStyle};
use model::Digest;
use serde::Deserialize;
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};

use super::say;
use crate::client::{Answer, Client, Login};

/// Size of a chunk that is read and sent.
const PIECE_BYTES: usize = 256 << 10;

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// What the lines are, as in paths: `individual`, `customer`, `product`, `resource`.
    resource: String,
    /// The file, with a JSON document on each line; `-` for the standard input.
    file: PathBuf,
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: String,
    #[command(flatten)]
    login: Login,
    /// The name of this import; by default it is derived from the file's content. A corrected file
    /// continues under the name that it began with.
    #[arg(long)]
    name: Option<String>,
    /// What to do with a row whose document exists already with other content.
    #[arg(long, value_enum, default_value_t = Existing::Refuse)]
    existing: Existing,
    /// Pass over wrong lines, and tell them at the end.
    #[arg(long)]
    skip_wrong: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Existing {
    /// The line is wrong.
    Refuse,
    /// The document stays as it is.
    Keep,
    /// Replace the document by the row.
    Replace,
}

/// The progress of an import, as the server reports it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    state: String,
    resource: String,
    lines: u64,
    created: u64,
    replaced: u64,
    kept: u64,
    refused: u64,
    #[serde(default)]
    wrong_lines: Vec<WrongLine>,
}

#[derive(Debug, Deserialize)]
struct WrongLine {
    line: u64,
    path: String,
    message: String,
}

impl Existing {
    fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Keep => "keep",
            Self::Replace => "replace",
        }
    }
}

pub(crate) async fn run(import: Import) -> Result<()> {
    let client = Client::new(&import.server, &import.login)?;
    let is_stdin = import.file.as_os_str() == "-";
    // What can be read once only, such as a pipe, has no name that follows from its content.
    let is_stream = is_stdin || !is_file(&import.file).await?;
    let name = match (import.name, is_stream) {
        (Some(name), _) => name,
        (None, false) => name_of(&import.resource, &import.file).await?,
        (None, true) => uuid::Uuid::now_v7().simple().to_string(),
    };
    let place = format!("/orchestration/v1/imports/{}", escaped(&name));
    let done = lines_done(&client, &place).await?;
    let wrong = if import.skip_wrong { "skip" } else { "stop" };
    let path = format!(
        "{place}?resource={}&existing={}&wrong={wrong}&from={}",
        escaped(&import.resource),
        import.existing.as_str(),
        if is_stream { 0 } else { done },
    );
    let bar = bar(if is_stream { 0 } else { size(&import.file).await? });
    let progress = bar.clone();
    let body = match (is_stdin, is_stream) {
        (true, _) => body(tokio::io::stdin(), progress),
        (false, true) => body(open(&import.file).await?, progress),
        (false, false) => body(rest(&import.file, done, &bar).await?, progress),
    };
    let sent = client.open(Method::PUT, &path, "application/x-ndjson", body).await;
    let answer = match sent {
        Ok(response) => Answer::read(response).await,
        Err(error) => Err(error),
    };
    bar.finish_and_clear();
    match answer {
        Ok(answer) if answer.status.is_success() => tell(&answer.json()?),
        // An answer may be lost if the server gave it before everything was sent.
        answer => Err(explained(&client, &place, &name, answer).await),
    }
}

/// What is wrong, and what to do next.
async fn explained(
    client: &Client,
    place: &str,
    name: &str,
    answer: Result<Answer>,
) -> anyhow::Error {
    let failure = answer.and_then(|answer| answer.success("the import")).err();
    let Ok(progress) = client.get::<Progress>(place).await else {
        return failure.unwrap_or_else(|| anyhow::anyhow!("the import did not begin"));
    };
    let lines = progress.lines;
    match (progress.state.as_str(), progress.wrong_lines.first()) {
        ("stopped", Some(wrong)) => anyhow::anyhow!(
            "line {}: {}\n  What stands before it is in. Mend the file and go on with \
             `--name {name}`, or pass over wrong lines with `--skip-wrong`",
            lines.saturating_add(1),
            wrong.message
        ),
        _ => {
            let hint = format!(
                "the import broke off after {lines} lines, which are in: run the same command \
                 again (with `--name {name}`), and it goes on from there"
            );
            match failure {
                Some(error) => error.context(hint),
                None => anyhow::anyhow!(hint),
            }
        }
    }
}

fn tell(progress: &Progress) -> Result<()> {
    say(&format!(
        "{} lines: {} created, {} replaced, {} kept, {} refused",
        progress.lines, progress.created, progress.replaced, progress.kept, progress.refused
    ))?;
    for wrong in &progress.wrong_lines {
        say(&format!("  line {}: {}: {}", wrong.line, wrong.path, wrong.message))?;
    }
    if let Some(resource) = commerce::cpq::Standing::resource(&progress.resource) {
        say(&format!(
            "What of it cannot be ordered, and why: GET /orchestration/v1/catalog/{resource}?isOrderable=false"
        ))?;
    }
    match progress.refused {
        0 => Ok(()),
        refused => bail!("{refused} lines are wrong and were passed over"),
    }
}

/// The number of lines that are already imported.
async fn lines_done(client: &Client, place: &str) -> Result<u64> {
    let answer = client.look(place).await?;
    if answer.status == hyper::StatusCode::NOT_FOUND {
        return Ok(0);
    }
    Ok(answer.success(place)?.json::<Progress>()?.lines)
}

/// A name that the same content always has.
async fn name_of(resource: &str, file: &Path) -> Result<String> {
    let mut reader = open(file).await?;
    let mut digest = Digest::of(resource.as_bytes());
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    loop {
        piece.clear();
        let mut next = (&mut reader).take(PIECE_BYTES as u64);
        next.read_to_end(&mut piece).await.with_context(|| unreadable(file))?;
        if piece.is_empty() {
            return Ok(format!("{resource}-{}", digest.short()));
        }
        piece.extend(digest.to_string().into_bytes());
        digest = Digest::of(&piece);
    }
}

/// The part of the file after the first `lines` lines.
async fn rest(file: &Path, lines: u64, bar: &ProgressBar) -> Result<BufReader<File>> {
    let mut reader = BufReader::with_capacity(PIECE_BYTES, open(file).await?);
    let mut line = Vec::new();
    for _ in 0..lines {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).await.with_context(|| unreadable(file))?;
        // A server may tell of more lines than there are.
        if read == 0 {
            break;
        }
        bar.inc(read as u64);
    }
    Ok(reader)
}

async fn open(file: &Path) -> Result<File> {
    File::open(file).await.with_context(|| unreadable(file))
}

async fn is_file(file: &Path) -> Result<bool> {
    let metadata = tokio::fs::metadata(file).await.with_context(|| unreadable(file))?;
    Ok(metadata.is_file())
}

async fn size(file: &Path) -> Result<u64> {
    let metadata = tokio::fs::metadata(file).await.with_context(|| unreadable(file))?;
    Ok(metadata.len())
}

fn unreadable(file: &Path) -> String {
    format!("cannot read `{}`", file.display())
}

/// A body that is read as it is sent.
fn body(reader: impl AsyncRead + Unpin + Send + 'static, bar: ProgressBar) -> Body {
    let pieces = stream::unfold((reader, bar), async |(mut reader, bar)| {
        let mut piece = vec![0; PIECE_BYTES];
        match reader.read(&mut piece).await {
            Ok(0) => None,
            Ok(read) => {
                piece.truncate(read);
                bar.inc(read as u64);
                Some((Ok(Bytes::from(piece)), (reader, bar)))
            }
            Err(error) => Some((Err(error), (reader, bar))),
        }
    });
    Body::from_stream(pieces)
}

/// How far the file was sent, on a terminal.
fn bar(bytes: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = match bytes {
        0 => "  {bytes} sent, {bytes_per_sec}",
        _ => "  {bar:24} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} to go",
    };
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// As a piece of a path or a query.
pub(super) fn escaped(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
