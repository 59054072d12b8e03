//! Tells a client what became of the call that was accepted: retried until it is heard.

use std::error::Error as _;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Method, Request, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use thiserror::Error;

use super::network::Callback;

const DELIVERY_MAX: Duration = Duration::from_secs(60);
const ATTEMPT_MAX: Duration = Duration::from_secs(5);
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Sends callbacks over connections that it keeps.
#[derive(Clone)]
pub(super) struct Client(Pool<HttpConnector, Full<Bytes>>);

/// Why one attempt failed.
#[derive(Debug, Error)]
enum Error {
    #[error("the callback was not sent")]
    Send(#[source] hyper_util::client::legacy::Error),
    #[error("the callback was answered with {0}")]
    Status(u16),
    #[error("the callback was not answered in time")]
    Timeout,
}

impl Client {
    pub(super) fn new() -> Self {
        Self(Pool::builder(TokioExecutor::new()).build_http())
    }

    /// Delivers as often as it is owed; gives up a delivery when its time is over.
    pub(super) async fn deliver(&self, callback: &Callback) {
        for _ in 0..callback.deliveries {
            let insisting = self.insist(callback);
            if tokio::time::timeout(DELIVERY_MAX, insisting).await.is_err() {
                tracing::warn!(url = callback.url, "gave a callback up");
            }
        }
    }

    async fn insist(&self, callback: &Callback) {
        let mut pause = PAUSE_MIN;
        while let Err(error) = self.attempt(callback).await {
            let cause = error.source().map(ToString::to_string);
            tracing::debug!(url = callback.url, %error, cause, "will call back again");
            tokio::time::sleep(pause).await;
            pause = PAUSE_MAX.min(pause * 2);
        }
    }

    async fn attempt(&self, callback: &Callback) -> Result<(), Error> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(&callback.url)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(callback.body.clone()))
            .expect("the address was checked when the call was accepted");
        let sending = async {
            let response = self.0.request(request).await.map_err(Error::Send)?;
            let status = response.status();
            // Read to the end, so that the connection can be used again; its content is ignored.
            drop(Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await);
            if status.is_success() {
                return Ok(());
            }
            Err(Error::Status(status.as_u16()))
        };
        match tokio::time::timeout(ATTEMPT_MAX, sending).await {
            Ok(result) => result,
            Err(_) => Err(Error::Timeout),
        }
    }
}
