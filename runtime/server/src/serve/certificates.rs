//! Follows the files of `[tls]`: a changed certificate counts from the next connection. Files that cannot be used
//! change nothing. An expiring certificate is in the log once a day.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Tls;
use crate::stamp::{Stamp, stamp};
use crate::tls::revoked;
use crate::tls::{self, Loaded, Serving, TlsError};

/// The interval of looks at the files.
const LOOK: Duration = Duration::from_secs(1);

/// The interval of warnings.
const WARN: Duration = Duration::from_secs(24 * 3_600);

/// A certificate that expires earlier is warned of.
const EXPIRY_S: i64 = 14 * 24 * 3_600;

/// The files of `[tls]`, and what is made of them.
pub(super) struct Certificates {
    settings: Arc<Tls>,
    serving: Serving,
    last: Vec<Option<Stamp>>,
    seen: Vec<Option<Stamp>>,
    warned: Option<Instant>,
    warned_of_lists: Option<Instant>,
}

impl Certificates {
    /// Reads the files.
    pub(super) fn open(settings: Tls) -> Result<Self, TlsError> {
        // Taken first: what changes while it is read is read again.
        let last = stamps(&settings);
        let serving = Serving::new(Loaded::read(&settings)?);
        let (settings, seen) = (Arc::new(settings), last.to_vec());
        let mut opened =
            Self { settings, serving, last, seen, warned: None, warned_of_lists: None };
        opened.warn_of_expiry();
        Ok(opened)
    }

    pub(super) fn serving(&self) -> &Serving {
        &self.serving
    }

    /// Looks at the files until the server stops.
    pub(super) async fn follow(mut self, stopped: impl Future<Output = ()>) {
        let following = async {
            loop {
                tokio::time::sleep(LOOK).await;
                self.look().await;
                self.warn_of_expiry();
                self.warn_of_lists();
            }
        };
        tokio::select! {
            () = stopped => {}
            () = following => {}
        }
    }

    /// Takes changed files into use if they were the same in two looks: a certificate and its key are rarely written
    /// at one time.
    async fn look(&mut self) {
        let now = stamps(&self.settings);
        let is_settled = now == self.last;
        self.last = now;
        if !is_settled || self.last == self.seen {
            return;
        }
        self.seen.clone_from(&self.last);
        let settings = Arc::clone(&self.settings);
        let read = tokio::task::spawn_blocking(move || Loaded::read(&settings)).await;
        let counts = &self.serving.counts;
        match read {
            Ok(Ok(loaded)) => {
                let until = loaded.not_after.map(|end| end.to_string());
                self.serving.replace(loaded);
                counts.reloads.fetch_add(1, Ordering::Relaxed);
                (self.warned, self.warned_of_lists) = (None, None);
                tracing::info!(until, "the certificate of the listener was read again");
            }
            Ok(Err(error)) => {
                counts.rejected.fetch_add(1, Ordering::Relaxed);
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "the certificate of the listener stays as it was");
            }
            // The server stops.
            Err(_) => {}
        }
    }

    fn warn_of_lists(&mut self) {
        let until = self.serving.now().lists_until.filter(|until| *until <= tls::now());
        let is_due = self.warned_of_lists.is_none_or(|warned| warned.elapsed() >= WARN);
        let (Some(until), true) = (until, is_due) else { return };
        self.warned_of_lists = Some(Instant::now());
        tracing::error!(
            until = until.to_string(),
            "a revocation list of `client-crls` has expired, certificates of its CA are refused: replace it, which \
             counts without a restart"
        );
    }

    fn warn_of_expiry(&mut self) {
        let loaded = self.serving.now();
        let left = loaded.expires_in_s().filter(|left| *left < EXPIRY_S);
        let is_due = self.warned.is_none_or(|warned| warned.elapsed() >= WARN);
        let (Some(left), Some(end), true) = (left, loaded.not_after, is_due) else { return };
        self.warned = Some(Instant::now());
        let (file, end) = (self.settings.certificate.display(), end.to_string());
        if left <= 0 {
            tracing::error!(
                %file,
                end,
                "the certificate of the listener has expired, clients refuse it: replace the file, which counts \
                 without a restart"
            );
        } else {
            tracing::warn!(
                %file,
                end,
                "the certificate of the listener expires soon: replace the file, which counts without a restart"
            );
        }
    }
}

fn stamps(settings: &Tls) -> Vec<Option<Stamp>> {
    let lists = settings.client_crls.iter();
    // A folder that cannot be read has no files; that it cannot be read is told when it is.
    let lists = lists.flat_map(|path| revoked::files(path).unwrap_or_default());
    let lists: Vec<_> = lists.map(|path| stamp(&path)).collect();
    settings.files().map(|path| stamp(path)).chain(lists).collect()
}
