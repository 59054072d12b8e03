//! HTTP as a test needs it: any method, header and body, and everything that comes back.

use anyhow::{Context as _, Result, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{HeaderMap, Request, Response};
use hyper_util::client::legacy::Client as Pooled;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::DEADLINE;

/// The doors of one server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Http {
    pub(crate) base: String,
    pooled: Pooled<HttpConnector, Full<Bytes>>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// The text read as JSON; null where it is none.
    pub(crate) body: Value,
}

/// Server-sent events, as they come.
pub(crate) struct Stream {
    body: Incoming,
    buffer: String,
}

#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) id: String,
    pub(crate) data: Value,
}

impl Http {
    /// A client of the server at a URL.
    pub(crate) fn new(base: &str) -> Self {
        let pooled = Pooled::builder(TokioExecutor::new()).build_http();
        Self { base: base.into(), pooled }
    }

    /// Sends a request; an error means that no whole answer came.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer> {
        let sending = async {
            let response = self.request(method, path, headers, body.into()).await?;
            let (parts, body) = response.into_parts();
            let text = String::from_utf8(body.collect().await?.to_bytes().into())?;
            let body = serde_json::from_str(&text).unwrap_or_default();
            Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, text, body })
        };
        tokio::time::timeout(DEADLINE, sending).await.context("no answer in time")?
    }

    /// GETs a JSON document that is there.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.send("GET", path, &[], "").await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.body
    }

    /// How many documents a list has.
    pub(crate) async fn total(&self, path: &str) -> usize {
        let answer = self.send("GET", path, &[], "").await.unwrap();
        answer.headers["x-total-count"].to_str().unwrap().parse().unwrap()
    }

    /// POSTs a JSON document.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, &[], body).await.unwrap()
    }

    /// POSTs a JSON document with headers.
    pub(crate) async fn post_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<Answer> {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        self.send("POST", path, &headers, body.to_string()).await
    }

    /// The first documents of a list that has a query.
    pub(crate) async fn list_of(&self, path: &str) -> Vec<Value> {
        self.get(path).await.as_array().expect("a list is an array").clone()
    }

    /// Every document of a list, page by page.
    pub(crate) async fn list(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        loop {
            let page = self.get(&format!("{path}?limit=1000&offset={}", rows.len())).await;
            let page = page.as_array().expect("a list is an array").clone();
            let is_last = page.len() < 1_000;
            rows.extend(page);
            if is_last {
                return rows;
            }
        }
    }

    /// The events of a fulfilment, from the first or from after one that was seen.
    pub(crate) async fn events(&self, id: &str, last_seen: Option<&str>) -> Result<Stream> {
        let path = format!("/orchestration/v1/fulfilments/{id}/events");
        let headers: Vec<_> = last_seen.iter().map(|id| ("last-event-id", *id)).collect();
        let response = self.request("GET", &path, &headers, Bytes::new()).await?;
        if response.status() != 200 {
            bail!("{path} answered {}", response.status());
        }
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Ok(Stream { body: response.into_body(), buffer: String::new() })
    }

    async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Response<Incoming>> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Ok(self.pooled.request(request.body(Full::new(body))?).await?)
    }
}

impl Stream {
    /// The next event; nothing once the stream has ended.
    pub(crate) async fn next(&mut self) -> Result<Option<Sent>> {
        loop {
            if let Some(end) = self.buffer.find("\n\n") {
                let text: String = self.buffer.drain(..end + 2).collect();
                let field = |name: &str| -> String {
                    text.lines().filter_map(|line| line.strip_prefix(name)).map(str::trim).collect()
                };
                let data = field("data:");
                if !data.is_empty() {
                    return Ok(Some(Sent { id: field("id:"), data: serde_json::from_str(&data)? }));
                }
                continue;
            }
            let Some(frame) = self.body.frame().await else {
                return Ok(None);
            };
            if let Ok(data) = frame?.into_data() {
                self.buffer.push_str(std::str::from_utf8(&data)?);
            }
        }
    }
}
