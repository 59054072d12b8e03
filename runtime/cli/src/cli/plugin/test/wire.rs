//! HTTP/1.1 as a simulated element speaks it: one request for each connection, and answers that may be wrong in
//! every way, which a proper server would not send.

use std::fmt::Write as _;
use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// Max bytes of the head of a request.
const HEAD_BYTES_MAX: u64 = 64 << 10;
/// Max bytes of the body of a request.
const BODY_BYTES_MAX: usize = 4 << 20;

/// A request as it came.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// An answer to send.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Received {
    /// Reads a request; `None` if the other side sent none.
    pub(super) async fn read(stream: &mut BufReader<TcpStream>) -> Result<Option<Self>> {
        let mut lines = Vec::new();
        let mut head = stream.take(HEAD_BYTES_MAX);
        loop {
            let mut line = String::new();
            if head.read_line(&mut line).await? == 0 {
                return if lines.is_empty() {
                    Ok(None)
                } else {
                    Err(broken("the head breaks off"))
                };
            }
            match line.trim_end() {
                "" if lines.is_empty() => {}
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut lines = lines.into_iter();
        let first = lines.next().unwrap_or_default();
        let mut words = first.split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Err(broken("the first line is no request"));
        };
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        });
        let mut received = Self {
            method: method.into(),
            target: target.into(),
            headers: headers.collect(),
            body: Vec::new(),
        };
        received.body = received.read_body(stream).await?;
        Ok(Some(received))
    }

    async fn read_body(&self, stream: &mut BufReader<TcpStream>) -> Result<Vec<u8>> {
        if self.header("transfer-encoding").is_some_and(|kind| kind.contains("chunked")) {
            return read_chunks(stream).await;
        }
        let length = self.header("content-length").map_or(Ok(0), str::parse);
        let length: usize =
            length.map_err(|_not_a_number| broken("`content-length` is no number"))?;
        if length > BODY_BYTES_MAX {
            return Err(broken("the body is too long"));
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        Ok(body)
    }

    /// The first header of this name, in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

async fn read_chunks(stream: &mut BufReader<TcpStream>) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        (&mut *stream).take(HEAD_BYTES_MAX).read_line(&mut line).await?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size =
            usize::from_str_radix(size, 16).map_err(|_no_size| broken("a chunk has no size"))?;
        if body.len() + size > BODY_BYTES_MAX {
            return Err(broken("the body is too long"));
        }
        let start = body.len();
        body.resize(start + size, 0);
        stream.read_exact(&mut body[start..]).await?;
        let mut end = String::new();
        (&mut *stream).take(HEAD_BYTES_MAX).read_line(&mut end).await?;
        if size == 0 {
            return Ok(body);
        }
    }
}

impl Reply {
    /// The answer as bytes, with a length that may be another than that of the body.
    fn head(&self, length: usize) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Answer\r\n", self.status);
        for (name, value) in &self.headers {
            let value: String = value.chars().filter(|char| !char.is_control()).collect();
            write!(head, "{name}: {value}\r\n").expect("a string takes all");
        }
        if self.status != 204 {
            write!(head, "content-length: {length}\r\n").expect("a string takes all");
        }
        head.push_str("connection: close\r\n\r\n");
        head.into_bytes()
    }

    /// Sends the answer whole.
    pub(super) async fn send(&self, stream: &mut BufReader<TcpStream>) -> Result<()> {
        let body: &[u8] = if self.status == 204 { &[] } else { &self.body };
        stream.write_all(&self.head(body.len())).await?;
        stream.write_all(body).await?;
        stream.shutdown().await
    }

    /// Sends half of the answer, then ends the connection.
    pub(super) async fn send_half(&self, stream: &mut BufReader<TcpStream>) -> Result<()> {
        let length = self.body.len().max(2);
        stream.write_all(&self.head(length)).await?;
        stream.write_all(&self.body[..self.body.len() / 2]).await?;
        stream.shutdown().await
    }
}

fn broken(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}
