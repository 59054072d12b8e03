//! An element that keeps what it is sent and repeats it in every form. It is Vault too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::planted::{Planted, base64};

type Requests = Arc<Mutex<BTreeMap<String, String>>>;

pub(super) struct Element {
    pub(super) host: String,
    requests: Requests,
}

impl Element {
    pub(super) async fn start(secrets: &[Planted]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let requests = Requests::default();
        let secrets: BTreeMap<_, _> =
            secrets.iter().map(|one| (one.name.clone(), one.in_vault())).collect();
        let (kept, secrets) = (Arc::clone(&requests), Arc::new(secrets));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&kept), Arc::clone(&secrets)));
            }
        });
        Self { host, requests }
    }

    /// The last request of a name.
    pub(super) fn sent(&self, name: &str) -> Option<String> {
        self.requests.lock().unwrap().get(name).cloned()
    }
}

async fn serve(mut stream: TcpStream, kept: Requests, secrets: Arc<BTreeMap<String, String>>) {
    let mut request = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        request.push(byte);
        if !request.ends_with(b"\r\n\r\n") {
            continue;
        }
        let head = String::from_utf8(request.clone()).unwrap();
        let length = head.to_ascii_lowercase();
        let length = length.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut body).await.unwrap();
        let body = String::from_utf8(body).unwrap();
        let path = head.split(' ').nth(1).unwrap().trim_start_matches('/');
        let answer = match path.strip_prefix("v1/secret/data/") {
            Some(name) if head.contains("x-vault-token: hvs.planted") => {
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}",
                    secrets[name].len(),
                    secrets[name]
                )
            }
            Some(_) => "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n".into(),
            None => echo(&head, &body),
        };
        kept.lock().unwrap().insert(path.to_owned(), head + &body);
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        request.clear();
    }
}

/// An answer that has a request in its headers and its body.
fn echo(head: &str, body: &str) -> String {
    let request = format!("{head}{body}");
    let hex = hex::encode(&request);
    let header = request.replace(['\r', '\n'], " ");
    let text = format!("{request} {} {hex}", base64(request.as_bytes()));
    format!("HTTP/1.1 200 OK\r\nx-echo: {header}\r\ncontent-length: {}\r\n\r\n{text}", text.len())
}
