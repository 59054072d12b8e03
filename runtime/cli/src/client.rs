//! A small HTTP client for the command line: JSON in and out, and a stream of events.

mod connect;
mod explain;
mod login;
pub(crate) mod trust;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use axum::body::{Body, Bytes};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Client as Pooled;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub(crate) use self::login::{Login, Proof};
use connect::Connector;

/// Max bytes of an answer that is read to its end, and of one event: a server may send without an end.
const ANSWER_BYTES_MAX: usize = 256 << 20;
const EVENT_BYTES_MAX: usize = 16 << 20;

/// Max characters of an answer that a message repeats.
const SHOWN_CHARS_MAX: usize = 2_000;

/// How long a connection may rest and be used again. The server closes one after 30 seconds: a request that is
/// on its way just then is lost.
const IDLE_MAX: Duration = Duration::from_secs(15);

/// A client of one server. Cheap to clone; connections are kept and shared.
#[derive(Clone)]
pub(crate) struct Client {
    base: String,
    pooled: Pooled<Connector, Body>,
    authorization: Option<HeaderValue>,
}

/// A response that was read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    body: Bytes,
}

/// The reason for a response that is no success: TM Forum's `Error`. Its `reason` is the name of the status.
#[derive(Deserialize)]
struct Reason {
    message: String,
}

/// Events of one fulfilment, as they come.
pub(crate) struct Events {
    body: Incoming,
    buffer: String,
    /// Bytes of the buffer in which no event ends.
    searched: usize,
}

impl Client {
    /// A client of the server at a URL such as `http://127.0.0.1:8080`, with the proof of who uses it.
    pub(crate) fn new(base: &str, login: &Login) -> Result<Self> {
        let base = base.trim_end_matches('/');
        let tls = login.tls_for(base)?;
        let authorization = login.authorization(base)?;
        Ok(Self { authorization, ..Self::of(&login.place(base)?, tls)? })
    }

    /// A client of a server on this machine that asks for no proof.
    pub(crate) fn local(base: &str) -> Result<Self> {
        Self::of(base, None)
    }

    fn of(base: &str, tls: Option<Arc<ClientConfig>>) -> Result<Self> {
        let place = base.split_once("://").map_or(base, |(_, place)| place);
        if place.split(['/', '?', '#']).next().is_some_and(|host| host.contains('@')) {
            bail!(
                "the URL of the server has a user or a password: leave them out, such as \
                 `http://127.0.0.1:8080`; a token goes into FERRULE_TOKEN or `--token-file`"
            );
        }
        let mut pooled = Pooled::builder(TokioExecutor::new());
        pooled.pool_idle_timeout(IDLE_MAX);
        let pooled = pooled.build(Connector { tls });
        Ok(Self { base: base.trim_end_matches('/').into(), pooled, authorization: None })
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// GETs a JSON document.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.look(path).await?.success(path)?.json()
    }

    /// GETs a path, to the end of its answer.
    pub(crate) async fn look(&self, path: &str) -> Result<Answer> {
        Answer::read(self.open(Method::GET, path, "", Body::empty()).await?).await
    }

    /// Sends a JSON document; the answer may have any status.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Answer> {
        let body = Body::from(serde_json::to_vec(body)?);
        Answer::read(self.open(method, path, "application/json", body).await?).await
    }

    /// Sends bytes with some headers; the answer may have any status.
    pub(crate) async fn send_bytes(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        bytes: Vec<u8>,
    ) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::read(self.exchange(request.body(Body::from(bytes))?).await?).await
    }

    /// Follows the events of a fulfilment, from its first.
    pub(crate) async fn events(&self, fulfilment: &str) -> Result<Events> {
        let path = format!("/orchestration/v1/fulfilments/{fulfilment}/events");
        let response = self.open(Method::GET, &path, "", Body::empty()).await?;
        if !response.status().is_success() {
            Answer::read(response).await?.success(&path)?;
            bail!("{path} answered without events");
        }
        Ok(Events { body: response.into_body(), buffer: String::new(), searched: 0 })
    }

    /// Sends a request, to the beginning of its answer. The body may be a stream.
    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        media_type: &str,
        body: Body,
    ) -> Result<Response<Incoming>> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !media_type.is_empty() {
            request = request.header("content-type", media_type);
        }
        self.exchange(request.body(body)?).await
    }

    async fn exchange(&self, mut request: Request<Body>) -> Result<Response<Incoming>> {
        let uri = request.uri().to_string();
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.to_owned());
        }
        let sent = self.pooled.request(request).await;
        sent.map_err(|error| {
            let explained = explain::failure(&error, &uri);
            anyhow!(error).context(explained)
        })
    }
}

impl Events {
    /// The next event's data; `None` once the stream has ended.
    pub(crate) async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        loop {
            // The first half of an end may be there already.
            let from = self.buffer.floor_char_boundary(self.searched.saturating_sub(1));
            if let Some(end) = self.buffer[from..].find("\n\n") {
                let event: String = self.buffer.drain(..from + end + 2).collect();
                self.searched = 0;
                let data: String =
                    event.lines().filter_map(|line| line.strip_prefix("data:")).collect();
                if !data.trim().is_empty() {
                    return Ok(Some(serde_json::from_str(&data)?));
                }
                continue;
            }
            self.searched = self.buffer.len();
            match self.body.frame().await {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame?.into_data() {
                        if self.buffer.len() + data.len() > EVENT_BYTES_MAX {
                            bail!("the server sent an event of more than {EVENT_BYTES_MAX} bytes");
                        }
                        self.buffer.push_str(&String::from_utf8_lossy(&data).replace('\r', ""));
                    }
                }
            }
        }
    }
}

impl Answer {
    /// Reads a response to its end.
    pub(crate) async fn read(response: Response<Incoming>) -> Result<Self> {
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| anyhow!(error).context("the answer cannot be read"))?;
        Ok(Self { status, body: body.to_bytes() })
    }

    /// The same answer if it is a success; else an error with its reason.
    pub(crate) fn success(self, path: &str) -> Result<Self> {
        if self.status.is_success() {
            return Ok(self);
        }
        let reason = serde_json::from_slice(&self.body).map(|reason: Reason| reason.message);
        let reason = reason.map_or_else(|_| self.text(), Cow::Owned);
        let reason = beginning(&reason);
        match explain::refusal(self.status) {
            Some(hint) => bail!("{path} answered {}: {reason}: {hint}", self.status),
            None => bail!("{path} answered {}: {reason}", self.status),
        }
    }

    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("the answer is {}", beginning(&self.text())))
    }

    pub(crate) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// The beginning of an answer, for a message.
fn beginning(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
