//! The connection to the collector: one that is kept, by TLS if its URL begins with `https`.

use std::io;

use engine::causes::chain;
use host::Trust;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::rt::{Read, Write};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::config::Collector;

/// A collector, with the connection to it.
#[derive(Debug)]
pub(super) struct Link {
    collector: Collector,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Link {
    pub(super) fn new(collector: Collector) -> Self {
        Self { collector, sender: None }
    }

    /// Sends a message. It is sent once more over a new connection if the kept one fails, which the collector
    /// may have closed: spans that arrive twice have the same ids.
    pub(super) async fn send(&mut self, message: Bytes) -> Result<Response<Incoming>, String> {
        if let Some(mut sender) = self.sender.take()
            && sender.ready().await.is_ok()
            && let Ok(answer) = sender.send_request(self.request(&message)?).await
        {
            self.sender = Some(sender);
            return Ok(answer);
        }
        let mut sender = self.connect().await?;
        let answer = sender.send_request(self.request(&message)?).await;
        let answer = answer.map_err(|error| chain(&error))?;
        self.sender = Some(sender);
        Ok(answer)
    }

    fn request(&self, message: &Bytes) -> Result<Request<Full<Bytes>>, String> {
        let url = &self.collector.url;
        Request::post(url.path())
            .header(HOST, url.authority().map_or("", |authority| authority.as_str()))
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, "ferrule")
            .body(Full::new(Bytes::clone(message)))
            .map_err(|error| error.to_string())
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        let trust = self.trust().await?;
        let url = &self.collector.url;
        let port = url.port_u16().unwrap_or_else(|| if trust.is_some() { 443 } else { 80 });
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
        let told = |error: io::Error| chain(&error);
        let stream = TcpStream::connect((host, port)).await.map_err(told)?;
        match trust {
            None => handshake(TokioIo::new(stream)).await,
            Some(trust) => {
                let stream = trust.connect(host, stream).await.map_err(told)?;
                handshake(TokioIo::new(stream)).await
            }
        }
    }

    /// Reads the CAs. They are read for each connection, so that changed ones count without a restart.
    async fn trust(&self) -> Result<Option<Trust>, String> {
        if !self.collector.is_secure() {
            return Ok(None);
        }
        let ca = self.collector.ca.to_owned();
        let read = tokio::task::spawn_blocking(move || Trust::read("traces", ca.as_deref()));
        let trust = read.await.map_err(|error| chain(&error))?;
        trust.map(Some).map_err(|error| chain(&error))
    }
}

async fn handshake(
    stream: impl Read + Write + Unpin + Send + 'static,
) -> Result<SendRequest<Full<Bytes>>, String> {
    let (sender, connection) = http1::handshake(stream).await.map_err(|error| chain(&error))?;
    // It ends when the sender is dropped, or the collector closes it.
    tokio::spawn(connection);
    Ok(sender)
}

#[cfg(test)]
mod tests;
