//! An element that keeps the requests that it gets, in order.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"port\":\"1/1/1\"}";

type Requests = Arc<Mutex<Vec<(String, String)>>>;

pub(super) struct Element {
    pub(super) url: String,
    requests: Requests,
}

impl Element {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Requests::default();
        let kept = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&kept)));
            }
        });
        Self { url, requests }
    }

    /// The requests since this was asked last, each as its first line and its body.
    pub(super) fn taken(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

async fn serve(mut stream: TcpStream, kept: Requests) {
    let mut head = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        head.push(byte);
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        let text = String::from_utf8(std::mem::take(&mut head)).unwrap();
        let lower = text.to_ascii_lowercase();
        let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut body).await.unwrap();
        let line = text.rsplit_once(" HTTP/1.1").map_or("", |(line, _)| line).to_owned();
        kept.lock().unwrap().push((line, String::from_utf8(body).unwrap()));
        if stream.write_all(ANSWER.as_bytes()).await.is_err() {
            return;
        }
    }
}
