//! A small HTTP client for the command line: JSON in and out, and a stream of events.

use anyhow::{Context as _, Result, bail};
use axum::body::Body;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::client::legacy::Client as Pooled;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// A client of one server. Cheap to clone; connections are kept and shared.
#[derive(Clone)]
pub(crate) struct Client {
    base: String,
    pooled: Pooled<HttpConnector, Body>,
}

/// Events of one fulfilment, as they come.
pub(crate) struct Events {
    body: Incoming,
    buffer: String,
}

impl Client {
    /// A client of the server at a URL such as `http://127.0.0.1:8080`.
    pub(crate) fn new(base: &str) -> Self {
        let pooled = Pooled::builder(TokioExecutor::new()).build_http();
        Self { base: base.trim_end_matches('/').into(), pooled }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// GETs a JSON document.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        let (status, body) = self.send(Method::GET, path, None).await?;
        expect_ok(path, status, body)
    }

    /// POSTs a JSON document and answers with the one that comes back.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let (status, body) = self.send(Method::POST, path, Some(body)).await?;
        expect_ok(path, status, body)
    }

    /// Sends a request; answers with status and body, whatever they are.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value)> {
        let response = self.request(method, path, body).await?;
        read(response).await
    }

    /// Follows the events of a fulfilment, from its first.
    pub(crate) async fn events(&self, fulfilment: &str) -> Result<Events> {
        let path = format!("/orchestration/v1/fulfilments/{fulfilment}/events");
        let response = self.request(Method::GET, &path, None).await?;
        if !response.status().is_success() {
            bail!("{path} answered {}", response.status());
        }
        Ok(Events { body: response.into_body(), buffer: String::new() })
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<Incoming>> {
        let (media_type, body) = match body {
            Some(body) => ("application/json", Body::from(serde_json::to_vec(body)?)),
            None => ("", Body::empty()),
        };
        self.open(method, path, media_type, body).await
    }

    /// Sends a request, to the beginning of its answer. The body may be one that comes as it goes.
    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        media_type: &str,
        body: Body,
    ) -> Result<Response<Incoming>> {
        let uri =
            if path.starts_with("http") { path.into() } else { format!("{}{path}", self.base) };
        let mut request = Request::builder().method(method).uri(&uri);
        if !media_type.is_empty() {
            request = request.header("content-type", media_type);
        }
        let request = request.body(body)?;
        let sent = self.pooled.request(request).await;
        sent.with_context(|| format!("no answer from {uri}: is the server running there?"))
    }
}

impl Events {
    /// The next event's data; nothing once the stream has ended.
    pub(crate) async fn next(&mut self) -> Result<Option<Value>> {
        loop {
            if let Some(end) = self.buffer.find("\n\n") {
                let event: String = self.buffer.drain(..end + 2).collect();
                let data: String =
                    event.lines().filter_map(|line| line.strip_prefix("data:")).collect();
                if !data.trim().is_empty() {
                    return Ok(Some(serde_json::from_str(&data)?));
                }
                continue;
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame?.into_data() {
                        self.buffer.push_str(&String::from_utf8_lossy(&data).replace('\r', ""));
                    }
                }
            }
        }
    }
}

/// Reads an answer to its end.
pub(crate) async fn read(response: Response<Incoming>) -> Result<(StatusCode, Value)> {
    let status = response.status();
    let bytes = response.into_body().collect().await?.to_bytes();
    let body = match serde_json::from_slice(&bytes) {
        Ok(body) => body,
        Err(_) => Value::String(String::from_utf8_lossy(&bytes).into_owned()),
    };
    Ok((status, body))
}

/// The body of a successful response; any other response is an error.
pub(crate) fn expect_ok(path: &str, status: StatusCode, body: Value) -> Result<Value> {
    if status.is_success() {
        return Ok(body);
    }
    let message = body.get("message").or_else(|| body.get("reason")).and_then(Value::as_str);
    let message = message.map_or_else(|| body.to_string(), Into::into);
    bail!("{path} answered {status}: {message}")
}
