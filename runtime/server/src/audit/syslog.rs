//! Entries of the audit as messages of syslog (RFC 5424), framed for TLS (RFC 5425), and the connection that
//! they are sent over.

use std::path::Path;
use std::time::Duration;

use engine::audit::{Entry, Line, Outcome, Stored};
use engine::causes::chain;
use host::Trust;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::config::Receiver;

/// The facility `log audit`.
const FACILITY: u8 = 13;

/// The severities of an entry: informational, warning, error.
const INFORMATIONAL: u8 = 6;
const WARNING: u8 = 4;
const ERROR: u8 = 3;

/// Max bytes of a host name in a message.
const HOST_BYTES_MAX: usize = 255;

/// Timeout of a connection with its handshake, and of a write.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
const WRITE_WAIT: Duration = Duration::from_secs(30);

/// An entry as a message. One that cannot be read is sent with the time of nothing, as it is.
pub fn message(stored: &Stored, host: &str) -> String {
    let entry = stored.entry().ok();
    let severity = match entry.as_ref().map(|entry| entry.outcome) {
        Some(Outcome::Done | Outcome::Begun) => INFORMATIONAL,
        Some(Outcome::Refused) => WARNING,
        Some(Outcome::Failed) | None => ERROR,
    };
    let at = entry.as_ref().map_or_else(|| "-".into(), |entry: &Entry| entry.at.to_string());
    let priority = FACILITY * 8 + severity;
    let line = Line::from(stored).0;
    format!("<{priority}>1 {at} {} ferrule {} audit - {line}", named(host), std::process::id())
}

/// A message with its length before it.
pub fn framed(message: &str) -> Vec<u8> {
    format!("{} {message}", message.len()).into_bytes()
}

/// A name of a host as a message may have it.
fn named(host: &str) -> String {
    let visible: String =
        host.chars().filter(char::is_ascii_graphic).take(HOST_BYTES_MAX).collect();
    if visible.is_empty() { "-".into() } else { visible }
}

/// The name of this machine.
pub fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().into()
}

/// A stream that is read and written.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection to a receiver.
pub struct Connection(Box<dyn Stream>);

impl Connection {
    /// Connects. `setting` is the place of the CAs in the settings, a table and a key. They are read each time, so that changed ones count without a restart.
    pub async fn open(
        receiver: &Receiver,
        setting: (&'static str, &'static str),
        ca: Option<&Path>,
    ) -> Result<Self, String> {
        let ca = ca.map(Path::to_owned);
        let read = move || Trust::read(setting, ca.as_deref());
        let trust = tokio::task::spawn_blocking(read).await;
        let trust = trust.map_err(|error| chain(&error))?.map_err(|error| chain(&error))?;
        let opened = async {
            let stream = TcpStream::connect((receiver.host.as_str(), receiver.port)).await?;
            trust.connect(&receiver.host, stream).await
        };
        let opened = tokio::time::timeout(CONNECT_WAIT, opened).await;
        let stream = opened.map_err(|_| "it takes too long to connect".to_string())?;
        Ok(Self(Box::new(stream.map_err(|error| chain(&error))?)))
    }

    /// Sends bytes. That they arrived is not known: the protocol has no answer.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let sent = async {
            self.0.write_all(bytes).await?;
            self.0.flush().await
        };
        let sent = tokio::time::timeout(WRITE_WAIT, sent).await;
        sent.map_err(|_| "the receiver takes nothing".to_string())?.map_err(|error| chain(&error))
    }

    /// Ends when the receiver closes the connection, or something is wrong with it.
    pub async fn closed(&mut self) {
        let mut nothing = [0; 64];
        while self.0.read(&mut nothing).await.is_ok_and(|count| count > 0) {}
    }

    /// Ends the connection, so that the receiver knows that nothing is cut off.
    pub async fn close(mut self) -> Result<(), String> {
        let closed = tokio::time::timeout(WRITE_WAIT, self.0.shutdown()).await;
        closed.map_err(|_| "the receiver takes nothing".to_string())?.map_err(|error| chain(&error))
    }
}

#[cfg(test)]
mod tests;
