//! The `ferrule` program: commands, the demo, and what they share.
#![forbid(unsafe_code)]

mod cargo;
mod cli;
mod client;
mod demo;
mod report;
mod repository;

use std::process::ExitCode;

use crate::cli::Cli;
use clap::Parser as _;

/// Journals, documents and plugin calls are many small pieces of memory that live for one step.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(numbers) = cli.compiles() {
        return compile(numbers);
    }
    report::start_log();
    match cli::run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        // The reader closed the pipe early, as `head` does.
        Err(error) if report::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(&error);
            if error.is::<cli::Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

/// Compiles one plugin, for the server that started this process.
#[expect(clippy::print_stderr, reason = "the server reads it there")]
fn compile(numbers: &[String]) -> ExitCode {
    match host::compile::work(numbers) {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            eprintln!("{refusal}");
            refusal.exit_code()
        }
    }
}
