//! A request that is sent more than once: in full, again and again until it is acknowledged, or by
//! a client that vanishes.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{Answer, DEADLINE, Http};

/// The pause before a request is repeated that was not answered yet.
const REPEAT: Duration = Duration::from_millis(15);

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
}

/// When a client closes its connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Vanish {
    /// After this share of the request, in percent: 100 is all of it.
    AfterPercent(usize),
    /// This many milliseconds after the whole request.
    AfterMs(u64),
}

impl Vanish {
    /// The moments that are tried, early ones first.
    pub(crate) const ALL: [Self; 10] = [
        Self::AfterPercent(30),
        Self::AfterPercent(99),
        Self::AfterPercent(100),
        Self::AfterMs(1),
        Self::AfterMs(2),
        Self::AfterMs(3),
        Self::AfterMs(4),
        Self::AfterMs(8),
        Self::AfterMs(15),
        Self::AfterMs(25),
    ];
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        Self { method: "GET", path: path.into(), headers: Vec::new(), body: None }
    }

    /// A POST of a document.
    pub(crate) fn post(path: &str, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_string())];
        Self { method: "POST", path: path.into(), headers, body: Some(body.clone()) }
    }

    pub(crate) fn patch(path: &str, body: &Value) -> Self {
        let headers = vec![("content-type", "application/merge-patch+json".to_string())];
        Self { method: "PATCH", path: path.into(), headers, body: Some(body.clone()) }
    }

    /// The same under an idempotency key.
    pub(crate) fn keyed(self, key: &str) -> Self {
        self.with("idempotency-key", key)
    }

    /// The same with a header.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn text(&self) -> String {
        self.body.as_ref().map(Value::to_string).unwrap_or_default()
    }

    /// All of it as it goes over the wire.
    fn bytes(&self, host: &str) -> Vec<u8> {
        let body = self.text();
        let mut text = format!("{} {} HTTP/1.1\r\nhost: {host}\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        text.into_bytes()
    }
}

impl Http {
    /// Sends a request; an error means that no whole answer came.
    pub(crate) async fn ask(&self, request: &Request) -> Result<Answer> {
        let headers: Vec<_> =
            request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send(request.method, &request.path, &headers, request.text()).await
    }

    /// Sends a request and does not wait for the answer.
    pub(crate) async fn ask_and_vanish(&self, request: &Request, when: Vanish) {
        let host = self.base.strip_prefix("http://").expect("a URL of ours");
        let bytes = request.bytes(host);
        let (count, pause) = match when {
            Vanish::AfterPercent(percent) => (bytes.len() * percent / 100, 0),
            Vanish::AfterMs(ms) => (bytes.len(), ms),
        };
        let mut stream = TcpStream::connect(host).await.unwrap();
        // A server may close first; who vanishes does not mind.
        stream.write_all(&bytes[..count]).await.ok();
        if pause > 0 {
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    /// Asks the same again and again, without waiting for answers, until one of them satisfies.
    pub(crate) async fn repeat_until(
        &self,
        request: &Request,
        satisfies: impl Fn(&Answer) -> bool,
    ) -> Answer {
        let repeating = async {
            let mut asking = JoinSet::new();
            loop {
                let (http, request) = (self.clone(), request.clone());
                asking.spawn(async move { http.ask(&request).await });
                tokio::select! {
                    Some(answer) = asking.join_next() => {
                        let answer = answer.unwrap().unwrap();
                        if satisfies(&answer) {
                            return answer;
                        }
                    }
                    () = tokio::time::sleep(REPEAT) => {}
                }
            }
        };
        tokio::time::timeout(DEADLINE, repeating).await.expect("it is answered in time")
    }
}
