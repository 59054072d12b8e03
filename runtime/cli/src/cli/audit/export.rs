//! `ferrule audit export`: entries as lines of JSON, or to a receiver of syslog.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use clap::{Args, ValueEnum};
use engine::audit::{Line, Stored};
use server::audit::syslog::{Connection, framed, host_name, message};
use server::config::Receiver;
use tmf::time::Timestamp;

use super::source::{Ends, Found, Place, Source};
use crate::cli::Usage;
use crate::cli::export::for_terminal;
use crate::report::note;

/// Max bytes that are sent at once.
const SEND_BYTES: usize = 64 << 10;

#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    #[command(flatten)]
    place: Place,
    /// Only entries from this time on, such as `2026-03-12T02:00:00Z`.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Only entries before this time.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// How entries are written: a JSON object on each line, or messages of syslog (RFC 5424).
    #[arg(long, value_enum, default_value = "ndjson")]
    format: Format,
    /// A receiver of syslog over TLS, such as `syslog+tls://logs.example.com:6514`; else the standard output.
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// A PEM file with the CAs that the receiver's certificate is checked by, instead of those of the system.
    #[arg(long, value_name = "FILE", requires = "to")]
    syslog_ca: Option<PathBuf>,
    /// A file that keeps the number of the last entry that was taken: the next export goes on after it.
    #[arg(long, value_name = "FILE")]
    position: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Ndjson,
    Syslog,
    /// Messages with their length, as a receiver takes them.
    #[value(skip)]
    Framed,
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::read(text).ok_or_else(|| "it is a time such as 2026-03-12T02:00:00Z".into())
}

/// Writes entries; the standard error has the head.
pub(super) async fn run(export: Export) -> Result<()> {
    let Export { place, since, until, format, to, syslog_ca, position } = export;
    let receiver = match &to {
        Some(to) => {
            Some(Receiver::read(to).map_err(|error| Usage(format!("`--to {to}`: {error}")))?)
        }
        None => None,
    };
    let unreadable = || Usage("the audit cannot be read".into());
    let mut source = Source::at(place).await.with_context(unreadable)?;
    let ends = source.ends().await.with_context(unreadable)?;
    check_span(since, until)?;
    let after = match &position {
        Some(file) => position_in(file)?,
        None => 0,
    };
    if let (Some(file), Some(ends)) = (&position, ends) {
        check_position((file, after), ends)?;
    }
    source.begin_after(after);
    let format = if receiver.is_some() { Format::Framed } else { format };
    let mut out = match receiver {
        Some(receiver) => {
            let setting = ("ferrule audit export", "--syslog-ca");
            let opened = Connection::open(&receiver, setting, syslog_ca.as_deref()).await;
            Out::Receiver(opened.map_err(|error| anyhow!(error)).context("no receiver")?)
        }
        None => Out::Standard,
    };
    let (mut bytes, mut last, host) = (Vec::new(), after, host_name());
    let (mut next, mut count) = (ends.map_or(0, |_| after), 0_u64);
    loop {
        let page = source.page(ends).await.with_context(unreadable)?;
        if page.is_empty() {
            break;
        }
        for found in page {
            next += 1;
            let Found::Entry(stored, _) = found else {
                note(&format!("entry {next} cannot be read, and is left out"));
                continue;
            };
            let Ok(entry) = stored.entry() else { continue };
            next = entry.sequence;
            // A file is read from its beginning.
            let is_wanted = next > after
                && since.is_none_or(|since| entry.at >= since)
                && until.is_none_or(|until| entry.at < until);
            if is_wanted {
                bytes.extend(shown(&stored, format, &host));
                (last, count) = (next, count + 1);
            }
            if bytes.len() >= SEND_BYTES {
                out.write(&mut bytes, position.as_deref(), last).await?;
            }
        }
    }
    if let Some(file) = position.as_deref().filter(|_| next < after) {
        return Err(beyond(file, after, next));
    }
    out.write(&mut bytes, position.as_deref(), last).await?;
    out.close().await?;
    note(&format!("entries: {count}"));
    if let Some(ends) = ends {
        note(&format!("the head is entry {}", ends.head.sequence));
        note(&format!("head {}", ends.head.hash));
    }
    Ok(())
}

/// An entry as it is written.
fn shown(stored: &Stored, format: Format, host: &str) -> Vec<u8> {
    match format {
        Format::Framed => framed(&message(stored, host)),
        Format::Ndjson => format!("{}\n", Line::from(stored).0).into_bytes(),
        Format::Syslog => format!("{}\n", message(stored, host)).into_bytes(),
    }
}

/// Where entries go.
enum Out {
    Standard,
    Receiver(Connection),
}

impl Out {
    /// Writes what was gathered, then the position.
    async fn write(&mut self, bytes: &mut Vec<u8>, file: Option<&Path>, last: u64) -> Result<()> {
        match self {
            Self::Standard => {
                let mut out = std::io::stdout().lock();
                match for_terminal() {
                    Some(mut shown) => out.write_all(&shown.plain(bytes))?,
                    None => out.write_all(bytes)?,
                }
                out.flush()?;
            }
            Self::Receiver(connection) => {
                let sent = connection.send(bytes).await;
                sent.map_err(|error| anyhow!(error)).context("the receiver fails")?;
            }
        }
        bytes.clear();
        let Some(file) = file else { return Ok(()) };
        let new = file.with_extension("new");
        let cannot = || format!("cannot write `{}`", file.display());
        std::fs::write(&new, format!("{last}\n")).with_context(cannot)?;
        std::fs::rename(&new, file).with_context(cannot)
    }

    async fn close(self) -> Result<()> {
        match self {
            Self::Standard => Ok(()),
            Self::Receiver(connection) => {
                let closed = connection.close().await;
                closed.map_err(|error| anyhow!(error)).context("the receiver fails")
            }
        }
    }
}

/// Refuses a span of time without a moment.
fn check_span(since: Option<Timestamp>, until: Option<Timestamp>) -> Result<()> {
    match (since, until) {
        (Some(since), Some(until)) if since >= until => {
            Err(Usage(format!("`--since {since}` is not before `--until {until}`")).into())
        }
        _ => Ok(()),
    }
}

/// Refuses a position that the chain has not reached, and tells of entries that were removed before they were taken.
fn check_position((file, after): (&Path, u64), ends: Ends) -> Result<()> {
    let Ends { anchor, head } = ends;
    if after > head.sequence {
        return Err(beyond(file, after, head.sequence));
    }
    if after > 0 && after < anchor.sequence {
        let (first, last) = (after + 1, anchor.sequence);
        note(&format!(
            "entries {first} to {last} were removed by the retention before they were taken"
        ));
    }
    Ok(())
}

fn beyond(file: &Path, after: u64, head: u64) -> anyhow::Error {
    let file = file.display();
    Usage(format!(
        "`{file}` has the number {after}, and the head of the audit is entry {head}: it belongs to another audit, or \
         the store was restored from a backup; name another file, or remove it to take all entries"
    ))
    .into()
}

/// The number in a file; 0 if the file is not there.
fn position_in(file: &Path) -> Result<u64> {
    match std::fs::read_to_string(file) {
        Ok(text) => match text.trim().parse() {
            Ok(number) => Ok(number),
            Err(_) => {
                let what = format!("`{}` has no number of an entry", file.display());
                Err(Usage(what).into())
            }
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error).with_context(|| format!("cannot read `{}`", file.display())),
    }
}
