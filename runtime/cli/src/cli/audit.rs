//! `ferrule audit`: verifies the chain of the audit, and hands it on.

mod export;
mod source;
mod verify;

use anyhow::Result;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Find each entry that was changed, is missing, was inserted, stands elsewhere or was cut off.
    Verify(verify::Verify),
    /// Write entries as lines, or send them to a receiver of syslog over TLS.
    Export(export::Export),
}

/// Runs a command. A fault of the chain makes it fail with 1; a chain that cannot be read, with 2.
pub(super) async fn run(command: Audit) -> Result<()> {
    match command {
        Audit::Verify(arguments) => verify::run(arguments).await,
        Audit::Export(arguments) => export::run(arguments).await,
    }
}
