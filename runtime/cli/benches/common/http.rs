//! As little of HTTP as a benchmark needs: a connection for each request.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::Value;

/// Asks one server.
pub(crate) struct Client(String);

impl Client {
    /// Asks the server at an address.
    pub(crate) fn new(address: String) -> Self {
        Self(address)
    }

    /// The address of the server as a URL.
    #[allow(dead_code, reason = "not every benchmark needs it")]
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.0)
    }

    /// A free address.
    pub(crate) fn free() -> String {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
    }

    /// The status and the body of an answer; `None` if there is none.
    pub(crate) fn get(&self, path: &str) -> Option<(u16, Value)> {
        self.ask("GET", path, "")
    }

    /// The same of a request with a body.
    #[allow(dead_code, reason = "not every benchmark needs it")]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        self.ask("POST", path, &body.to_string())
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Option<(u16, Value)> {
        let mut stream = TcpStream::connect(&self.0).ok()?;
        let (host, length) = (&self.0, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let text = String::from_utf8(answer).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let body = if head.to_lowercase().contains("transfer-encoding: chunked") {
            unchunked(body)
        } else {
            body.to_string()
        };
        Some((status, serde_json::from_str(&body).unwrap_or_default()))
    }
}

/// The body that chunks are the pieces of.
fn unchunked(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length.trim(), 16).unwrap_or_default();
        if length == 0 {
            break;
        }
        body.push_str(&after[..length]);
        rest = after[length..].trim_start_matches("\r\n");
    }
    body
}
