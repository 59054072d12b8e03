//! An element for tests of activators.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An element that answers each request as it was told, and remembers what it was asked.
pub(crate) struct Element {
    pub(crate) port: u16,
    answers: Arc<Mutex<BTreeMap<String, (u16, Value)>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Element {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (answers, asked) = (Arc::default(), Arc::default());
        let element = Self { port, answers, asked };
        let (answers, asked) = (Arc::clone(&element.answers), Arc::clone(&element.asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answers), Arc::clone(&asked)));
            }
        });
        element
    }

    pub(crate) fn answer(&self, method: &str, status: u16, body: Value) {
        self.answers.lock().unwrap().insert(method.into(), (status, body));
    }

    /// What it was asked since the last look: method, path and the key.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

async fn serve(
    mut stream: TcpStream,
    answers: Arc<Mutex<BTreeMap<String, (u16, Value)>>>,
    asked: Arc<Mutex<Vec<String>>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let text = String::from_utf8(head).unwrap();
    let header = |name: &str| {
        let line = text.lines().find(|line| line.to_lowercase().starts_with(name));
        line.map(|line| line[name.len() + 1..].trim().to_owned())
    };
    let mut line = text.split(' ');
    let (method, path) = (line.next().unwrap(), line.next().unwrap());
    let replace = if header("x-replace").is_some() { " replace" } else { "" };
    let key = header("idempotency-key").unwrap_or_default();
    asked.lock().unwrap().push(format!("{method} {path} {key}{replace}"));
    let (status, body) = answers.lock().unwrap()[method].clone();
    let body = body.to_string();
    let length = body.len();
    // A connection for each request, so that its body need not be read.
    let response = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(response.as_bytes()).await.unwrap();
    // Whatever is left of the request is read, lest the connection is reset.
    stream.shutdown().await.unwrap();
    while stream.read_u8().await.is_ok() {}
}
