//! The connection to the collector: one that is kept, by TLS if its URL begins with `https`.

use engine::causes::chain;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Response};

use crate::config::Collector;
use crate::outbound::Outbound;

/// A collector, with the connection to it.
#[derive(Debug)]
pub(super) struct Link {
    collector: Collector,
    outbound: Outbound,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Link {
    pub(super) fn new(collector: Collector) -> Self {
        let outbound = Outbound::new(("[traces]", "ca"), collector.ca.to_owned());
        Self { collector, outbound, sender: None }
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
        let sender = self.outbound.connect(&self.collector.url).await;
        let mut sender = sender.map_err(|error| chain(&error))?;
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
}

#[cfg(test)]
mod tests;
