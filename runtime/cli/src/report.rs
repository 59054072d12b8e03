//! What the program reports to a terminal: the log, and errors.

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
    eprintln!("{line}");
}

/// Tells a person why the program ends: each cause on a line of its own.
#[expect(clippy::print_stderr, reason = "this is where errors reach a person")]
pub(crate) fn complain(error: &anyhow::Error) {
    eprintln!("ferrule: {error}");
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        // An error that passes its cause's words on would say them twice.
        if !last.contains(&text) {
            eprintln!("  because: {text}");
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
