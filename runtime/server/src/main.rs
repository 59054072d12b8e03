//! The `ferrule` program.

use std::process::ExitCode;

use clap::Parser as _;
use server::cli::{self, Cli};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    server::start_log();
    match cli::run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            server::complain(&error);
            ExitCode::FAILURE
        }
    }
}
