//! The log that is kept with an attempt: what the plugin writes through `log`, to stdout and to
//! stderr, and the host's own lines about it. Always granted, capped in size.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use hyper::body::Bytes;
use tokio::io::AsyncWrite;
use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::contract::log::{self, Level};

/// How many bytes of log are kept of one attempt.
pub(crate) const BYTES_MAX: usize = 64 * 1024;

/// How much a guest may write to a stream at once.
const WRITE_MAX: usize = 16 * 1024;

/// The log of one attempt; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    lines: Vec<String>,
    bytes: usize,
    dropped: usize,
    /// How often the guest called the interface.
    calls: u32,
    /// Text after the last line break, of stdout and of stderr.
    partial: [Vec<u8>; 2],
    /// What the guest last said on stderr, usually why it gave up.
    last_words: Option<String>,
}

/// Which of a guest's streams.
#[derive(Clone, Copy, Debug)]
enum Channel {
    Stdout,
    Stderr,
}

impl Log {
    /// Adds a text, one line for each of its own.
    pub(crate) fn write(&self, label: &str, text: &str) {
        self.lock().write(label, text);
    }

    /// What the guest last said on stderr.
    pub(crate) fn last_words(&self) -> Option<String> {
        let mut lines = self.lock();
        lines.flush();
        lines.last_words.clone()
    }

    /// The lines, and how many more there would have been.
    pub(crate) fn finish(&self) -> Vec<String> {
        let mut lines = self.lock();
        lines.flush();
        let mut all = std::mem::take(&mut lines.lines);
        if lines.dropped > 0 {
            let dropped = lines.dropped;
            all.push(format!(
                "host: dropped {dropped} more lines, an attempt keeps {} KiB",
                BYTES_MAX / 1024
            ));
        }
        all
    }

    /// How often the guest called the interface.
    pub(crate) fn calls(&self) -> u32 {
        self.lock().calls
    }

    /// Where the guest's stdout goes.
    pub(crate) fn stdout(&self) -> Stream {
        Stream { log: self.clone(), channel: Channel::Stdout }
    }

    /// Where the guest's stderr goes.
    pub(crate) fn stderr(&self) -> Stream {
        Stream { log: self.clone(), channel: Channel::Stderr }
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        // Every change leaves the lines consistent, so a poisoned lock is still good.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn write(&mut self, label: &str, text: &str) {
        for line in text.lines() {
            self.push(label, line);
        }
    }

    fn push(&mut self, label: &str, line: &str) {
        let bytes = label.len() + line.len() + 2;
        if self.bytes + bytes > BYTES_MAX {
            self.dropped += 1;
            return;
        }
        self.bytes += bytes;
        let mut whole = String::with_capacity(bytes);
        whole.push_str(label);
        whole.push_str(": ");
        // A log is read in terminals: nothing in it may move the cursor.
        whole.extend(line.chars().map(|c| if c.is_control() { ' ' } else { c }));
        self.lines.push(whole);
    }

    /// Takes bytes of a stream; they become lines where lines end.
    fn feed(&mut self, channel: Channel, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            self.keep(channel, &rest[..end]);
            self.end(channel);
            rest = &rest[end + 1..];
        }
        self.keep(channel, rest);
    }

    fn keep(&mut self, channel: Channel, bytes: &[u8]) {
        let partial = &mut self.partial[channel as usize];
        let room = WRITE_MAX.saturating_sub(partial.len());
        partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end(&mut self, channel: Channel) {
        let bytes = std::mem::take(&mut self.partial[channel as usize]);
        let line = String::from_utf8_lossy(&bytes);
        let line = line.trim_end();
        match channel {
            Channel::Stdout => self.push("stdout", line),
            Channel::Stderr => {
                self.push("stderr", line);
                // Rust ends a panic with a note on backtraces, which does not help here.
                if !line.is_empty() && !line.starts_with("note: ") {
                    self.last_words = Some(line.chars().take(500).collect());
                }
            }
        }
    }

    fn flush(&mut self) {
        for channel in [Channel::Stdout, Channel::Stderr] {
            if !self.partial[channel as usize].is_empty() {
                self.end(channel);
            }
        }
    }
}

/// One of a guest's streams; what is written to it goes to the log.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    log: Log,
    channel: Channel,
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.log.lock().feed(self.channel, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_MAX)
    }
}

impl Pollable for Stream {
    fn ready<'this, 'future>(&'this mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'future>>
    where
        'this: 'future,
        Self: 'future,
    {
        Box::pin(std::future::ready(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.log.lock().feed(self.channel, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl log::Host for Log {
    fn write(&mut self, level: Level, message: String) {
        let label = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        self.lock().calls += 1;
        Self::write(self, label, &message);
    }
}

pub(crate) struct HasLog;

impl HasData for HasLog {
    type Data<'a> = &'a mut Log;
}

/// Links the interface `log`. `of` finds its data in that of the wasm store.
pub(crate) fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    of: fn(&mut T) -> &mut Log,
) -> wasmtime::Result<()> {
    log::add_to_linker::<_, HasLog>(linker, of)
}

#[cfg(test)]
mod tests;
