//! Backups: `POST backups` answers with the whole store as it is after one commit, of all tenants, while the server
//! goes on. `ferrule store restore` reads it.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use engine::store::{Backup, BackupError};
use futures_util::stream;
use tmf::time::Timestamp;
use tokio::sync::mpsc::{self, Sender};

use crate::http::problem::{Answer, Problem};
use crate::http::{ServerState, answer};

/// Max parts that wait for the client; then the backup waits. A part is a block of the file.
const PARTS_MAX: usize = 4;

/// Answers with a backup.
pub(super) fn take(server: &ServerState) -> Answer {
    if server.name().is_some() {
        let message =
            "a backup has the data of all tenants: an administrator of the default one takes it";
        return Err(Problem::forbidden(message));
    }
    let backup = server.engine.store().back_up().map_err(|error| refused(&error))?;
    let taken = server.engine.now();
    let (sender, mut parts) = mpsc::channel(PARTS_MAX);
    // It ends when the client does: the parts go with the response, and then no part can be sent.
    tokio::task::spawn_blocking(move || write(backup, taken, &sender));
    let parts = stream::poll_fn(move |context| parts.poll_recv(context));
    Ok(answer::with_type(StatusCode::OK, "application/octet-stream", Body::from_stream(parts)))
}

fn refused(error: &BackupError) -> Problem {
    match error {
        BackupError::Busy => Problem::conflict(error.to_string()),
        BackupError::Unsupported => Problem::unprocessable(error.to_string()),
        BackupError::Write(_) | BackupError::Read(_) => Problem::ours(error),
    }
}

fn write(backup: Box<dyn Backup>, taken: Timestamp, sender: &Sender<io::Result<Bytes>>) {
    match backup.write(taken.0, &mut Parts(sender), &mut |_| ()) {
        Ok(done) => tracing::info!(?done, "a backup was taken"),
        Err(BackupError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            tracing::info!("a backup was not taken to its end by its client");
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a backup failed");
            // The client sees that the response has no end.
            drop(sender.blocking_send(Err(io::Error::other(error))));
        }
    }
}

/// Sends what is written, and waits while the client has too much of it.
struct Parts<'a>(&'a Sender<io::Result<Bytes>>);

impl Write for Parts<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let part = Bytes::copy_from_slice(bytes);
        self.0.blocking_send(Ok(part)).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
