//! The `ferrule` program.

use std::process::ExitCode;

use clap::Parser as _;
use server::cli::{self, Cli};

/// Journals, documents and plugin calls are many small pieces of memory that live for one step.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    server::start_log();
    match cli::run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read the output has seen enough, as `head` does.
        Err(error) if server::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            server::complain(&error);
            ExitCode::FAILURE
        }
    }
}
