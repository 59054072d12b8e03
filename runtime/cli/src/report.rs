//! What the program reports to a terminal: the log, and errors.

use std::borrow::Cow;

/// A text without characters that command a terminal: a server, a plugin or a file may have sent them. Line
/// ends and tabs stay.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let commands = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(commands) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match commands(c) {
            true => plain.extend(c.escape_unicode()),
            false => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

/// The same for bytes on their way to a terminal, which come in pieces: each such character becomes a `?` or a `¿`.
#[derive(Default)]
pub(crate) struct Piecewise {
    last: u8,
}

impl Piecewise {
    /// The next piece.
    pub(crate) fn plain(&mut self, piece: &[u8]) -> Vec<u8> {
        let plain = piece.iter().map(|byte| {
            // Those from 0x80 to 0x9f have two bytes in UTF-8.
            let is_second = std::mem::replace(&mut self.last, *byte) == 0xc2;
            match byte {
                b'\n' | b'\t' => *byte,
                0..0x20 | 0x7f => b'?',
                0x80..0xa0 if is_second => 0xbf,
                byte => *byte,
            }
        });
        plain.collect()
    }
}

/// Starts the log: to standard error, from `FERRULE_LOG` (such as `info` or `engine=debug`),
/// warnings by default.
pub(crate) fn start_log() {
    use std::io::IsTerminal as _;
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("FERRULE_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let colours = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours);
    log.with_writer(std::io::stderr).init();
}

/// Shows a line beside what the program prints.
#[expect(clippy::print_stderr, reason = "standard output has the answer")]
pub(crate) fn note(line: &str) {
    eprintln!("{}", plain(line));
}

/// Tells a person why the program ends: each cause on a line of its own.
#[expect(clippy::print_stderr, reason = "this is where errors reach a person")]
pub(crate) fn complain(error: &anyhow::Error) {
    eprintln!("ferrule: {}", plain(&error.to_string()));
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        // An error that passes its cause's words on would say them twice.
        if !last.contains(&text) {
            eprintln!("  because: {}", plain(&text));
        }
        last = text;
    }
}

/// Whether the reader closed the output.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let cause = cause.downcast_ref::<std::io::Error>();
        cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests;
