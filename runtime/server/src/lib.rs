//! The server: HTTP, the command line, and what wires the engine, the store and the host together.
#![forbid(unsafe_code)]

pub mod app;
pub mod config;
pub mod events;
mod json;
mod mass;
pub mod packs;
mod reconcile;
mod replan;
mod retention;
mod systems;

pub mod http;
pub mod serve;

pub mod client;
pub mod demo;
pub mod repository;
pub mod simnet;

pub mod cli;

/// Starts the log: to standard error, from `FERRULE_LOG` (such as `info` or `engine=debug`),
/// warnings by default.
pub fn start_log() {
    use std::io::IsTerminal as _;
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("FERRULE_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let colours = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours);
    log.with_writer(std::io::stderr).init();
}

/// Tells a person why the program ends: each cause on a line of its own.
#[expect(clippy::print_stderr, reason = "this is where errors reach a person")]
pub fn complain(error: &anyhow::Error) {
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

/// Whether the output was closed by whoever reads it.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let cause = cause.downcast_ref::<std::io::Error>();
        cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

/// Ends when the process is asked to stop: by Ctrl-C or by SIGTERM.
pub async fn shutdown() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        },
        Err(error) => {
            tracing::warn!(%error, "SIGTERM is not listened to");
            tokio::signal::ctrl_c().await.ok();
        }
    }
}
