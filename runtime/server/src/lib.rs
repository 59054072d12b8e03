//! The server: HTTP, events, imports and exports, reconciliation, and the start of engine, store
//! and host.
#![forbid(unsafe_code)]

pub mod access;
mod aside;
pub mod audit;
mod bulk;
#[cfg(test)]
mod certified;
pub mod config;
pub mod documents;
pub mod events;
pub mod orders;
pub mod outbound;
pub mod packs;
mod persons;
pub mod plugins;
mod policies;
#[cfg(test)]
mod private;
mod reconcile;
mod replan;
mod retention;
pub mod rulebooks;
mod search;
pub mod secrets;
pub mod services;
pub mod settings;
mod stamp;
pub mod tls;
mod traces;

pub mod http;
pub mod serve;

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
