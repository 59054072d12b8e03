//! A registry that answers as it is told, byte for byte.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) path: String,
    /// The address of the stub.
    pub(super) host: String,
    pub(super) authorization: Option<String>,
}

/// An answer.
pub(super) enum Raw {
    Bytes(Vec<u8>),
    /// A body without an end.
    Endless,
}

/// A registry on a port of its own, until the test ends.
pub(super) struct Stub {
    pub(super) host: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Stub {
    pub(super) fn start(answer: impl Fn(&Asked) -> Raw + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let (address, noted) = (host.to_owned(), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(asked) = read(&stream, &address) else { continue };
                let raw = answer(&asked);
                noted.lock().unwrap().push(asked);
                // A client that has heard enough goes away.
                match raw {
                    Raw::Bytes(bytes) => stream.write_all(&bytes).ok(),
                    Raw::Endless => endless(&mut stream),
                };
            }
        });
        Self { host, asked }
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().to_vec()
    }
}

fn read(stream: &TcpStream, host: &str) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut authorization, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => authorization = Some(value.to_owned()),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).ok()?;
    Some(Asked { path, host: host.to_owned(), authorization })
}

fn endless(stream: &mut TcpStream) -> Option<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").ok()?;
    loop {
        let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
        stream.write_all(&chunk).ok()?;
    }
}

/// An answer with this status, these headers and this body.
pub(super) fn status(status: &str, headers: &str, body: &str) -> Raw {
    let length = body.len();
    Raw::Bytes(
        format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}").into(),
    )
}

pub(super) fn json(body: &[u8]) -> Raw {
    answer("application/vnd.oci.image.manifest.v1+json", body)
}

pub(super) fn blob(body: &[u8]) -> Raw {
    answer("application/octet-stream", body)
}

fn answer(media_type: &str, body: &[u8]) -> Raw {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n\r\n"
    );
    Raw::Bytes([head.as_bytes(), body].concat())
}
